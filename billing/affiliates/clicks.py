"""Clicks on affiliates' links, leads that their servers register, and what both are worth."""

import re
from collections.abc import Collection
from datetime import datetime, timedelta

from sqlalchemy import Select, select, update
from sqlalchemy.orm import joinedload

from billing.affiliate import LONGEST_WINDOW_DAYS, Touch
from billing.models.affiliate import Affiliate, AffiliateLead, AffiliateLink, AffiliateState, Click
from marketplace.core import clock
from marketplace.core.database import db
from marketplace.core.errors import RateLimitedError
from marketplace.core.once import insert_if_new

MAX_SUB_ID = 80
# Of one affiliate in a day; a list of bought addresses is longer.
MOST_LEADS_A_DAY = 200
_BOT = re.compile(
    r"bot\b|crawl|spider|slurp|preview|scrap|monitor|curl|wget|python|headless|facebookexternalhit"
    r"|lighthouse|pingdom|uptime",
    re.IGNORECASE,
)


def is_bot(user_agent: str) -> bool:
    """Whether a user agent says that it is a machine (or says nothing at all)."""
    return not user_agent.strip() or _BOT.search(user_agent) is not None


def clean_sub_id(text: str) -> str:
    """A sub-id as it is kept: printable, without spaces around it, at most 80 characters."""
    return "".join(each for each in text if each.isprintable()).strip()[:MAX_SUB_ID]


def find_link(code: str) -> AffiliateLink | None:
    """The link of a code, with its affiliate and program; in any case of letters."""
    return db.session.scalar(
        select(AffiliateLink)
        .where(AffiliateLink.code == code.lower())
        .options(joinedload(AffiliateLink.affiliate).joinedload(Affiliate.program))
    )


def counts_clicks(link: AffiliateLink) -> bool:
    """Whether a click on this link can bring its affiliate anything."""
    program = link.affiliate.program
    return (
        link.disabled_at is None
        and link.affiliate.state is AffiliateState.ACTIVE
        and program.paused_at is None
        and program.closed_at is None
    )


def record_click(
    link: AffiliateLink,
    *,
    visitor_hash: str | None,
    address_hash: str,
    sub_id: str,
    referrer_host: str,
    bot: bool,
) -> Click:
    """Write a click down. What a machine clicks is kept, but never counts."""
    click = Click(
        link_id=link.id,
        visitor_hash=None if bot else visitor_hash,
        address_hash=address_hash,
        sub_id=clean_sub_id(sub_id),
        referrer_host=referrer_host[:120],
        is_bot=bot,
    )
    db.session.add(click)
    db.session.flush()
    return click


def let_follow(click_id: int, visitor_hash: str) -> bool:
    """Put the visitor's hash to a click, after consent. False when the click is somebody's."""
    done = db.session.execute(
        update(Click)
        .where(Click.id == click_id, Click.visitor_hash.is_(None), Click.is_bot.is_(False))
        .values(visitor_hash=visitor_hash)
        .execution_options(synchronize_session=False)
    )
    return getattr(done, "rowcount", 0) == 1


def touches_of_visitor(visitor_hash: str) -> list[Touch]:
    """What a visitor's clicks are worth, within the longest window; the newest hundred."""
    since = clock.now() - timedelta(days=LONGEST_WINDOW_DAYS)
    return _touches(
        _clicks()
        .where(Click.visitor_hash == visitor_hash, Click.clicked_at > since)
        .order_by(Click.clicked_at.desc())
        .limit(100)
    )


def touches_of_click(click_id: int) -> list[Touch]:
    """What one click is worth."""
    return _touches(_clicks().where(Click.id == click_id))


def touches_of_leads(email_hashes: Collection[str], *, before: datetime) -> list[Touch]:
    """What leads registered before a customer was founded are worth."""
    if not email_hashes:
        return []
    rows = db.session.execute(
        select(AffiliateLead, Affiliate.program_id)
        .join(Affiliate, Affiliate.id == AffiliateLead.affiliate_id)
        .where(AffiliateLead.email_hash.in_(email_hashes), AffiliateLead.created_at < before)
        .order_by(AffiliateLead.id)
        .limit(100)
    )
    return [
        Touch(program_id, lead.affiliate_id, lead.created_at, "server", sub_id=lead.sub_id)
        for lead, program_id in rows
    ]


def register_lead(affiliate: Affiliate, email_hash: str, sub_id: str = "") -> bool:
    """Note that an affiliate announced somebody; whether it was new.

    Raises RateLimitedError beyond MOST_LEADS_A_DAY.
    """
    today = select(AffiliateLead.id).where(
        AffiliateLead.affiliate_id == affiliate.id,
        AffiliateLead.created_at > clock.now() - timedelta(days=1),
    )
    if len(db.session.scalars(today.limit(MOST_LEADS_A_DAY)).all()) >= MOST_LEADS_A_DAY:
        raise RateLimitedError(f"At most {MOST_LEADS_A_DAY} leads a day.", retry_after=3_600)
    made = insert_if_new(
        AffiliateLead,
        affiliate_id=affiliate.id,
        email_hash=email_hash,
        sub_id=clean_sub_id(sub_id),
        created_at=clock.now(),
    )
    return made is not None


def _clicks() -> Select[Click, int, int]:
    return (
        select(Click, Affiliate.id, Affiliate.program_id)
        .join(AffiliateLink, AffiliateLink.id == Click.link_id)
        .join(Affiliate, Affiliate.id == AffiliateLink.affiliate_id)
        .where(Click.is_bot.is_(False))
    )


def _touches(query: Select[Click, int, int]) -> list[Touch]:
    rows = db.session.execute(query).all()
    return [
        Touch(
            program_id=program_id,
            affiliate_id=affiliate_id,
            at=click.clicked_at,
            source="click",
            click_id=click.id,
            sub_id=click.sub_id,
            address_hash=click.address_hash,
        )
        for click, affiliate_id, program_id in rows
    ]
