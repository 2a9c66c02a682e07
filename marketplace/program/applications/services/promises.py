"""The public review clock: places in the queue, how long it takes, and promises that are kept."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from statistics import median

from sqlalchemy import and_, func, or_, select

from billing.models import Order
from billing.settlement.parts import SettlementError
from billing.settlement.refunds import refundable, request_refund
from marketplace.core import clock
from marketplace.core.database import db
from marketplace.core.facts import record_fact
from marketplace.core.locks import lock_row
from marketplace.program.applications.mails import tell_missed
from marketplace.program.applications.models import (
    Application,
    ApplicationState,
    EntryKind,
)
from marketplace.program.applications.services.opening import write_entry

# The median is of what was decided in this time, of so many decisions at most.
LOOK_BACK = timedelta(days=365)
MOST_DECISIONS = 2_000


@dataclass(frozen=True)
class Queue:
    """How a kind of application waits. `median_days` is rounded up; None before any decision."""

    kind: str
    waiting: int
    median_days: int | None


def position(application: Application) -> int | None:
    """Its place in the queue of its kind, from 1; None while it is not in the queue."""
    if application.state is not ApplicationState.IN_REVIEW or application.queued_at is None:
        return None
    before = db.session.scalar(
        select(func.count()).where(
            Application.kind == application.kind,
            Application.state == ApplicationState.IN_REVIEW,
            or_(
                Application.queued_at < application.queued_at,
                and_(
                    Application.queued_at == application.queued_at,
                    Application.id < application.id,
                ),
            ),
        )
    )
    return int(before or 0) + 1


def positions(applications: Sequence[Application]) -> dict[int, int | None]:
    """The same of several, by id. One query, however many."""
    place = (
        func.row_number()
        .over(partition_by=Application.kind, order_by=(Application.queued_at, Application.id))
        .label("place")
    )
    queue = (
        select(Application.id, place)
        .where(
            Application.kind.in_({row.kind for row in applications}),
            Application.state == ApplicationState.IN_REVIEW,
            Application.queued_at.is_not(None),
        )
        .subquery()
    )
    ids = [row.id for row in applications]
    found = dict(
        db.session.execute(select(queue.c.id, queue.c.place).where(queue.c.id.in_(ids))).all()
    )
    return {each: found.get(each) for each in ids}


def queue_of(kind: str) -> Queue:
    """How applications of a kind wait now. Two queries."""
    return queues_of([kind])[kind]


def queues_of(kinds: list[str]) -> dict[str, Queue]:
    """The same of several kinds. Two queries."""
    waiting = dict(
        db.session.execute(
            select(Application.kind, func.count())
            .where(Application.kind.in_(kinds), Application.state == ApplicationState.IN_REVIEW)
            .group_by(Application.kind)
        ).all()
    )
    took: dict[str, list[float]] = {}
    for kind, begun, decided in db.session.execute(
        select(Application.kind, Application.queued_at, Application.decided_at)
        .where(
            Application.kind.in_(kinds),
            Application.state.in_((ApplicationState.ACCEPTED, ApplicationState.DECLINED)),
            Application.queued_at.is_not(None),
            Application.decided_at > clock.now() - LOOK_BACK,
        )
        .order_by(Application.decided_at.desc())
        .limit(MOST_DECISIONS)
    ):
        if begun is not None and decided is not None:
            took.setdefault(kind, []).append((decided - begun).total_seconds() / 86_400)
    return {
        kind: Queue(
            kind,
            waiting.get(kind, 0),
            max(1, -int(-median(took[kind]) // 1)) if kind in took else None,
        )
        for kind in kinds
    }


def missed_promises(limit: int = 100) -> list[int]:
    """Applications whose promised day has passed without a decision, the oldest first."""
    return list(
        db.session.scalars(
            select(Application.id)
            .where(
                Application.state == ApplicationState.IN_REVIEW,
                Application.promised_until < clock.now(),
                Application.missed_at.is_(None),
            )
            .order_by(Application.promised_until, Application.id)
            .limit(limit)
        )
    )


def keep_promise(application_id: int) -> bool:
    """Note that the promised day was missed, and give the fee back; whether that is new. Flushes.

    The review goes on. What of the fee was given back before, or is disputed, stays as it is.
    """
    row = lock_row(Application, Application.id == application_id)
    if row is None or row.missed_at is not None or not _is_late(row, clock.now()):
        return False
    row.missed_at = clock.now()
    write_entry(row, EntryKind.PROMISE_MISSED)
    refunded = _refund(row)
    record_fact(
        "application.promise_missed",
        subject=("application", row.id),
        organization_id=row.organization_id,
        data={"refunded": refunded is not None},
        idempotency_key=f"application.promise_missed:{row.id}",
    )
    db.session.flush()
    tell_missed(row, refunded)
    return True


def _is_late(row: Application, at: datetime) -> bool:
    return (
        row.state is ApplicationState.IN_REVIEW
        and row.promised_until is not None
        and row.promised_until < at
    )


def _refund(row: Application) -> tuple[int, str] | None:
    """Give back what is left of the fee: minor units with tax, and the currency."""
    order = db.session.get(Order, row.fee_order_id) if row.fee_order_id is not None else None
    amount = refundable(order) if order is not None else 0
    if order is None or amount <= 0:
        return None
    try:
        request_refund(
            order,
            amount,
            reason="The application was not decided by the promised day.",
            by_user_id=None,
        )
    except SettlementError:
        return None  # disputed: the bank decides
    row.fee_refunded_at = clock.now()
    write_entry(row, EntryKind.FEE_REFUNDED)
    return amount, order.currency
