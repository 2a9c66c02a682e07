"""Checks of `billing verify` between the ledger and the rows beside it: whose money it is, what
Stripe made of a payout, what a dispute took, in which month something counts."""

from collections.abc import Iterator
from datetime import UTC, datetime

from sqlalchemy import ColumnElement, String, and_, case, cast, func, or_, select

from billing.accounts import (
    DISPUTE_FEE,
    DISPUTE_HOLD,
    PARTNER_HELD,
    PARTNER_PAYABLE,
    PARTNER_RECEIVABLE,
)
from billing.broken import Broken
from billing.models.earning import Earning
from billing.models.ledger import (
    LedgerAccount,
    LedgerEntry,
    LedgerTransaction,
    Period,
    PeriodState,
    Side,
)
from billing.models.payout import Payout
from billing.models.refund import Dispute
from billing.models.stripe import OperationState, StripeOperation
from billing.payouts.surplus import key_of_surplus
from marketplace.core.database import db

BATCH = 500
_OF_PARTNERS = (PARTNER_HELD, PARTNER_PAYABLE, PARTNER_RECEIVABLE)


def owners_fit() -> Iterator[Broken]:
    """What moves an earning lies on an account of the earning's partner and currency, and what
    moves a payout's money on one of the payout's."""
    rows = db.session.execute(
        select(
            LedgerEntry.id, Earning.id, Earning.partner_id, LedgerAccount.id, LedgerAccount.owner
        )
        .join(LedgerAccount, LedgerAccount.id == LedgerEntry.account_id)
        .join(Earning, Earning.id == LedgerEntry.earning_id)
        .where(
            LedgerAccount.code.in_(_OF_PARTNERS),
            or_(
                LedgerAccount.owner != Earning.partner_id,
                LedgerAccount.currency != Earning.currency,
            ),
        )
        .order_by(LedgerEntry.id)
        .execution_options(yield_per=BATCH)
    )
    for entry_id, earning_id, partner_id, account_id, owner in rows:
        detail = (
            f"earning {earning_id} is of partner {partner_id}, but it lies on ledger_account "
            f"{account_id} of {owner}"
        )
        yield Broken("owners_fit", f"ledger_entry {entry_id}", detail)
    payouts = db.session.execute(
        select(LedgerEntry.id, Payout.id, Payout.partner_id, LedgerAccount.id, LedgerAccount.owner)
        .join(LedgerAccount, LedgerAccount.id == LedgerEntry.account_id)
        .join(LedgerTransaction, LedgerTransaction.id == LedgerEntry.txn_id)
        .join(
            Payout,
            and_(
                LedgerTransaction.source_type == "payout",
                LedgerTransaction.source_id == cast(Payout.id, String),
            ),
        )
        .where(
            LedgerAccount.code.in_(_OF_PARTNERS),
            or_(
                LedgerAccount.owner != Payout.partner_id,
                LedgerAccount.currency != Payout.currency,
            ),
        )
        .order_by(LedgerEntry.id)
    )
    for entry_id, payout_id, partner_id, account_id, owner in payouts:
        detail = (
            f"payout {payout_id} is of partner {partner_id}, but its money lies on ledger_account "
            f"{account_id} of {owner}"
        )
        yield Broken("owners_fit", f"ledger_entry {entry_id}", detail)


def transfers_are_ours() -> Iterator[Broken]:
    """A payout's transfer is the one that Stripe made for it, and the one that was booked."""
    after = 0
    while True:
        payouts = db.session.execute(
            select(Payout.id, Payout.transfer_id, Payout.attempt)
            .where(Payout.id > after, Payout.transfer_id.is_not(None))
            .order_by(Payout.id)
            .limit(BATCH)
        ).all()
        if not payouts:
            return
        after = payouts[-1][0]
        made = _made_by({f"payout:{row[0]}:a{n}" for row in payouts for n in range(1, row[2] + 1)})
        booked = _booked_as({f"payout:{row[0]}:transferred" for row in payouts})
        surplus = _booked_as({key_of_surplus(each) for each in made.values() if each})
        for payout_id, transfer_id, attempt in payouts:
            known = {made.get(f"payout:{payout_id}:a{n}") for n in range(1, attempt + 1)} - {None}
            known |= {booked.get(f"payout:{payout_id}:transferred")} - {None, ""}
            others = {str(each) for each in known - {transfer_id}}
            for other in sorted(each for each in others if key_of_surplus(each) not in surplus):
                detail = f"it says {transfer_id}, but Stripe made {other} for it"
                yield Broken("transfers_are_ours", f"payout {payout_id}", detail)


