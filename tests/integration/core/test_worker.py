"""The worker as a process of its own: woken by a commit, killed, started again."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from flask import Flask
from sqlalchemy import select

from marketplace.config import ROOT
from marketplace.core import jobs
from marketplace.core.database import db
from marketplace.core.jobs import Job, JobState
from marketplace.core.mail import send_mail
from marketplace.core.unit_of_work import unit_of_work
from marketplace.core.worker import open_queue, setup_worker
from tests.parts import redis_url

PATIENCE_SECONDS = 25


@contextmanager
def worker(app: Flask, redis: str = "") -> Iterator[subprocess.Popen[bytes]]:
    settings = app.extensions["portico_settings"]
    environment = {
        **os.environ,
        "PORTICO_ENV": "test",
        "SECRET_KEY": settings.secret_key,
        "DATABASE_URL": settings.database_url,
        "DATA_DIR": str(settings.data_dir),
        "PUBLIC_URL": settings.public_url,
        "MAIL_BACKEND": "file",
        "REDIS_URL": redis,
    }
    process = subprocess.Popen(
        [sys.executable, "-m", "flask", "--app", "wsgi", "jobs", "work"],
        cwd=ROOT,
        env=environment,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        yield process
    finally:
        process.send_signal(signal.SIGINT)
        try:
            process.wait(timeout=10)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def mails(app: Flask) -> list[Path]:
    folder = app.extensions["portico_settings"].data_dir / "mail"
    return list(folder.glob("*.eml")) if folder.exists() else []


def wait_for_state(state: JobState) -> Job:
    deadline = time.monotonic() + PATIENCE_SECONDS
    while time.monotonic() < deadline:
        db.session.rollback()
        job = db.session.scalars(select(Job)).first()
        if job is not None and job.state is state:
            return job
        time.sleep(0.05)
    raise AssertionError(f"no job became {state} within {PATIENCE_SECONDS} s")


def test_a_commit_wakes_the_worker(app: Flask) -> None:
    with worker(app):
        with unit_of_work():
            send_mail("ada@example.com", "Hello", "Hello Ada")
        wait_for_state(JobState.DONE)
    assert len(mails(app)) == 1


def test_a_job_left_by_a_killed_worker_is_finished_once_by_the_next(app: Flask) -> None:
    with unit_of_work():
        send_mail("ada@example.com", "Hello", "Hello Ada")
    job = db.session.scalars(select(Job)).one()
    assert jobs._claim(job.id) is not None  # a worker took it, and was killed here
    with unit_of_work():
        stuck = db.session.get(Job, job.id)
        assert stuck is not None
        assert stuck.lease_until is not None
        stuck.lease_until -= jobs.LEASE * 2
    assert jobs.run_due() == 1
    assert jobs.run_due() == 0
    assert len(mails(app)) == 1


def test_redis_wakes_the_worker_and_its_loss_loses_nothing(app: Flask) -> None:
    url = redis_url()
    settings = app.extensions["portico_settings"]
    setup_worker(app, open_queue(settings.data_dir, url))
    try:
        app.extensions["portico_queue"].flush()
        with worker(app, url):
            with unit_of_work():
                send_mail("ada@example.com", "Hello", "Hello Ada")
            wait_for_state(JobState.DONE)
        setup_worker(app, open_queue(settings.data_dir, "redis://127.0.0.1:1/0"))
        with unit_of_work():
            send_mail("bo@example.com", "Hello", "Hello Bo")
        # By its id: a tick of the worker that was just stopped may be due as well.
        mail_id = db.session.scalars(
            select(Job.id).where(Job.state == JobState.READY, Job.kind == "mail.send")
        ).one()
        db.session.rollback()
        assert jobs.run_job(mail_id) is True
    finally:
        setup_worker(app, open_queue(settings.data_dir, None))
    assert len(mails(app)) == 2


@pytest.mark.parametrize("signal_name", ["SIGINT", "SIGTERM"])
def test_the_worker_stops_when_it_is_told_to(app: Flask, signal_name: str) -> None:
    with worker(app) as process:
        time.sleep(1.5)
        process.send_signal(getattr(signal, signal_name))
        assert process.wait(timeout=10) is not None
