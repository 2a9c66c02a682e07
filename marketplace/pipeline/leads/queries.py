"""Leads and offers, as partners and staff see them."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Select, func, or_, select
from sqlalchemy.orm import joinedload, selectinload

from marketplace.catalogue.models import Category, Listing
from marketplace.catalogue.visibility import findable_listings
from marketplace.core import clock
from marketplace.core.database import db
from marketplace.core.errors import SignInRequiredError
from marketplace.core.pagination import Page, paginate
from marketplace.core.permissions import current_actor
from marketplace.identity.models import Organization, User
from marketplace.pipeline.leads.models import (
    Lead,
    LeadEvent,
    LeadImport,
    LeadNote,
    LeadOffer,
    LeadSource,
    LeadStage,
    LeadState,
    LeadTask,
    OfferState,
    Review,
    RoutingRule,
)

PER_PAGE = 25
# How many cards a column of the board shows; the table has all of them.
BOARD_CARDS = 30


def signed_in() -> None:
    """Raises SignInRequiredError before anything is looked up."""
    if not current_actor().is_authenticated:
        raise SignInRequiredError("Sign in to go on.")


def find_lead(lead_id: str) -> Lead | None:
    """The lead of that public id."""
    signed_in()
    return db.session.scalar(select(Lead).where(Lead.public_id == lead_id))


def find_offer(lead_offer_id: str) -> LeadOffer | None:
    """The offer of that public id, with its lead."""
    signed_in()
    return db.session.scalar(
        select(LeadOffer)
        .where(LeadOffer.public_id == lead_offer_id)
        .options(joinedload(LeadOffer.lead))
    )


def find_task(lead_task_id: str) -> LeadTask | None:
    """The task of that public id, with its lead."""
    signed_in()
    return db.session.scalar(
        select(LeadTask)
        .where(LeadTask.public_id == lead_task_id)
        .options(joinedload(LeadTask.lead))
    )


def find_import(lead_import_id: str) -> LeadImport | None:
    """The file of that public id."""
    signed_in()
    return db.session.scalar(select(LeadImport).where(LeadImport.public_id == lead_import_id))


def find_rule(routing_rule_id: str) -> RoutingRule | None:
    """The routing rule of that public id."""
    signed_in()
    return db.session.scalar(select(RoutingRule).where(RoutingRule.public_id == routing_rule_id))


def rules() -> Sequence[RoutingRule]:
    """All routing rules, the first one first."""
    return db.session.scalars(
        select(RoutingRule).order_by(RoutingRule.position, RoutingRule.id)
    ).all()


@dataclass(frozen=True)
class LeadFilter:
    """What a list of leads is asked for; empty parts allow everything."""

    text: str = ""
    stage: str = ""
    source: str = ""
    show: str = ""
    country: str = ""

    @property
    def is_plain(self) -> bool:
        """Whether it asks for everything."""
        return not (self.text or self.stage or self.source or self.country)


def own_leads(organization_id: int, asked: LeadFilter) -> Select[Lead]:
    """A partner's leads, the newest first."""
    query = select(Lead).where(Lead.owner_id == organization_id, Lead.state == LeadState.ACCEPTED)
    return _filtered(query, asked).order_by(Lead.accepted_at.desc(), Lead.id.desc())


def page_of_own(organization_id: int, asked: LeadFilter, page: int) -> Page[Lead]:
    """A page of them; two queries."""
    return paginate(own_leads(organization_id, asked), page=page, per_page=PER_PAGE)


