"""Adding, changing and deleting endpoints, and their secrets."""

from collections.abc import Collection, Sequence
from datetime import timedelta

from sqlalchemy import delete, func, or_, select, update

from marketplace.core import clock
from marketplace.core.database import db
from marketplace.core.errors import ConflictError, InvalidError
from marketplace.core.facts import record_fact
from marketplace.core.outbound import OutboundRefusedError, check_url
from marketplace.core.permissions import Actor
from marketplace.core.sealing import SealBrokenError, seal, unseal
from marketplace.installs.credentials import new_public_id
from marketplace.installs.models import (
    App,
    EndpointState,
    Environment,
    WebhookEndpoint,
    WebhookSecret,
)
from marketplace.installs.webhooks import queue
from marketplace.installs.webhooks.event_types import CHOOSABLE
from marketplace.installs.webhooks.signing import new_signing_secret

MAX_URL, MAX_DESCRIPTION = 1_000, 120
MOST_ENDPOINTS = 20
OVERLAP = timedelta(hours=24)


def create_endpoint(
    actor: Actor,
    *,
    organization_id: int,
    url: str,
    environment: Environment,
    app: App | None = None,
    event_types: Collection[str] = (),
    description: str = "",
    secret: str | None = None,
) -> WebhookEndpoint:
    """Add an endpoint that events are sent to from now on; flushed.

    No `event_types` means all, also those to come. `secret` is a new one by default.
    Raises InvalidError, ConflictError when there are too many.
    """
    count = db.session.scalar(
        select(func.count())
        .select_from(WebhookEndpoint)
        .where(
            WebhookEndpoint.organization_id == organization_id,
            WebhookEndpoint.deleted_at.is_(None),
        )
    )
    if (count or 0) >= MOST_ENDPOINTS:
        raise ConflictError(f"You can have up to {MOST_ENDPOINTS} endpoints. Delete one first.")
    endpoint = WebhookEndpoint(
        public_id=new_public_id("we"),
        organization_id=organization_id,
        environment=environment,
        created_by_id=actor.user_id,
    )
    _fill(endpoint, url=url, app=app, event_types=event_types, description=description)
    db.session.add(endpoint)
    db.session.flush()
    db.session.add(
        WebhookSecret(endpoint_id=endpoint.id, sealed=seal(secret or new_signing_secret()))
    )
    db.session.flush()
    _record(actor, endpoint, "created")
    return endpoint


def change_endpoint(
    actor: Actor,
    endpoint: WebhookEndpoint,
    *,
    url: str,
    app: App | None,
    event_types: Collection[str],
    description: str,
) -> None:
    """Change where and what is sent; what waits already goes to the new address.

    Raises InvalidError.
    """
    _fill(endpoint, url=url, app=app, event_types=event_types, description=description)
    db.session.flush()
    _record(actor, endpoint, "changed")


def delete_endpoint(actor: Actor, endpoint: WebhookEndpoint) -> None:
    """Remove it for good: nothing more is sent, its secrets are forgotten, its log stays for
    as long as logs are kept. Repeating it is harmless."""
    deleted = db.session.execute(
        update(WebhookEndpoint)
        .where(WebhookEndpoint.id == endpoint.id, WebhookEndpoint.deleted_at.is_(None))
        .values(deleted_at=clock.now(), state=EndpointState.DISABLED, lease_id=None)
        .execution_options(synchronize_session=False)
    )
    if getattr(deleted, "rowcount", 0) != 1:
        return
    queue.cancel_waiting(endpoint.id)
    db.session.execute(
        delete(WebhookSecret)
        .where(WebhookSecret.endpoint_id == endpoint.id)
        .execution_options(synchronize_session=False)
    )
    _record(actor, endpoint, "deleted")
    db.session.expire(endpoint)


def rotate_secret(actor: Actor, endpoint: WebhookEndpoint) -> str:
    """Give the endpoint a new secret; for a day the old one signs as well. The new secret."""
    at = clock.now()
    # A lock, so that two clicks leave one new secret each and both sign in the overlap.
    db.session.execute(
        update(WebhookEndpoint)
        .where(WebhookEndpoint.id == endpoint.id)
        .values(lease_id=WebhookEndpoint.lease_id)
        .execution_options(synchronize_session=False)
    )
    db.session.execute(
        update(WebhookSecret)
        .where(
            WebhookSecret.endpoint_id == endpoint.id,
            or_(WebhookSecret.expires_at.is_(None), WebhookSecret.expires_at > at + OVERLAP),
        )
        .values(expires_at=at + OVERLAP)
        .execution_options(synchronize_session=False)
    )
    secret = new_signing_secret()
    db.session.add(WebhookSecret(endpoint_id=endpoint.id, sealed=seal(secret)))
    db.session.flush()
    _record(actor, endpoint, "secret_rotated")
    return secret


def live_secrets(endpoint: WebhookEndpoint) -> Sequence[WebhookSecret]:
    """The secrets that sign now, the newest first."""
    return db.session.scalars(
        select(WebhookSecret)
        .where(
            WebhookSecret.endpoint_id == endpoint.id,
            or_(WebhookSecret.expires_at.is_(None), WebhookSecret.expires_at > clock.now()),
        )
        .order_by(WebhookSecret.id.desc())
    ).all()


def reveal(secret: WebhookSecret) -> str | None:
    """The secret in clear, None when its key is gone (it must be rotated then)."""
    try:
        return unseal(secret.sealed)
    except SealBrokenError:
        return None


def _fill(
    endpoint: WebhookEndpoint,
    *,
    url: str,
    app: App | None,
    event_types: Collection[str],
    description: str,
) -> None:
    url, description = url.strip(), " ".join(description.replace("\x00", "").split())
    problems: dict[str, str] = {}
    if not url:
        problems["url"] = "Enter the address that events are sent to."
    elif len(url) > MAX_URL:
        problems["url"] = f"Use at most {MAX_URL:,} characters."
    else:
        try:
            check_url(url, https_only=True)
        except OutboundRefusedError as error:
            problems["url"] = error.detail
    if len(description) > MAX_DESCRIPTION:
        problems["description"] = f"Use at most {MAX_DESCRIPTION} characters."
    known = [kind.name for kind in CHOOSABLE]
    if not set(event_types) <= set(known):
        problems["event_types"] = "Choose from the list."
    if app is not None and app.publisher_id != endpoint.organization_id:
        problems["app"] = "Choose one of your apps."
    if problems:
        raise InvalidError(problems)
    endpoint.url = url
    endpoint.app_id = app.id if app is not None else None
    endpoint.event_types = [name for name in known if name in set(event_types)]
    endpoint.description = description


def _record(actor: Actor, endpoint: WebhookEndpoint, what: str) -> None:
    record_fact(
        f"webhook_endpoint.{what}",
        subject=("webhook_endpoint", endpoint.public_id),
        actor_user_id=actor.user_id,
        organization_id=endpoint.organization_id,
    )
