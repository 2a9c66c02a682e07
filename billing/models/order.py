"""Orders: what was agreed, frozen with the version of every rule that made it."""

import enum
from datetime import datetime
from typing import Any

from sqlalchemy import BigInteger, CheckConstraint, ForeignKey, Index, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column, relationship

from billing.models.discount import Funder
from marketplace.core import clock
from marketplace.core.database import Base, Id, text_enum


class OrderKind(enum.StrEnum):
    """Why something is paid."""

    PURCHASE = "purchase"
    RENEWAL = "renewal"
    # Seats added, or a plan changed, in the middle of a period.
    CHANGE = "change"
    RESALE = "resale"
    # What a partner owes the platform: application, certification, listing, support pack.
    PROGRAM_FEE = "program_fee"


class OrderState(enum.StrEnum):
    """`pending`: its checkout is open. What was refunded is a sum, not a state."""

    PENDING = "pending"
    PAID = "paid"
    EXPIRED = "expired"
    CANCELED = "canceled"
    FAILED = "failed"


class Order(Base):
    """What an organization buys at once, in one currency. One payment pays it.

    subtotal - discount_total + tax_total = total, all sums of its lines.
    """

    __tablename__ = "purchase_order"
    __table_args__ = (
        CheckConstraint(
            "refunded_total >= 0 AND refunded_total <= total", name="refunded_in_total"
        ),
        CheckConstraint("subtotal - discount_total + tax_total = total", name="sums_up"),
        Index("ix_purchase_order_buyer", "organization_id", "id"),
        Index("ix_purchase_order_state_paid_at", "state", "paid_at"),
    )

    id: Mapped[int] = mapped_column(Id, primary_key=True, autoincrement=True)
    public_id: Mapped[str] = mapped_column(String(40), unique=True)
    kind: Mapped[OrderKind] = mapped_column(text_enum(OrderKind), default=OrderKind.PURCHASE)
    state: Mapped[OrderState] = mapped_column(text_enum(OrderState), default=OrderState.PENDING)
    organization_id: Mapped[int] = mapped_column(Id)
    placed_by_id: Mapped[int | None] = mapped_column(Id)
    currency: Mapped[str] = mapped_column(String(3))
    subtotal: Mapped[int] = mapped_column(BigInteger)
    discount_total: Mapped[int] = mapped_column(BigInteger, default=0)
    tax_total: Mapped[int] = mapped_column(BigInteger, default=0)
    total: Mapped[int] = mapped_column(BigInteger)
    refunded_total: Mapped[int] = mapped_column(BigInteger, default=0)
    subscription_id: Mapped[int | None] = mapped_column(ForeignKey("subscription.id"), index=True)
    resale_quote_id: Mapped[int | None] = mapped_column(ForeignKey("resale_quote.id"), index=True)
    # Name, address, country, tax id, as they stand on the invoice.
    billing_details: Mapped[dict[str, Any]] = mapped_column(default=dict)
    # Why the tax is what it is: rate, country, reverse charge.
    tax_details: Mapped[dict[str, Any]] = mapped_column(default=dict)
    # Ours, without gaps within a year; given when it is paid.
    invoice_number: Mapped[str | None] = mapped_column(String(40), unique=True)
    checkout_session_id: Mapped[str | None] = mapped_column(String(100), unique=True)
    stripe_invoice_id: Mapped[str | None] = mapped_column(String(100), unique=True)
    payment_intent_id: Mapped[str | None] = mapped_column(String(100), index=True)
    charge_id: Mapped[str | None] = mapped_column(String(100), unique=True)
    # The card's fingerprint as Stripe gives it: tells the same card, nothing else about it.
    card_fingerprint: Mapped[str | None] = mapped_column(String(40), index=True)
    # For receipts, like `visa` and the last four digits.
    card_brand: Mapped[str] = mapped_column(String(40), default="")
    card_last4: Mapped[str] = mapped_column(String(4), default="")
    period_start: Mapped[datetime | None]
    period_end: Mapped[datetime | None]
    created_at: Mapped[datetime] = mapped_column(default=clock.now)
    expires_at: Mapped[datetime | None]
    paid_at: Mapped[datetime | None]
    closed_at: Mapped[datetime | None]

    lines: Mapped[list["OrderLine"]] = relationship(
        back_populates="order", order_by="OrderLine.position"
    )


class InvoiceCounter(Base):
    """The last invoice number of a year. Its row's lock keeps the numbers without gaps."""

    __tablename__ = "invoice_counter"

    year: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    last: Mapped[int] = mapped_column(default=0)


