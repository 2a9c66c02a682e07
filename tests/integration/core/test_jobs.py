"""Jobs: written with their cause, run after the commit, at least once, never lost."""

import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta

import pytest
from flask import Flask
from sqlalchemy import select

from marketplace.core import clock, jobs
from marketplace.core.database import db
from marketplace.core.jobs import Job, JobState
from marketplace.core.leases import new_lease_id
from marketplace.core.unit_of_work import unit_of_work

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
ran: list[object] = []


@jobs.job_handler("test.note")
def _note(payload: jobs.Payload) -> None:
    ran.append(payload["text"])


@jobs.job_handler("test.fail")
def _fail(payload: jobs.Payload) -> None:
    ran.append("tried")
    raise RuntimeError("the other side said no")


@jobs.job_handler("test.later")
def _later(payload: jobs.Payload) -> None:
    raise jobs.RetryLater(timedelta(minutes=3), "not yet")


@pytest.fixture(autouse=True)
def at_noon(app: Flask) -> Iterator[None]:
    ran.clear()
    with clock.frozen(NOON):
        yield


def add(kind: str, **options: object) -> None:
    with unit_of_work():
        jobs.enqueue(kind, {"text": "hello"}, **options)  # type: ignore[arg-type]  # options vary


def only_job() -> Job:
    db.session.expire_all()
    return db.session.scalars(select(Job)).one()


def test_a_job_of_a_rolled_back_transaction_never_was() -> None:
    with pytest.raises(ValueError, match="changed my mind"), unit_of_work():
        jobs.enqueue("test.note", {"text": "hello"})
        raise ValueError("changed my mind")
    assert jobs.run_due() == 0
    assert ran == []


def test_a_due_job_runs_once() -> None:
    add("test.note")
    assert jobs.run_due() == 1
    assert jobs.run_due() == 0
    assert ran == ["hello"]
    assert only_job().state is JobState.DONE


def test_a_delayed_job_waits() -> None:
    add("test.note", delay=timedelta(minutes=5))
    assert jobs.run_due() == 0
    clock.shift(timedelta(minutes=5))
    assert jobs.run_due() == 1


def test_two_changes_before_the_run_are_one_job() -> None:
    add("test.note", dedupe_key="listing:1")
    add("test.note", dedupe_key="listing:1")
    assert jobs.run_due() == 1
    add("test.note", dedupe_key="listing:1")
    assert jobs.run_due() == 1


def test_a_done_job_forgets_its_payload() -> None:
    add("test.note")
    jobs.run_due()
    assert only_job().payload == {}


def test_a_job_waits_for_the_transaction_that_needs_it_again(app: Flask) -> None:
    """A worker that ran it now would not see what that transaction is about to commit."""
    if db.engine.dialect.name == "sqlite":
        pytest.skip("SQLite has one writer: the worker's claim waits by itself")
    add("test.note", dedupe_key="listing:1")
    job_id = only_job().id
    db.session.rollback()
    claimed: list[object] = []

    def work() -> None:
        with app.app_context():
            claimed.append(jobs._claim(job_id))
            db.session.remove()

    with unit_of_work():
        jobs.enqueue("test.note", {"text": "hello"}, dedupe_key="listing:1")
        worker = threading.Thread(target=work)
        worker.start()
        worker.join(timeout=0.5)
        assert claimed == []
    worker.join(timeout=10)
    assert claimed != [None]


def test_many_transactions_at_once_add_one_job(app: Flask) -> None:
    barrier = threading.Barrier(4)
    failures: list[BaseException] = []

    def change() -> None:
        with app.app_context():
            try:
                barrier.wait(timeout=5)
                with unit_of_work():
                    jobs.enqueue("test.note", {"text": "hello"}, dedupe_key="synonyms")
            except BaseException as error:  # noqa: BLE001 - whatever a thread dies of is told below
                failures.append(error)
            finally:
                db.session.remove()

    threads = [threading.Thread(target=change) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=20)
    assert failures == []
    assert jobs.counts()["ready"] == 1


def test_a_failing_job_backs_off_and_keeps_its_error() -> None:
    add("test.fail")
    assert jobs.run_due() == 0
    job = only_job()
    assert job.state is JobState.READY
    assert job.run_at > NOON
    assert "the other side said no" in (job.last_error or "")


def test_a_job_that_keeps_failing_dies_and_a_person_can_revive_it() -> None:
    add("test.fail")
    for _ in range(jobs.MAX_ATTEMPTS):
        jobs.run_due()
        clock.shift(timedelta(days=1))
    job = only_job()
    assert job.state is JobState.DEAD
    assert ran == ["tried"] * jobs.MAX_ATTEMPTS
    with unit_of_work():
        assert jobs.retry_dead(job.id)
    assert only_job().state is JobState.READY


