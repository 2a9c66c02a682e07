"""What an organization has installed, as a list."""

import enum
from collections.abc import Sequence

from sqlalchemy import Select, func, or_, select
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
    HISTORY = "history"


def installations_of(
    organization_id: int, shown: Shown | None, q: str = ""
) -> Select[Installation]:
    """The organization's installations with all that a list tells, by name; the history (and
    everything, where `shown` is None) by time, the newest first."""
    publisher = aliased(Organization)
    name = func.lower(func.coalesce(Listing.name, App.name))
    query = (
        select(Installation)
        .join(Installation.app)
        .join(App.publisher.of_type(publisher))
        .outerjoin(Installation.listing)
        .where(Installation.organization_id == organization_id)
        .options(
            contains_eager(Installation.app).contains_eager(App.publisher.of_type(publisher)),
            contains_eager(Installation.listing),
            joinedload(Installation.consented_by),
            joinedload(Installation.organization),
        )
    )
    if q:
        query = query.where(
            or_(
                name.contains(q.lower(), autoescape=True),
                func.lower(publisher.name).contains(q.lower(), autoescape=True),
            )
        )
    if shown is Shown.HISTORY:
        query = query.where(Installation.state == InstallationState.UNINSTALLED)
        return query.order_by(Installation.uninstalled_at.desc(), Installation.id.desc())
    if shown is None:
        return query.order_by(Installation.installed_at.desc(), Installation.id.desc())
    if shown is Shown.INSTALLED:
        query = query.where(Installation.state != InstallationState.UNINSTALLED)
    else:
        query = query.where(Installation.state == InstallationState(shown.value))
    return query.order_by(name, Installation.id)


def page_of_installations(
    organization_id: int, shown: Shown, q: str, page: int
) -> Page[Installation]:
    """One page of them. Two queries."""
    return paginate(installations_of(organization_id, shown, q), page=page, per_page=PER_PAGE)


def counts_by_state(organization_id: int) -> dict[Shown, int]:
    """How many there are behind each filter. One query."""
    rows = db.session.execute(
        select(Installation.state, func.count())
        .where(Installation.organization_id == organization_id)
        .group_by(Installation.state)
    ).all()
    found = {row[0]: row[1] for row in rows}
    active = found.get(InstallationState.ACTIVE, 0)
    paused = found.get(InstallationState.PAUSED, 0)
    return {
        Shown.INSTALLED: active + paused,
        Shown.ACTIVE: active,
        Shown.PAUSED: paused,
        Shown.HISTORY: found.get(InstallationState.UNINSTALLED, 0),
    }


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
