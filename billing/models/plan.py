"""What is for sale: a listing's plans, and the versions of their prices."""

import enum
from datetime import datetime

from sqlalchemy import BigInteger, CheckConstraint, ForeignKey, String, Text, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column, relationship

from marketplace.core import clock
from marketplace.core.database import Base, Id, text_enum


class PlanBilling(enum.StrEnum):
    """How a plan is paid for."""

    FREE = "free"
    ONE_TIME = "one_time"
    MONTHLY = "monthly"
    YEARLY = "yearly"


class PlanState(enum.StrEnum):
    """Only an active plan is sold. An archived one goes on for those who have it."""

    DRAFT = "draft"
    ACTIVE = "active"
    ARCHIVED = "archived"


class Plan(Base):
    """A plan of a listing. Its price is the newest `Price` that is in force."""

    __tablename__ = "plan"
    __table_args__ = (UniqueConstraint("listing_id", "code"),)

    id: Mapped[int] = mapped_column(Id, primary_key=True, autoincrement=True)
    public_id: Mapped[str] = mapped_column(String(40), unique=True)
    # Listings and organizations are known by their ids alone: money outlives what it speaks of.
    listing_id: Mapped[int] = mapped_column(Id, index=True)
    publisher_id: Mapped[int] = mapped_column(Id, index=True)
    code: Mapped[str] = mapped_column(String(40))
    name: Mapped[str] = mapped_column(String(60))
    description: Mapped[str] = mapped_column(Text, default="")
    billing: Mapped[PlanBilling] = mapped_column(text_enum(PlanBilling))
    is_per_seat: Mapped[bool] = mapped_column(default=False)
    trial_days: Mapped[int] = mapped_column(default=0)
    position: Mapped[int] = mapped_column(default=0)
    state: Mapped[PlanState] = mapped_column(text_enum(PlanState), default=PlanState.DRAFT)
    # When it was first on sale: what was installed before goes on without it.
    activated_at: Mapped[datetime | None]
    stripe_product_id: Mapped[str | None] = mapped_column(String(100))
    created_at: Mapped[datetime] = mapped_column(default=clock.now)
    updated_at: Mapped[datetime] = mapped_column(default=clock.now, onupdate=clock.now)

    prices: Mapped[list["Price"]] = relationship(
        back_populates="plan", order_by="Price.effective_from, Price.id"
    )


class Price(Base):
    """One version of a plan's price in one currency. Never changed: a new price is a new row."""

    __tablename__ = "price"
    __table_args__ = (
        UniqueConstraint("plan_id", "currency", "version"),
        CheckConstraint("amount >= 0", name="amount_not_negative"),
    )

    id: Mapped[int] = mapped_column(Id, primary_key=True, autoincrement=True)
    plan_id: Mapped[int] = mapped_column(ForeignKey("plan.id"))
    version: Mapped[int]
    currency: Mapped[str] = mapped_column(String(3))
    # For one seat when the plan is per seat; without tax.
    amount: Mapped[int] = mapped_column(BigInteger)
    effective_from: Mapped[datetime]
    created_by_id: Mapped[int | None] = mapped_column(Id)
    created_at: Mapped[datetime] = mapped_column(default=clock.now)

    plan: Mapped[Plan] = relationship(back_populates="prices")
