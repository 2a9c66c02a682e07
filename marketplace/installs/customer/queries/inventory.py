"""What an organization has installed, as a list."""

import enum
from collections.abc import Sequence
from typing import Any

from sqlalchemy import ColumnElement, Select, and_, case, func, not_, or_, select
from sqlalchemy.orm import aliased, contains_eager, joinedload

from marketplace.catalogue.models import Listing, ListingVersion
from marketplace.core.database import db
from marketplace.core.pagination import Page, paginate
from marketplace.identity.models import Organization
from marketplace.installs.models import App, Installation, InstallationState

PER_PAGE = 25


class Shown(enum.StrEnum):
    """Which installations the inventory shows."""

    INSTALLED = "installed"
    ACTIVE = "active"
    PAUSED = "paused"
    SUSPENDED = "suspended"
    HISTORY = "history"


_PUBLISHER = aliased(Organization)
_NAME = func.lower(func.coalesce(Listing.name, App.name))


def _found(query: Select[Any], organization_id: int, q: str) -> Select[Any]:
    """The query for the organization's installations whose app or publisher has the words."""
    query = (
        query.join(Installation.app)
        .join(App.publisher.of_type(_PUBLISHER))
        .outerjoin(Installation.listing)
        .where(Installation.organization_id == organization_id)
    )
    if q:
        query = query.where(
            or_(
                _NAME.contains(q.lower(), autoescape=True),
                func.lower(_PUBLISHER.name).contains(q.lower(), autoescape=True),
            )
        )
    return query


def _is_suspended() -> ColumnElement[bool]:
    return or_(Listing.suspended_at.is_not(None), _PUBLISHER.suspended_at.is_not(None))


def _condition(shown: Shown) -> ColumnElement[bool]:
    if shown is Shown.HISTORY:
        return Installation.state == InstallationState.UNINSTALLED
    if shown is Shown.ACTIVE:
        return and_(Installation.state == InstallationState.ACTIVE, not_(_is_suspended()))
    if shown is Shown.PAUSED:
        return Installation.state == InstallationState.PAUSED
    is_live = Installation.state != InstallationState.UNINSTALLED
    return and_(is_live, _is_suspended()) if shown is Shown.SUSPENDED else is_live


def installations_of(
    organization_id: int, shown: Shown | None, q: str = ""
) -> Select[Installation]:
    """The organization's installations with all that a list tells, by name; the history (and
    everything, where `shown` is None) by time, the newest first."""
    query: Select[Installation] = _found(select(Installation), organization_id, q).options(
        contains_eager(Installation.app).contains_eager(App.publisher.of_type(_PUBLISHER)),
        contains_eager(Installation.listing).joinedload(Listing.publisher),
        joinedload(Installation.consented_by),
        joinedload(Installation.uninstalled_by),
        joinedload(Installation.organization),
    )
    if shown is None:
        return query.order_by(Installation.installed_at.desc(), Installation.id.desc())
    query = query.where(_condition(shown))
    if shown is Shown.HISTORY:
        return query.order_by(Installation.uninstalled_at.desc(), Installation.id.desc())
    return query.order_by(_NAME, Installation.id)


def page_of_installations(
    organization_id: int, shown: Shown, q: str, page: int
) -> Page[Installation]:
    """One page of them. Two queries."""
    return paginate(installations_of(organization_id, shown, q), page=page, per_page=PER_PAGE)


def counts_by_state(organization_id: int, q: str = "") -> dict[Shown, int]:
    """How many there are behind each filter, of those that the search finds. One query."""
    columns = [
        func.coalesce(func.sum(case((_condition(shown), 1), else_=0)), 0).label(shown.value)
        for shown in Shown
    ]
    query = _found(select(*columns).select_from(Installation), organization_id, q)
    row = db.session.execute(query).one()
    return {shown: int(row[position]) for position, shown in enumerate(Shown)}


def latest_versions(listing_ids: Sequence[int]) -> dict[int, str]:
    """The version that each listing released last. One query."""
    if not listing_ids:
        return {}
    rows = db.session.execute(
        select(ListingVersion.listing_id, ListingVersion.version)
        .where(ListingVersion.listing_id.in_(listing_ids))
        .order_by(ListingVersion.released_on, ListingVersion.id)
    )
    # The last one of each listing is the newest.
    return {row.listing_id: row.version for row in rows}
