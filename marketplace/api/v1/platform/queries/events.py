"""The feed of events."""

import functools
from collections.abc import Sequence
from typing import Any

from sqlalchemy import Row, Select, bindparam, func, select

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
    asked: dict[str, Any] = {
        "partner": partner_id,
        "environment": environment,
        "after": after or 0,
        "most": limit + 1,
    }
    if installation_id is not None:
        asked["installation"] = installation_id
    if kind is not None:
        asked["kind"] = kind
    # The connection is given back at once, and with it the lock that keeps writers waiting.
    with db.engine.connect() as connection:
        until = settled_before(connection, partner_id)
        if until is not None:
            asked["until"] = until
        query = _statement(installation_id is not None, kind is not None, until is not None)
        return connection.execute(query, asked).all()


@functools.cache
def _statement(of_installation: bool, of_kind: bool, settled: bool) -> Select[*tuple[Any, ...]]:
    """The statement for what is asked; made once, since to make it takes longer than to run it."""
    query = _ALL.where(
        WebhookEvent.organization_id == bindparam("partner"),
        WebhookEvent.environment == bindparam("environment"),
        WebhookEvent.id > bindparam("after"),
    )
    if of_installation:
        query = query.where(WebhookEvent.installation_id == bindparam("installation"))
    if of_kind:
        query = query.where(WebhookEvent.type == bindparam("kind"))
    if settled:
        first_unsettled = select(func.min(WebhookEvent.id)).where(
            WebhookEvent.organization_id == bindparam("partner"),
            WebhookEvent.created_at >= bindparam("until"),
        )
        until_id = func.coalesce(first_unsettled.scalar_subquery(), MOST)
        query = query.where(WebhookEvent.id < until_id)
    return query.order_by(WebhookEvent.id).limit(bindparam("most"))
