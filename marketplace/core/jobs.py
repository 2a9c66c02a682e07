"""Effects outside the database, as rows written in the transaction that causes them.

The table is the durable truth: a lease, attempts, backoff with jitter, a dead state that staff
can see and retry, and a sweeper. Huey only wakes and runs; when it loses a task the sweeper
finds the row. Handlers are idempotent: a job killed after its effect runs again.
"""

import enum
import logging
import random
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Index, String, Text, delete, func, insert, or_, select, update
from sqlalchemy.orm import Mapped, mapped_column

from marketplace.core import clock
from marketplace.core.database import Base, Id, db, text_enum
from marketplace.core.leases import holder_is_gone, new_lease_id
from marketplace.core.once import insert_if_new
from marketplace.core.unit_of_work import after_commit, unit_of_work

log = logging.getLogger(__name__)

LEASE = timedelta(minutes=5)
MAX_ATTEMPTS = 12
FIRST_DELAY_SECONDS = 2
LONGEST_DELAY_SECONDS = 6 * 3600
KEEP_DONE_FOR = timedelta(days=14)

Payload = dict[str, Any]
Handler = Callable[[Payload], None]


class JobState(enum.StrEnum):
    """Where a job is. `dead` waits for a person."""

    READY = "ready"
    RUNNING = "running"
    DONE = "done"
    DEAD = "dead"


class Job(Base):
    """One effect to be had. `dedupe_key` is unique, so that a tick or a wake-up is one row."""

    __tablename__ = "job"

    id: Mapped[int] = mapped_column(Id, primary_key=True, autoincrement=True)
    kind: Mapped[str] = mapped_column(String(80), index=True)
    payload: Mapped[dict[str, Any]] = mapped_column(default=dict)
    dedupe_key: Mapped[str | None] = mapped_column(String(160), unique=True)
    state: Mapped[JobState] = mapped_column(text_enum(JobState), default=JobState.READY)
    run_at: Mapped[datetime]
    attempts: Mapped[int] = mapped_column(default=0)
    lease_id: Mapped[str | None] = mapped_column(String(36))
    lease_until: Mapped[datetime | None]
    last_error: Mapped[str | None] = mapped_column(Text)
    created_at: Mapped[datetime]
    finished_at: Mapped[datetime | None]

    __table_args__ = (Index("ix_job_state_run_at", "state", "run_at"),)


class RetryLater(Exception):  # noqa: N818 - it is an instruction, not an error
    """Raised by a handler that wants another try without counting as a failure."""

    def __init__(self, after: timedelta, reason: str = "") -> None:
        super().__init__(reason)
        self.after = after


@dataclass(frozen=True)
class Tick:
    """A periodic job: `kind` runs once per `every`, however many schedulers there are."""

    kind: str
    every: timedelta


_handlers: dict[str, Handler] = {}
_leases: dict[str, timedelta] = {}
_ticks: dict[str, Tick] = {}
_waker: list[Callable[[int], None]] = []


def job_handler(kind: str, *, lease: timedelta = LEASE) -> Callable[[Handler], Handler]:
    """Register the decorated function as the handler of jobs of `kind`.

    `lease` must be longer than it ever runs: after it, another worker takes the job for lost.

    It runs in a unit of work of its own, in which the job is marked done as well: what it
    writes and the mark are one transaction.
    """

    def register(handler: Handler) -> Handler:
        _handlers[kind] = handler
        _leases[kind] = lease
        return handler

    return register


def periodic(
    kind: str, every: timedelta, *, lease: timedelta = LEASE
) -> Callable[[Handler], Handler]:
    """Register a handler that also runs once per `every`."""
    _ticks[kind] = Tick(kind, every)
    return job_handler(kind, lease=lease)


def wake_with(waker: Callable[[int], None]) -> None:
    """Tell this process how to wake a worker for a job id (Huey does it in the application)."""
    _waker[:] = [waker]


def enqueue(
    kind: str, payload: Payload, *, dedupe_key: str | None = None, delay: timedelta | None = None
) -> None:
    """Add a job to the current transaction; it runs after the commit.

    With a `dedupe_key` that a waiting job already has, nothing is added: one run will do for
    both, since handlers read the state of the database when they run. The waiting row is locked
    until this transaction ends, so that its run cannot come before what this one writes.
    """
    at = clock.now()
    values = {
        "kind": kind,
        "payload": payload,
        "state": JobState.READY,
        "run_at": at + (delay or timedelta(0)),
        "created_at": at,
    }
    if dedupe_key is None:
        job_id = db.session.execute(insert(Job).values(**values).returning(Job.id)).scalar_one()
    else:
        values["dedupe_key"] = dedupe_key
        added = None
        # Another transaction may add it, and a worker take it, between the two.
        while added is None:
            added = _lock_waiting(dedupe_key) or insert_if_new(Job, **values)
        job_id = added
    if delay is None:
        after_commit(lambda: _wake(job_id))


