"""Money that goes back: refunds, requests for them, and disputes of the customer's bank."""

import enum
from datetime import datetime
from typing import Any

from sqlalchemy import BigInteger, CheckConstraint, ForeignKey, Index, String, Text
from sqlalchemy.orm import Mapped, mapped_column, relationship

from billing.models.order import Order
from marketplace.core import clock
from marketplace.core.database import Base, Id, text_enum


class RefundState(enum.StrEnum):
    """`intended`: decided here, and taken from the parties, but not known to Stripe yet. Once the
    money left Stripe, refund_clearing is empty again; `failed` and `canceled` give it all back."""

    INTENDED = "intended"
    PENDING = "pending"
    SUCCEEDED = "succeeded"
    FAILED = "failed"
    CANCELED = "canceled"


class RequestState(enum.StrEnum):
    """Where a customer's request for a refund is."""

    OPEN = "open"
    GRANTED = "granted"
    REFUSED = "refused"
    WITHDRAWN = "withdrawn"


class DisputeState(enum.StrEnum):
    """`warning`: an inquiry, no money was taken."""

    WARNING = "warning"
    OPEN = "open"
    WON = "won"
    LOST = "lost"


class Refund(Base):
    """A refund of a part of an order. Refunds of one order are numbered without gaps."""

    __tablename__ = "refund"
    __table_args__ = (
        CheckConstraint("amount > 0", name="amount_above_zero"),
        Index("uq_refund_order_number", "order_id", "number", unique=True),
        Index("ix_refund_state", "state", "id"),
    )

    id: Mapped[int] = mapped_column(Id, primary_key=True, autoincrement=True)
    public_id: Mapped[str] = mapped_column(String(40), unique=True)
    order_id: Mapped[int] = mapped_column(ForeignKey("purchase_order.id"))
    number: Mapped[int]
    # With tax.
    amount: Mapped[int] = mapped_column(BigInteger)
    currency: Mapped[str] = mapped_column(String(3))
    reason: Mapped[str] = mapped_column(String(300), default="")
    state: Mapped[RefundState] = mapped_column(text_enum(RefundState), default=RefundState.INTENDED)
    stripe_id: Mapped[str | None] = mapped_column(String(100), unique=True)
    failure: Mapped[str] = mapped_column(String(300), default="")
    request_id: Mapped[int | None] = mapped_column(ForeignKey("refund_request.id"))
    # Null: made in Stripe's dashboard, or by Stripe.
    created_by_id: Mapped[int | None] = mapped_column(Id)
    created_at: Mapped[datetime] = mapped_column(default=clock.now)
    settled_at: Mapped[datetime | None]

    order: Mapped[Order] = relationship()


class RefundRequest(Base):
    """A customer asks for money back."""

    __tablename__ = "refund_request"
    __table_args__ = (Index("ix_refund_request_state", "state", "id"),)

    id: Mapped[int] = mapped_column(Id, primary_key=True, autoincrement=True)
    order_id: Mapped[int] = mapped_column(ForeignKey("purchase_order.id"), index=True)
    author_id: Mapped[int] = mapped_column(Id)
    amount: Mapped[int] = mapped_column(BigInteger)
    body: Mapped[str] = mapped_column(Text)
    state: Mapped[RequestState] = mapped_column(text_enum(RequestState), default=RequestState.OPEN)
    answer: Mapped[str] = mapped_column(Text, default="")
    created_at: Mapped[datetime] = mapped_column(default=clock.now)
    decided_at: Mapped[datetime | None]
    decided_by_id: Mapped[int | None] = mapped_column(Id)

    order: Mapped[Order] = relationship()


class Dispute(Base):
    """A dispute of a charge. It may be of more than the charge."""

    __tablename__ = "payment_dispute"

    id: Mapped[int] = mapped_column(Id, primary_key=True, autoincrement=True)
    stripe_id: Mapped[str] = mapped_column(String(100), unique=True)
    order_id: Mapped[int] = mapped_column(ForeignKey("purchase_order.id"), index=True)
    charge_id: Mapped[str] = mapped_column(String(100))
    amount: Mapped[int] = mapped_column(BigInteger)
    currency: Mapped[str] = mapped_column(String(3))
    fee: Mapped[int] = mapped_column(BigInteger, default=0)
    # What of it counts as gone back to the customer if it is lost, in the order's currency.
    lost_amount: Mapped[int] = mapped_column(BigInteger, default=0)
    reason: Mapped[str] = mapped_column(String(80), default="")
    state: Mapped[DisputeState] = mapped_column(text_enum(DisputeState), index=True)
    evidence_due_at: Mapped[datetime | None]
    evidence: Mapped[dict[str, Any]] = mapped_column(default=dict)
    evidence_sent_at: Mapped[datetime | None]
    created_at: Mapped[datetime] = mapped_column(default=clock.now)
    decided_at: Mapped[datetime | None]

    order: Mapped[Order] = relationship()
