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
    WebhookEvent,
)


@dataclass(frozen=True)
class EventRow:
    """A test event and how its deliveries stand."""

    event: WebhookEvent
    deliveries: int
    delivered: int
    failed: int


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
    """The newest test events of the partner with their deliveries counted (one query)."""
    newest = (
        select(WebhookEvent.id)
        .where(
            WebhookEvent.organization_id == partner_id,
            WebhookEvent.environment == Environment.TEST,
        )
        .order_by(WebhookEvent.id.desc())
        .limit(limit)
        .subquery()
    )
    rows = db.session.execute(
        select(
            WebhookEvent,
            func.count(WebhookDelivery.id),
            func.count(WebhookDelivery.id).filter(WebhookDelivery.state == DeliveryState.DELIVERED),
            func.count(WebhookDelivery.id).filter(WebhookDelivery.state == DeliveryState.FAILED),
        )
        .join(newest, newest.c.id == WebhookEvent.id)
        .outerjoin(WebhookDelivery, WebhookDelivery.event_id == WebhookEvent.id)
        .group_by(WebhookEvent.id)
        .order_by(WebhookEvent.id.desc())
    )
    return [EventRow(*row) for row in rows]


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
