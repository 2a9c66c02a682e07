"""The month's close: what must be in order first, and the lock.

Months are UTC's, wherever the platform's people are. A closed month takes no transaction any more
(the database refuses it) and never opens again; what comes late counts in the next open month.
"""

import re
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any

from sqlalchemy import exists, func, or_, select

from billing.models import (
    BankLine,
    BreakState,
    ConnectedAccount,
    EventState,
    LedgerTransaction,
    OperationState,
    PayoutRun,
    Period,
    PeriodState,
    ReconciliationBreak,
    ReconciliationRun,
    RunState,
    StripeEvent,
    StripeOperation,
    StripePayout,
)
from billing.models.reconciliation import BankImport
from billing.reconciliation.differences import month_bounds, month_of
from billing.reports import TrialBalance, trial_balance
from billing.seals import seal_of
from marketplace.core import clock
from marketplace.core.database import db
from marketplace.core.errors import ConflictError
from marketplace.core.facts import record_fact
from marketplace.core.once import insert_if_new


class Gravity(StrEnum):
    """Whether a point of the checklist lets the month close."""

    DONE = "done"
    # It may be closed, and the closing says so.
    WARNING = "warning"
    BLOCKING = "blocking"


@dataclass(frozen=True)
class Check:
    """One point of the checklist. `about` names where it is put right, for a page's link."""

    name: str
    title: str
    gravity: Gravity
    text: str
    about: str = ""

    @property
    def is_done(self) -> bool:
        return self.gravity is Gravity.DONE


_CODE = re.compile(r"20[0-9]{2}-(0[1-9]|1[0-2])")
# Whatever a posting says of its day, a list of months stays one that can be shown.
_FIRST, _LAST = "2000-01", "2099-12"
_tolerance: list[int] = [0]


def configure_close(tolerance: int) -> None:
    """How much may stay unexplained in each currency when a month closes, in minor units."""
    _tolerance[:] = [tolerance]


def tolerance() -> int:
    """How much may stay unexplained in each currency, in minor units."""
    return _tolerance[0]


def is_period_code(code: str) -> bool:
    """Whether this names a month, like 2026-10."""
    return _CODE.fullmatch(code) is not None


def find_period(code: str) -> Period | None:
    """The month's row; None when nothing was ever posted in it."""
    return db.session.scalar(select(Period).where(Period.code == code))


def checklist(code: str, balances: list[TrialBalance] | None = None) -> list[Check]:
    """What is in order for closing this month and what is not, in the order to look at it.

    `balances`: the trial balance through this month, where the caller has it.
    """
    start, end = month_bounds(code)
    if balances is None:
        balances = trial_balance(through=code)
    return [
        _month_is_over(end),
        _books_have_begun(code),
        _earlier_are_closed(code),
        _is_reconciled(end),
        _breaks_are_explained(end),
        _nothing_waits(end),
        _no_run_is_open(start, end),
        _bank_is_there(start, end),
        _suspense_is_empty(balances),
        _is_balanced(balances),
    ]


def may_close(checks: Sequence[Check]) -> bool:
    """Whether nothing of it blocks."""
    return all(each.gravity is not Gravity.BLOCKING for each in checks)


def close_period(code: str, *, by_user_id: int | None, note: str = "") -> Period:
    """Close the month for ever. Raises ConflictError with what is missing.

    Whoever posts into the month holds a lock on it until they commit; this waits for them.
    """
    insert_if_new(Period, code=code, state=PeriodState.OPEN, closing={})
    # The insert took SQLite's one write lock; the row of a closed month takes no update at all.
    period = db.session.scalars(
        select(Period)
        .where(Period.code == code)
        .with_for_update()
        .execution_options(populate_existing=True)
    ).one()
    if period.state is PeriodState.CLOSED:
        raise ConflictError(f"{code} is closed already.")
    balances = trial_balance(through=code)
    checks = checklist(code, balances)
    missing = [each.title for each in checks if each.gravity is Gravity.BLOCKING]
    if missing:
        raise ConflictError(f"{code} cannot be closed yet: {'; '.join(missing)}.")
    period.closing = {**_closing(code, checks, note, balances), "seal": seal_of(period.id)}
    period.closed_at = clock.now()
    period.closed_by_id = by_user_id
    period.state = PeriodState.CLOSED
    db.session.flush()
    record_fact(
        "period.closed",
        subject=("period", code),
        actor_user_id=by_user_id,
        data={
            "warnings": [each.name for each in checks if each.gravity is Gravity.WARNING],
            "breaks": len(period.closing["breaks"]),
        },
        idempotency_key=f"period.closed:{code}",
    )
    return period


