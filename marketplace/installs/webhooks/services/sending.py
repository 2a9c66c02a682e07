"""Sending by hand: a test event, and a delivery once more."""

from sqlalchemy import select, update

from marketplace.core import clock
from marketplace.core.database import db
from marketplace.core.errors import ConflictError
from marketplace.core.facts import record_fact
from marketplace.core.permissions import Actor
from marketplace.installs.credentials import new_public_id
from marketplace.installs.models import (
    DeliveryState,
    EndpointState,
    WebhookDelivery,
    WebhookEndpoint,
    WebhookEvent,
)
from marketplace.installs.webhooks.event_types import EVENT_TYPES, TEST


def send_test_event(actor: Actor, endpoint: WebhookEndpoint) -> WebhookDelivery:
    """Send a test event to this endpoint alone, whatever it listens to; one try, no retries.

    Raises ConflictError for a disabled endpoint: nothing is sent to it.
    """
    _refuse_disabled(endpoint)
    at = clock.now()
    public_id = new_public_id("evt")
    event = WebhookEvent(
        public_id=public_id,
        type=TEST,
        organization_id=endpoint.organization_id,
        environment=endpoint.environment,
        app_id=endpoint.app_id,
        # A key of its own: a test waits for nothing, and nothing for it.
        ordering_key=public_id,
        data=dict(EVENT_TYPES[TEST].example),
        created_at=at,
    )
    db.session.add(event)
    db.session.flush()
    delivery = WebhookDelivery(
        event_id=event.id,
        endpoint_id=endpoint.id,
        ordering_key=public_id,
        next_attempt_at=at,
        is_manual=True,
    )
    db.session.add(delivery)
    db.session.flush()
    record_fact(
        "webhook_endpoint.tested",
        subject=("webhook_endpoint", endpoint.public_id),
        actor_user_id=actor.user_id,
        organization_id=endpoint.organization_id,
    )
    return delivery


def send_again(actor: Actor, delivery: WebhookDelivery) -> None:
    """Try a delivery now, under the same id: one that waits keeps its other tries, any other
    gets this one.

    Raises ConflictError for a disabled endpoint, or while an earlier event of the same key waits.
    """
    endpoint = db.session.get_one(WebhookEndpoint, delivery.endpoint_id)
    _refuse_disabled(endpoint)
    is_waiting = delivery.state is DeliveryState.WAITING
    if is_waiting and _has_earlier(delivery):
        raise ConflictError(
            "An earlier event of the same installation is still on its way. This one follows it."
        )
    db.session.execute(
        update(WebhookDelivery)
        .where(WebhookDelivery.id == delivery.id, WebhookDelivery.state == delivery.state)
        .values(
            state=DeliveryState.WAITING,
            next_attempt_at=clock.now(),
            is_manual=delivery.is_manual if is_waiting else True,
        )
        .execution_options(synchronize_session=False)
    )
    record_fact(
        "webhook_delivery.sent_again",
        subject=("webhook_delivery", delivery.id),
        actor_user_id=actor.user_id,
        organization_id=endpoint.organization_id,
    )
    db.session.expire(delivery)


def _refuse_disabled(endpoint: WebhookEndpoint) -> None:
    if endpoint.state is not EndpointState.ACTIVE or endpoint.deleted_at is not None:
        raise ConflictError("The endpoint is disabled. Enable it first.")


def _has_earlier(delivery: WebhookDelivery) -> bool:
    earlier = (
        select(WebhookDelivery.id)
        .where(
            WebhookDelivery.endpoint_id == delivery.endpoint_id,
            WebhookDelivery.ordering_key == delivery.ordering_key,
            WebhookDelivery.state == DeliveryState.WAITING,
            WebhookDelivery.event_id < delivery.event_id,
        )
        .limit(1)
    )
    return db.session.scalar(earlier) is not None
