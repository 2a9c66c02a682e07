"""Installations, customers, members, erasures."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import Row, Select, bindparam, select
from sqlalchemy.orm import contains_eager, joinedload

from marketplace.catalogue.models import Listing
from marketplace.core.database import db
from marketplace.identity.models import Membership, Organization, User
from marketplace.installs.models import (
    App,
    Environment,
    ErasureRequest,
    Installation,
    InstallationState,
)

_COLUMNS = (
    Installation.id.label("row_id"),
    Installation.public_id,
    Installation.state,
    Installation.environment,
    Installation.granted_scopes,
    Installation.installed_at,
    Installation.connected_at,
    Installation.last_used_at,
    Installation.paused_at,
    Installation.pause_cause,
    Installation.uninstalled_at,
    Installation.uninstall_reason,
    App.public_id.label("app_public_id"),
    App.name.label("app_name"),
    Organization.slug.label("organization_slug"),
    Organization.name.label("organization_name"),
    Listing.slug.label("listing_slug"),
    Listing.name.label("listing_name"),
)


def _installations() -> Select[*tuple[Any, ...]]:
    return (
        select(*_COLUMNS)
        .select_from(Installation)
        .join(App, App.id == Installation.app_id)
        .join(Organization, Organization.id == Installation.organization_id)
        .outerjoin(Listing, Listing.id == Installation.listing_id)
    )


_ALL = _installations()
_ONE = _ALL.where(Installation.id == bindparam("number"))


def one_installation(installation_id: int) -> Any:
    """The installation that a token speaks for."""
    with db.engine.connect() as connection:
        return connection.execute(_ONE, {"number": installation_id}).one()


def partner_installation(
    partner_id: int, environment: Environment | None, public_id: str
) -> Row[Any] | None:
    """The installation of one of the partner's apps; None as environment: any."""
    query = _ALL.where(App.publisher_id == partner_id, Installation.public_id == public_id)
    if environment is not None:
        query = query.where(Installation.environment == environment)
    with db.engine.connect() as connection:
        return connection.execute(query).one_or_none()


def partner_installations(
    partner_id: int,
    environment: Environment,
    *,
    state: InstallationState | None,
    app: str | None,
    after: int | None,
    limit: int,
) -> Sequence[Row[Any]]:
    """Installations of the partner's apps, the oldest first."""
    query = _ALL.where(App.publisher_id == partner_id, Installation.environment == environment)
    if state is not None:
        query = query.where(Installation.state == state)
    if app is not None:
        query = query.where(App.public_id == app)
    if after is not None:
        query = query.where(Installation.id > after)
    query = query.order_by(Installation.id).limit(limit + 1)
    with db.engine.connect() as connection:
        return connection.execute(query).all()


def organization(organization_id: int) -> Organization:
    """The organization of that number, which exists."""
    return db.session.get_one(Organization, organization_id)


def members(organization_id: int, *, after: int | None, limit: int) -> Sequence[Row[Any]]:
    """The members of an organization whose accounts are in use, the longest first."""
    query = (
        select(
            Membership.id.label("row_id"),
            Membership.role,
            Membership.created_at,
            User.name,
            User.email,
            User.email_verified,
        )
        .join(User, User.id == Membership.user_id)
        .where(Membership.organization_id == organization_id, User.deactivated_at.is_(None))
    )
    if after is not None:
        query = query.where(Membership.id > after)
    query = query.order_by(Membership.id).limit(limit + 1)
    with db.engine.connect() as connection:
        rows: Sequence[Any] = connection.execute(query).all()
    return rows


def _erasures(partner_id: int, environment: Environment) -> Select[ErasureRequest]:
    return (
        select(ErasureRequest)
        .join(ErasureRequest.app)
        .join(ErasureRequest.installation)
        .where(App.publisher_id == partner_id, ErasureRequest.environment == environment)
        .options(
            contains_eager(ErasureRequest.app),
            contains_eager(ErasureRequest.installation).options(
                joinedload(Installation.organization), joinedload(Installation.listing)
            ),
        )
    )


def erasures(
    partner_id: int,
    environment: Environment,
    *,
    is_open: bool | None,
    after: int | None,
    limit: int,
) -> Sequence[ErasureRequest]:
    """Requests to erase data that the partner's apps got, the oldest first."""
    query = _erasures(partner_id, environment)
    if is_open is not None:
        done = ErasureRequest.completed_at
        query = query.where(done.is_(None) if is_open else done.is_not(None))
    if after is not None:
        query = query.where(ErasureRequest.id > after)
    return db.session.scalars(query.order_by(ErasureRequest.id).limit(limit + 1)).all()


def erasure(partner_id: int, environment: Environment, public_id: str) -> ErasureRequest | None:
    """One of them."""
    return db.session.scalar(
        _erasures(partner_id, environment).where(ErasureRequest.public_id == public_id)
    )