def months() -> list[tuple[str, Period | None]]:
    """Every month from the first that anything was posted in to the current one, newest first."""
    rows = {row.code: row for row in db.session.scalars(select(Period).order_by(Period.code))}
    now = month_of(clock.now())
    found = []
    code = max(min([*rows, now]), _FIRST)
    last = min(max([*rows, now]), _LAST)
    while code <= last:
        found.append((code, rows.get(code)))
        code = month_of(month_bounds(code)[1])
    return list(reversed(found))


def _closing(
    code: str, checks: Sequence[Check], note: str, balances: list[TrialBalance]
) -> dict[str, Any]:
    """What is kept of the moment of closing."""
    _, end = month_bounds(code)
    left = db.session.scalars(
        select(ReconciliationBreak)
        .where(
            ReconciliationBreak.state != BreakState.RESOLVED, ReconciliationBreak.occurred_at < end
        )
        .order_by(ReconciliationBreak.id)
        .limit(1_000)
    ).all()
    return {
        "note": note.strip()[:1_000],
        "tolerance": tolerance(),
        "checks": [asdict(each) for each in checks],
        "breaks": [
            {
                "id": each.id,
                "type": each.type.value,
                "subject": each.subject_id,
                "amount": each.amount,
                "currency": each.currency,
                "state": each.state.value,
                "reason": each.reason,
            }
            for each in left
        ],
        "trial_balance": {
            each.currency: {
                "debit": each.debit,
                "credit": each.credit,
                "accounts": {line.account.code: line.debit - line.credit for line in each.lines},
            }
            for each in balances
        },
    }


def _check(
    name: str, title: str, ok: bool, done: str, problem: str, about: str = "", *, warn: bool = False
) -> Check:
    gravity = Gravity.DONE if ok else Gravity.WARNING if warn else Gravity.BLOCKING
    return Check(name, title, gravity, done if ok else problem, about)


def _month_is_over(end: datetime) -> Check:
    return _check(
        "over",
        "The month is over",
        clock.now() >= end,
        f"It ended at {end:%Y-%m-%d %H:%M} UTC.",
        f"It ends at {end:%Y-%m-%d %H:%M} UTC.",
    )


def _books_have_begun(code: str) -> Check:
    """A month before the first posting has nothing to close, and would stand in every list."""
    posted = exists().where(LedgerTransaction.period_id == Period.id)
    first = db.session.scalar(
        select(func.min(Period.code)).where(or_(Period.state == PeriodState.CLOSED, posted))
    )
    start, _ = month_bounds(month_of(clock.now()))
    first = first or month_of(start - timedelta(days=1))
    return _check(
        "begun",
        "The books have begun",
        code >= first,
        f"The first month is {first}.",
        f"Nothing was posted in it or before it; the first month is {first}.",
    )


def _earlier_are_closed(code: str) -> Check:
    first = db.session.scalar(
        select(func.min(Period.code)).where(Period.code < code, Period.state == PeriodState.OPEN)
    )
    return _check(
        "earlier",
        "Earlier months are closed",
        first is None,
        "Months close in order.",
        f"Close {first} first.",
        first or "",
    )


def _is_reconciled(end: datetime) -> Check:
    last = db.session.scalar(
        select(func.max(ReconciliationRun.window_end)).where(ReconciliationRun.step == "done")
    )
    return _check(
        "reconciled",
        "Reconciled after its end",
        last is not None and last >= end,
        f"Last reconciled up to {last:%Y-%m-%d %H:%M} UTC." if last else "",
        "Reconcile once more now that the month is over.",
        "reconciliation",
    )


