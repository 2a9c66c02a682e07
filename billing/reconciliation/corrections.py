"""Booking a difference: what Stripe or the bank did stands, and the ledger follows with a reason.

Money is never moved by it: it says which account bears what has happened already.
"""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import func, select

from billing.accounts import (
    BAD_DEBT,
    BANK,
    CHART,
    DISPUTE_FEE,
    FX_GAIN_LOSS,
    PROCESSING_FEE,
    ROUNDING,
    STRIPE_AVAILABLE,
    STRIPE_IN_TRANSIT,
    STRIPE_PENDING,
    SUSPENSE,
    AccountType,
)
from billing.ledger import Leg, credit, debit, post
from billing.models import (
    BalanceTransaction,
    BreakType,
    LedgerTransaction,
    ReconciliationBreak,
    ReconciliationMatch,
    StripePayout,
)
from billing.reconciliation.bank import STRIPE_PAYOUT, noon
from billing.reconciliation.breaks import checked_reason, resolve
from billing.reconciliation.kinds import (
    AVAILABLE,
    CHARGE_TYPES,
    CORRECTION,
    FEE_ACCOUNTS,
)
from billing.reconciliation.matching import BALANCE_TXN, match_row
from marketplace.core.database import db
from marketplace.core.errors import ConflictError, InvalidError
from marketplace.core.facts import record_fact
from marketplace.core.locks import lock_row

GONE = "What it is about is not here any more. Reconcile once more."
_BEARERS = (PROCESSING_FEE, DISPUTE_FEE, FX_GAIN_LOSS, ROUNDING, BAD_DEBT, SUSPENSE)


def accounts_for(found: ReconciliationBreak) -> list[AccountType]:
    """The accounts that may bear this difference; none when it cannot be booked.

    A difference of the amount is no fee, else the fee would differ next; a fee is one.
    """
    match (found.subject_type, found.type):
        case (_, BreakType.FEE):
            codes: Sequence[str] = FEE_ACCOUNTS
        case ("balance_txn", BreakType.MISSING_IN_LEDGER) if _is_in_suspense(found):
            # A top-up came from our bank.
            codes = (*(code for code in _BEARERS if code != SUSPENSE), BANK)
        case ("balance_txn", BreakType.MISSING_IN_LEDGER | BreakType.AMOUNT | BreakType.DUPLICATE):
            codes = tuple(code for code in _BEARERS if code not in FEE_ACCOUNTS)
        case ("stripe_payout", BreakType.AMOUNT) if "arrived" in found.details:
            codes = _BEARERS
        case _:
            codes = ()
    return [CHART[code] for code in codes]


def book_difference(
    found: ReconciliationBreak, account: str, reason: str, *, by_user_id: int
) -> LedgerTransaction:
    """Book what differs to `account` and resolve the break.

    Raises InvalidError (fields `account`, `reason`), ConflictError when the break is resolved, was
    booked before, or is not what it was when it was found.
    """
    if account not in {each.code for each in accounts_for(found)}:
        raise InvalidError({"account": "Choose one of these accounts."})
    reason = checked_reason(reason)
    locked = lock_row(ReconciliationBreak, ReconciliationBreak.id == found.id)
    if locked is None or found.resolved_at is not None or found.ledger_txn_id is not None:
        raise ConflictError("This is resolved already.")
    if found.subject_type == STRIPE_PAYOUT:
        legs, at, source = _of_payout(found, account)
    else:
        legs, at, source = _of_balance_txn(found, account)
    txn = post(
        CORRECTION,
        source=source,
        key=f"break:{found.id}",
        legs=legs,
        effective_at=at,
        memo=reason[:300],
    )
    if txn is None:
        raise ConflictError("There is nothing to book.")
    if found.subject_type == BALANCE_TXN and not _is_in_suspense(found):
        _match(found, txn)
    found.ledger_txn_id, found.reason = txn.id, reason
    resolve(found, by_user_id)
    record_fact(
        "break.booked",
        subject=("break", found.id),
        actor_user_id=by_user_id,
        data={
            "account": account,
            "amount": found.amount,
            "currency": found.currency,
            "ledger_txn_id": txn.id,
            "reason": reason,
        },
    )
    return txn


def _of_balance_txn(
    found: ReconciliationBreak, account: str
) -> tuple[list[Leg], datetime, tuple[str, object]]:
    row = lock_row(BalanceTransaction, BalanceTransaction.stripe_id == found.subject_id)
    if row is None:
        raise ConflictError(GONE)
    currency = row.currency
    source: tuple[str, object] = (BALANCE_TXN, row.stripe_id)
    if _is_in_suspense(found):
        return [
            debit(SUSPENSE, row.net, currency),
            credit(account, row.net, currency),
        ], row.created_at, source  # fmt: skip
    at_stripe = _account_at_stripe(row)
    if found.type in {BreakType.MISSING_IN_LEDGER, BreakType.DUPLICATE}:
        legs = [
            debit(at_stripe, row.net, currency),
            debit(PROCESSING_FEE, row.fee, currency),
            credit(account, row.amount, currency),
        ]
    elif found.type is BreakType.FEE:
        legs = [
            debit(account, found.amount, currency),
            credit(at_stripe, found.amount, currency),
        ]
    else:
        legs = [
            debit(at_stripe, found.amount, currency),
            credit(account, found.amount, currency),
        ]
    return legs, row.created_at, source


def _of_payout(
    found: ReconciliationBreak, account: str
) -> tuple[list[Leg], datetime, tuple[str, object]]:
    """What the bank shows less is borne by `account`."""
    row = lock_row(StripePayout, StripePayout.stripe_id == found.subject_id)
    if row is None:
        raise ConflictError(GONE)
    legs = [
        debit(account, found.amount, row.currency),
        credit(STRIPE_IN_TRANSIT, found.amount, row.currency),
    ]
    return legs, noon(row.arrival_on), (STRIPE_PAYOUT, row.stripe_id)


def _account_at_stripe(row: BalanceTransaction) -> str:
    """Pending until it was moved to available."""
    if row.type not in CHARGE_TYPES:
        return STRIPE_AVAILABLE
    moved = db.session.scalar(
        select(func.count()).where(LedgerTransaction.idem_key == f"{AVAILABLE}:{row.stripe_id}")
    )
    return STRIPE_AVAILABLE if moved else STRIPE_PENDING


def _match(found: ReconciliationBreak, txn: LedgerTransaction) -> None:
    row_id = db.session.scalars(
        select(BalanceTransaction.id).where(BalanceTransaction.stripe_id == found.subject_id)
    ).one()
    db.session.add(ReconciliationMatch(**match_row(row_id, txn.id, found.amount, "by_hand")))
    db.session.flush()


def _is_in_suspense(found: ReconciliationBreak) -> bool:
    return bool(found.details.get("in_suspense"))
