"""Registering apps, changing what is said of them, and archiving them."""

from typing import Any

from sqlalchemy import func, select, update
from sqlalchemy.exc import IntegrityError

from marketplace.core import clock
from marketplace.core.database import db
from marketplace.core.errors import ConflictError, ForbiddenError, InvalidError
from marketplace.core.facts import record_fact
from marketplace.core.outbound import OutboundRefusedError, check_url
from marketplace.core.permissions import Actor
from marketplace.identity.models import Organization
from marketplace.installs.credentials import PREFIXES, new_public_id
from marketplace.installs.developer import fingerprints
from marketplace.installs.developer.queries import apps as queries
from marketplace.installs.developer.services.locks import lock_app
from marketplace.installs.developer.services.sandbox_installs import end_test_installations
from marketplace.installs.grants import revoke_client_grants
from marketplace.installs.models import (
    App,
    ClientSecret,
    Environment,
    HealthState,
    Installation,
    InstallationState,
    OAuthClient,
)

MAX_NAME, MAX_URL = 60, 500
MOST_APPS = 100
CHANGED_MEANWHILE = (
    "Somebody else changed this meanwhile. What you typed is kept below; save again to replace "
    "what is saved now."
)


class StaleError(ConflictError):
    """The form was filled in from values that are not the current ones any more."""

    title = "Changed meanwhile"

    def __init__(self) -> None:
        super().__init__(CHANGED_MEANWHILE, code="stale")


def register_app(actor: Actor, *, name: str, listing_id: int | None, is_confidential: bool) -> App:
    """Register an app of the active partner, with a live and a test client that have no secret
    and no redirect URI yet.

    Raises InvalidError (fields name, listing), ForbiddenError and ConflictError (too many).
    """
    publisher_id = actor.organization_id
    if publisher_id is None or not actor.can("app.create"):
        raise ForbiddenError("Your role does not allow this.")
    publisher = _lock_publisher(publisher_id)
    if publisher.suspended_at is not None:
        raise ForbiddenError("Your organization is suspended, so no app can be registered.")
    name = _one_line(name)
    errors = _name_problem(publisher_id, name) | _listing_problem(publisher_id, listing_id)
    if errors:
        raise InvalidError(errors)
    count = db.session.scalar(
        select(func.count())
        .select_from(App)
        .where(App.publisher_id == publisher_id, App.archived_at.is_(None))
    )
    if (count or 0) >= MOST_APPS:
        raise ConflictError(f"You have {MOST_APPS} apps. Archive one that you no longer use first.")
    app = App(
        public_id=new_public_id("app"),
        publisher_id=publisher_id,
        listing_id=listing_id,
        name=name,
        created_by_id=actor.user_id,
    )
    db.session.add(app)
    _flush_listing()
    for environment in Environment:
        prefix = PREFIXES[f"client_{environment.value}"].removesuffix("_")
        db.session.add(
            OAuthClient(
                client_id=new_public_id(prefix),
                app_id=app.id,
                environment=environment,
                is_confidential=is_confidential,
            )
        )
    db.session.flush()
    _record("app.registered", app, actor, listing_id=listing_id, is_confidential=is_confidential)
    return app


def change_app(
    actor: Actor,
    app: App,
    *,
    seen: str,
    name: str,
    listing_id: int | None,
    status_url: str,
) -> bool:
    """Change the app's name, listing and status address; whether anything changed.

    `seen` is the fingerprint of the values that the form was filled in from. Raises StaleError,
    InvalidError (fields name, listing, status_url), ConflictError when archived.
    """
    lock_app(app)
    refuse_archived(app)
    if seen != fingerprints.of_app(app):
        raise StaleError
    name, status_url = _one_line(name), status_url.strip()
    errors: dict[str, str] = {}
    if name != app.name:
        errors |= _name_problem(app.publisher_id, name, but=app.id)
    if listing_id != app.listing_id:
        errors |= _listing_problem(app.publisher_id, listing_id, but=app.id)
        if not errors and app.listing_id is not None and live_installations(app.id):
            errors["listing"] = "Customers have installed this listing, so the app stays with it."
    if status_url and status_url != app.status_url:
        try:
            check_url(status_url, https_only=True)
        except OutboundRefusedError as error:
            errors["status_url"] = error.detail
        if len(status_url) > MAX_URL:
            errors["status_url"] = f"Use at most {MAX_URL} characters."
    if errors:
        raise InvalidError(errors)
    values = {"name": name, "listing_id": listing_id, "status_url": status_url}
    changed = sorted(key for key, value in values.items() if getattr(app, key) != value)
    if not changed:
        return False
    for key in changed:
        setattr(app, key, values[key])
    if "status_url" in changed:
        # What the old address answered says nothing of the new one.
        app.health, app.health_since, app.failed_probes = HealthState.UNKNOWN, None, 0
    _flush_listing()
    _record("app.changed", app, actor, fields=changed)
    return True