def _breaks_are_explained(end: datetime) -> Check:
    sums: dict[str, int] = {}
    count = 0
    for currency, amount, number in db.session.execute(
        select(
            ReconciliationBreak.currency,
            func.sum(func.abs(ReconciliationBreak.amount)),
            func.count(),
        )
        .where(ReconciliationBreak.state == BreakState.OPEN, ReconciliationBreak.occurred_at < end)
        .group_by(ReconciliationBreak.currency)
    ):
        sums[currency], count = int(amount or 0), count + number
    above = [currency for currency, amount in sums.items() if amount > tolerance()]
    number = "1 break has" if count == 1 else f"{count} breaks have"
    return _check(
        "breaks",
        "Breaks are explained",
        not above,
        "No break is open." if not count else f"What is open ({count}) is within the tolerance.",
        f"{number} no explanation.",
        "breaks",
    )


def _nothing_waits(end: datetime) -> Check:
    events = (
        db.session.scalar(
            select(func.count()).where(
                StripeEvent.state.not_in((EventState.DONE, EventState.SET_ASIDE)),
                # An account that is none of ours can say what it wants.
                or_(
                    StripeEvent.account == "",
                    StripeEvent.account.in_(select(ConnectedAccount.stripe_id)),
                ),
                StripeEvent.happened_at < end,
            )
        )
        or 0
    )
    operations = (
        db.session.scalar(
            select(func.count()).where(
                StripeOperation.state.in_((OperationState.SENT, OperationState.UNKNOWN)),
                StripeOperation.created_at < end,
            )
        )
        or 0
    )
    parts = []
    if events:
        parts.append(
            "1 event is not handled" if events == 1 else f"{events} events are not handled"
        )
    if operations:
        parts.append(
            "1 call has no known end"
            if operations == 1
            else f"{operations} calls have no known end"
        )
    return _check(
        "waiting",
        "Nothing from Stripe waits",
        not parts,
        "Every event of the month is handled.",
        ", ".join(parts).capitalize() + ".",
        "stripe",
    )


def _no_run_is_open(start: datetime, end: datetime) -> Check:
    count = (
        db.session.scalar(
            select(func.count()).where(
                PayoutRun.state.in_((RunState.APPROVED, RunState.EXECUTING)),
                PayoutRun.approved_at < end,
            )
        )
        or 0
    )
    del start
    return _check(
        "runs",
        "Payout runs are done",
        count == 0,
        "No run that was approved in the month is unfinished.",
        "An approved payout run is not finished.",
        "payouts",
    )


def _bank_is_there(start: datetime, end: datetime) -> Check:
    """The bank's files reach the month's last day, where Stripe paid out at all."""
    paid = db.session.scalar(
        select(func.max(StripePayout.arrival_on)).where(
            StripePayout.arrival_on >= start.date(), StripePayout.arrival_on < end.date()
        )
    )
    if paid is None:
        return _check("bank", "Bank files are there", True, "Stripe paid nothing out.", "")
    line = db.session.scalar(select(func.max(BankLine.booked_on)))
    told = db.session.scalar(select(func.max(BankImport.covers_to)))
    reached = max((each for each in (line, told) if each is not None), default=None)
    return _check(
        "bank",
        "Bank files are there",
        reached is not None and reached >= paid,
        f"They reach {reached}." if reached else "",
        f"Stripe paid out up to {paid}; the files reach {reached or 'no day'}.",
        "bank",
        warn=True,
    )


def _suspense_is_empty(balances: Sequence[TrialBalance]) -> Check:
    left = [
        line for each in balances for line in each.lines
        if line.account.code == "suspense" and line.balance
    ]  # fmt: skip
    return _check(
        "suspense",
        "Suspense is empty",
        not left,
        "Nothing lies there.",
        "Something lies in suspense in " + ", ".join(line.currency for line in left) + ".",
        "breaks",
        warn=True,
    )


def _is_balanced(balances: Sequence[TrialBalance]) -> Check:
    off = [each.currency for each in balances if not each.is_balanced]
    return _check(
        "balanced",
        "Debits equal credits",
        not off,
        "In every currency.",
        "Not in " + ", ".join(off) + ".",
    )
