"""What we asked Stripe to do, and what Stripe told us."""

import enum
from datetime import datetime
from typing import Any

from sqlalchemy import Index, String, Text, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from marketplace.core import clock
from marketplace.core.database import Base, Id, text_enum


class OperationState(enum.StrEnum):
    """`sent` without an end is the same as `unknown`: look before trying again."""

    INTENDED = "intended"
    SENT = "sent"
    SUCCEEDED = "succeeded"
    REJECTED = "rejected"
    UNKNOWN = "unknown"


class EventState(enum.StrEnum):
    """`deferred`: what it speaks of is not here yet. `dead`: a person must look. `set_aside`: a
    person looked, and it is none of our business."""

    RECEIVED = "received"
    PROCESSING = "processing"
    DONE = "done"
    DEFERRED = "deferred"
    DEAD = "dead"
    SET_ASIDE = "set_aside"


class StripeOperation(Base):
    """One call that changes something at Stripe, under one idempotency key."""

    __tablename__ = "stripe_op"
    __table_args__ = (Index("ix_stripe_op_state", "state", "id"),)

    id: Mapped[int] = mapped_column(Id, primary_key=True, autoincrement=True)
    idem_key: Mapped[str] = mapped_column(String(160), unique=True)
    # Like `transfers.create`.
    method: Mapped[str] = mapped_column(String(60))
    account: Mapped[str] = mapped_column(String(100), default="")
    request_hash: Mapped[str] = mapped_column(String(64))
    # Sent again to the letter when the answer was lost.
    request: Mapped[dict[str, Any]] = mapped_column(default=dict)
    state: Mapped[OperationState] = mapped_column(
        text_enum(OperationState), default=OperationState.INTENDED
    )
    stripe_id: Mapped[str | None] = mapped_column(String(100), index=True)
    attempt: Mapped[int] = mapped_column(default=0)
    error_code: Mapped[str] = mapped_column(String(80), default="")
    error: Mapped[str] = mapped_column(Text, default="")
    created_at: Mapped[datetime] = mapped_column(default=clock.now)
    sent_at: Mapped[datetime | None]
    finished_at: Mapped[datetime | None]


class StripeEvent(Base):
    """An event, once. Its object is fetched anew when it is handled, so no payload is kept."""

    __tablename__ = "stripe_event"
    __table_args__ = (
        UniqueConstraint("account", "event_id"),
        Index("ix_stripe_event_state", "state", "next_attempt_at"),
    )

    id: Mapped[int] = mapped_column(Id, primary_key=True, autoincrement=True)
    # The connected account it is about; empty for the platform's own.
    account: Mapped[str] = mapped_column(String(100), default="")
    event_id: Mapped[str] = mapped_column(String(100))
    type: Mapped[str] = mapped_column(String(80), index=True)
    object_id: Mapped[str] = mapped_column(String(100), index=True)
    livemode: Mapped[bool] = mapped_column(default=False)
    # webhook | sweep
    source: Mapped[str] = mapped_column(String(20), default="webhook")
    state: Mapped[EventState] = mapped_column(text_enum(EventState), default=EventState.RECEIVED)
    attempts: Mapped[int] = mapped_column(default=0)
    error: Mapped[str] = mapped_column(Text, default="")
    happened_at: Mapped[datetime]
    received_at: Mapped[datetime] = mapped_column(default=clock.now)
    next_attempt_at: Mapped[datetime] = mapped_column(default=clock.now)
    handled_at: Mapped[datetime | None]


class StripeCursor(Base):
    """How far a sweep or a mirror got: `events`, `balance_transactions`, `payouts`."""

    __tablename__ = "stripe_cursor"

    name: Mapped[str] = mapped_column(String(60), primary_key=True)
    reached_at: Mapped[datetime]
    updated_at: Mapped[datetime] = mapped_column(default=clock.now, onupdate=clock.now)