class OrderLine(Base):
    """One thing bought, and how its money is divided (see split.py).

    net = list - discount;
    net + discount (if the platform funds it) =
        fee + margin + publisher's amount + commission (if the publisher funds it).
    """

    __tablename__ = "order_line"
    __table_args__ = (UniqueConstraint("order_id", "position"),)

    id: Mapped[int] = mapped_column(Id, primary_key=True, autoincrement=True)
    order_id: Mapped[int] = mapped_column(ForeignKey("purchase_order.id"))
    position: Mapped[int] = mapped_column(default=1)
    description: Mapped[str] = mapped_column(String(200))
    listing_id: Mapped[int | None] = mapped_column(Id, index=True)
    plan_id: Mapped[int | None] = mapped_column(ForeignKey("plan.id"), index=True)
    price_id: Mapped[int | None] = mapped_column(ForeignKey("price.id"))
    # Null for what the platform itself sells (program fees).
    publisher_id: Mapped[int | None] = mapped_column(Id, index=True)
    quantity: Mapped[int] = mapped_column(default=1)
    unit_amount: Mapped[int] = mapped_column(BigInteger)
    list_amount: Mapped[int] = mapped_column(BigInteger)
    discount_amount: Mapped[int] = mapped_column(BigInteger, default=0)
    # The part of the discount that the platform bears; the publisher bears the rest.
    discount_platform_amount: Mapped[int] = mapped_column(BigInteger, default=0)
    # Each discount: id, version, name, amount, funder.
    discounts: Mapped[list[dict[str, Any]]] = mapped_column(default=list)
    net_amount: Mapped[int] = mapped_column(BigInteger)
    tax_bps: Mapped[int] = mapped_column(default=0)
    tax_amount: Mapped[int] = mapped_column(BigInteger, default=0)
    total_amount: Mapped[int] = mapped_column(BigInteger)
    # The platform's fee, by the fee rule in force.
    fee_rule_id: Mapped[int | None] = mapped_column(ForeignKey("fee_rule.id"))
    fee_base: Mapped[int] = mapped_column(BigInteger, default=0)
    fee_bps: Mapped[int] = mapped_column(default=0)
    fee_fixed: Mapped[int] = mapped_column(BigInteger, default=0)
    fee_amount: Mapped[int] = mapped_column(BigInteger, default=0)
    publisher_amount: Mapped[int] = mapped_column(BigInteger, default=0)
    publisher_hold_days: Mapped[int] = mapped_column(default=0)
    # A resale: what the publisher is owed before the fee, and what is the reseller's.
    reseller_agreement_id: Mapped[int | None] = mapped_column(ForeignKey("reseller_agreement.id"))
    reseller_id: Mapped[int | None] = mapped_column(Id, index=True)
    floor_amount: Mapped[int] = mapped_column(BigInteger, default=0)
    margin_amount: Mapped[int] = mapped_column(BigInteger, default=0)
    margin_hold_days: Mapped[int] = mapped_column(default=0)
    # An affiliate's sale.
    affiliate_id: Mapped[int | None] = mapped_column(ForeignKey("affiliate.id"), index=True)
    affiliate_organization_id: Mapped[int | None] = mapped_column(Id, index=True)
    commission_rule_id: Mapped[int | None] = mapped_column(ForeignKey("commission_rule.id"))
    commission_base: Mapped[int] = mapped_column(BigInteger, default=0)
    commission_bps: Mapped[int] = mapped_column(default=0)
    commission_amount: Mapped[int] = mapped_column(BigInteger, default=0)
    commission_funder: Mapped[Funder | None] = mapped_column(text_enum(Funder))
    commission_hold_days: Mapped[int] = mapped_column(default=0)
    # Not empty: the commission begins frozen, for this reason.
    commission_hold_reason: Mapped[str] = mapped_column(String(300), default="")
    # What brought the customer, as it was when it was sold: click, code, server or handover.
    came_by: Mapped[str] = mapped_column(String(20), default="")
    attribution_id: Mapped[int | None] = mapped_column(ForeignKey("attribution.id"))
    click_id: Mapped[int | None] = mapped_column(ForeignKey("affiliate_click.id"))
    code_id: Mapped[int | None] = mapped_column(ForeignKey("promotion_code.id"))
    sub_id: Mapped[str] = mapped_column(String(80), default="")
    credited_until: Mapped[datetime | None]

    order: Mapped[Order] = relationship(back_populates="lines")