def test_waiting_for_something_is_not_a_failure() -> None:
    add("test.later")
    jobs.run_due()
    job = only_job()
    assert (job.attempts, job.state) == (0, JobState.READY)
    assert job.run_at == NOON + timedelta(minutes=3)


def test_a_job_whose_worker_was_killed_runs_again_after_its_lease() -> None:
    add("test.note")
    assert jobs._claim(only_job().id) is not None  # a worker took it, and died here
    assert jobs.run_due() == 0
    clock.shift(jobs.LEASE + timedelta(seconds=1))
    assert jobs.run_due() == 1
    assert ran == ["hello"]


@pytest.mark.parametrize(
    ("place", "is_alive", "runs"),
    [("here", False, True), ("here", True, False), ("another machine", False, False)],
)
def test_a_worker_that_died_on_this_machine_is_not_waited_for(
    monkeypatch: pytest.MonkeyPatch, place: str, is_alive: bool, runs: bool
) -> None:
    here, pid, key = new_lease_id().split(".")
    if here == "elsewhere":
        pytest.skip("there is no /proc here")
    monkeypatch.setattr(jobs, "_ticks", {})
    monkeypatch.setitem(jobs._leases, "test.note", timedelta(hours=2))
    add("test.note")
    job_id = only_job().id
    assert jobs._claim(job_id) is not None
    over = subprocess.Popen([sys.executable, "-c", ""])
    over.wait()
    holder = pid if is_alive else over.pid
    lease_id = f"{here if place == 'here' else '0' * 12}.{holder}.{key}"
    assert len(lease_id) <= 36
    only_job().lease_id = lease_id
    db.session.commit()
    clock.shift(timedelta(seconds=10))
    jobs.sweep()
    assert ran == (["hello"] if runs else [])


def test_a_job_that_kills_its_worker_every_time_is_given_up(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(jobs, "_ticks", {})
    add("test.note")
    job_id = only_job().id
    for _ in range(jobs.MAX_ATTEMPTS):
        assert jobs._claim(job_id) is not None  # and the worker dies
        clock.shift(jobs.LEASE + timedelta(seconds=1))
    jobs.sweep()
    job = only_job()
    assert (job.state, ran) == (JobState.DEAD, [])
    assert "died" in (job.last_error or "")


def test_a_long_job_has_a_long_lease(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(jobs._leases, "test.note", timedelta(hours=1))
    add("test.note")
    job_id = only_job().id
    assert jobs._claim(job_id) is not None
    clock.shift(timedelta(minutes=59))
    assert jobs._claim(job_id) is None


def test_a_job_cannot_be_claimed_twice() -> None:
    add("test.note")
    job_id = only_job().id
    assert jobs._claim(job_id) is not None
    assert jobs._claim(job_id) is None


def test_a_worker_that_lost_its_lease_cannot_mark_the_job(monkeypatch: pytest.MonkeyPatch) -> None:
    add("test.note")
    job_id = only_job().id

    def slow(payload: jobs.Payload) -> None:
        clock.shift(jobs.LEASE + timedelta(seconds=1))
        db.session.rollback()
        assert jobs._claim(job_id) is not None  # another worker takes over meanwhile

    monkeypatch.setitem(jobs._handlers, "test.note", slow)
    assert jobs.run_job(job_id) is False
    assert only_job().state is JobState.RUNNING


def test_two_schedulers_add_one_tick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(jobs, "_ticks", {"test.note": jobs.Tick("test.note", timedelta(hours=1))})
    jobs.add_due_ticks()
    jobs.add_due_ticks()
    assert jobs.counts()["ready"] == 1
    only_job().payload = {"text": "tick"}
    db.session.commit()
    jobs.run_due()
    jobs.add_due_ticks()
    assert jobs.counts() == {"ready": 0, "running": 0, "done": 1, "dead": 0}
    clock.shift(timedelta(hours=1))
    jobs.add_due_ticks()
    assert jobs.counts()["ready"] == 1


def test_a_job_without_a_handler_is_kept_with_the_reason() -> None:
    add("test.unknown")
    jobs.run_due()
    assert "no handler" in (only_job().last_error or "")


def test_a_waker_that_is_down_loses_nothing(run_jobs: Callable[[], int]) -> None:
    def broken(_job_id: int) -> None:
        raise ConnectionError("the queue is gone")

    before = list(jobs._waker)
    jobs.wake_with(broken)
    try:
        add("test.note")
    finally:
        jobs._waker[:] = before
    assert run_jobs() == 1


@pytest.mark.parametrize(
    ("attempt", "jitter", "seconds"),
    [(1, 0.0, 1), (1, 1.0, 3), (2, 0.5, 4), (5, 0.5, 32), (20, 0.5, 6 * 3600)],
)
def test_backoff_doubles_up_to_six_hours(attempt: int, jitter: float, seconds: int) -> None:
    assert jobs.backoff(attempt, jitter) == timedelta(seconds=seconds)
