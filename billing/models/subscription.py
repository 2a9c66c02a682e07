"""Subscriptions, and the entitlements that paying gives."""

import enum
from datetime import datetime

from sqlalchemy import ForeignKey, Index, String, text
from sqlalchemy.orm import Mapped, mapped_column, relationship

from billing.models.plan import Plan
from marketplace.core import clock
from marketplace.core.database import Base, Id, text_enum


class SubscriptionState(enum.StrEnum):
    """As Stripe has it, in fewer words."""

    INCOMPLETE = "incomplete"
    TRIALING = "trialing"
    ACTIVE = "active"
    PAST_DUE = "past_due"
    CANCELED = "canceled"


class EntitlementState(enum.StrEnum):
    """`grace`: unpaid, but still allowed until `grace_until`."""

    ACTIVE = "active"
    GRACE = "grace"
    ENDED = "ended"


class Subscription(Base):
    """An organization's subscription to a plan. Stripe charges it; each invoice is an order."""

    __tablename__ = "subscription"
    __table_args__ = (
        Index(
            "uq_subscription_live",
            "organization_id",
            "listing_id",
            unique=True,
            sqlite_where=text("state NOT IN ('canceled', 'incomplete')"),
            postgresql_where=text("state NOT IN ('canceled', 'incomplete')"),
        ),
    )

    id: Mapped[int] = mapped_column(Id, primary_key=True, autoincrement=True)
    public_id: Mapped[str] = mapped_column(String(40), unique=True)
    organization_id: Mapped[int] = mapped_column(Id, index=True)
    listing_id: Mapped[int] = mapped_column(Id, index=True)
    plan_id: Mapped[int] = mapped_column(ForeignKey("plan.id"), index=True)
    price_id: Mapped[int] = mapped_column(ForeignKey("price.id"))
    currency: Mapped[str] = mapped_column(String(3))
    quantity: Mapped[int] = mapped_column(default=1)
    state: Mapped[SubscriptionState] = mapped_column(
        text_enum(SubscriptionState), default=SubscriptionState.INCOMPLETE
    )
    stripe_id: Mapped[str | None] = mapped_column(String(100), unique=True)
    stripe_item_id: Mapped[str | None] = mapped_column(String(100))
    trial_ends_at: Mapped[datetime | None]
    current_period_start: Mapped[datetime | None]
    current_period_end: Mapped[datetime | None]
    cancel_at_period_end: Mapped[bool] = mapped_column(default=False)
    canceled_at: Mapped[datetime | None]
    # Payments made, by which "the first n months" and a commission's n months are counted.
    payments: Mapped[int] = mapped_column(default=0)
    # Names the change of plan or seats that was taken over last from Stripe.
    last_change: Mapped[str] = mapped_column(String(40), default="")
    created_at: Mapped[datetime] = mapped_column(default=clock.now)
    updated_at: Mapped[datetime] = mapped_column(default=clock.now, onupdate=clock.now)

    plan: Mapped[Plan] = relationship()


class Entitlement(Base):
    """What an organization may use because it paid (or took a free plan)."""

    __tablename__ = "entitlement"
    __table_args__ = (
        Index(
            "uq_entitlement_live",
            "organization_id",
            "listing_id",
            unique=True,
            sqlite_where=text("state <> 'ended'"),
            postgresql_where=text("state <> 'ended'"),
        ),
    )

    id: Mapped[int] = mapped_column(Id, primary_key=True, autoincrement=True)
    organization_id: Mapped[int] = mapped_column(Id)
    listing_id: Mapped[int] = mapped_column(Id, index=True)
    plan_id: Mapped[int] = mapped_column(ForeignKey("plan.id"))
    order_id: Mapped[int | None] = mapped_column(ForeignKey("purchase_order.id"), index=True)
    subscription_id: Mapped[int | None] = mapped_column(ForeignKey("subscription.id"), index=True)
    quantity: Mapped[int] = mapped_column(default=1)
    state: Mapped[EntitlementState] = mapped_column(
        text_enum(EntitlementState), default=EntitlementState.ACTIVE
    )
    starts_at: Mapped[datetime]
    grace_until: Mapped[datetime | None] = mapped_column(index=True)
    ended_at: Mapped[datetime | None]
    ended_reason: Mapped[str] = mapped_column(String(200), default="")

    plan: Mapped[Plan] = relationship()


class StripeCustomer(Base):
    """The Stripe customer of an organization."""

    __tablename__ = "stripe_customer"

    organization_id: Mapped[int] = mapped_column(Id, primary_key=True, autoincrement=False)
    stripe_id: Mapped[str] = mapped_column(String(100), unique=True)
    created_at: Mapped[datetime] = mapped_column(default=clock.now)


class BillingProfile(Base):
    """What an organization's invoices say of it, and what decides its tax."""

    __tablename__ = "billing_profile"

    organization_id: Mapped[int] = mapped_column(Id, primary_key=True, autoincrement=False)
    legal_name: Mapped[str] = mapped_column(String(120), default="")
    email: Mapped[str] = mapped_column(String(254), default="")
    address_line: Mapped[str] = mapped_column(String(200), default="")
    city: Mapped[str] = mapped_column(String(80), default="")
    postal_code: Mapped[str] = mapped_column(String(20), default="")
    country: Mapped[str | None] = mapped_column(String(2))
    tax_id: Mapped[str] = mapped_column(String(30), default="")
    updated_at: Mapped[datetime] = mapped_column(default=clock.now, onupdate=clock.now)


class TaxRate(Base):
    """A tax that is due in a country, from a day on. Never changed: a new rate is a new row."""

    __tablename__ = "tax_rate"

    id: Mapped[int] = mapped_column(Id, primary_key=True, autoincrement=True)
    country: Mapped[str] = mapped_column(String(2), index=True)
    name: Mapped[str] = mapped_column(String(40))
    bps: Mapped[int]
    # Not charged to a business with a tax id in another country than ours.
    has_reverse_charge: Mapped[bool] = mapped_column(default=False)
    effective_from: Mapped[datetime]
    stripe_id: Mapped[str | None] = mapped_column(String(100), unique=True)
    created_by_id: Mapped[int | None] = mapped_column(Id)
    created_at: Mapped[datetime] = mapped_column(default=clock.now)
