"""The app behind a listing."""

from collections.abc import Sequence

from sqlalchemy import select
from sqlalchemy.orm import contains_eager, joinedload

from marketplace.catalogue.models import Listing
from marketplace.core.database import db
from marketplace.installs.models import (
    App,
    ClientKind,
    Environment,
    Installation,
    InstallationState,
    OAuthClient,
)


def live_client_of(listing_id: int) -> OAuthClient | None:
    """The client through which a listing is installed, with its app, listing and publisher; None
    when it has no app, or the app was switched off. One query."""
    return db.session.scalar(
        select(OAuthClient)
        .join(OAuthClient.app)
        .where(
            App.listing_id == listing_id,
            App.archived_at.is_(None),
            OAuthClient.kind == ClientKind.APP,
            OAuthClient.environment == Environment.LIVE,
            OAuthClient.disabled_at.is_(None),
        )
        .options(
            contains_eager(OAuthClient.app).joinedload(App.listing),
            contains_eager(OAuthClient.app).joinedload(App.publisher),
        )
    )


def find_published_listing(slug: str) -> Listing | None:
    """The listing of that slug that was published, though it may be suspended, with its
    publisher. One query."""
    return db.session.scalar(
        select(Listing)
        .where(Listing.slug == slug, Listing.published_at.is_not(None))
        .options(joinedload(Listing.publisher))
    )


def has_app(listing_id: int) -> bool:
    """Whether a listing can be installed at all. One query."""
    return (
        db.session.scalar(
            select(OAuthClient.id)
            .join(OAuthClient.app)
            .where(
                App.listing_id == listing_id,
                App.archived_at.is_(None),
                OAuthClient.kind == ClientKind.APP,
                OAuthClient.environment == Environment.LIVE,
                OAuthClient.disabled_at.is_(None),
            )
            .limit(1)
        )
        is not None
    )


def installed_by(app_id: int, organization_ids: Sequence[int]) -> dict[int, Installation]:
    """Which of these organizations have the app, by their ids. One query."""
    rows = db.session.scalars(
        select(Installation).where(
            Installation.app_id == app_id,
            Installation.organization_id.in_(organization_ids),
            Installation.state != InstallationState.UNINSTALLED,
        )
    )
    return {row.organization_id: row for row in rows}


def client_for(installation: Installation) -> OAuthClient | None:
    """The client of an installation's environment, with its app. One query."""
    return db.session.scalar(
        select(OAuthClient)
        .where(
            OAuthClient.app_id == installation.app_id,
            OAuthClient.environment == installation.environment,
        )
        .options(joinedload(OAuthClient.app))
    )
