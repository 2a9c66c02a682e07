"""The three sides that are compared: Stripe's balance, the bank, and what did not match."""

import enum
from datetime import date, datetime
from typing import Any

from sqlalchemy import BigInteger, ForeignKey, Index, String, Text, text
from sqlalchemy.orm import Mapped, mapped_column

from marketplace.core import clock
from marketplace.core.database import Base, Id, text_enum


class BreakType(enum.StrEnum):
    """What is wrong between two sides."""

    MISSING_IN_LEDGER = "missing_in_ledger"
    MISSING_IN_STRIPE = "missing_in_stripe"
    AMOUNT = "amount"
    FEE = "fee"
    CURRENCY = "currency"
    TIMING = "timing"
    DUPLICATE = "duplicate"
    UNMATCHED_BANK = "unmatched_bank"


class BreakState(enum.StrEnum):
    """Explained: somebody said why, with a reason, and it may stay."""

    OPEN = "open"
    EXPLAINED = "explained"
    RESOLVED = "resolved"


class BalanceTransaction(Base):
    """A mirror of one of Stripe's balance transactions. Amounts are signed: money in is above 0."""

    __tablename__ = "balance_txn"
    __table_args__ = (
        Index("ix_balance_txn_created", "created_at"),
        Index("ix_balance_txn_source", "source_id"),
        Index("ix_balance_txn_payout", "stripe_payout_id"),
    )

    id: Mapped[int] = mapped_column(Id, primary_key=True, autoincrement=True)
    stripe_id: Mapped[str] = mapped_column(String(100), unique=True)
    type: Mapped[str] = mapped_column(String(60))
    source_id: Mapped[str] = mapped_column(String(100), default="")
    amount: Mapped[int] = mapped_column(BigInteger)
    fee: Mapped[int] = mapped_column(BigInteger, default=0)
    net: Mapped[int] = mapped_column(BigInteger)
    currency: Mapped[str] = mapped_column(String(3))
    # As Stripe gives it, a decimal in text; null without a conversion.
    exchange_rate: Mapped[str | None] = mapped_column(String(30))
    created_at: Mapped[datetime]
    available_on: Mapped[datetime]
    # Stripe's payout to our bank that it was settled by.
    stripe_payout_id: Mapped[str | None] = mapped_column(String(100))
    # The order that the charge itself names; empty when it names none, null while nobody looked.
    order_reference: Mapped[str | None] = mapped_column(String(100))
    mirrored_at: Mapped[datetime] = mapped_column(default=clock.now)


class StripePayout(Base):
    """A payout of Stripe from the platform's balance to the platform's bank (or back)."""

    __tablename__ = "stripe_payout"

    id: Mapped[int] = mapped_column(Id, primary_key=True, autoincrement=True)
    stripe_id: Mapped[str] = mapped_column(String(100), unique=True)
    amount: Mapped[int] = mapped_column(BigInteger)
    currency: Mapped[str] = mapped_column(String(3))
    # pending | in_transit | paid | failed | canceled
    state: Mapped[str] = mapped_column(String(20))
    is_automatic: Mapped[bool] = mapped_column(default=True)
    arrival_on: Mapped[date]
    trace_id: Mapped[str] = mapped_column(String(100), default="", index=True)
    # not_applicable | in_progress | completed
    reconciliation: Mapped[str] = mapped_column(String(20), default="in_progress")
    # When the balance transactions that it settled were told by Stripe.
    members_at: Mapped[datetime | None]
    created_at: Mapped[datetime]
    mirrored_at: Mapped[datetime] = mapped_column(default=clock.now)


class BankImport(Base):
    """A file from the bank. The same file twice is one import."""

    __tablename__ = "bank_import"

    id: Mapped[int] = mapped_column(Id, primary_key=True, autoincrement=True)
    file_name: Mapped[str] = mapped_column(String(200))
    # csv | camt.053
    file_format: Mapped[str] = mapped_column(String(20))
    sha256: Mapped[str] = mapped_column(String(64), unique=True)
    account: Mapped[str] = mapped_column(String(60), default="")
    currency: Mapped[str] = mapped_column(String(3))
    opening_balance: Mapped[int | None] = mapped_column(BigInteger)
    closing_balance: Mapped[int | None] = mapped_column(BigInteger)
    # The days that the file speaks of, both included.
    covers_from: Mapped[date | None]
    covers_to: Mapped[date | None]
    lines_new: Mapped[int] = mapped_column(default=0)
    lines_known: Mapped[int] = mapped_column(default=0)
    imported_by_id: Mapped[int | None] = mapped_column(Id)
    imported_at: Mapped[datetime] = mapped_column(default=clock.now)


class BankRule(Base):
    """Which lines have nothing to do with Stripe, and who said so. Empty texts ask for nothing."""

    __tablename__ = "bank_rule"

    id: Mapped[int] = mapped_column(Id, primary_key=True, autoincrement=True)
    # What the line's text or reference has, and has not, whatever the case.
    contains: Mapped[str] = mapped_column(String(140), default="")
    lacks: Mapped[str] = mapped_column(String(140), default="")
    account: Mapped[str] = mapped_column(String(60), default="")
    currency: Mapped[str] = mapped_column(String(3), default="")
    # in | out
    direction: Mapped[str] = mapped_column(String(3), default="")
    # Without sign, in minor units of the currency, both included.
    amount_from: Mapped[int | None] = mapped_column(BigInteger)
    amount_to: Mapped[int | None] = mapped_column(BigInteger)
    reason: Mapped[str] = mapped_column(String(300))
    # It sets aside lines of later files too, until it is removed.
    is_standing: Mapped[bool] = mapped_column(default=False)
    created_by_id: Mapped[int] = mapped_column(Id)
    created_at: Mapped[datetime] = mapped_column(default=clock.now)
    removed_by_id: Mapped[int | None] = mapped_column(Id)
    removed_at: Mapped[datetime | None]


