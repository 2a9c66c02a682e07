"""Vouchers, and the credit of partners as entries that only grow."""

import enum
from datetime import date, datetime, timedelta

from sqlalchemy import BigInteger, ForeignKey, Index, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from marketplace.core import clock
from marketplace.core.append_only import append_only
from marketplace.core.database import Base, Id, text_enum


class Voucher(Base):
    """A token that posts a credit, once. Its hash is kept, and the last four characters, by which
    staff tell tokens apart. `amount`: minor units."""

    __tablename__ = "voucher"

    id: Mapped[int] = mapped_column(Id, primary_key=True, autoincrement=True)
    public_id: Mapped[str] = mapped_column(String(40), unique=True)
    token_hash: Mapped[str] = mapped_column(String(64), unique=True)
    ending: Mapped[str] = mapped_column(String(4))
    amount: Mapped[int] = mapped_column(BigInteger)
    currency: Mapped[str] = mapped_column(String(3))
    # The type of partner that it is for; empty: any.
    partner_type: Mapped[str] = mapped_column(String(40), default="")
    note: Mapped[str] = mapped_column(String(200), default="")
    created_at: Mapped[datetime] = mapped_column(default=clock.now)
    created_by_id: Mapped[int | None] = mapped_column(Id)
    expires_at: Mapped[datetime] = mapped_column(index=True)
    redeemed_at: Mapped[datetime | None]
    redeemed_by_id: Mapped[int | None] = mapped_column(Id)
    organization_id: Mapped[int | None] = mapped_column(ForeignKey("organization.id"), index=True)
    revoked_at: Mapped[datetime | None]
    revoked_by_id: Mapped[int | None] = mapped_column(Id)

    @property
    def state(self) -> str:
        """`used`, `revoked`, `expired` or `open`."""
        if self.redeemed_at is not None:
            return "used"
        if self.revoked_at is not None:
            return "revoked"
        return "expired" if self.expires_at <= clock.now() else "open"

    @property
    def last_day(self) -> date:
        """The last day on which it can be used, in UTC."""
        return (self.expires_at - timedelta(seconds=1)).date()


class CreditAccount(Base):
    """A partner's credit in one currency: the row that is locked before its balance is used."""

    __tablename__ = "credit_account"

    id: Mapped[int] = mapped_column(Id, primary_key=True, autoincrement=True)
    organization_id: Mapped[int] = mapped_column(ForeignKey("organization.id"))
    currency: Mapped[str] = mapped_column(String(3))

    __table_args__ = (UniqueConstraint("organization_id", "currency"),)


class CreditKind(enum.StrEnum):
    """Why a credit changed."""

    VOUCHER = "voucher"
    FEE = "fee"  # paid a fee of the program
    RETURNED = "returned"  # the fee's order was given up


class CreditEntry(Base):
    """One change of a credit, in minor units; negative when it was used. Append-only."""

    __tablename__ = "credit_entry"

    id: Mapped[int] = mapped_column(Id, primary_key=True, autoincrement=True)
    account_id: Mapped[int] = mapped_column(ForeignKey("credit_account.id"))
    kind: Mapped[CreditKind] = mapped_column(text_enum(CreditKind))
    amount: Mapped[int] = mapped_column(BigInteger)
    # The voucher, or the order.
    voucher_id: Mapped[int | None] = mapped_column(Id)
    order_id: Mapped[int | None] = mapped_column(Id)
    description: Mapped[str] = mapped_column(String(200), default="")
    by_user_id: Mapped[int | None] = mapped_column(Id)
    at: Mapped[datetime] = mapped_column(default=clock.now)
    idempotency_key: Mapped[str] = mapped_column(String(80), unique=True)

    __table_args__ = (Index("ix_credit_entry_account", "account_id", "at"),)


append_only(CreditEntry)
