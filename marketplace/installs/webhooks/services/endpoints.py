"""Adding, changing and deleting endpoints, and their secrets."""

from collections.abc import Collection, Sequence
from datetime import timedelta

from sqlalchemy import delete, func, or_, select, update

from marketplace.core import clock
from marketplace.core.database import db
from marketplace.core.errors import ConflictError, InvalidError, NotFoundError
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
from marketplace.installs.webhooks import fingerprints, queue
from marketplace.installs.webhooks.event_types import CHOOSABLE
from marketplace.installs.webhooks.services.locks import lock_endpoint, lock_organization
from marketplace.installs.webhooks.signing import MOST_SIGNATURES, new_signing_secret

MAX_URL, MAX_DESCRIPTION = 1_000, 120
MOST_ENDPOINTS = 20
OVERLAP = timedelta(hours=24)
CHANGED_MEANWHILE = (
    "Somebody else changed this endpoint while you had the page open. What is saved now is shown "
    "below, with what you typed. Save again to replace it."
)


class StaleError(ConflictError):
    """The form or the question was made from values that are not the current ones any more."""

    title = "Changed meanwhile"

    def __init__(self, detail: str = CHANGED_MEANWHILE) -> None:
        super().__init__(detail, code="stale")


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
    lock_organization(organization_id)
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
    seen: str,
    url: str,
    app: App | None,
    event_types: Collection[str],
    description: str,
) -> None:
    """Change where and what is sent; what waits already goes to the new address.

    `seen` is the fingerprint of the values that the form was filled in from. Raises StaleError,
    InvalidError, NotFoundError when it was deleted meanwhile.
    """
    lock_endpoint(endpoint)
    if endpoint.deleted_at is not None:
        raise NotFoundError
    if seen != fingerprints.of_endpoint(endpoint):
        raise StaleError
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


def rotate_secret(actor: Actor, endpoint: WebhookEndpoint, *, seen: str) -> str:
    """Give the endpoint a new secret; for a day the one before it signs as well. The new secret.

    No more than two sign: one that is older still ends at once. `seen` is the fingerprint of the
    secrets that the question showed. Raises StaleError, so that a second click ends none of them,
    and NotFoundError when the endpoint was deleted meanwhile.
    """
    lock_endpoint(endpoint)
    if endpoint.deleted_at is not None:
        raise NotFoundError
    at = clock.now()
    live = live_secrets(endpoint)
    if seen != fingerprints.of_secrets(live):
        raise StaleError("The secret was rotated already.")
    for number, former in enumerate(live):
        kept_until = at + OVERLAP if number < MOST_SIGNATURES - 1 else at
        former.expires_at = min(former.expires_at or kept_until, kept_until)
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
