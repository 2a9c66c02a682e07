"""Webhooks to partners: endpoints, events, deliveries and their attempts."""

import enum
from datetime import datetime
from typing import Any

from sqlalchemy import ForeignKey, Index, String, Text, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column, relationship

from marketplace.core import clock
from marketplace.core.database import Base, Id, text_enum
from marketplace.identity.models import Organization
from marketplace.installs.models.app import App, Environment


class EndpointState(enum.StrEnum):
    """Whether events are sent to an endpoint."""

    ACTIVE = "active"
    DISABLED = "disabled"


class DeliveryState(enum.StrEnum):
    """Where a delivery is. Failed: all tries were used up. Canceled: its endpoint was disabled
    or removed."""

    WAITING = "waiting"
    DELIVERED = "delivered"
    FAILED = "failed"
    CANCELED = "canceled"


class WebhookEndpoint(Base):
    """An address of a partner that events are sent to, of one environment, and of one app or
    of all of them."""

    __tablename__ = "webhook_endpoint"
    __table_args__ = (Index("ix_webhook_endpoint_owner", "organization_id", "environment"),)

    id: Mapped[int] = mapped_column(Id, primary_key=True, autoincrement=True)
    public_id: Mapped[str] = mapped_column(String(40), unique=True)
    organization_id: Mapped[int] = mapped_column(ForeignKey("organization.id"))
    app_id: Mapped[int | None] = mapped_column(ForeignKey("app.id"), index=True)
    environment: Mapped[Environment] = mapped_column(text_enum(Environment))
    url: Mapped[str] = mapped_column(String(1000))
    description: Mapped[str] = mapped_column(String(120), default="")
    # Empty: all types.
    event_types: Mapped[list[str]] = mapped_column(default=list)
    state: Mapped[EndpointState] = mapped_column(
        text_enum(EndpointState), default=EndpointState.ACTIVE
    )
    disabled_at: Mapped[datetime | None]
    disabled_reason: Mapped[str] = mapped_column(String(200), default="")
    # The first failure since the last success.
    failing_since: Mapped[datetime | None]
    warned_at: Mapped[datetime | None]
    last_success_at: Mapped[datetime | None]
    # One runner at a time sends to an endpoint: its events stay in order, and a slow endpoint
    # holds up nobody else.
    lease_id: Mapped[str | None] = mapped_column(String(36))
    lease_until: Mapped[datetime | None]
    created_by_id: Mapped[int | None] = mapped_column(ForeignKey("user_account.id"))
    created_at: Mapped[datetime] = mapped_column(default=clock.now)
    deleted_at: Mapped[datetime | None]

    organization: Mapped[Organization] = relationship()
    app: Mapped[App | None] = relationship()
    secrets: Mapped[list["WebhookSecret"]] = relationship(
        back_populates="endpoint", order_by="WebhookSecret.id.desc()"
    )


class WebhookSecret(Base):
    """A signing secret. It must be known to sign, so it is kept encrypted, not hashed."""

    __tablename__ = "webhook_secret"

    id: Mapped[int] = mapped_column(Id, primary_key=True, autoincrement=True)
    endpoint_id: Mapped[int] = mapped_column(ForeignKey("webhook_endpoint.id"), index=True)
    sealed: Mapped[str] = mapped_column(Text)
    created_at: Mapped[datetime] = mapped_column(default=clock.now)
    # After a rotation the old one signs as well until then.
    expires_at: Mapped[datetime | None]

    endpoint: Mapped[WebhookEndpoint] = relationship(back_populates="secrets")


class WebhookEvent(Base):
    """Something a partner is told. `public_id` is the message's id, the same at every try."""

    __tablename__ = "webhook_event"
    __table_args__ = (
        Index("ix_webhook_event_owner", "organization_id", "environment", "id"),
        Index("ix_webhook_event_installation", "installation_id", "id"),
    )

    id: Mapped[int] = mapped_column(Id, primary_key=True, autoincrement=True)
    public_id: Mapped[str] = mapped_column(String(40), unique=True)
    type: Mapped[str] = mapped_column(String(60))
    # The partner who is told.
    organization_id: Mapped[int] = mapped_column(ForeignKey("organization.id"))
    environment: Mapped[Environment] = mapped_column(text_enum(Environment))
    app_id: Mapped[int | None] = mapped_column(ForeignKey("app.id"))
    installation_id: Mapped[int | None] = mapped_column(ForeignKey("installation.id"))
    # Events of the same key reach an endpoint in the order in which they happened.
    ordering_key: Mapped[str] = mapped_column(String(60))
    data: Mapped[dict[str, Any]] = mapped_column(default=dict)
    idempotency_key: Mapped[str | None] = mapped_column(String(120), unique=True)
    created_at: Mapped[datetime] = mapped_column(default=clock.now)


class WebhookDelivery(Base):
    """An event on its way to an endpoint. This table is the queue: see webhooks/dispatcher.py."""

    __tablename__ = "webhook_delivery"
    __table_args__ = (
        UniqueConstraint("event_id", "endpoint_id"),
        # What is due of an endpoint and under which keys, the head of a key, an endpoint's log.
        Index("ix_webhook_delivery_due", "endpoint_id", "state", "next_attempt_at", "ordering_key"),
        Index("ix_webhook_delivery_key", "endpoint_id", "ordering_key", "state", "event_id"),
        Index("ix_webhook_delivery_log", "endpoint_id", "created_at"),
    )

    id: Mapped[int] = mapped_column(Id, primary_key=True, autoincrement=True)
    event_id: Mapped[int] = mapped_column(ForeignKey("webhook_event.id"))
    endpoint_id: Mapped[int] = mapped_column(ForeignKey("webhook_endpoint.id"))
    # A copy of the event's, so that finding what may go next needs no join.
    ordering_key: Mapped[str] = mapped_column(String(60))
    state: Mapped[DeliveryState] = mapped_column(
        text_enum(DeliveryState), default=DeliveryState.WAITING
    )
    attempts: Mapped[int] = mapped_column(default=0)
    # When the next try is; of what is not waiting any more, when that was decided.
    next_attempt_at: Mapped[datetime]
    # A person asked for the next try: it is one, without retries after it.
    is_manual: Mapped[bool] = mapped_column(default=False)
    last_status: Mapped[int | None]
    last_error: Mapped[str] = mapped_column(String(300), default="")
    delivered_at: Mapped[datetime | None]
    created_at: Mapped[datetime] = mapped_column(default=clock.now)

    event: Mapped[WebhookEvent] = relationship()
    endpoint: Mapped[WebhookEndpoint] = relationship()


class DeliveryAttempt(Base):
    """One request of a delivery and what was answered, cut and without secrets."""

    __tablename__ = "delivery_attempt"

    id: Mapped[int] = mapped_column(Id, primary_key=True, autoincrement=True)
    delivery_id: Mapped[int] = mapped_column(ForeignKey("webhook_delivery.id"), index=True)
    number: Mapped[int]
    is_manual: Mapped[bool] = mapped_column(default=False)
    started_at: Mapped[datetime]
    duration_ms: Mapped[int]
    request_headers: Mapped[dict[str, Any]] = mapped_column(default=dict)
    response_status: Mapped[int | None]
    response_headers: Mapped[dict[str, Any]] = mapped_column(default=dict)
    response_body: Mapped[str] = mapped_column(Text, default="")
    error: Mapped[str] = mapped_column(String(300), default="")

    delivery: Mapped[WebhookDelivery] = relationship()
