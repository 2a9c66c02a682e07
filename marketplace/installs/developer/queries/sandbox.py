"""What is in a partner's sandbox."""

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import func, select
from sqlalchemy.orm import joinedload

from marketplace.core.database import db
from marketplace.installs.models import (
    ApiCall,
    App,
    DeliveryState,
    Environment,
    ErasureRequest,
    Installation,
    InstallationState,
    WebhookDelivery,
    WebhookEndpoint,
    WebhookEvent,
)


@dataclass(frozen=True)
class DeliveryRow:
    """One delivery of a test event. `endpoint_id` is None where the endpoint was deleted."""

    state: DeliveryState
    endpoint_id: str | None
    endpoint_url: str


@dataclass(frozen=True)
class EventRow:
    """A test event and its deliveries."""

    event: WebhookEvent
    deliveries: Sequence[DeliveryRow]


def installations(sandbox_id: int) -> dict[int, Installation]:
    """The sandbox's installations that were not removed, by app."""
    rows = db.session.scalars(
        select(Installation)
        .where(
            Installation.organization_id == sandbox_id,
            Installation.state != InstallationState.UNINSTALLED,
        )
        .options(joinedload(Installation.app))
    )
    return {row.app_id: row for row in rows}


def latest_events(partner_id: int, limit: int) -> Sequence[EventRow]:
    """The newest test events of the partner with their deliveries (two queries)."""
    events = db.session.scalars(
        select(WebhookEvent)
        .where(
            WebhookEvent.organization_id == partner_id,
            WebhookEvent.environment == Environment.TEST,
        )
        .order_by(WebhookEvent.id.desc())
        .limit(limit)
    ).all()
    found: dict[int, list[DeliveryRow]] = {event.id: [] for event in events}
    rows = db.session.execute(
        select(
            WebhookDelivery.event_id,
            WebhookDelivery.state,
            WebhookEndpoint.public_id,
            WebhookEndpoint.url,
            WebhookEndpoint.deleted_at,
        )
        .join(WebhookDelivery.endpoint)
        .where(WebhookDelivery.event_id.in_(list(found)))
        .order_by(WebhookDelivery.id)
    )
    for row in rows:
        endpoint_id = row.public_id if row.deleted_at is None else None
        found[row.event_id].append(DeliveryRow(row.state, endpoint_id, row.url))
    return [EventRow(event, found[event.id]) for event in events]


def contents(partner_id: int) -> dict[str, int]:
    """How many things of each kind a reset removes, by the word for them (one query)."""
    apps = select(App.id).where(App.publisher_id == partner_id)
    test = Environment.TEST
    row = db.session.execute(
        select(
            select(func.count())
            .select_from(Installation)
            .where(
                Installation.app_id.in_(apps),
                Installation.environment == test,
                Installation.state != InstallationState.UNINSTALLED,
            )
            .scalar_subquery()
            .label("installations"),
            select(func.count())
            .select_from(WebhookEvent)
            .where(WebhookEvent.organization_id == partner_id, WebhookEvent.environment == test)
            .scalar_subquery()
            .label("events"),
            select(func.count())
            .select_from(ErasureRequest)
            .where(ErasureRequest.app_id.in_(apps), ErasureRequest.environment == test)
            .scalar_subquery()
            .label("erasures"),
            select(func.count())
            .select_from(ApiCall)
            .where(ApiCall.organization_id == partner_id, ApiCall.environment == test)
            .scalar_subquery()
            .label("calls"),
        )
    ).one()
    return {
        "test installations": row.installations,
        "test events with their deliveries": row.events,
        "erasure requests of test installations": row.erasures,
        "logged API calls with test credentials": row.calls,
    }
