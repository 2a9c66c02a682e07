"""Paying partners: their accounts at Stripe, runs, payouts, and the entries that each pays."""

import enum
from datetime import datetime
from typing import Any

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    ForeignKey,
    Index,
    String,
    UniqueConstraint,
    text,
)
from sqlalchemy.orm import Mapped, mapped_column, relationship

from marketplace.core import clock
from marketplace.core.database import Base, Id, text_enum


class AccountState(enum.StrEnum):
    """What a partner's Stripe account can do now."""

    ONBOARDING = "onboarding"
    READY = "ready"
    RESTRICTED = "restricted"
    DISCONNECTED = "disconnected"


class RunState(enum.StrEnum):
    """Where a payout run is. Who computed it may not approve it."""

    DRAFT = "draft"
    COMPUTED = "computed"
    APPROVED = "approved"
    EXECUTING = "executing"
    COMPLETED = "completed"
    COMPLETED_WITH_ERRORS = "completed_with_errors"
    ABORTED = "aborted"


class PayoutState(enum.StrEnum):
    """Where a payout is. `reserved` from the run's approval on: its money is in payout_clearing."""

    COMPUTED = "computed"
    HELD = "held"
    RESERVED = "reserved"
    SUBMITTING = "submitting"
    UNKNOWN = "unknown"
    TRANSFERRED = "transferred"
    PAID = "paid"
    REJECTED = "rejected"
    FAILED = "failed"
    RETURNED = "returned"
    REVERSING = "reversing"
    REVERSED = "reversed"
    CANCELED = "canceled"


# Whose entries no other payout may take.
LIVE_PAYOUT_STATES = frozenset(PayoutState) - {
    PayoutState.HELD,
    PayoutState.REVERSED,
    PayoutState.CANCELED,
}


class ConnectedAccount(Base):
    """A partner's account at Stripe. A partner that changes accounts gets a new row."""

    __tablename__ = "connected_account"
    __table_args__ = (
        Index(
            "uq_connected_account_live",
            "organization_id",
            unique=True,
            sqlite_where=text("disconnected_at IS NULL"),
            postgresql_where=text("disconnected_at IS NULL"),
        ),
    )

    id: Mapped[int] = mapped_column(Id, primary_key=True, autoincrement=True)
    organization_id: Mapped[int] = mapped_column(Id, index=True)
    stripe_id: Mapped[str] = mapped_column(String(100), unique=True)
    # v2 or v1: the API that made it.
    api: Mapped[str] = mapped_column(String(4), default="v2")
    state: Mapped[AccountState] = mapped_column(
        text_enum(AccountState), default=AccountState.ONBOARDING
    )
    country: Mapped[str | None] = mapped_column(String(2))
    default_currency: Mapped[str | None] = mapped_column(String(3))
    # Currencies that the account takes; empty: all of them, converted where it must be.
    currencies: Mapped[list[str]] = mapped_column(default=list)
    # What Stripe still wants, in its own words, and why the account is restricted.
    requirements: Mapped[list[str]] = mapped_column(default=list)
    restriction: Mapped[str] = mapped_column(String(300), default="")
    created_by_id: Mapped[int | None] = mapped_column(Id)
    created_at: Mapped[datetime] = mapped_column(default=clock.now)
    checked_at: Mapped[datetime | None]
    disconnected_at: Mapped[datetime | None]


class PayoutSetting(Base):
    """A partner's wishes and the platform's limits for its payouts."""

    __tablename__ = "payout_setting"

    organization_id: Mapped[int] = mapped_column(Id, primary_key=True, autoincrement=False)
    # {"EUR": 5000}: paid out from this amount on.
    minimums: Mapped[dict[str, Any]] = mapped_column(default=dict)
    # {"EUR": 1000000}: a payout above it waits until finance has looked at it and raised it.
    caps: Mapped[dict[str, Any]] = mapped_column(default=dict)
    # Not empty: nothing is paid out, for this reason.
    frozen_reason: Mapped[str] = mapped_column(String(300), default="")
    frozen_by_id: Mapped[int | None] = mapped_column(Id)
    frozen_at: Mapped[datetime | None]
    updated_at: Mapped[datetime] = mapped_column(default=clock.now, onupdate=clock.now)


class PayoutRun(Base):
    """One decision to pay everybody who is due."""

    __tablename__ = "payout_run"

    id: Mapped[int] = mapped_column(Id, primary_key=True, autoincrement=True)
    public_id: Mapped[str] = mapped_column(String(40), unique=True)
    state: Mapped[RunState] = mapped_column(text_enum(RunState), default=RunState.DRAFT, index=True)
    # 1 until it is approved or aborted, then null: one run at a time waits for approval.
    open_slot: Mapped[int | None] = mapped_column(unique=True)
    # Entries up to this moment are paid.
    cutoff_at: Mapped[datetime]
    computed_by_id: Mapped[int | None] = mapped_column(Id)
    computed_at: Mapped[datetime | None]
    approved_by_id: Mapped[int | None] = mapped_column(Id)
    approved_at: Mapped[datetime | None]
    # The digest of what was approved: partner, currency and amount of each payout.
    approved_digest: Mapped[str] = mapped_column(String(64), default="")
    started_at: Mapped[datetime | None]
    finished_at: Mapped[datetime | None]
    aborted_reason: Mapped[str] = mapped_column(String(300), default="")
    # Not empty: it executes no further for now, for this reason (the balance at Stripe).
    stalled_reason: Mapped[str] = mapped_column(String(300), default="")
    stalled_at: Mapped[datetime | None]
    # What waits for money, by currency: {"EUR": {"from": 5000, "is_kept": true}}. From this amount
    # on the balance at Stripe does not suffice; not kept: Stripe converts what is paid in it.
    short: Mapped[dict[str, Any]] = mapped_column(default=dict)
    # {"EUR": {"payouts": 12, "amount": 340000, "held": 2, "held_amount": 900}}
    totals: Mapped[dict[str, Any]] = mapped_column(default=dict)

    payouts: Mapped[list["Payout"]] = relationship(back_populates="run")