def archive_app(actor: Actor, app: App, *, typed_name: str) -> None:
    """Archive the app for good: secrets, tokens and test installations end with it.

    Raises InvalidError (field name) when its name was not typed, and ConflictError while
    customers have it installed. Archiving twice is harmless.
    """
    lock_app(app)
    if app.archived_at is not None:
        return
    count = live_installations(app.id)
    if count:
        raise ConflictError(
            f"{count:,} {'customer has' if count == 1 else 'customers have'} this app installed. "
            "It can be archived when nobody has."
        )
    if _one_line(typed_name) != app.name:
        raise InvalidError({"name": "Type the app's name exactly as it is written above."})
    at = clock.now()
    app.archived_at = at
    client_ids = [client.id for client in app.clients]
    db.session.execute(
        update(OAuthClient)
        .where(OAuthClient.id.in_(client_ids), OAuthClient.disabled_at.is_(None))
        .values(disabled_at=at)
    )
    db.session.execute(
        update(ClientSecret)
        .where(ClientSecret.client_id.in_(client_ids), ClientSecret.revoked_at.is_(None))
        .values(revoked_at=at)
    )
    db.session.flush()
    for client_id in client_ids:
        revoke_client_grants(client_id, "app_archived")
    ended = end_test_installations(app_ids=[app.id], actor=actor, why="app_archived")
    _record("app.archived", app, actor, test_installations=ended)


def live_installations(app_id: int) -> int:
    """How many customers have the app installed, paused ones included."""
    return (
        db.session.scalar(
            select(func.count())
            .select_from(Installation)
            .where(
                Installation.app_id == app_id,
                Installation.environment == Environment.LIVE,
                Installation.state != InstallationState.UNINSTALLED,
            )
        )
        or 0
    )


def refuse_archived(app: App) -> None:
    """Raise ConflictError for an archived app: nothing of it changes any more."""
    if app.archived_at is not None:
        raise ConflictError("The app is archived, so nothing of it can be changed.")


def _lock_publisher(publisher_id: int) -> Organization:
    publisher = db.session.scalar(
        update(Organization)
        .where(Organization.id == publisher_id)
        .values(updated_at=Organization.updated_at)
        .returning(Organization)
        .execution_options(synchronize_session=False, populate_existing=True)
    )
    if publisher is None:
        raise ForbiddenError("Your organization is gone.")
    return publisher


def _name_problem(publisher_id: int, name: str, *, but: int | None = None) -> dict[str, str]:
    if not 2 <= len(name) <= MAX_NAME:
        return {"name": f"Use 2 to {MAX_NAME} characters."}
    query = select(App.id).where(
        App.publisher_id == publisher_id,
        App.archived_at.is_(None),
        func.lower(App.name) == name.lower(),
    )
    if but is not None:
        query = query.where(App.id != but)
    if db.session.scalar(query.limit(1)) is not None:
        return {"name": "You have an app of this name already."}
    return {}


def _listing_problem(
    publisher_id: int, listing_id: int | None, *, but: int | None = None
) -> dict[str, str]:
    if listing_id is None:
        return {}
    free = queries.free_listings(publisher_id, but_app_id=but)
    if listing_id not in {row.id for row in free}:
        return {"listing": "Choose a listing of yours that has no app yet."}
    return {}


def _flush_listing() -> None:
    try:
        db.session.flush()
    except IntegrityError as error:
        db.session.rollback()
        raise InvalidError({"listing": "This listing got an app just now."}) from error


def _one_line(text: str) -> str:
    return " ".join(text.replace("\0", "").split())


def _record(kind: str, app: App, actor: Actor, **data: Any) -> None:
    record_fact(
        kind,
        subject=("app", app.public_id),
        actor_user_id=actor.user_id,
        organization_id=app.publisher_id,
        data=data,
    )
