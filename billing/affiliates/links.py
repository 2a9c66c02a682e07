"""What an affiliate hands out: links, promotion codes, and a key for its own server."""

import hashlib
import re
import secrets
from datetime import datetime, timedelta

from sqlalchemy import func, select

from billing.models.affiliate import Affiliate, AffiliateLink, AffiliateProgram, AffiliateState
from billing.models.discount import Discount, PromotionCode
from marketplace.core import clock
from marketplace.core.database import db
from marketplace.core.errors import ConflictError, InvalidError
from marketplace.core.facts import record_fact
from marketplace.core.once import insert_if_new

MAX_LINKS = 200
MAX_LINK_NAME = 80
LONGEST = timedelta(days=3_650)
KEY_PREFIX = "paf_"
# Without letters and digits that are taken for each other.
_ALPHABET = "abcdefghjkmnpqrstuvwxyz23456789"
_LINK_CODE = re.compile(r"[a-z0-9](?:[a-z0-9-]{1,38}[a-z0-9])")
_PROMOTION_CODE = re.compile(r"[A-Z0-9][A-Z0-9-]{2,39}")
# Paths of ours that begin like a link's.
RESERVED_CODES = frozenset({"remember", "forget", "api", "leads"})


def make_link(
    affiliate: Affiliate, target: str, *, name: str = "", code: str = "", by_user_id: int | None
) -> AffiliateLink:
    """Make a link /r/<code> that leads to `target`, a path of ours; a code is made up without one.

    Raises InvalidError, ConflictError for who is not active.
    """
    _refuse_inactive(affiliate)
    if len(name) > MAX_LINK_NAME:
        raise InvalidError({"name": f"At most {MAX_LINK_NAME} characters."})
    if not target.startswith("/") or target.startswith("//") or len(target) > 300:
        raise InvalidError({"target": "Choose a page of ours."})
    count = db.session.scalar(
        select(func.count())
        .select_from(AffiliateLink)
        .where(AffiliateLink.affiliate_id == affiliate.id)
    )
    if (count or 0) >= MAX_LINKS:
        raise InvalidError({"name": f"At most {MAX_LINKS} links. Use sub-ids to tell sources."})
    wanted = code.strip().lower()
    if wanted and (not _LINK_CODE.fullmatch(wanted) or wanted in RESERVED_CODES):
        raise InvalidError({"code": "From 3 to 40 letters, digits and hyphens between them."})
    made = None
    while made is None:
        made = insert_if_new(
            AffiliateLink,
            affiliate_id=affiliate.id,
            code=wanted or "".join(secrets.choice(_ALPHABET) for _ in range(8)),
            name=name.strip(),
            target=target,
            created_at=clock.now(),
        )
        if made is None and wanted:
            raise InvalidError({"code": "This code is taken."})
    record_fact(
        "affiliate.link_made",
        subject=("affiliate_link", made),
        organization_id=affiliate.organization_id,
        actor_user_id=by_user_id,
        data={"affiliate_id": affiliate.id, "target": target},
    )
    return db.session.get_one(AffiliateLink, made)


def switch_link(link: AffiliateLink, *, on: bool, by_user_id: int | None) -> bool:
    """Let a link's clicks count, or not; it leads on either way. False when it is so already."""
    if on == (link.disabled_at is None):
        return False
    link.disabled_at = None if on else clock.now()
    db.session.flush()
    record_fact(
        "affiliate.link_enabled" if on else "affiliate.link_disabled",
        subject=("affiliate_link", link.id),
        organization_id=link.affiliate.organization_id,
        actor_user_id=by_user_id,
    )
    return True


def give_code(
    affiliate: Affiliate,
    discount: Discount,
    code: str,
    *,
    expires_at: datetime | None = None,
    by_user_id: int | None,
) -> PromotionCode:
    """Give an affiliate a promotion code for a discount of the program's owner, until `expires_at`
    or for as long as the discount counts.

    Whoever buys with it is credited to the affiliate. Raises InvalidError, ConflictError.
    """
    _refuse_inactive(affiliate)
    program: AffiliateProgram = affiliate.program
    if discount.publisher_id != program.publisher_id or discount.archived_at is not None:
        raise InvalidError({"discount": "Choose one of your own discounts that is not archived."})
    if discount.is_automatic:
        raise InvalidError({"discount": "An automatic discount needs no code."})
    wanted = code.strip().upper()
    if not _PROMOTION_CODE.fullmatch(wanted):
        raise InvalidError({"code": "From 3 to 40 letters, digits and hyphens."})
    now = clock.now()
    if expires_at is not None and not now < expires_at < now + LONGEST:
        raise InvalidError({"expires_at": "A day to come, within ten years."})
    made = insert_if_new(
        PromotionCode,
        discount_id=discount.id,
        publisher_id=discount.publisher_id,
        code=wanted,
        affiliate_id=affiliate.id,
        expires_at=expires_at,
        created_at=now,
    )
    if made is None:
        raise InvalidError({"code": "There is this code already. Choose another one."})
    record_fact(
        "affiliate.code_given",
        subject=("promotion_code", made),
        organization_id=program.publisher_id,
        actor_user_id=by_user_id,
        data={"affiliate_id": affiliate.id, "discount_id": discount.id},
    )
    return db.session.get_one(PromotionCode, made)


def new_key(affiliate: Affiliate, *, by_user_id: int | None) -> str:
    """Make a key for the affiliate's server, shown only now; one made before ends at once.

    Raises ConflictError for who is not active.
    """
    _refuse_inactive(affiliate)
    key = KEY_PREFIX + secrets.token_urlsafe(32)
    affiliate.key_hash = _hash(key)
    affiliate.key_hint = key[-4:]
    affiliate.key_made_at = clock.now()
    db.session.flush()
    record_fact(
        "affiliate.key_made",
        subject=("affiliate", affiliate.id),
        organization_id=affiliate.organization_id,
        actor_user_id=by_user_id,
    )
    return key


def affiliate_of_key(key: str) -> Affiliate | None:
    """The active affiliate whose key this is."""
    if not key.startswith(KEY_PREFIX) or len(key) > 100:
        return None
    return db.session.scalar(
        select(Affiliate).where(
            Affiliate.key_hash == _hash(key), Affiliate.state == AffiliateState.ACTIVE
        )
    )


def _hash(key: str) -> str:
    return hashlib.sha256(key.encode("utf-8", "surrogatepass")).hexdigest()


def _refuse_inactive(affiliate: Affiliate) -> None:
    if affiliate.state is not AffiliateState.ACTIVE or affiliate.program.closed_at is not None:
        raise ConflictError("This is for active affiliates of a running program.")
