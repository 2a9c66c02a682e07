"""Disabling an endpoint, by a person or by itself, and enabling it again."""

from datetime import datetime, timedelta

from sqlalchemy import ColumnElement, func, insert, literal, select, update

from marketplace.core import clock
from marketplace.core.database import Id, UtcDateTime, db
from marketplace.core.errors import ConflictError, InvalidError
from marketplace.core.facts import record_fact
from marketplace.core.permissions import Actor
from marketplace.installs.models import (
    DeliveryState,
    EndpointState,
    WebhookDelivery,
    WebhookEndpoint,
    WebhookEvent,
)
from marketplace.installs.webhooks import mails, queue
from marketplace.installs.webhooks.event_types import TEST
from marketplace.installs.webhooks.feed_order import settle

# Events are kept for longer, but what is older than this helps nobody who missed it.
LONGEST_RECOVERY = timedelta(days=30)


def switch_off(endpoint_id: int, reason: str, *, at: datetime | None = None) -> bool:
    """Disable an endpoint because of how it answers; whether it was active. Its people are told.

    What waits is canceled. `at` is when the answer that decided came, by default now. Call it
    with the endpoint's row locked, or before any other lock.
    """
    if not _disable(endpoint_id, reason, at or clock.now()):
        return False
    endpoint = db.session.get_one(WebhookEndpoint, endpoint_id, populate_existing=True)
    record_fact(
        "webhook_endpoint.disabled",
        subject=("webhook_endpoint", endpoint.public_id),
        organization_id=endpoint.organization_id,
        data={"reason": reason},
    )
    mails.tell_disabled(endpoint)
    return True


def disable(actor: Actor, endpoint: WebhookEndpoint) -> None:
    """A person stops an endpoint; what waits is canceled. Repeating it is harmless."""
    if _disable(endpoint.id, f"Disabled by {actor.name}."[:200], clock.now()):
        _record(actor, endpoint, "disabled")
    db.session.refresh(endpoint)


def enable(
    actor: Actor,
    endpoint: WebhookEndpoint,
    *,
    since: datetime | None = None,
    with_undelivered: bool = False,
) -> int:
    """Send to the endpoint again, beginning with what was missed since then; how many deliveries.

    `since` None sends nothing that was missed. Events count by when they happened;
    `with_undelivered` adds those that happened before and were given up or canceled since then.
    Raises InvalidError for a time too long ago or to come, ConflictError for an endpoint that is
    not disabled.
    """
    at = clock.now()
    if since is not None and since > at:
        raise InvalidError({"since": "Choose a time in the past."})
    if since is not None and at - since > LONGEST_RECOVERY + timedelta(days=1):
        raise InvalidError({"since": f"Choose a time in the last {LONGEST_RECOVERY.days} days."})
    # An event that is being written now did not see the endpoint active: it is waited for.
    settle(endpoint.organization_id)
    enabled = db.session.execute(
        update(WebhookEndpoint)
        .where(
            WebhookEndpoint.id == endpoint.id,
            WebhookEndpoint.state == EndpointState.DISABLED,
            WebhookEndpoint.deleted_at.is_(None),
        )
        .values(
            state=EndpointState.ACTIVE,
            disabled_at=None,
            disabled_reason="",
            failing_since=None,
            warned_at=None,
        )
        .execution_options(synchronize_session=False)
    )
    if getattr(enabled, "rowcount", 0) != 1:
        raise ConflictError("The endpoint is not disabled.")
    db.session.refresh(endpoint)
    # An event that was told of while somebody disabled the endpoint may still wait.
    queue.cancel_waiting(endpoint.id)
    count = 0
    if since is not None:
        count = recover(endpoint, since, with_undelivered=with_undelivered)
    _record(actor, endpoint, "enabled", resent=count)
    return count


def recover(endpoint: WebhookEndpoint, since: datetime, *, with_undelivered: bool = False) -> int:
    """Let everything that the endpoint listens to and did not get since then wait again.

    One statement for what failed or was canceled, one for events that it has no delivery of.
    """
    at = clock.now()
    wanted = _wanted(endpoint)
    # Of what does not wait any more, `next_attempt_at` is when that was decided.
    is_of_the_time = (
        WebhookDelivery.next_attempt_at >= since
        if with_undelivered
        else WebhookEvent.created_at >= since
    )
    has_event = select(WebhookEvent.id).where(
        WebhookEvent.id == WebhookDelivery.event_id, is_of_the_time, *wanted
    )
    again = db.session.execute(
        update(WebhookDelivery)
        .where(
            WebhookDelivery.endpoint_id == endpoint.id,
            WebhookDelivery.state.in_([DeliveryState.FAILED, DeliveryState.CANCELED]),
            has_event.correlate(WebhookDelivery).exists(),
        )
        .values(state=DeliveryState.WAITING, attempts=0, next_attempt_at=at, is_manual=False)
        .execution_options(synchronize_session=False)
    )
    has_one = select(WebhookDelivery.id).where(
        WebhookDelivery.event_id == WebhookEvent.id,
        WebhookDelivery.endpoint_id == endpoint.id,
    )
    missing = [*wanted, WebhookEvent.created_at >= since, ~has_one.exists()]
    count = db.session.scalar(select(func.count()).select_from(WebhookEvent).where(*missing)) or 0
    db.session.execute(
        insert(WebhookDelivery).from_select(
            ["event_id", "endpoint_id", "ordering_key", "next_attempt_at"],
            select(
                WebhookEvent.id,
                literal(endpoint.id, Id),
                WebhookEvent.ordering_key,
                literal(at, UtcDateTime()),
            )
            .where(*missing)
            .order_by(WebhookEvent.id),
        )
    )
    return int(getattr(again, "rowcount", 0)) + count


def _wanted(endpoint: WebhookEndpoint) -> list[ColumnElement[bool]]:
    wanted: list[ColumnElement[bool]] = [
        WebhookEvent.organization_id == endpoint.organization_id,
        WebhookEvent.environment == endpoint.environment,
        # A test is for the endpoint that it was sent to.
        WebhookEvent.type != TEST,
    ]
    if endpoint.app_id is not None:
        wanted.append(WebhookEvent.app_id == endpoint.app_id)
    if endpoint.event_types:
        wanted.append(WebhookEvent.type.in_(endpoint.event_types))
    return wanted


def _disable(endpoint_id: int, reason: str, at: datetime) -> bool:
    disabled = db.session.execute(
        update(WebhookEndpoint)
        .where(WebhookEndpoint.id == endpoint_id, WebhookEndpoint.state == EndpointState.ACTIVE)
        .values(state=EndpointState.DISABLED, disabled_at=at, disabled_reason=reason, lease_id=None)
        .execution_options(synchronize_session=False)
    )
    if getattr(disabled, "rowcount", 0) != 1:
        return False
    queue.cancel_waiting(endpoint_id)
    return True


def _record(actor: Actor, endpoint: WebhookEndpoint, what: str, **data: object) -> None:
    record_fact(
        f"webhook_endpoint.{what}",
        subject=("webhook_endpoint", endpoint.public_id),
        actor_user_id=actor.user_id,
        organization_id=endpoint.organization_id,
        data=dict(data),
    )
