"""Webhook endpoints and events for tests. All of it is flushed, nothing committed."""

from typing import Any

from sqlalchemy import select

from marketplace.core.database import db
from marketplace.core.sealing import seal
from marketplace.identity.models import Organization
from marketplace.installs.credentials import new_public_id
from marketplace.installs.models import (
    Environment,
    WebhookDelivery,
    WebhookEndpoint,
    WebhookEvent,
    WebhookSecret,
)
from marketplace.installs.webhooks.events import emit
from marketplace.installs.webhooks.signing import new_signing_secret


def make_endpoint(
    partner: Organization,
    url: str = "https://hooks.tides.example/portico",
    *,
    secret: str | None = None,
    **fields: Any,
) -> WebhookEndpoint:
    """An active endpoint that listens to everything in the live environment."""
    endpoint = WebhookEndpoint(
        **{
            "public_id": new_public_id("we"),
            "organization_id": partner.id,
            "environment": Environment.LIVE,
            "url": url,
            **fields,
        }
    )
    db.session.add(endpoint)
    db.session.flush()
    db.session.add(
        WebhookSecret(endpoint_id=endpoint.id, sealed=seal(secret or new_signing_secret()))
    )
    db.session.flush()
    return endpoint


def tell(partner: Organization, key: str = "inst_1", kind: str = "review.posted") -> str:
    """Emit an event; its public id. Its data holds its id, so that a receiver tells them apart."""
    public_id = emit(kind, organization_id=partner.id, data={"key": key}, ordering_key=key)
    assert public_id is not None
    return public_id


def deliveries_of(endpoint: WebhookEndpoint) -> list[WebhookDelivery]:
    """All deliveries of an endpoint, in the order of their events, fresh."""
    db.session.rollback()
    return list(
        db.session.scalars(
            select(WebhookDelivery)
            .where(WebhookDelivery.endpoint_id == endpoint.id)
            .order_by(WebhookDelivery.event_id)
            .execution_options(populate_existing=True)
        )
    )


def event_ids() -> list[str]:
    """The public ids of all events, in order."""
    return list(db.session.scalars(select(WebhookEvent.public_id).order_by(WebhookEvent.id)))