def _lock_waiting(dedupe_key: str) -> int | None:
    """Lock the job that waits under this key until the transaction ends; its id, or None."""
    return db.session.execute(
        update(Job)
        .where(Job.dedupe_key == dedupe_key)
        .values(dedupe_key=dedupe_key)
        .returning(Job.id)
        .execution_options(synchronize_session=False)
    ).scalar_one_or_none()


def _wake(job_id: int) -> None:
    for waker in _waker:
        try:
            waker(job_id)
        except Exception as error:  # noqa: BLE001 - the sweeper finds the row when the waker is down
            log.warning("could not wake a worker", extra={"job_id": job_id, "error": str(error)})


def backoff(attempt: int, jitter: float) -> timedelta:
    """The wait after failed attempt number `attempt` (from 1); `jitter` is within 0..1."""
    base = min(FIRST_DELAY_SECONDS * 2 ** (attempt - 1), LONGEST_DELAY_SECONDS)
    return timedelta(seconds=base * (0.5 + jitter))


def _claim(job_id: int) -> str | None:
    """Lease the job if it is due and free; the lease's id, or None."""
    at, lease_id = clock.now(), new_lease_id()
    free = or_(
        (Job.state == JobState.READY) & (Job.run_at <= at),
        (Job.state == JobState.RUNNING) & (Job.lease_until < at),
    )
    with unit_of_work() as session:
        found = session.execute(select(Job.kind, Job.dedupe_key).where(Job.id == job_id)).first()
        if found is None:
            return None
        # A dedupe key guards waiting jobs only: what changes from now on is a new job. A tick
        # keeps its key, so that its period stays taken.
        is_tick = found.dedupe_key is not None and found.dedupe_key.startswith("tick:")
        claimed = session.execute(
            update(Job)
            .where(Job.id == job_id, free)
            .values(
                state=JobState.RUNNING,
                lease_id=lease_id,
                lease_until=at + _leases.get(found.kind, LEASE),
                attempts=Job.attempts + 1,
                dedupe_key=found.dedupe_key if is_tick else None,
            )
            .execution_options(synchronize_session=False)
        )
    return lease_id if getattr(claimed, "rowcount", 0) == 1 else None


def run_job(job_id: int) -> bool:
    """Run the job if it is due and free. True if it ran here and succeeded."""
    lease_id = _claim(job_id)
    db.session.expire_all()
    if lease_id is None:
        return False
    job = db.session.get(Job, job_id)
    if job is None:
        return False
    kind, payload, attempts = job.kind, dict(job.payload), job.attempts
    db.session.rollback()
    handler = _handlers.get(kind)
    try:
        if handler is None:
            raise LookupError(f"no handler for jobs of kind {kind}")
        with unit_of_work() as session:
            handler(payload)
            done = session.execute(
                update(Job)
                .where(Job.id == job_id, Job.lease_id == lease_id)
                # A payload may hold a link with a token; once it is done nobody needs it.
                .values(state=JobState.DONE, payload={}, finished_at=clock.now(), last_error=None)
                .execution_options(synchronize_session=False)
            )
            if getattr(done, "rowcount", 0) != 1:
                raise LookupError("the lease was lost to another worker")
    except RetryLater as wait:
        _put_back(job_id, lease_id, wait.after, str(wait), attempts - 1)
        return False
    except Exception as error:
        log.warning("job failed", extra={"job_kind": kind, "job_id": job_id}, exc_info=error)
        text = f"{type(error).__name__}: {error}"[:2_000]
        if attempts >= MAX_ATTEMPTS:
            _bury(job_id, lease_id, text)
        else:
            jitter = random.random()  # noqa: S311 - spreads load, guards nothing
            _put_back(job_id, lease_id, backoff(attempts, jitter), text, attempts)
        return False
    return True


