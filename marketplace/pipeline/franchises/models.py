"""The tables: grants of territories, what partners report, and the royalties they are billed."""

import enum
from datetime import datetime
from typing import Any

from sqlalchemy import BigInteger, ForeignKey, Index, String, Text, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column, relationship

from marketplace.core import clock
from marketplace.core.append_only import append_only
from marketplace.core.database import Base, Id, text_enum


class RoyaltyBase(enum.StrEnum):
    """What the royalty is a percentage of."""

    MEASURED = "measured"  # the net revenue that the platform itself saw in the month
    REPORTED = "reported"  # what the partner reports for the month


class TerritoryGrant(Base):
    """Territories that a partner holds alone for a time, and the royalty that it owes for them."""

    __tablename__ = "territory_grant"

    id: Mapped[int] = mapped_column(Id, primary_key=True, autoincrement=True)
    public_id: Mapped[str] = mapped_column(String(40), unique=True)
    organization_id: Mapped[int] = mapped_column(ForeignKey("organization.id"), index=True)
    starts_at: Mapped[datetime]
    # The first moment at which it is no longer in force. An early end moves it forward.
    ends_at: Mapped[datetime]
    royalty_base: Mapped[RoyaltyBase] = mapped_column(text_enum(RoyaltyBase))
    royalty_bps: Mapped[int]
    # The least royalty of a month, in minor units; 0: none.
    minimum_amount: Mapped[int] = mapped_column(BigInteger, default=0)
    currency: Mapped[str] = mapped_column(String(3))
    note: Mapped[str] = mapped_column(Text, default="")
    granted_by_id: Mapped[int | None] = mapped_column(Id)
    created_at: Mapped[datetime] = mapped_column(default=clock.now)
    end_reason: Mapped[str] = mapped_column(String(300), default="")
    ended_by_id: Mapped[int | None] = mapped_column(Id)

    areas: Mapped[list["TerritoryArea"]] = relationship(
        back_populates="grant", order_by="TerritoryArea.id", lazy="selectin"
    )


class TerritoryArea(Base):
    """A country, or the postal codes of a country that begin with `prefix`."""

    __tablename__ = "territory_area"
    __table_args__ = (UniqueConstraint("grant_id", "country", "prefix"),)

    id: Mapped[int] = mapped_column(Id, primary_key=True, autoincrement=True)
    grant_id: Mapped[int] = mapped_column(ForeignKey("territory_grant.id"))
    country: Mapped[str] = mapped_column(String(2), index=True)
    prefix: Mapped[str] = mapped_column(String(12), default="")

    grant: Mapped[TerritoryGrant] = relationship(back_populates="areas")


class TerritoryLock(Base):
    """One row for each country: whoever grants there holds it."""

    __tablename__ = "territory_lock"

    country: Mapped[str] = mapped_column(String(2), primary_key=True)


class SalesReport(Base):
    """What a partner says it sold in a month, in minor units without tax. Append-only: a
    correction is a further version, with its reason."""

    __tablename__ = "territory_sales_report"
    __table_args__ = (UniqueConstraint("grant_id", "month", "version"),)

    id: Mapped[int] = mapped_column(Id, primary_key=True, autoincrement=True)
    grant_id: Mapped[int] = mapped_column(ForeignKey("territory_grant.id"))
    month: Mapped[str] = mapped_column(String(7))
    version: Mapped[int]
    amount: Mapped[int] = mapped_column(BigInteger)
    reason: Mapped[str] = mapped_column(String(300), default="")
    by_user_id: Mapped[int | None] = mapped_column(Id)
    at: Mapped[datetime] = mapped_column(default=clock.now)


class RoyaltyKind(enum.StrEnum):
    """An invoice, or what takes part of one back."""

    INVOICE = "invoice"
    CREDIT_NOTE = "credit_note"


class RoyaltyInvoice(Base):
    """A royalty invoice of a month, or a credit note to one: frozen with what it was made of."""

    __tablename__ = "royalty_invoice"
    __table_args__ = (
        # One invoice for each partner and month, however often the job runs.
        Index(
            "uq_royalty_invoice_month",
            "organization_id",
            "month",
            unique=True,
            sqlite_where=text("kind = 'invoice'"),
            postgresql_where=text("kind = 'invoice'"),
        ),
    )

    id: Mapped[int] = mapped_column(Id, primary_key=True, autoincrement=True)
    public_id: Mapped[str] = mapped_column(String(40), unique=True)
    # Without gaps within a year.
    number: Mapped[str] = mapped_column(String(40), unique=True)
    kind: Mapped[RoyaltyKind] = mapped_column(text_enum(RoyaltyKind))
    corrects_id: Mapped[int | None] = mapped_column(ForeignKey("royalty_invoice.id"), index=True)
    # What a credit note was written for, once: a refund, a corrected report.
    cause: Mapped[str | None] = mapped_column(String(64), unique=True)
    grant_id: Mapped[int] = mapped_column(ForeignKey("territory_grant.id"), index=True)
    organization_id: Mapped[int] = mapped_column(ForeignKey("organization.id"))
    month: Mapped[str] = mapped_column(String(7))
    currency: Mapped[str] = mapped_column(String(3))
    base: Mapped[RoyaltyBase] = mapped_column(text_enum(RoyaltyBase))
    base_amount: Mapped[int] = mapped_column(BigInteger)
    royalty_bps: Mapped[int]
    minimum_amount: Mapped[int] = mapped_column(BigInteger)
    # Without tax. Of a credit note: what is taken back, as a positive number.
    amount: Mapped[int] = mapped_column(BigInteger)
    reason: Mapped[str] = mapped_column(String(300), default="")
    # Whose names and addresses stand on it, as they were.
    parties: Mapped[dict[str, Any]] = mapped_column(default=dict)
    # The order that paid it.
    order_id: Mapped[int | None] = mapped_column(Id, index=True)
    paid_at: Mapped[datetime | None]
    issued_at: Mapped[datetime] = mapped_column(default=clock.now)

    grant: Mapped[TerritoryGrant] = relationship()


class RoyaltyPayment(Base):
    """An order by which a royalty invoice is, or was to be, paid."""

    __tablename__ = "royalty_payment"

    order_id: Mapped[int] = mapped_column(Id, primary_key=True, autoincrement=False)
    invoice_id: Mapped[int] = mapped_column(ForeignKey("royalty_invoice.id"), index=True)


class RoyaltyCounter(Base):
    """The last number of a year. Its row's lock keeps the numbers without gaps."""

    __tablename__ = "royalty_counter"

    year: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    last: Mapped[int] = mapped_column(default=0)


append_only(SalesReport)
