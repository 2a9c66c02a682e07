"""The tables: deals, the claims that protect them, and how the credit for them is split."""

import enum
from datetime import date, datetime
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

from marketplace.core import clock
from marketplace.core.append_only import append_only
from marketplace.core.database import Base, Id, text_enum


class DealState(enum.StrEnum):
    """Where the registration is."""

    SUBMITTED = "submitted"  # waits for staff; its claim keeps rivals out until `decide_by`
    CONFLICT = "conflict"  # somebody else has the claim; staff decide
    APPROVED = "approved"  # protected until its claim expires
    REFUSED = "refused"
    EXPIRED = "expired"  # the protection ended without a win, or nobody decided in time
    WITHDRAWN = "withdrawn"


class DealStage(enum.StrEnum):
    """How far the partner is with the customer."""

    DISCOVERY = "discovery"
    PROPOSAL = "proposal"
    NEGOTIATION = "negotiation"
    WON = "won"
    LOST = "lost"


class Deal(Base):
    """A sale that a partner works on, registered so that no other partner gets in between."""

    __tablename__ = "deal"
    __table_args__ = (
        CheckConstraint("amount >= 0", name="amount_not_negative"),
        Index("ix_deal_owner_state", "organization_id", "state"),
        Index("ix_deal_claim_key", "claim_key"),
    )

    id: Mapped[int] = mapped_column(Id, primary_key=True, autoincrement=True)
    public_id: Mapped[str] = mapped_column(String(40), unique=True)
    organization_id: Mapped[int] = mapped_column(ForeignKey("organization.id"))
    state: Mapped[DealState] = mapped_column(text_enum(DealState), index=True)
    stage: Mapped[DealStage] = mapped_column(text_enum(DealStage), default=DealStage.DISCOVERY)
    title: Mapped[str] = mapped_column(String(120))
    customer_name: Mapped[str] = mapped_column(String(120))
    # Normalised: what rivals collide on.
    customer_domain: Mapped[str] = mapped_column(String(253))
    listing_id: Mapped[int | None] = mapped_column(Id, index=True)
    # What is sold when it is no listing.
    product: Mapped[str] = mapped_column(String(120), default="")
    # Domain and product as one word; see claims.py.
    claim_key: Mapped[str] = mapped_column(String(400))
    amount: Mapped[int] = mapped_column(BigInteger)
    currency: Mapped[str] = mapped_column(String(3))
    close_on: Mapped[date | None]
    description: Mapped[str] = mapped_column(Text, default="")
    lead_id: Mapped[int | None] = mapped_column(ForeignKey("lead.id"), index=True)
    order_id: Mapped[int | None] = mapped_column(Id, index=True)
    submitted_at: Mapped[datetime] = mapped_column(default=clock.now)
    submitted_by_id: Mapped[int | None] = mapped_column(Id)
    # Staff decide until then; after it the registration ends by itself.
    decide_by: Mapped[datetime | None] = mapped_column(index=True)
    # When staff were told that it is soon.
    reminded_at: Mapped[datetime | None]
    decided_at: Mapped[datetime | None]
    decided_by_id: Mapped[int | None] = mapped_column(Id)
    decision_reason: Mapped[str] = mapped_column(String(300), default="")
    lost_reason: Mapped[str] = mapped_column(String(300), default="")
    won_at: Mapped[datetime | None] = mapped_column(index=True)
    updated_at: Mapped[datetime] = mapped_column(default=clock.now, onupdate=clock.now)

    claim: Mapped["DealClaim | None"] = relationship(
        primaryjoin="and_(Deal.id == DealClaim.deal_id, DealClaim.released_at.is_(None))",
        viewonly=True,
        uselist=False,
    )


class DealClaim(Base):
    """Who has a customer for a product. One live claim for each key; released ones are history."""

    __tablename__ = "deal_claim"
    __table_args__ = (
        Index(
            "uq_deal_claim_live",
            "claim_key",
            unique=True,
            sqlite_where=text("released_at IS NULL"),
            postgresql_where=text("released_at IS NULL"),
        ),
        Index("ix_deal_claim_protected_until", "protected_until"),
    )

    id: Mapped[int] = mapped_column(Id, primary_key=True, autoincrement=True)
    claim_key: Mapped[str] = mapped_column(String(400))
    deal_id: Mapped[int] = mapped_column(ForeignKey("deal.id"), index=True)
    organization_id: Mapped[int] = mapped_column(Id)
    claimed_at: Mapped[datetime] = mapped_column(default=clock.now)
    # Null until the deal is approved: a claim that waits for staff ends by the deal's `decide_by`.
    protected_until: Mapped[datetime | None]
    # Extended once, by its partner, with a reason.
    extended_at: Mapped[datetime | None]
    extension_reason: Mapped[str] = mapped_column(String(300), default="")
    released_at: Mapped[datetime | None]


class CreditKind(enum.StrEnum):
    """What a partner did for a deal."""

    SOURCED = "sourced"
    ASSISTED = "assisted"


class CreditSplit(Base):
    """A version of how a won deal's credit is divided; the highest version counts. Append-only."""

    __tablename__ = "deal_credit_split"
    __table_args__ = (UniqueConstraint("deal_id", "version"),)

    id: Mapped[int] = mapped_column(Id, primary_key=True, autoincrement=True)
    deal_id: Mapped[int] = mapped_column(ForeignKey("deal.id"))
    version: Mapped[int]
    # What was divided, in minor units.
    amount: Mapped[int] = mapped_column(BigInteger)
    currency: Mapped[str] = mapped_column(String(3))
    # When the deal counts as won.
    counts_at: Mapped[datetime]
    reason: Mapped[str] = mapped_column(String(300), default="")
    by_user_id: Mapped[int | None] = mapped_column(Id)
    at: Mapped[datetime] = mapped_column(default=clock.now)

    credits: Mapped[list["Credit"]] = relationship(order_by="Credit.id", lazy="selectin")


class Credit(Base):
    """A partner's part of a split. The parts of a split sum to its amount. Append-only."""

    __tablename__ = "deal_credit"
    __table_args__ = (UniqueConstraint("split_id", "organization_id", "kind"),)

    id: Mapped[int] = mapped_column(Id, primary_key=True, autoincrement=True)
    split_id: Mapped[int] = mapped_column(ForeignKey("deal_credit_split.id"))
    organization_id: Mapped[int] = mapped_column(Id, index=True)
    kind: Mapped[CreditKind] = mapped_column(text_enum(CreditKind))
    bps: Mapped[int]
    amount: Mapped[int] = mapped_column(BigInteger)


class DealImport(Base):
    """A file that was read and waits to be confirmed; forgotten after a day."""

    __tablename__ = "deal_import"

    id: Mapped[int] = mapped_column(Id, primary_key=True, autoincrement=True)
    public_id: Mapped[str] = mapped_column(String(40), unique=True)
    organization_id: Mapped[int] = mapped_column(ForeignKey("organization.id"), index=True)
    by_user_id: Mapped[int | None] = mapped_column(Id)
    file_name: Mapped[str] = mapped_column(String(120))
    # Each: line, values by column, errors by column.
    rows: Mapped[list[dict[str, Any]]]
    created_at: Mapped[datetime] = mapped_column(default=clock.now)


append_only(CreditSplit)
append_only(Credit)
