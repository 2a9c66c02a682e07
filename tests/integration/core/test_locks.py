"""Holding a row."""

import threading

import pytest
from flask import Flask

from marketplace.core import clock
from marketplace.core.database import db
from marketplace.core.jobs import Job, JobState
from marketplace.core.locks import lock_row
from marketplace.core.unit_of_work import unit_of_work

pytestmark = pytest.mark.timeout(30)


def make_job() -> int:
    job = Job(kind="x", run_at=clock.now(), created_at=clock.now())
    db.session.add(job)
    db.session.commit()
    return job.id


def test_a_row_that_is_not_there_is_none(app: Flask) -> None:
    assert lock_row(Job, Job.id == 1) is None


def test_who_comes_second_sees_what_the_first_decided(app: Flask) -> None:
    job_id = make_job()
    decided: list[str] = []
    holds, may_go = threading.Event(), threading.Event()

    def first() -> None:
        with app.app_context(), unit_of_work():
            job = lock_row(Job, Job.id == job_id)
            assert job is not None
            holds.set()
            may_go.wait(10)
            job.state = JobState.DONE

    def second() -> None:
        with app.app_context(), unit_of_work():
            job = lock_row(Job, Job.id == job_id)
            assert job is not None
            decided.append(job.state.value)

    one = threading.Thread(target=first)
    one.start()
    assert holds.wait(10)
    two = threading.Thread(target=second)
    two.start()
    two.join(0.3)
    assert decided == []
    may_go.set()
    one.join()
    two.join()
    assert decided == ["done"]


def test_what_was_read_before_is_read_anew(app: Flask) -> None:
    job_id = make_job()
    seen = db.session.get_one(Job, job_id)
    assert seen.state is JobState.READY
    db.session.rollback()
    with app.app_context(), unit_of_work():
        db.session.get_one(Job, job_id).state = JobState.DEAD
    job = lock_row(Job, Job.id == job_id)
    assert job is seen
    assert job.state is JobState.DEAD
