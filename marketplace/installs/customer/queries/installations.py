"""Installations, one at a time."""

from collections.abc import Sequence

from sqlalchemy import select
from sqlalchemy.orm import contains_eager, joinedload

from marketplace.catalogue.models import Listing
from marketplace.core.database import db
from marketplace.core.pagination import Page, paginate
from marketplace.identity.models import Organization
from marketplace.installs.models import (
    App,
    Environment,
    Installation,
    InstallationEvent,
    InstallationState,
    ScopeUse,
)


def live_installation(app_id: int, organization_id: int) -> Installation | None:
    """The organization's installation of the app that was not removed, or None."""
    return db.session.scalar(
        select(Installation).where(
            Installation.app_id == app_id,
            Installation.organization_id == organization_id,
            Installation.state != InstallationState.UNINSTALLED,
        )
    )


def live_installations_of(
    organization_id: int, listing_ids: Sequence[int]
) -> Sequence[Installation]:
    """What the organization has installed of these listings. One query."""
    return db.session.scalars(
        select(Installation)
        .where(
            Installation.organization_id == organization_id,
            Installation.listing_id.in_(listing_ids),
            Installation.environment == Environment.LIVE,
            Installation.state != InstallationState.UNINSTALLED,
        )
        .options(
            joinedload(Installation.app).joinedload(App.publisher),
            joinedload(Installation.listing).joinedload(Listing.publisher),
        )
    ).all()


def find_installation(slug: str, installation_id: str) -> Installation | None:
    """The installation of that public id at the organization of that slug, with all that its
    page tells of it. One query."""
    return db.session.scalar(
        select(Installation)
        .join(Installation.organization)
        .where(Organization.slug == slug, Installation.public_id == installation_id)
        .options(
            contains_eager(Installation.organization),
            joinedload(Installation.app).joinedload(App.publisher),
            joinedload(Installation.listing),
            joinedload(Installation.consented_by),
        )
    )


EVENTS_PER_PAGE = 100


def events_of(installation_id: int, page: int = 1) -> Page[InstallationEvent]:
    """One page of what happened to an installation, the newest first, with who did it. Two
    queries."""
    return paginate(
        select(InstallationEvent)
        .where(InstallationEvent.installation_id == installation_id)
        .options(joinedload(InstallationEvent.user))
        .order_by(InstallationEvent.id.desc()),
        page=page,
        per_page=EVENTS_PER_PAGE,
    )


def scope_uses(installation_ids: Sequence[int]) -> Sequence[ScopeUse]:
    """When each scope of these installations was last used. One query."""
    if not installation_ids:
        return []
    return db.session.scalars(
        select(ScopeUse).where(ScopeUse.installation_id.in_(installation_ids))
    ).all()
