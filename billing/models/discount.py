"""Discounts, and the codes by which they are claimed."""

import enum
from datetime import datetime

from sqlalchemy import BigInteger, ForeignKey, Index, String, text
from sqlalchemy.orm import Mapped, mapped_column, relationship

from marketplace.core import clock
from marketplace.core.database import Base, Id, text_enum


class DiscountKind(enum.StrEnum):
    """Part of the price, or a fixed amount."""

    PERCENT = "percent"
    FIXED = "fixed"


class Funder(enum.StrEnum):
    """Who bears a discount or a commission."""

    PUBLISHER = "publisher"
    PLATFORM = "platform"


class Discount(Base):
    """A rule that lowers a price. `publisher_id` null: the platform's own, which it funds."""

    __tablename__ = "discount"

    id: Mapped[int] = mapped_column(Id, primary_key=True, autoincrement=True)
    public_id: Mapped[str] = mapped_column(String(40), unique=True)
    publisher_id: Mapped[int | None] = mapped_column(Id, index=True)
    name: Mapped[str] = mapped_column(String(80))
    kind: Mapped[DiscountKind] = mapped_column(text_enum(DiscountKind))
    # Basis points for PERCENT; minor units of `currency` for FIXED.
    bps: Mapped[int] = mapped_column(default=0)
    amount: Mapped[int] = mapped_column(BigInteger, default=0)
    currency: Mapped[str | None] = mapped_column(String(3))
    funder: Mapped[Funder] = mapped_column(text_enum(Funder))
    # The first n payments of a subscription; null: all of them.
    months: Mapped[int | None]
    # Empty: all of the publisher's (or the platform's) listings and plans.
    listing_ids: Mapped[list[int]] = mapped_column(default=list)
    plan_ids: Mapped[list[int]] = mapped_column(default=list)
    # The customer's tiers that may have it; empty: all.
    tiers: Mapped[list[str]] = mapped_column(default=list)
    # Automatic: for whoever fits. Otherwise by code.
    is_automatic: Mapped[bool] = mapped_column(default=False)
    # Whether it may be added to others; two that may not: the better one counts.
    is_stackable: Mapped[bool] = mapped_column(default=False)
    max_uses: Mapped[int | None]
    max_uses_each: Mapped[int | None]
    minimum: Mapped[int] = mapped_column(BigInteger, default=0)
    starts_at: Mapped[datetime]
    ends_at: Mapped[datetime | None]
    archived_at: Mapped[datetime | None]
    version: Mapped[int] = mapped_column(default=1)
    created_by_id: Mapped[int | None] = mapped_column(Id)
    created_at: Mapped[datetime] = mapped_column(default=clock.now)

    codes: Mapped[list["PromotionCode"]] = relationship(back_populates="discount")


class PromotionCode(Base):
    """What a customer types. Compared in upper case; a seller has it once."""

    __tablename__ = "promotion_code"
    __table_args__ = (
        Index("uq_promotion_code_publisher", "publisher_id", "code", unique=True),
        Index(
            "uq_promotion_code_platform",
            "code",
            unique=True,
            sqlite_where=text("publisher_id IS NULL"),
            postgresql_where=text("publisher_id IS NULL"),
        ),
    )

    id: Mapped[int] = mapped_column(Id, primary_key=True, autoincrement=True)
    discount_id: Mapped[int] = mapped_column(ForeignKey("discount.id"), index=True)
    # The discount's publisher; null: the platform.
    publisher_id: Mapped[int | None] = mapped_column(Id)
    code: Mapped[str] = mapped_column(String(40))
    # The affiliate to whom a sale with this code is attributed.
    affiliate_id: Mapped[int | None] = mapped_column(ForeignKey("affiliate.id"), index=True)
    max_uses: Mapped[int | None]
    expires_at: Mapped[datetime | None]
    disabled_at: Mapped[datetime | None]
    created_at: Mapped[datetime] = mapped_column(default=clock.now)

    discount: Mapped[Discount] = relationship(back_populates="codes")


class DiscountUse(Base):
    """A discount that an order has. Counted once its checkout begins, freed when it lapses."""

    __tablename__ = "discount_use"
    __table_args__ = (
        Index("uq_discount_use_order", "order_id", "discount_id", unique=True),
        Index(
            "ix_discount_use_live",
            "discount_id",
            "organization_id",
            sqlite_where=text("released_at IS NULL"),
            postgresql_where=text("released_at IS NULL"),
        ),
    )

    id: Mapped[int] = mapped_column(Id, primary_key=True, autoincrement=True)
    discount_id: Mapped[int] = mapped_column(ForeignKey("discount.id"))
    code_id: Mapped[int | None] = mapped_column(ForeignKey("promotion_code.id"), index=True)
    order_id: Mapped[int] = mapped_column(ForeignKey("purchase_order.id"))
    organization_id: Mapped[int] = mapped_column(Id)
    amount: Mapped[int] = mapped_column(BigInteger)
    created_at: Mapped[datetime] = mapped_column(default=clock.now)
    released_at: Mapped[datetime | None]
