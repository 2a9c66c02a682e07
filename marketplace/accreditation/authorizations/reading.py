"""What other domains ask about authorizations."""

from collections.abc import Iterable, Sequence
from datetime import date

from sqlalchemy import ColumnElement, Select, and_, or_, select

from marketplace.accreditation.authorizations.models import (
    Authorization,
    AuthorizationStatus,
    CheckState,
)
from marketplace.core import clock
from marketplace.core.database import db


def counts_on(day: date) -> ColumnElement[bool]:
    """Whether an authorization was accepted and has not run out."""
    return and_(
        Authorization.check == CheckState.ACCEPTED,
        or_(Authorization.expires_on.is_(None), Authorization.expires_on >= day),
    )


def levels_of(listing_ids: Iterable[int]) -> dict[int, list[str]]:
    """The levels at which each listing is authorized now, for those that are. One query."""
    rows = db.session.execute(
        select(Authorization.listing_id, Authorization.level)
        .where(
            Authorization.listing_id.in_(list(listing_ids)),
            Authorization.status == AuthorizationStatus.AUTHORIZED,
            counts_on(clock.now().date()),
        )
        .order_by(Authorization.level)
        .distinct()
    )
    found: dict[int, list[str]] = {}
    for listing_id, level in rows:
        found.setdefault(listing_id, []).append(level)
    return found


def listings_at(levels: Sequence[str]) -> Select[int]:
    """The ids of listings that are authorized at one of these levels, for a larger query."""
    return select(Authorization.listing_id).where(
        Authorization.level.in_(levels),
        Authorization.status == AuthorizationStatus.AUTHORIZED,
        counts_on(clock.now().date()),
    )


def authorizations_of_listing(listing_id: int) -> Sequence[Authorization]:
    """What is public of a listing, the strongest status first. One query."""
    order = {
        AuthorizationStatus.AUTHORIZED: 0,
        AuthorizationStatus.IN_PROCESS: 1,
        AuthorizationStatus.READY: 2,
    }
    rows = db.session.scalars(
        select(Authorization)
        .where(Authorization.listing_id == listing_id, counts_on(clock.now().date()))
        .order_by(Authorization.level)
    ).all()
    return sorted(rows, key=lambda row: order[row.status])


def listing_ids_ever(organization_id: int) -> list[int]:
    """The publisher's listings for which it ever filed an authorization. One query."""
    return list(
        db.session.scalars(
            select(Authorization.listing_id)
            .where(Authorization.organization_id == organization_id)
            .distinct()
        )
    )