class BankLine(Base):
    """One booking on our bank account. Signed: money in is above 0."""

    __tablename__ = "bank_line"
    __table_args__ = (
        Index("ix_bank_line_booked_on", "booked_on"),
        # By which a payout finds its line among thousands that are none.
        Index("ix_bank_line_amount", "currency", "amount", "booked_on"),
    )

    id: Mapped[int] = mapped_column(Id, primary_key=True, autoincrement=True)
    import_id: Mapped[int] = mapped_column(ForeignKey("bank_import.id"), index=True)
    # Of account, date, amount, reference and its place among equal ones: the same line in two
    # overlapping files is one row.
    hash: Mapped[str] = mapped_column(String(64), unique=True)
    booked_on: Mapped[date]
    amount: Mapped[int] = mapped_column(BigInteger)
    currency: Mapped[str] = mapped_column(String(3))
    reference: Mapped[str] = mapped_column(String(140), default="")
    text: Mapped[str] = mapped_column(String(500), default="")
    # Not empty: it has nothing to do with Stripe, for this reason.
    ignored_reason: Mapped[str] = mapped_column(String(300), default="")
    # The rule that set it aside; null when a person ticked it.
    rule_id: Mapped[int | None] = mapped_column(ForeignKey("bank_rule.id"), index=True)


class ReconciliationRun(Base):
    """One pass over a window. Resumable: `cursor` tells how far it got."""

    __tablename__ = "recon_run"

    id: Mapped[int] = mapped_column(Id, primary_key=True, autoincrement=True)
    window_start: Mapped[datetime]
    window_end: Mapped[datetime]
    # mirror | payouts | match | release | bank | balances | compare | done
    step: Mapped[str] = mapped_column(String(20), default="mirror")
    cursor: Mapped[str] = mapped_column(String(100), default="")
    # mirrored, matched, breaks opened and resolved, opening and closing balances.
    figures: Mapped[dict[str, Any]] = mapped_column(default=dict)
    # `running` until it is done, then null: there is one at a time.
    slot: Mapped[str | None] = mapped_column(String(10), unique=True)
    started_by_id: Mapped[int | None] = mapped_column(Id)
    started_at: Mapped[datetime] = mapped_column(default=clock.now)
    finished_at: Mapped[datetime | None]
    error: Mapped[str] = mapped_column(Text, default="")


class ReconciliationMatch(Base):
    """That something on one side is something on another. n:1 and 1:n are several rows."""

    __tablename__ = "recon_match"
    __table_args__ = (
        Index("uq_recon_match_pair", "left_type", "left_id", "right_type", "right_id", unique=True),
        Index("ix_recon_match_right", "right_type", "right_id"),
    )

    id: Mapped[int] = mapped_column(Id, primary_key=True, autoincrement=True)
    # balance_txn ↔ ledger_txn; stripe_payout ↔ bank_line. Ids are row ids.
    left_type: Mapped[str] = mapped_column(String(20))
    left_id: Mapped[int] = mapped_column(Id)
    right_type: Mapped[str] = mapped_column(String(20))
    right_id: Mapped[int] = mapped_column(Id)
    amount: Mapped[int] = mapped_column(BigInteger)
    # source | metadata | trace_id | amount_and_date | by_hand
    rule: Mapped[str] = mapped_column(String(20))
    matched_by_id: Mapped[int | None] = mapped_column(Id)
    matched_at: Mapped[datetime] = mapped_column(default=clock.now)


class ReconciliationBreak(Base):
    """A difference. Found again by the next run it stays the same row; gone, it resolves itself."""

    __tablename__ = "recon_break"
    __table_args__ = (
        Index(
            "uq_recon_break_open",
            "fingerprint",
            unique=True,
            sqlite_where=text("state <> 'resolved'"),
            postgresql_where=text("state <> 'resolved'"),
        ),
        Index("ix_recon_break_state", "state", "id"),
        Index("ix_recon_break_subject", "subject_type", "subject_id"),
    )

    id: Mapped[int] = mapped_column(Id, primary_key=True, autoincrement=True)
    # Type and the rows it is between.
    fingerprint: Mapped[str] = mapped_column(String(160))
    type: Mapped[BreakType] = mapped_column(text_enum(BreakType))
    subject_type: Mapped[str] = mapped_column(String(20))
    subject_id: Mapped[str] = mapped_column(String(100))
    # What the other side lacks or has too much, signed.
    amount: Mapped[int] = mapped_column(BigInteger)
    currency: Mapped[str] = mapped_column(String(3))
    # The day it belongs to, by which the month's close asks for it.
    occurred_at: Mapped[datetime] = mapped_column(index=True)
    details: Mapped[dict[str, Any]] = mapped_column(default=dict)
    state: Mapped[BreakState] = mapped_column(text_enum(BreakState), default=BreakState.OPEN)
    owner_id: Mapped[int | None] = mapped_column(Id, index=True)
    reason: Mapped[str] = mapped_column(Text, default="")
    # The ledger transaction that corrected it, if one did.
    ledger_txn_id: Mapped[int | None] = mapped_column(ForeignKey("ledger_txn.id"))
    # The last run that found it; the end of a run resolves those that it did not find.
    seen_run_id: Mapped[int | None] = mapped_column(Id)
    found_at: Mapped[datetime] = mapped_column(default=clock.now)
    resolved_at: Mapped[datetime | None]
    resolved_by_id: Mapped[int | None] = mapped_column(Id)
