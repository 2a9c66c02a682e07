"""Reading endpoints and their deliveries for the portal."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Select, case, func, select
from sqlalchemy.orm import contains_eager, joinedload

from marketplace.core.database import db
from marketplace.installs.models import (
    App,
    DeliveryAttempt,
    DeliveryState,
    WebhookDelivery,
    WebhookEndpoint,
    WebhookEvent,
)
from marketplace.installs.webhooks.week_chart import DayCounts

_WAS_TRIED = (WebhookDelivery.state == DeliveryState.FAILED) | (
    (WebhookDelivery.state == DeliveryState.WAITING) & (WebhookDelivery.attempts > 0)
)


def endpoints_of(organization_id: int) -> Sequence[WebhookEndpoint]:
    """A partner's endpoints with their apps, the newest last; their number is limited."""
    return db.session.scalars(
        select(WebhookEndpoint)
        .where(
            WebhookEndpoint.organization_id == organization_id,
            WebhookEndpoint.deleted_at.is_(None),
        )
        .options(joinedload(WebhookEndpoint.app))
        .order_by(WebhookEndpoint.id)
    ).all()


def find_endpoint(public_id: str) -> WebhookEndpoint | None:
    """The endpoint of that public id with its app, unless it was deleted."""
    return db.session.scalar(
        select(WebhookEndpoint)
        .where(WebhookEndpoint.public_id == public_id, WebhookEndpoint.deleted_at.is_(None))
        .options(joinedload(WebhookEndpoint.app))
    )


def apps_of(organization_id: int) -> Sequence[App]:
    """The apps that an endpoint of the partner may be for, by name."""
    return db.session.scalars(
        select(App)
        .where(App.publisher_id == organization_id, App.archived_at.is_(None))
        .order_by(func.lower(App.name), App.id)
    ).all()


def find_app(organization_id: int, public_id: str) -> App | None:
    """One of those apps."""
    return db.session.scalar(
        select(App).where(
            App.public_id == public_id,
            App.publisher_id == organization_id,
            App.archived_at.is_(None),
        )
    )


def outcomes_since(endpoint_ids: Iterable[int], since: datetime) -> Mapping[int, DayCounts]:
    """How many deliveries of each endpoint arrived and failed since then; one query."""
    rows = db.session.execute(
        select(
            WebhookDelivery.endpoint_id,
            func.sum(case((WebhookDelivery.state == DeliveryState.DELIVERED, 1), else_=0)),
            func.sum(case((_WAS_TRIED, 1), else_=0)),
        )
        .where(
            WebhookDelivery.endpoint_id.in_(list(endpoint_ids)),
            WebhookDelivery.created_at >= since,
        )
        .group_by(WebhookDelivery.endpoint_id)
    )
    return {number: DayCounts(int(arrived), int(failed)) for number, arrived, failed in rows}


def outcomes_by_day(endpoint_id: int, days: Sequence[datetime]) -> list[DayCounts]:
    """How many deliveries arrived and failed on each of these days (their first moments)."""
    columns: list[Any] = []
    for day in days:
        of_day = (WebhookDelivery.created_at >= day) & (
            WebhookDelivery.created_at < day + timedelta(days=1)
        )
        columns.extend(
            func.coalesce(func.sum(case((of_day & outcome, 1), else_=0)), 0)
            for outcome in (WebhookDelivery.state == DeliveryState.DELIVERED, _WAS_TRIED)
        )
    row = db.session.execute(
        select(*columns).where(
            WebhookDelivery.endpoint_id == endpoint_id, WebhookDelivery.created_at >= days[0]
        )
    ).one()
    return [DayCounts(int(row[2 * n]), int(row[2 * n + 1])) for n in range(len(days))]


def count_waiting(endpoint_id: int) -> int:
    """How many deliveries wait for the endpoint."""
    return (
        db.session.scalar(
            select(func.count())
            .select_from(WebhookDelivery)
            .where(
                WebhookDelivery.endpoint_id == endpoint_id,
                WebhookDelivery.state == DeliveryState.WAITING,
            )
        )
        or 0
    )


def deliveries(
    endpoint_id: int, *, state: DeliveryState | None = None, kind: str = ""
) -> Select[Any]:
    """The endpoint's deliveries with their events, the newest first."""
    query = (
        select(WebhookDelivery)
        .join(WebhookDelivery.event)
        .where(WebhookDelivery.endpoint_id == endpoint_id)
        .options(contains_eager(WebhookDelivery.event))
        .order_by(WebhookDelivery.created_at.desc(), WebhookDelivery.id.desc())
    )
    if state is not None:
        query = query.where(WebhookDelivery.state == state)
    if kind:
        query = query.where(WebhookEvent.type == kind)
    return query


def find_delivery(endpoint_id: int, event_id: str) -> WebhookDelivery | None:
    """The delivery of an event to the endpoint, with the event."""
    return db.session.scalar(
        select(WebhookDelivery)
        .join(WebhookDelivery.event)
        .where(WebhookDelivery.endpoint_id == endpoint_id, WebhookEvent.public_id == event_id)
        .options(contains_eager(WebhookDelivery.event))
    )


def attempts_of(delivery_id: int, limit: int) -> Sequence[DeliveryAttempt]:
    """The latest attempts of a delivery, the last first."""
    return db.session.scalars(
        select(DeliveryAttempt)
        .where(DeliveryAttempt.delivery_id == delivery_id)
        .order_by(DeliveryAttempt.number.desc())
        .limit(limit)
    ).all()
