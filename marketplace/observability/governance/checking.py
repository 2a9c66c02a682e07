"""Verifying the audit chain: asked for by a person or daily, walked by a job."""

from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Any

from sqlalchemy import func, select, update

from billing.public_ids import new_public_id
from marketplace.core import clock
from marketplace.core.database import db
from marketplace.core.facts import BrokenLink, Fact, record_fact, verify_chain
from marketplace.core.jobs import Job, JobState, Payload, enqueue, job_handler, periodic
from marketplace.core.once import insert_if_new
from marketplace.core.unit_of_work import roll_back, unit_of_work
from marketplace.observability.governance.models import ChainCheck, CheckState

JOB_KIND = "governance.verify_chain"
DAILY_KIND = "governance.verify_daily"
MOST_NAMED = 100
MOST_SAID = 500
BATCH = 2_000


def ask_for_check(by_user_id: int | None) -> bool:
    """Have the chain verified; False when a verification is under way already."""
    _give_up_what_nobody_walks()
    check_id = insert_if_new(
        ChainCheck,
        public_id=new_public_id("chk"),
        state=CheckState.WAITING,
        open_slot=1,
        asked_at=clock.now(),
        asked_by_id=by_user_id,
        looked_at=0,
        total=0,
        broken=[],
        broken_count=0,
        problem="",
    )
    if check_id is None:
        return False
    record_fact(
        "audit.check_asked", subject=("chain_check", check_id), actor_user_id=by_user_id, data={}
    )
    enqueue(JOB_KIND, {"check_id": check_id})
    return True


@periodic(DAILY_KIND, timedelta(days=1))
def verify_daily(_payload: Payload) -> None:
    """Once a day, whether anybody asks or not."""
    ask_for_check(None)


@job_handler(JOB_KIND, lease=timedelta(hours=2))
def walk(payload: Payload) -> None:
    """Walk the chain and write down what was found. Its progress is committed batch by batch; run
    again, it begins again."""
    check_id = int(payload["check_id"])
    total = db.session.scalar(select(func.count()).select_from(Fact)) or 0
    state = db.session.scalar(select(ChainCheck.state).where(ChainCheck.id == check_id))
    if state not in (CheckState.WAITING, CheckState.RUNNING):
        return
    with unit_of_work():
        _note(check_id, state=CheckState.RUNNING, started_at=clock.now(), total=total, looked_at=0)

    def after_batch(seen: int) -> None:
        with unit_of_work():
            _note(check_id, looked_at=seen, total=max(total, seen))

    count = 0
    named: list[dict[str, Any]] = []
    try:
        for link in verify_trail(BATCH, after_batch=after_batch):
            count += 1
            if len(named) < MOST_NAMED:
                named.append({"fact_id": link.fact_id, "reason": link.reason})
    except Exception as error:
        # The job is tried again; meanwhile people see why it takes so long.
        roll_back(db.session())
        with unit_of_work():
            _note(check_id, problem=f"{type(error).__name__}: {error}"[:MOST_SAID])
        raise
    _note(
        check_id,
        state=CheckState.FAILED if count else CheckState.PASSED,
        finished_at=clock.now(),
        open_slot=None,
        broken=named,
        broken_count=count,
        problem="",
    )
    record_fact(
        "audit.check_failed" if count else "audit.check_passed",
        subject=("chain_check", check_id),
        data={"broken": count},
    )


def verify_trail(
    batch: int = BATCH, *, after_batch: Callable[[int], None] | None = None
) -> Iterator[BrokenLink]:
    """Walk the chain as `core.facts.verify_chain` does, and compare how long it is with what
    earlier verifications have seen: an end that was cut off together with what names the newest
    fact fits in itself."""
    seen = 0

    def note(looked_at: int) -> None:
        nonlocal seen
        seen = looked_at
        if after_batch is not None:
            after_batch(looked_at)

    yield from verify_chain(batch, after_batch=note)
    once = db.session.scalar(
        select(func.max(ChainCheck.looked_at)).where(ChainCheck.finished_at.is_not(None))
    )
    if once is not None and seen < once:
        newest = db.session.scalar(select(func.max(Fact.id))) or 0
        yield BrokenLink(
            newest,
            f"facts after it are missing: an earlier verification looked at {once:,}, now there "
            f"are {seen:,}",
        )


def _give_up_what_nobody_walks() -> None:
    """End a verification whose job was given up, so that it stands in the way of no other. What
    could not be verified has not passed."""
    # The check first: it is written together with its job.
    check = db.session.scalar(
        select(ChainCheck)
        .where(ChainCheck.open_slot == 1)
        .execution_options(populate_existing=True)
    )
    alive = select(Job.id).where(
        Job.kind == JOB_KIND, Job.state.in_((JobState.READY, JobState.RUNNING))
    )
    if check is None or db.session.scalar(alive.limit(1)) is not None:
        return
    _note(
        check.id,
        state=CheckState.FAILED,
        finished_at=clock.now(),
        open_slot=None,
        problem=check.problem or "Its job was given up.",
    )
    record_fact("audit.check_failed", subject=("chain_check", check.id), data={"broken": 0})


def _note(check_id: int, **values: Any) -> None:
    db.session.execute(
        update(ChainCheck)
        .where(ChainCheck.id == check_id)
        .values(**values)
        .execution_options(synchronize_session=False)
    )


def latest_checks(limit: int = 10) -> list[ChainCheck]:
    """The newest verifications."""
    return list(db.session.scalars(select(ChainCheck).order_by(ChainCheck.id.desc()).limit(limit)))
