"""Converting what a partner has coming into another currency: one asks, another decides."""

import enum
from datetime import datetime

from sqlalchemy import BigInteger, Index, String, text
from sqlalchemy.orm import Mapped, mapped_column

from marketplace.core import clock
from marketplace.core.database import Base, Id, text_enum


class ConvertedSide(enum.StrEnum):
    """What is converted: what is payable to the partner, or what it owes."""

    PAYABLE = "payable"
    OWED = "owed"


class BalanceConversion(Base):
    """A balance in a currency that is money no more, into the one that replaced it. Who asks for
    it does not approve it."""

    __tablename__ = "balance_conversion"
    __table_args__ = (
        # One at a time of each balance: two would convert the same money.
        Index(
            "uq_balance_conversion_open",
            "partner_id",
            "from_currency",
            "side",
            unique=True,
            sqlite_where=text("decided_at IS NULL"),
            postgresql_where=text("decided_at IS NULL"),
        ),
    )

    id: Mapped[int] = mapped_column(Id, primary_key=True, autoincrement=True)
    partner_id: Mapped[int] = mapped_column(Id, index=True)
    side: Mapped[ConvertedSide] = mapped_column(text_enum(ConvertedSide))
    from_currency: Mapped[str] = mapped_column(String(3))
    to_currency: Mapped[str] = mapped_column(String(3))
    # Minor units of either currency, above zero.
    amount: Mapped[int] = mapped_column(BigInteger)
    to_amount: Mapped[int] = mapped_column(BigInteger)
    # How many of the old currency are one of the new, as a decimal number.
    rate: Mapped[str] = mapped_column(String(20))
    rate_source: Mapped[str] = mapped_column(String(200))
    # What it brought us in the new currency, once it is posted; below zero is a loss.
    gain: Mapped[int | None] = mapped_column(BigInteger)
    requested_by_id: Mapped[int] = mapped_column(Id)
    requested_at: Mapped[datetime] = mapped_column(default=clock.now)
    decided_by_id: Mapped[int | None] = mapped_column(Id)
    decided_at: Mapped[datetime | None]
    is_approved: Mapped[bool | None]