def board_of(organization_id: int, asked: LeadFilter) -> dict[LeadStage, list[Lead]]:
    """A partner's leads by stage, at most `BOARD_CARDS` each, the newest first. One query."""
    place = (
        func.row_number()
        .over(partition_by=Lead.stage, order_by=(Lead.accepted_at.desc(), Lead.id.desc()))
        .label("place")
    )
    ranked = (
        _filtered(
            select(Lead.id, place).where(
                Lead.owner_id == organization_id, Lead.state == LeadState.ACCEPTED
            ),
            asked,
        )
    ).subquery()
    rows = db.session.scalars(
        select(Lead)
        .join(ranked, ranked.c.id == Lead.id)
        .where(ranked.c.place <= BOARD_CARDS)
        .order_by(Lead.accepted_at.desc(), Lead.id.desc())
    )
    found: dict[LeadStage, list[Lead]] = {stage: [] for stage in LeadStage}
    for row in rows:
        found[row.stage].append(row)
    return found


def stage_counts(organization_id: int) -> dict[str, int]:
    """How many leads a partner has in each stage."""
    rows = db.session.execute(
        select(Lead.stage, func.count())
        .where(Lead.owner_id == organization_id, Lead.state == LeadState.ACCEPTED)
        .group_by(Lead.stage)
    )
    return {stage.value: count for stage, count in rows}


def open_offers(organization_id: int) -> Sequence[LeadOffer]:
    """What waits for a partner's answer, the soonest deadline first; at most 50."""
    return db.session.scalars(
        select(LeadOffer)
        .where(
            LeadOffer.organization_id == organization_id,
            LeadOffer.state == OfferState.OPEN,
            LeadOffer.deadline > clock.now(),
        )
        .options(joinedload(LeadOffer.lead))
        .order_by(LeadOffer.deadline)
        .limit(50)
    ).all()


def page_of_offers(organization_id: int, page: int) -> Page[LeadOffer]:
    """All that a partner was ever offered, the newest first; two queries."""
    return paginate(
        select(LeadOffer)
        .where(LeadOffer.organization_id == organization_id)
        .options(joinedload(LeadOffer.lead))
        .order_by(LeadOffer.id.desc()),
        page=page,
        per_page=PER_PAGE,
    )


SHOWS = {
    "waiting": "Nobody has it",
    "offered": "Offered",
    "to_qualify": "To qualify",
    "duplicates": "Duplicates",
    "accepted": "With a partner",
    "closed": "Closed",
    "all": "All",
}


def page_of_all(asked: LeadFilter, page: int) -> Page[Lead]:
    """Staff's list of leads, the newest first, with the open offers; three queries."""
    query = _filtered(_shown(select(Lead), asked.show), asked)
    return paginate(
        query.options(selectinload(Lead.offers)).order_by(Lead.id.desc()),
        page=page,
        per_page=PER_PAGE,
    )


def all_leads(asked: LeadFilter, most: int = 10_000) -> Sequence[Lead]:
    """What the list shows, for a file."""
    query = _filtered(_shown(select(Lead), asked.show), asked)
    return db.session.scalars(query.order_by(Lead.id.desc()).limit(most)).all()


def show_counts() -> dict[str, int]:
    """How many leads each of staff's tabs has that asks for work."""
    found = {}
    for show in ("waiting", "to_qualify", "duplicates"):
        found[show] = db.session.scalar(_shown(select(func.count()).select_from(Lead), show)) or 0
    return found


def notes_of(lead: Lead, organization_id: int | None) -> Sequence[LeadNote]:
    """A partner's own notes beside a lead (None: staff's), the newest first."""
    return db.session.scalars(
        select(LeadNote)
        .where(LeadNote.lead_id == lead.id, LeadNote.organization_id == organization_id)
        .order_by(LeadNote.id.desc())
        .limit(200)
    ).all()


def tasks_of(lead: Lead) -> Sequence[LeadTask]:
    """The tasks of whoever has the lead: open ones first, by their day."""
    return db.session.scalars(
        select(LeadTask)
        .where(LeadTask.lead_id == lead.id, LeadTask.organization_id == lead.owner_id)
        .order_by(LeadTask.done_at.is_not(None), LeadTask.due_on.is_(None), LeadTask.due_on)
        .limit(200)
    ).all()


