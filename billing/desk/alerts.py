"""What needs a person of finance, and since when. Reads, decides nothing."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any

from sqlalchemy import ColumnElement, case, func, or_, select

from billing.accounts import SUSPENSE
from billing.models import (
    BreakState,
    Dispute,
    DisputeState,
    EventState,
    LedgerAccount,
    LedgerEntry,
    Objection,
    ObjectionState,
    OperationState,
    Payout,
    PayoutRun,
    PayoutState,
    Period,
    PeriodState,
    ReconciliationBreak,
    ReconciliationRun,
    Refund,
    RefundRequest,
    RefundState,
    RequestState,
    RunState,
    StripeEvent,
    StripeOperation,
    WriteOff,
)
from billing.payouts.alerts import COMPUTE_WITHIN, overdue_run
from billing.settlement.receivables import owed_in_all
from marketplace.core.database import db

# A run that executes for longer than this has stopped: no balance, or no worker.
RUN_LASTS = timedelta(hours=6)
RECONCILE_EVERY = timedelta(days=2)
BREAK_GROWS_OVER = timedelta(days=7)
EVIDENCE_SOON = timedelta(days=3)
# A call whose answer did not come within this time is not under way any more.
OPERATION_LASTS = timedelta(hours=1)
# How long a failed refund is news.
FAILURES_SHOWN = timedelta(days=14)
# A month should be closed within so many days of the next one.
CLOSE_WITHIN = timedelta(days=10)


class Code(StrEnum):
    """What is wrong, or waits."""

    RUN_NOT_MADE = "run_not_made"
    RUN_STOPPED = "run_stopped"
    PAYOUTS_FAILED = "payouts_failed"
    BREAKS_GROW = "breaks_grow"
    BREAKS_OPEN = "breaks_open"
    NOT_RECONCILED = "not_reconciled"
    EVENTS_DEAD = "events_dead"
    OPERATIONS_UNKNOWN = "operations_unknown"
    PARTNERS_OWE = "partners_owe"
    SUSPENSE = "suspense"
    EVIDENCE_DUE = "evidence_due"
    REFUNDS_FAILED = "refunds_failed"
    REFUNDS_ASKED = "refunds_asked"
    QUESTIONS = "questions"
    WRITE_OFFS = "write_offs"
    MONTH_OPEN = "month_open"


# Red rather than yellow.
SERIOUS = frozenset(
    {
        Code.RUN_NOT_MADE,
        Code.RUN_STOPPED,
        Code.PAYOUTS_FAILED,
        Code.BREAKS_GROW,
        Code.EVENTS_DEAD,
        Code.OPERATIONS_UNKNOWN,
        Code.SUSPENSE,
        Code.EVIDENCE_DUE,
        Code.REFUNDS_FAILED,
    }
)


@dataclass(frozen=True)
class Alert:
    """Something that waits: how many, since when, and for amounts in which currencies."""

    code: Code
    count: int = 0
    since: datetime | None = None
    amounts: tuple[tuple[int, str], ...] = ()
    detail: str = ""

    @property
    def is_serious(self) -> bool:
        """Whether it costs money or trust when nobody looks."""
        return self.code in SERIOUS


def alerts(now: datetime) -> list[Alert]:
    """What needs a person now, the serious first. A constant number of queries, but for a payout
    run that is late (payouts/alerts.py)."""
    found = [alert for look in _LOOKS for alert in look(now)]
    order = list(Code)
    return sorted(found, key=lambda each: (not each.is_serious, order.index(each.code)))


def totals_of(code: str) -> tuple[tuple[int, str], ...]:
    """(balance, currency) of an account over all owners; balances of zero left out."""
    signed = case(
        (LedgerEntry.side == LedgerAccount.normal_side, LedgerEntry.amount),
        else_=-LedgerEntry.amount,
    )
    return tuple(
        (int(total), currency)
        for currency, total in db.session.execute(
            select(LedgerAccount.currency, func.sum(signed))
            .join(LedgerEntry, LedgerEntry.account_id == LedgerAccount.id)
            .where(LedgerAccount.code == code)
            .group_by(LedgerAccount.currency)
            .having(func.sum(signed) != 0)
            .order_by(LedgerAccount.currency)
        )
    )


def _runs(now: datetime) -> list[Alert]:
    found = []
    if late := overdue_run(now):
        amounts = tuple((late.sums[currency][1], currency) for currency in sorted(late.sums))
        found.append(Alert(Code.RUN_NOT_MADE, len(amounts), late.last, amounts))
    stopped = db.session.execute(
        select(
            func.count(), func.min(func.coalesce(PayoutRun.started_at, PayoutRun.cutoff_at))
        ).where(
            or_(
                (PayoutRun.state == RunState.EXECUTING) & (PayoutRun.started_at < now - RUN_LASTS),
                # Nobody can make another one until it is computed or canceled.
                (PayoutRun.state == RunState.DRAFT) & (PayoutRun.cutoff_at < now - COMPUTE_WITHIN),
            )
        )
    ).one()
    if stopped[0]:
        found.append(Alert(Code.RUN_STOPPED, stopped[0], stopped[1]))
    return found


def _payouts(_now: datetime) -> list[Alert]:
    bad = (PayoutState.UNKNOWN, PayoutState.REJECTED, PayoutState.FAILED, PayoutState.RETURNED)
    count, since = _count_and_oldest(Payout.updated_at, Payout.state.in_(bad))
    return [Alert(Code.PAYOUTS_FAILED, count, since)] if count else []


def _breaks(now: datetime) -> list[Alert]:
    then = now - BREAK_GROWS_OVER
    open_now = ReconciliationBreak.state == BreakState.OPEN
    open_then = (ReconciliationBreak.found_at <= then) & or_(
        ReconciliationBreak.resolved_at.is_(None), ReconciliationBreak.resolved_at > then
    )
    count, before, since = db.session.execute(
        select(
            func.sum(case((open_now, 1), else_=0)),
            func.sum(case((open_then, 1), else_=0)),
            func.min(case((open_now, ReconciliationBreak.found_at))),
        )
    ).one()
    count, before = int(count or 0), int(before or 0)
    if not count:
        return []
    code = Code.BREAKS_GROW if count > before else Code.BREAKS_OPEN
    return [Alert(code, count, since, detail=str(before))]


def _reconciled(now: datetime) -> list[Alert]:
    last = db.session.scalar(select(func.max(ReconciliationRun.finished_at)))
    anything = db.session.scalar(select(LedgerEntry.id).limit(1))
    if anything is None or (last is not None and now - last <= RECONCILE_EVERY):
        return []
    return [Alert(Code.NOT_RECONCILED, since=last)]


def _stripe(now: datetime) -> list[Alert]:
    found = []
    count, since = _count_and_oldest(StripeEvent.received_at, StripeEvent.state == EventState.DEAD)
    if count:
        found.append(Alert(Code.EVENTS_DEAD, count, since))
    count, since = _count_and_oldest(
        StripeOperation.created_at,
        StripeOperation.state.in_(
            (OperationState.UNKNOWN, OperationState.SENT, OperationState.INTENDED)
        ),
        StripeOperation.created_at < now - OPERATION_LASTS,
    )
    if count:
        found.append(Alert(Code.OPERATIONS_UNKNOWN, count, since))
    return found


def _accounts(_now: datetime) -> list[Alert]:
    found = []
    owing, amounts = owed_in_all()
    if owing:
        found.append(Alert(Code.PARTNERS_OWE, owing, amounts=tuple(amounts)))
    suspense = totals_of(SUSPENSE)
    if suspense:
        found.append(Alert(Code.SUSPENSE, len(suspense), amounts=suspense))
    return found


def _disputes(now: datetime) -> list[Alert]:
    count, since = _count_and_oldest(
        Dispute.evidence_due_at,
        Dispute.state.in_((DisputeState.OPEN, DisputeState.WARNING)),
        Dispute.evidence_sent_at.is_(None),
        Dispute.evidence_due_at <= now + EVIDENCE_SOON,
    )
    return [Alert(Code.EVIDENCE_DUE, count, since)] if count else []


def _refunds(now: datetime) -> list[Alert]:
    found = []
    count, since = _count_and_oldest(
        Refund.created_at,
        Refund.state == RefundState.FAILED,
        Refund.settled_at > now - FAILURES_SHOWN,
    )
    if count:
        found.append(Alert(Code.REFUNDS_FAILED, count, since))
    count, since = _count_and_oldest(
        RefundRequest.created_at, RefundRequest.state == RequestState.OPEN
    )
    if count:
        found.append(Alert(Code.REFUNDS_ASKED, count, since))
    return found


def _questions(_now: datetime) -> list[Alert]:
    found = []
    count, since = _count_and_oldest(Objection.created_at, Objection.state == ObjectionState.OPEN)
    if count:
        found.append(Alert(Code.QUESTIONS, count, since))
    count, since = _count_and_oldest(WriteOff.requested_at, WriteOff.decided_at.is_(None))
    if count:
        found.append(Alert(Code.WRITE_OFFS, count, since))
    return found


def _months(now: datetime) -> list[Alert]:
    due = now - CLOSE_WITHIN
    month = f"{due.year:04d}-{due.month:02d}"
    count, oldest = db.session.execute(
        select(func.count(), func.min(Period.code)).where(
            Period.state == PeriodState.OPEN, Period.code < month
        )
    ).one()
    return [Alert(Code.MONTH_OPEN, count, detail=oldest)] if count else []


def _count_and_oldest(moment: Any, *wanted: ColumnElement[bool]) -> tuple[int, datetime | None]:
    count, oldest = db.session.execute(select(func.count(), func.min(moment)).where(*wanted)).one()
    return int(count), oldest


_LOOKS: tuple[Callable[[datetime], list[Alert]], ...] = (
    _runs,
    _payouts,
    _breaks,
    _reconciled,
    _stripe,
    _accounts,
    _disputes,
    _refunds,
    _questions,
    _months,
)
