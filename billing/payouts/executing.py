"""Executing an approved run: one transfer after another, going on where a killed worker stopped.

The run is a chain of jobs, each of which pays a few. Two that run at once do no harm: a payout
is one idempotency key at Stripe and one key in the ledger. What lacks money at Stripe is passed
over, and the run waits for that alone (shortage.py).
"""

from datetime import timedelta

from sqlalchemy import case, func, select, update

from billing.models import Payout, PayoutRun, PayoutState, RunState
from billing.payouts.attempts import lock_payout
from billing.payouts.canceling import IN_FLIGHT, release_unsent
from billing.payouts.computing import COMPUTE, compute_later
from billing.payouts.paying import Outcome, pay
from billing.payouts.shortage import forget, is_affordable
from marketplace.core import clock
from marketplace.core.database import db
from marketplace.core.errors import ConflictError
from marketplace.core.facts import record_fact
from marketplace.core.jobs import (
    Job,
    JobState,
    Payload,
    RetryLater,
    enqueue,
    job_handler,
    periodic,
)
from marketplace.core.locks import lock_row
from marketplace.core.unit_of_work import unit_of_work

EXECUTE = "payouts.execute"
# Payouts of one job: short enough for its lease, and for others to have their turn.
BATCH = 25
LEASE = timedelta(minutes=20)
# How often a run that waits for money, or whose job died, goes on.
RESUME_EVERY = timedelta(minutes=30)
# How long what nobody knows is left alone before Stripe is asked again.
WAIT_FOR_UNKNOWN = timedelta(minutes=5)
_FAILED = (PayoutState.REJECTED, PayoutState.CANCELED, PayoutState.FAILED, PayoutState.RETURNED)


def execute(run_id: int, *, by_user_id: int | None) -> PayoutRun:
    """Begin to pay an approved run, or go on with one that waits for money.

    Raises ConflictError when it is not approved, or is being canceled.
    """
    claimed = db.session.scalar(
        update(PayoutRun)
        .where(
            PayoutRun.id == run_id,
            PayoutRun.state.in_((RunState.APPROVED, RunState.EXECUTING)),
            PayoutRun.aborted_reason == "",
        )
        .values(
            state=RunState.EXECUTING,
            started_at=func.coalesce(PayoutRun.started_at, clock.now()),
            stalled_reason="",
            stalled_at=None,
            short={},
        )
        .returning(PayoutRun.id)
        .execution_options(synchronize_session=False)
    )
    if claimed is None:
        raise ConflictError("Only an approved run is paid.")
    record_fact("payout_run.executing", subject=("payout_run", run_id), actor_user_id=by_user_id)
    _go_on(run_id)
    return db.session.get_one(PayoutRun, run_id, populate_existing=True)


def retry(payout_id: int, *, by_user_id: int) -> None:
    """Try a rejected payout again, under a new key.

    Raises ConflictError unless it is rejected, and when its run was canceled: nobody pays it then.
    """
    run_id = db.session.scalar(select(Payout.run_id).where(Payout.id == payout_id))
    run = lock_row(PayoutRun, PayoutRun.id == run_id)
    payout = lock_payout(payout_id)
    if run is None or payout is None or payout.state is not PayoutState.REJECTED:
        raise ConflictError("Only a payout that was rejected is tried again.")
    if run.aborted_reason:
        raise ConflictError(
            "Its run was canceled. Cancel this payout as well, and the next run pays the money."
        )
    payout.state, payout.reason = PayoutState.RESERVED, ""
    payout.attempt += 1
    if run.state is RunState.COMPLETED_WITH_ERRORS:
        run.state, run.finished_at = RunState.EXECUTING, None
    run.short = {}
    db.session.flush()
    record_fact("payout.retried", subject=("payout", payout_id), actor_user_id=by_user_id)
    _go_on(run.id)


def _go_on(run_id: int, delay: timedelta | None = None) -> None:
    enqueue(EXECUTE, {"run_id": run_id}, dedupe_key=f"{EXECUTE}:{run_id}", delay=delay)


@job_handler(EXECUTE, lease=LEASE)
def _execute_job(payload: Payload) -> None:
    pay_some(payload["run_id"])