def disputes_are_posted() -> Iterator[Broken]:
    """What a dispute took is what was booked of it, as long as anything was."""
    held = _debits_of(DISPUTE_HOLD)
    fees = _debits_of(DISPUTE_FEE)
    rows = db.session.execute(
        select(Dispute.id, Dispute.amount, Dispute.currency, Dispute.fee, held, fees)
        .join(
            LedgerTransaction,
            and_(
                LedgerTransaction.source_type == "dispute",
                LedgerTransaction.source_id == cast(Dispute.id, String),
                LedgerTransaction.kind == "dispute",
            ),
        )
        .join(LedgerEntry, LedgerEntry.txn_id == LedgerTransaction.id)
        .join(LedgerAccount, LedgerAccount.id == LedgerEntry.account_id)
        .group_by(Dispute.id, Dispute.amount, Dispute.currency, Dispute.fee)
        .having(or_(held != Dispute.amount, fees != Dispute.fee))
        .order_by(Dispute.id)
    )
    for dispute_id, amount, currency, fee, took, cost in rows:
        detail = f"it says {amount} {currency} and a fee of {fee}; {took} and {cost} were booked"
        yield Broken("disputes_are_posted", f"payment_dispute {dispute_id}", detail)


def months_fit() -> Iterator[Broken]:
    """What happened in a month counts in it, or in a later one when it was closed by then."""
    closed = db.session.execute(
        select(Period.code, Period.closed_at).where(Period.state == PeriodState.CLOSED)
    ).all()
    for period in db.session.scalars(select(Period).order_by(Period.id)).all():
        start, end = _bounds(period.code)
        rows = db.session.execute(
            select(
                LedgerTransaction.id, LedgerTransaction.effective_at, LedgerTransaction.posted_at
            )
            .where(
                LedgerTransaction.period_id == period.id,
                or_(LedgerTransaction.effective_at < start, LedgerTransaction.effective_at >= end),
            )
            .order_by(LedgerTransaction.id)
            .execution_options(yield_per=BATCH)
        )
        for txn_id, effective_at, posted_at in rows:
            month = f"{effective_at.astimezone(UTC):%Y-%m}"
            was_late = any(
                month <= code < period.code and at is not None and at <= posted_at
                for code, at in closed
            )
            if not was_late:
                detail = f"it happened in {month}, but counts in {period.code}"
                yield Broken("months_fit", f"ledger_txn {txn_id}", detail)


def _made_by(keys: set[str]) -> dict[str, str | None]:
    found: dict[str, str | None] = {}
    wanted = sorted(keys)
    for start in range(0, len(wanted), BATCH):
        rows = db.session.execute(
            select(StripeOperation.idem_key, StripeOperation.stripe_id).where(
                StripeOperation.idem_key.in_(wanted[start : start + BATCH]),
                StripeOperation.state == OperationState.SUCCEEDED,
            )
        )
        found |= {row.idem_key: row.stripe_id for row in rows}
    return found


def _booked_as(keys: set[str]) -> dict[str, str]:
    """What the ledger, which nobody changes, calls the transfer of these keys."""
    rows = db.session.execute(
        select(LedgerTransaction.idem_key, LedgerTransaction.memo).where(
            LedgerTransaction.idem_key.in_(sorted(keys))
        )
    )
    return {key: memo for key, memo in rows if memo.startswith("tr_")}


def _debits_of(code: str) -> ColumnElement[int]:
    """What an account was debited with, in the dispute's own currency for what is held."""
    amount = case((LedgerEntry.side == Side.DEBIT, LedgerEntry.amount), else_=-LedgerEntry.amount)
    is_it = LedgerAccount.code == code
    if code == DISPUTE_HOLD:
        is_it = and_(is_it, LedgerEntry.currency == Dispute.currency)
    return func.sum(case((is_it, amount), else_=0))


def _bounds(code: str) -> tuple[datetime, datetime]:
    year, month = int(code[:4]), int(code[5:])
    return (
        datetime(year, month, 1, tzinfo=UTC),
        datetime(year + month // 12, month % 12 + 1, 1, tzinfo=UTC),
    )