class Payout(Base):
    """What one partner is paid by one run in one currency: one transfer."""

    __tablename__ = "payout"
    __table_args__ = (
        UniqueConstraint("run_id", "partner_id", "currency"),
        # What is held may be less than nothing: that is why it is held.
        CheckConstraint("amount > 0 OR state = 'held'", name="amount_above_zero"),
        Index("ix_payout_partner", "partner_id", "id"),
        Index("ix_payout_state", "state"),
        Index("ix_payout_of_run", "run_id", "state", "id"),
        Index("ix_payout_destination", "destination"),
        Index("ix_payout_partner_payout", "partner_payout_id"),
    )

    id: Mapped[int] = mapped_column(Id, primary_key=True, autoincrement=True)
    public_id: Mapped[str] = mapped_column(String(40), unique=True)
    run_id: Mapped[int] = mapped_column(ForeignKey("payout_run.id"))
    partner_id: Mapped[int] = mapped_column(Id)
    currency: Mapped[str] = mapped_column(String(3))
    amount: Mapped[int] = mapped_column(BigInteger)
    # Left for the next run, since only whole units are transferred (HUF, TWD, ISK, UGX). Its items
    # sum to amount + carried until the approval, which adds one of -carried, and to amount then.
    carried: Mapped[int] = mapped_column(BigInteger, default=0)
    state: Mapped[PayoutState] = mapped_column(text_enum(PayoutState), default=PayoutState.COMPUTED)
    # Why it is held, was rejected or returned, in words for people.
    reason: Mapped[str] = mapped_column(String(300), default="")
    # The Stripe account of the partner at the time of approval; another one later stops it.
    destination: Mapped[str | None] = mapped_column(String(100))
    attempt: Mapped[int] = mapped_column(default=1)
    transfer_id: Mapped[str | None] = mapped_column(String(100), unique=True)
    reversed_amount: Mapped[int] = mapped_column(BigInteger, default=0)
    # Stripe's payout from the partner's account to the partner's bank, as far as we are told.
    partner_payout_id: Mapped[str | None] = mapped_column(String(100))
    created_at: Mapped[datetime] = mapped_column(default=clock.now)
    transferred_at: Mapped[datetime | None]
    paid_at: Mapped[datetime | None]
    updated_at: Mapped[datetime] = mapped_column(default=clock.now, onupdate=clock.now)

    run: Mapped[PayoutRun] = relationship(back_populates="payouts")


class PayoutItem(Base):
    """That a payout pays an entry of partner_payable. An entry is in one live payout at most."""

    __tablename__ = "payout_item"
    __table_args__ = (
        Index(
            "uq_payout_item_live",
            "entry_id",
            unique=True,
            sqlite_where=text("is_live"),
            postgresql_where=text("is_live"),
        ),
    )

    id: Mapped[int] = mapped_column(Id, primary_key=True, autoincrement=True)
    payout_id: Mapped[int] = mapped_column(ForeignKey("payout.id"), index=True)
    entry_id: Mapped[int] = mapped_column(ForeignKey("ledger_entry.id"), index=True)
    # The entry as a credit: negative for what is netted.
    amount: Mapped[int] = mapped_column(BigInteger)
    is_live: Mapped[bool] = mapped_column(default=True)


class TransferReversal(Base):
    """A part of a transfer that Stripe took back from a partner, in the transfer's currency."""

    __tablename__ = "transfer_reversal"

    id: Mapped[int] = mapped_column(Id, primary_key=True, autoincrement=True)
    payout_id: Mapped[int] = mapped_column(ForeignKey("payout.id"), index=True)
    stripe_id: Mapped[str | None] = mapped_column(String(100), unique=True)
    amount: Mapped[int] = mapped_column(BigInteger)
    # intended | succeeded | rejected
    state: Mapped[str] = mapped_column(String(20), default="intended")
    reason: Mapped[str] = mapped_column(String(300), default="")
    # The refund or dispute for which it was done; null for a whole payout taken back.
    refund_id: Mapped[int | None] = mapped_column(ForeignKey("refund.id"), index=True)
    dispute_id: Mapped[int | None] = mapped_column(ForeignKey("payment_dispute.id"), index=True)
    # The earning of which a part was taken back; null for a whole payout taken back.
    earning_id: Mapped[int | None] = mapped_column(ForeignKey("earning.id"), index=True)
    created_at: Mapped[datetime] = mapped_column(default=clock.now)
    settled_at: Mapped[datetime | None]


class WriteOff(Base):
    """What a partner owes and will not pay. Who asks for it does not approve it."""

    __tablename__ = "write_off"

    id: Mapped[int] = mapped_column(Id, primary_key=True, autoincrement=True)
    partner_id: Mapped[int] = mapped_column(Id, index=True)
    currency: Mapped[str] = mapped_column(String(3))
    amount: Mapped[int] = mapped_column(BigInteger)
    reason: Mapped[str] = mapped_column(String(300))
    requested_by_id: Mapped[int] = mapped_column(Id)
    requested_at: Mapped[datetime] = mapped_column(default=clock.now)
    decided_by_id: Mapped[int | None] = mapped_column(Id)
    decided_at: Mapped[datetime | None]
    is_approved: Mapped[bool | None]
