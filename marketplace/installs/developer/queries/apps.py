"""Apps, their clients and their installations."""

from collections.abc import Iterable, Sequence
from datetime import date, datetime
from typing import Any

from sqlalchemy import ColumnElement, Select, func, or_, select
from sqlalchemy.orm import joinedload, selectinload

from marketplace.catalogue.models import Listing, ListingStatus
from marketplace.core.database import db
from marketplace.installs.models import (
    App,
    ClientSecret,
    Environment,
    Installation,
    InstallationEvent,
    InstallationState,
    OAuthClient,
)


def own_apps(publisher_id: int, *, archived: bool = False) -> Select[App]:
    """A partner's apps with listing and clients, by name."""
    return (
        select(App)
        .where(
            App.publisher_id == publisher_id,
            App.archived_at.is_not(None) if archived else App.archived_at.is_(None),
        )
        .options(joinedload(App.listing), selectinload(App.clients))
        .order_by(func.lower(App.name), App.id)
    )


def find_app(public_id: str) -> App | None:
    """The app of that public id, whoever owns it, with all that its pages show."""
    return db.session.scalar(
        select(App)
        .where(App.public_id == public_id.replace("\0", ""))
        .options(
            joinedload(App.publisher),
            joinedload(App.listing),
            selectinload(App.clients).selectinload(OAuthClient.secrets),
        )
    )


def find_client(app_id: int, environment: Environment) -> OAuthClient | None:
    """The app's client, freshly read."""
    return db.session.scalar(
        select(OAuthClient)
        .where(OAuthClient.app_id == app_id, OAuthClient.environment == environment)
        .execution_options(populate_existing=True)
    )


def live_secrets(client_id: int) -> Sequence[ClientSecret]:
    """The client's secrets that were not revoked, oldest first, freshly read."""
    return db.session.scalars(
        select(ClientSecret)
        .where(ClientSecret.client_id == client_id, ClientSecret.revoked_at.is_(None))
        .order_by(ClientSecret.id)
        .execution_options(populate_existing=True)
    ).all()


def free_listings(publisher_id: int, *, but_app_id: int | None = None) -> Sequence[Any]:
    """(id, name, slug) of the partner's listings that no (other) app has, by name."""
    taken = select(App.listing_id).where(App.listing_id.is_not(None), App.archived_at.is_(None))
    if but_app_id is not None:
        taken = taken.where(App.id != but_app_id)
    return db.session.execute(
        select(Listing.id, Listing.name, Listing.slug)
        .where(
            Listing.publisher_id == publisher_id,
            Listing.status != ListingStatus.WITHDRAWN,
            Listing.id.not_in(taken),
        )
        .order_by(func.lower(Listing.name), Listing.id)
        .limit(500)
    ).all()


def count_installations(
    app_ids: Iterable[int],
) -> dict[tuple[int, Environment, InstallationState], int]:
    """How many installations each app has, by environment and state (one query)."""
    rows = db.session.execute(
        select(Installation.app_id, Installation.environment, Installation.state, func.count())
        .where(Installation.app_id.in_(list(app_ids)))
        .group_by(Installation.app_id, Installation.environment, Installation.state)
    )
    return {(app_id, environment, state): count for app_id, environment, state, count in rows}


def installations(
    app_id: int, environment: Environment, state: InstallationState | None = None, text: str = ""
) -> Select[Installation]:
    """An app's installations with their organizations, newest first."""
    query = (
        select(Installation)
        .join(Installation.organization)
        .where(Installation.app_id == app_id, Installation.environment == environment)
        .options(joinedload(Installation.organization))
        .order_by(Installation.id.desc())
    )
    if state is not None:
        query = query.where(Installation.state == state)
    if text:
        organization = Installation.organization.property.entity.class_
        query = query.where(
            or_(
                organization.name.icontains(text, autoescape=True),
                Installation.public_id == text,
            )
        )
    return query


def installs_by_day(app_id: int, since: datetime) -> dict[date, tuple[int, int]]:
    """(installs, removals) of the live environment by day (UTC), days without any left out."""
    day = _utc_day(InstallationEvent.created_at)
    rows = db.session.execute(
        select(
            day,
            func.count().filter(InstallationEvent.kind == "installed"),
            func.count().filter(InstallationEvent.kind == "uninstalled"),
        )
        .join(InstallationEvent.installation)
        .where(
            InstallationEvent.app_id == app_id,
            InstallationEvent.kind.in_(("installed", "uninstalled")),
            InstallationEvent.created_at >= since,
            Installation.environment == Environment.LIVE,
        )
        .group_by(day)
    )
    return {_as_date(value): (installed, removed) for value, installed, removed in rows}


def _utc_day(column: Any) -> ColumnElement[Any]:
    # SQLite keeps times in UTC; PostgreSQL would take the day of the session's time zone.
    if db.session.get_bind().dialect.name == "postgresql":
        return func.date(func.timezone("UTC", column))
    return func.date(column)


def _as_date(value: date | str) -> date:
    return date.fromisoformat(value) if isinstance(value, str) else value
