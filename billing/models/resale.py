"""Resale: who may sell a publisher's plans, from which floor price up, and their quotes."""

import enum
from datetime import datetime

from sqlalchemy import BigInteger, ForeignKey, Index, String, Text
from sqlalchemy.orm import Mapped, mapped_column, relationship

from billing.models.plan import Plan
from marketplace.core import clock
from marketplace.core.database import Base, Id, text_enum


class AgreementState(enum.StrEnum):
    """Offered by the publisher, then accepted by the reseller."""

    OFFERED = "offered"
    ACTIVE = "active"
    DECLINED = "declined"
    ENDED = "ended"


class QuoteState(enum.StrEnum):
    """Where a reseller's quote is."""

    DRAFT = "draft"
    SENT = "sent"
    ACCEPTED = "accepted"
    PAID = "paid"
    DECLINED = "declined"
    WITHDRAWN = "withdrawn"
    EXPIRED = "expired"


class ResellerAgreement(Base):
    """One version of the terms between a publisher and a reseller for one plan.

    New terms are a new row that replaces the one before when the reseller accepts it.
    """

    __tablename__ = "reseller_agreement"
    __table_args__ = (
        Index("ix_reseller_agreement_parties", "publisher_id", "reseller_id", "plan_id"),
    )

    id: Mapped[int] = mapped_column(Id, primary_key=True, autoincrement=True)
    public_id: Mapped[str] = mapped_column(String(40), unique=True)
    version: Mapped[int] = mapped_column(default=1)
    publisher_id: Mapped[int] = mapped_column(Id)
    reseller_id: Mapped[int] = mapped_column(Id, index=True)
    listing_id: Mapped[int] = mapped_column(Id)
    plan_id: Mapped[int] = mapped_column(ForeignKey("plan.id"), index=True)
    currency: Mapped[str] = mapped_column(String(3))
    # For one unit, without tax; a quote may not be below it. The publisher is owed this much.
    floor_amount: Mapped[int] = mapped_column(BigInteger)
    # The most that a quote may be above the floor, in basis points of it; null: no limit.
    maximum_markup_bps: Mapped[int | None]
    hold_days: Mapped[int] = mapped_column(default=14)
    note: Mapped[str] = mapped_column(Text, default="")
    state: Mapped[AgreementState] = mapped_column(
        text_enum(AgreementState), default=AgreementState.OFFERED
    )
    created_by_id: Mapped[int | None] = mapped_column(Id)
    created_at: Mapped[datetime] = mapped_column(default=clock.now)
    decided_at: Mapped[datetime | None]
    ended_at: Mapped[datetime | None]

    plan: Mapped[Plan] = relationship()


class ResaleQuote(Base):
    """What a reseller offers to one customer."""

    __tablename__ = "resale_quote"
    __table_args__ = (Index("ix_resale_quote_reseller", "reseller_id", "id"),)

    id: Mapped[int] = mapped_column(Id, primary_key=True, autoincrement=True)
    public_id: Mapped[str] = mapped_column(String(40), unique=True)
    agreement_id: Mapped[int] = mapped_column(ForeignKey("reseller_agreement.id"))
    reseller_id: Mapped[int] = mapped_column(Id)
    customer_id: Mapped[int] = mapped_column(Id, index=True)
    quantity: Mapped[int] = mapped_column(default=1)
    currency: Mapped[str] = mapped_column(String(3))
    # For one unit, without tax.
    unit_amount: Mapped[int] = mapped_column(BigInteger)
    message: Mapped[str] = mapped_column(Text, default="")
    state: Mapped[QuoteState] = mapped_column(text_enum(QuoteState), default=QuoteState.DRAFT)
    expires_at: Mapped[datetime]
    created_by_id: Mapped[int | None] = mapped_column(Id)
    created_at: Mapped[datetime] = mapped_column(default=clock.now)
    sent_at: Mapped[datetime | None]
    decided_at: Mapped[datetime | None]
    decided_by_id: Mapped[int | None] = mapped_column(Id)

    agreement: Mapped[ResellerAgreement] = relationship()
