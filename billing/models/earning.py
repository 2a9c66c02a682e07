"""What a partner earned by one line of an order. Its movements are entries of the ledger."""

import enum
from datetime import datetime
from typing import Any

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    ForeignKey,
    Index,
    String,
    Text,
    UniqueConstraint,
    text,
)
from sqlalchemy.orm import Mapped, mapped_column, relationship

from billing.models.order import OrderLine
from marketplace.core import clock
from marketplace.core.database import Base, Id, text_enum


class EarningKind(enum.StrEnum):
    """For what it was earned."""

    PUBLISHER_SHARE = "publisher_share"
    RESELLER_MARGIN = "reseller_margin"
    AFFILIATE_COMMISSION = "affiliate_commission"
    # A commission that was voided, back with the publisher who had funded it.
    RETURNED_COMMISSION = "returned_commission"


class EarningState(enum.StrEnum):
    """`held`: in partner_held until `release_at` (and not while it is frozen); `payable`: in
    partner_payable, or paid out since; `void`: all of it was taken back."""

    HELD = "held"
    PAYABLE = "payable"
    VOID = "void"


class Earning(Base):
    """One partner's part of one line. `amount` is what was agreed, `reversed_amount` what refunds,
    lost disputes and a void took back so far."""

    __tablename__ = "earning"
    __table_args__ = (
        UniqueConstraint("order_line_id", "partner_id", "kind"),
        CheckConstraint(
            "reversed_amount >= 0 AND reversed_amount <= amount", name="reversed_in_amount"
        ),
        Index("ix_earning_partner", "partner_id", "id"),
        Index("ix_earning_release", "state", "release_at"),
    )

    id: Mapped[int] = mapped_column(Id, primary_key=True, autoincrement=True)
    public_id: Mapped[str] = mapped_column(String(40), unique=True)
    order_line_id: Mapped[int] = mapped_column(ForeignKey("order_line.id"))
    order_id: Mapped[int] = mapped_column(ForeignKey("purchase_order.id"), index=True)
    partner_id: Mapped[int] = mapped_column(Id)
    kind: Mapped[EarningKind] = mapped_column(text_enum(EarningKind))
    currency: Mapped[str] = mapped_column(String(3))
    # amount = rate_bps of base, less fixed parts: the receipt tells the whole sum.
    base: Mapped[int] = mapped_column(BigInteger)
    rate_bps: Mapped[int]
    amount: Mapped[int] = mapped_column(BigInteger)
    reversed_amount: Mapped[int] = mapped_column(BigInteger, default=0)
    state: Mapped[EarningState] = mapped_column(text_enum(EarningState), default=EarningState.HELD)
    release_at: Mapped[datetime]
    released_at: Mapped[datetime | None]
    # What freezes it, by cause: {"dispute:7": "…", "hold": "…"}. Each is lifted by itself.
    freezes: Mapped[dict[str, Any]] = mapped_column(default=dict)
    # Not empty: not released, for these reasons (a dispute, a rule of fraud, a question).
    frozen_reason: Mapped[str] = mapped_column(String(300), default="")
    frozen_at: Mapped[datetime | None]
    # A person took it back for good, whatever refunds did.
    void_reason: Mapped[str] = mapped_column(String(300), default="")
    voided_at: Mapped[datetime | None]
    created_at: Mapped[datetime] = mapped_column(default=clock.now)

    line: Mapped[OrderLine] = relationship()

    @property
    def net(self) -> int:
        """What is left of it."""
        return self.amount - self.reversed_amount


class ObjectionState(enum.StrEnum):
    """Where a partner's question about a line is."""

    OPEN = "open"
    UPHELD = "upheld"
    REJECTED = "rejected"
    WITHDRAWN = "withdrawn"


class Objection(Base):
    """A partner disputes a line of its earnings; finance answers with a reason."""

    __tablename__ = "objection"
    __table_args__ = (
        Index("ix_objection_state", "state", "id"),
        # One question about a line at a time.
        Index(
            "uq_objection_open",
            "earning_id",
            unique=True,
            sqlite_where=text("state = 'open'"),
            postgresql_where=text("state = 'open'"),
        ),
    )

    id: Mapped[int] = mapped_column(Id, primary_key=True, autoincrement=True)
    earning_id: Mapped[int] = mapped_column(ForeignKey("earning.id"), index=True)
    partner_id: Mapped[int] = mapped_column(Id, index=True)
    author_id: Mapped[int] = mapped_column(Id)
    body: Mapped[str] = mapped_column(Text)
    state: Mapped[ObjectionState] = mapped_column(
        text_enum(ObjectionState), default=ObjectionState.OPEN
    )
    answer: Mapped[str] = mapped_column(Text, default="")
    # What upholding it moved, in the earning's currency; may be negative.
    adjustment: Mapped[int] = mapped_column(BigInteger, default=0)
    created_at: Mapped[datetime] = mapped_column(default=clock.now)
    decided_at: Mapped[datetime | None]
    decided_by_id: Mapped[int | None] = mapped_column(Id)

    earning: Mapped[Earning] = relationship()