def _put_back(job_id: int, lease_id: str, after: timedelta, error: str, attempts: int) -> None:
    with unit_of_work() as session:
        session.execute(
            update(Job)
            .where(Job.id == job_id, Job.lease_id == lease_id)
            .values(
                state=JobState.READY,
                run_at=clock.now() + after,
                last_error=error or None,
                attempts=attempts,
                lease_id=None,
                lease_until=None,
            )
            .execution_options(synchronize_session=False)
        )


def _bury(job_id: int, lease_id: str, error: str) -> None:
    with unit_of_work() as session:
        session.execute(
            update(Job)
            .where(Job.id == job_id, Job.lease_id == lease_id)
            .values(state=JobState.DEAD, finished_at=clock.now(), last_error=error)
            .execution_options(synchronize_session=False)
        )


def retry_dead(job_id: int) -> bool:
    """Make a dead job ready again (a person asked). True if it was dead."""
    session = db.session()
    revived = session.execute(
        update(Job)
        .where(Job.id == job_id, Job.state == JobState.DEAD)
        .values(state=JobState.READY, run_at=clock.now(), attempts=0, finished_at=None)
        .execution_options(synchronize_session=False)
    )
    after_commit(lambda: _wake(job_id))
    return getattr(revived, "rowcount", 0) == 1


def due_job_ids(limit: int = 100) -> list[int]:
    """Ids of jobs that are due, or whose worker let its lease run out; oldest first."""
    at = clock.now()
    query = (
        select(Job.id)
        .where(
            or_(
                (Job.state == JobState.READY) & (Job.run_at <= at),
                (Job.state == JobState.RUNNING) & (Job.lease_until < at),
            )
        )
        .order_by(Job.run_at, Job.id)
        .limit(limit)
    )
    return list(db.session.scalars(query))


def run_due(limit: int = 100) -> int:
    """Run what is due, one after another; how many succeeded."""
    ids = due_job_ids(limit)
    db.session.rollback()
    return sum(run_job(job_id) for job_id in ids)


def add_due_ticks() -> None:
    """Add the job of each tick's current period, once however often this is called."""
    at = clock.now()
    for tick in _ticks.values():
        period = int(at.timestamp() // tick.every.total_seconds())
        with unit_of_work():
            enqueue(tick.kind, {}, dedupe_key=f"tick:{tick.kind}:{period}")


def sweep() -> int:
    """Add due ticks, run everything due, forget long-finished jobs; how many jobs succeeded."""
    add_due_ticks()
    _end_leases_of_the_dead()
    _bury_killers()
    done = run_due()
    with unit_of_work() as session:
        session.execute(
            delete(Job).where(
                Job.state == JobState.DONE, Job.finished_at < clock.now() - KEEP_DONE_FOR
            )
        )
    return done


def _end_leases_of_the_dead() -> None:
    """Let go of jobs whose worker was killed on this machine: their lease may be hours long."""
    at = clock.now()
    with unit_of_work() as session:
        held = session.execute(
            select(Job.id, Job.lease_id).where(
                Job.state == JobState.RUNNING, Job.lease_until >= at, Job.lease_id.is_not(None)
            )
        ).all()
        for job_id, lease_id in held:
            if lease_id and holder_is_gone(lease_id):
                session.execute(
                    update(Job)
                    .where(Job.id == job_id, Job.lease_id == lease_id)
                    .values(lease_until=at - timedelta(seconds=1))
                    .execution_options(synchronize_session=False)
                )


def _bury_killers() -> None:
    """Give up on jobs whose worker died at every attempt: they may be what kills it."""
    at = clock.now()
    with unit_of_work() as session:
        session.execute(
            update(Job)
            .where(
                Job.state == JobState.RUNNING,
                Job.lease_until < at,
                Job.attempts >= MAX_ATTEMPTS,
            )
            .values(
                state=JobState.DEAD,
                finished_at=at,
                last_error="The worker died or hung at every attempt.",
            )
            .execution_options(synchronize_session=False)
        )


def counts() -> dict[str, int]:
    """How many jobs are in each state."""
    rows = db.session.execute(select(Job.state, func.count()).group_by(Job.state)).all()
    found = {state.value: count for state, count in rows}
    return {state.value: found.get(state.value, 0) for state in JobState}


def oldest_due_age() -> timedelta:
    """How long the job that is due longest has waited; zero when none is due."""
    at = clock.now()
    oldest = db.session.scalar(
        select(func.min(Job.run_at)).where(Job.state == JobState.READY, Job.run_at <= at)
    )
    return at - oldest if oldest is not None else timedelta(0)
