"""Recording an event and its deliveries, in the transaction of what happened."""

from datetime import datetime
from typing import Any

from sqlalchemy import insert, or_, select

from marketplace.core import clock
from marketplace.core.database import db
from marketplace.core.once import insert_if_new
from marketplace.installs.credentials import new_public_id
from marketplace.installs.models import (
    App,
    DeliveryState,
    EndpointState,
    Environment,
    Installation,
    WebhookDelivery,
    WebhookEndpoint,
    WebhookEvent,
)
from marketplace.installs.webhooks.event_types import EVENT_TYPES
from marketplace.installs.webhooks.feed_order import hold_place


def emit(
    kind: str,
    *,
    organization_id: int,
    environment: Environment = Environment.LIVE,
    data: dict[str, Any],
    app: App | None = None,
    installation: Installation | None = None,
    ordering_key: str | None = None,
    idempotency_key: str | None = None,
) -> str | None:
    """Tell the partner `organization_id` of something; the event's public id.

    `kind` is one of event_types.EVENT_TYPES. The event is kept for the feed whether or not an
    endpoint listens; each active endpoint that does gets a delivery, sent after the commit.
    An event whose `idempotency_key` was recorded before is skipped (None). `data` is JSON
    without secrets. Events of one `ordering_key` (by default the installation) stay in order.
    Raises ValueError for a type that nobody described.
    """
    if kind not in EVENT_TYPES:
        raise ValueError(f"no event type {kind}; describe it in event_types.py")
    public_id = new_public_id("evt")
    key = ordering_key or (installation.public_id if installation else f"org_{organization_id}")
    app_id = app.id if app is not None else (installation.app_id if installation else None)
    hold_place(organization_id)
    listeners = _listeners(organization_id, environment, app_id)
    # After the look at the listeners: what a disabled one missed is not older than its disabling.
    at = clock.now()
    event_id = insert_if_new(
        WebhookEvent,
        public_id=public_id,
        type=kind,
        organization_id=organization_id,
        environment=environment,
        app_id=app_id,
        installation_id=installation.id if installation else None,
        ordering_key=key,
        data=data,
        idempotency_key=idempotency_key,
        created_at=at,
    )
    if event_id is None:
        return None
    rows = [
        _delivery(event_id, endpoint.id, key, at)
        for endpoint in listeners
        if not endpoint.event_types or kind in endpoint.event_types
    ]
    if rows:
        db.session.execute(insert(WebhookDelivery), rows)
    return public_id


def _listeners(
    organization_id: int, environment: Environment, app_id: int | None
) -> list[WebhookEndpoint]:
    return list(
        db.session.scalars(
            select(WebhookEndpoint).where(
                WebhookEndpoint.organization_id == organization_id,
                WebhookEndpoint.environment == environment,
                WebhookEndpoint.state == EndpointState.ACTIVE,
                WebhookEndpoint.deleted_at.is_(None),
                or_(WebhookEndpoint.app_id.is_(None), WebhookEndpoint.app_id == app_id),
            )
        )
    )


def _delivery(event_id: int, endpoint_id: int, key: str, at: datetime) -> dict[str, Any]:
    return {
        "event_id": event_id,
        "endpoint_id": endpoint_id,
        "ordering_key": key,
        "state": DeliveryState.WAITING,
        "attempts": 0,
        "next_attempt_at": at,
        "last_error": "",
        "created_at": at,
    }
