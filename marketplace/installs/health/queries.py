"""Reading probes, incidents and whom to tell."""

from collections.abc import Mapping, Sequence
from datetime import date, datetime, timedelta

from sqlalchemy import or_, select
from sqlalchemy.orm import joinedload, selectinload

from marketplace.core import clock
from marketplace.core.database import db
from marketplace.identity.models import Membership, Organization, Role, User
from marketplace.installs.health.probes import Target
from marketplace.installs.health.uptime import DAYS, Probes
from marketplace.installs.models import (
    App,
    Environment,
    HealthDay,
    HealthIncident,
    Installation,
    InstallationState,
)


def due_targets(limit: int, *, not_since: datetime) -> list[Target]:
    """Apps that were not probed since then, those first that waited longest."""
    rows = db.session.execute(
        select(App.id, App.status_url)
        .where(
            App.status_url != "",
            App.archived_at.is_(None),
            or_(App.probed_at.is_(None), App.probed_at < not_since),
        )
        .order_by(App.probed_at.asc().nulls_first(), App.id)
        .limit(limit)
    )
    return [Target(row.id, row.status_url) for row in rows]


def probes_by_day(app_id: int) -> Mapping[date, Probes]:
    """The probes of the days that are shown."""
    since = clock.now().date() - timedelta(days=DAYS)
    rows = db.session.scalars(
        select(HealthDay).where(HealthDay.app_id == app_id, HealthDay.day > since)
    )
    return {row.day: Probes(row.answered, row.failed) for row in rows}


def last_incidents(app_id: int, limit: int) -> Sequence[HealthIncident]:
    """The app's latest incidents, the last first."""
    return db.session.scalars(
        select(HealthIncident)
        .where(HealthIncident.app_id == app_id)
        .order_by(HealthIncident.id.desc())
        .limit(limit)
    ).all()


def app_of_listing(listing_id: int) -> App | None:
    """The listing's app."""
    return db.session.scalar(
        select(App).where(App.listing_id == listing_id, App.archived_at.is_(None))
    )


def find_app(public_id: str) -> App | None:
    """The app of that public id, with its listing and its clients."""
    return db.session.scalar(
        select(App)
        .where(App.public_id == public_id)
        .options(joinedload(App.listing), selectinload(App.clients))
    )


def find_incident(incident_id: int) -> HealthIncident | None:
    """The incident with its app."""
    return db.session.scalar(
        select(HealthIncident)
        .where(HealthIncident.id == incident_id)
        .options(joinedload(HealthIncident.app))
    )


def installed_when(incident: HealthIncident, *, after: int, limit: int) -> Sequence[Installation]:
    """Live installations in use now that were there when the incident began, with their
    organizations; those after that row number."""
    return db.session.scalars(
        select(Installation)
        .where(
            Installation.app_id == incident.app_id,
            Installation.environment == Environment.LIVE,
            Installation.state == InstallationState.ACTIVE,
            Installation.installed_at <= incident.started_at,
            Installation.id > after,
        )
        .options(joinedload(Installation.organization))
        .order_by(Installation.id)
        .limit(limit)
    ).all()


def managers_of(organization_ids: Sequence[int]) -> Mapping[int, list[str]]:
    """The confirmed addresses of the owners and admins of each organization; one query."""
    rows = db.session.execute(
        select(Organization.id, User.email)
        .join(Membership, Membership.organization_id == Organization.id)
        .join(User, User.id == Membership.user_id)
        .where(
            Organization.id.in_(organization_ids),
            Membership.role.in_([Role.OWNER, Role.ADMIN]),
            User.deactivated_at.is_(None),
            User.email_verified.is_(True),
            User.email.is_not(None),
        )
        .order_by(User.id)
    )
    found: dict[int, list[str]] = {}
    for organization_id, email in rows:
        found.setdefault(organization_id, []).append(str(email))
    return found
