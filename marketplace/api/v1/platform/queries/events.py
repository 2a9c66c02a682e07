"""The feed of events."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import Row, func, select

from marketplace.api.v1.platform.cursors import MOST
from marketplace.core.database import db
from marketplace.installs.models import App, Environment, Installation, WebhookEvent
from marketplace.installs.webhooks.feed_order import settled_before

_ALL = (
    select(
        WebhookEvent.id.label("row_id"),
        WebhookEvent.public_id,
        WebhookEvent.type,
        WebhookEvent.environment,
        WebhookEvent.data,
        WebhookEvent.created_at,
        App.public_id.label("app_public_id"),
        Installation.public_id.label("installation_public_id"),
    )
    .outerjoin(App, App.id == WebhookEvent.app_id)
    .outerjoin(Installation, Installation.id == WebhookEvent.installation_id)
)


def events(
    partner_id: int,
    environment: Environment,
    *,
    installation_id: int | None = None,
    kind: str | None,
    after: int | None,
    limit: int,
) -> Sequence[Row[Any]]:
    """Events of the partner, or of one installation, in their order and without gaps.

    Cost: one query, two on PostgreSQL.
    """
    query = _ALL.where(
        WebhookEvent.organization_id == partner_id, WebhookEvent.environment == environment
    )
    if installation_id is not None:
        query = query.where(WebhookEvent.installation_id == installation_id)
    if kind is not None:
        query = query.where(WebhookEvent.type == kind)
    if after is not None:
        query = query.where(WebhookEvent.id > after)
    until = settled_before(partner_id)
    if until is not None:
        first_unsettled = select(func.min(WebhookEvent.id)).where(
            WebhookEvent.organization_id == partner_id, WebhookEvent.created_at >= until
        )
        query = query.where(
            WebhookEvent.id < func.coalesce(first_unsettled.scalar_subquery(), MOST)
        )
    query = query.order_by(WebhookEvent.id).limit(limit + 1)
    return db.session.connection().execute(query).all()