@periodic("payouts.resume", every=RESUME_EVERY)
def resume(_payload: Payload) -> None:
    """Go on with every run that is executing: one whose job died, or that waits for money. And
    compute a draft whose job died: no other run can be made before."""
    for run_id in _without_job(RunState.EXECUTING, EXECUTE):
        # Perhaps there is enough by now.
        db.session.execute(
            update(PayoutRun)
            .where(PayoutRun.id == run_id)
            .values(short={})
            .execution_options(synchronize_session=False)
        )
        _go_on(run_id)
    for run_id in _without_job(RunState.DRAFT, COMPUTE):
        compute_later(run_id)


def _without_job(state: RunState, kind: str) -> list[int]:
    """Runs in a state whose job is gone.

    One that has a job, be it one that failed and waits for its next try, is left to it: a second
    one beside it would be there for every half hour that the trouble lasts.
    """
    runs = db.session.scalars(
        select(PayoutRun.id).where(PayoutRun.state == state).order_by(PayoutRun.id)
    ).all()
    jobs = db.session.scalars(
        select(Job.payload).where(
            Job.kind == kind, Job.state.in_((JobState.READY, JobState.RUNNING))
        )
    )
    cared_for = {payload.get("run_id") for payload in jobs}
    return [run_id for run_id in runs if run_id not in cared_for]


def pay_some(run_id: int) -> str:
    """Pay the next few of a run, and see to it that the rest follows; end it when none is left.

    What it waits for, in words, when Stripe asks for patience, does not take our key, or its
    balance does not suffice for what is left; a later job goes on. Empty otherwise.
    """
    ids = _next(run_id)
    db.session.rollback()
    while ids:
        payout_id = ids.pop(0)
        try:
            outcome = pay(payout_id)
        except RetryLater as wait:
            # A job under the run's own key, and not this one again: there is one at a time.
            with unit_of_work():
                _go_on(run_id, wait.after)
            return f"Stripe asks for patience: {wait}"
        if outcome is Outcome.NO_KEY:
            # `resume` goes on, or a person who has set it right.
            return "Stripe does not take our key."
        if outcome is Outcome.NO_MONEY:
            # Not those that need as much.
            still = set(_next(run_id))
            db.session.rollback()
            ids = [each for each in ids if each in still]
    with unit_of_work():
        return _go_on_or_end(run_id)


def _go_on_or_end(run_id: int) -> str:
    """What follows after a few were paid; what it waits for, in words, when that is money."""
    run = lock_row(PayoutRun, PayoutRun.id == run_id)
    if run is None or run.state is not RunState.EXECUTING:
        return ""
    if run.aborted_reason:
        release_unsent(run_id)
    waiting = set(
        db.session.scalars(
            select(Payout.currency)
            .where(Payout.run_id == run_id, Payout.state == PayoutState.RESERVED)
            .distinct()
        )
    )
    forget(run, waiting)
    if _next(run_id):
        _go_on(run_id)
        return ""
    if _count(run_id, IN_FLIGHT):
        _go_on(run_id, WAIT_FOR_UNKNOWN)
    elif not waiting:
        _finish(run)
    # Without a job, what lacks money waits for `resume`, or for a person's "go on now".
    return run.stalled_reason


def _next(run_id: int) -> list[int]:
    """What is paid next. What nobody knows comes last, and not at once again; what waits for
    money, not at all."""
    run = db.session.get(PayoutRun, run_id, populate_existing=True)
    if run is None or run.state is not RunState.EXECUTING:
        return []
    long_enough = clock.now() - WAIT_FOR_UNKNOWN
    return list(
        db.session.scalars(
            select(Payout.id)
            .where(
                Payout.run_id == run_id,
                Payout.state.in_((PayoutState.RESERVED, *IN_FLIGHT)),
                (Payout.state != PayoutState.UNKNOWN) | (Payout.updated_at <= long_enough),
                is_affordable(run.short),
            )
            .order_by(case((Payout.state == PayoutState.UNKNOWN, 1), else_=0), Payout.id)
            .limit(BATCH)
        )
    )


def _count(run_id: int, states: tuple[PayoutState, ...]) -> int:
    return (
        db.session.scalar(
            select(func.count()).where(Payout.run_id == run_id, Payout.state.in_(states))
        )
        or 0
    )


def _finish(run: PayoutRun) -> None:
    if run.aborted_reason:
        run.state = RunState.ABORTED
    elif _count(run.id, _FAILED):
        run.state = RunState.COMPLETED_WITH_ERRORS
    else:
        run.state = RunState.COMPLETED
    run.finished_at = clock.now()
    db.session.flush()
    record_fact(
        "payout_run.finished",
        subject=("payout_run", run.id),
        data={"state": run.state.value},
    )