def events_of(lead: Lead, *, since: datetime | None = None) -> Sequence[LeadEvent]:
    """A lead's history, the newest first; `since`: only from when a partner has it."""
    query = select(LeadEvent).where(LeadEvent.lead_id == lead.id)
    if since is not None:
        query = query.where(LeadEvent.at >= since)
    return db.session.scalars(query.order_by(LeadEvent.id.desc()).limit(200)).all()


def names_of(ids: Sequence[int | None]) -> dict[int, str]:
    """The names of people by their ids."""
    rows = db.session.execute(
        select(User.id, User.name).where(User.id.in_({each for each in ids if each}))
    )
    return {int(each): str(name) for each, name in rows}


def organizations_of(ids: Sequence[int | None]) -> dict[int, Organization]:
    """Organizations by their ids, in one query."""
    rows = db.session.scalars(
        select(Organization).where(Organization.id.in_({each for each in ids if each}))
    )
    return {row.id: row for row in rows}


def listings_of(ids: Sequence[int | None]) -> dict[int, Listing]:
    """Listings by their ids, in one query."""
    rows = db.session.scalars(select(Listing).where(Listing.id.in_({each for each in ids if each})))
    return {row.id: row for row in rows}


def listing_to_ask(slug: str) -> Listing | None:
    """The findable listing of that address, with its publisher."""
    return db.session.scalar(findable_listings().where(Listing.slug == slug))


def find_named_listing(text: str) -> Listing | None:
    """The findable listing of that address or that exact name; none when two have the name."""
    words = " ".join(text.split())[:300]
    found = listing_to_ask(words.rstrip("/").rpartition("/")[2].lower())
    if found is not None or not words:
        return found
    rows = db.session.scalars(
        findable_listings().where(func.lower(Listing.name) == words.lower()).limit(2)
    ).all()
    return rows[0] if len(rows) == 1 else None


def own_listing_names(publisher_id: int, most: int = 50) -> Sequence[str]:
    """Names of a partner's published listings, which its forms suggest."""
    return db.session.scalars(
        findable_listings()
        .where(Listing.publisher_id == publisher_id)
        .with_only_columns(Listing.name)
        .order_by(Listing.name)
        .limit(most)
    ).all()


def category_choices() -> list[tuple[str, str]]:
    """(slug, name) of all categories."""
    rows = db.session.execute(select(Category.slug, Category.name).order_by(Category.name))
    return [(slug, name) for slug, name in rows]


def _filtered(query: Select[Lead], asked: LeadFilter) -> Select[Lead]:
    if asked.text:
        query = query.where(
            or_(
                *(
                    column.icontains(asked.text, autoescape=True)
                    for column in (Lead.name, Lead.company, Lead.email, Lead.need)
                )
            )
        )
    if asked.stage in {each.value for each in LeadStage}:
        query = query.where(Lead.stage == LeadStage(asked.stage))
    if asked.source in {each.value for each in LeadSource}:
        query = query.where(Lead.source == LeadSource(asked.source))
    if asked.country:
        query = query.where(Lead.country == asked.country)
    return query


def _shown(query: Select[Any], show: str) -> Select[Any]:
    if show == "waiting":
        return query.where(Lead.state == LeadState.UNPLACED)
    if show == "offered":
        return query.where(Lead.state == LeadState.OFFERED)
    if show == "accepted":
        return query.where(Lead.state == LeadState.ACCEPTED)
    if show == "closed":
        return query.where(Lead.state == LeadState.CLOSED)
    if show == "to_qualify":
        return query.where(
            Lead.state == LeadState.ACCEPTED,
            Lead.review == Review.PENDING,
            Lead.duplicate_of_id.is_(None),
        )
    if show == "duplicates":
        return query.where(Lead.duplicate_of_id.is_not(None), Lead.state != LeadState.CLOSED)
    return query
