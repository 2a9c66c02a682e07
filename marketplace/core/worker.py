"""Huey: wakes a worker when a job is committed, and ticks. The job table stays the truth.

SqliteHuey in the data folder by default; RedisHuey with REDIS_URL. A task that Huey loses, or
a queue that is gone, delays a job until the next sweep and loses nothing.
"""

import logging
from pathlib import Path
from typing import Any

from flask import Flask
from huey import RedisHuey, SqliteHuey, crontab
from huey.api import Huey
from huey.consumer import Consumer
from redis import ConnectionPool

from marketplace.core.database import db
from marketplace.core.jobs import run_job, sweep, wake_with

log = logging.getLogger(__name__)
SWEEP_EVERY_SECONDS = 10


def open_queue(data_dir: Path, redis_url: str | None) -> Huey:
    """The queue of this installation."""
    if redis_url:
        pool = ConnectionPool.from_url(redis_url, socket_timeout=5, socket_connect_timeout=2)
        return RedisHuey("portico", connection_pool=pool, immediate=False)
    data_dir.mkdir(parents=True, exist_ok=True)
    return SqliteHuey("portico", filename=str(data_dir / "queue.db"), timeout=5, immediate=False)


def setup_worker(app: Flask, queue: Huey) -> None:
    """Register the two tasks on `queue`, and let commits wake it."""

    @queue.task(name="portico_run_job")  # type: ignore[untyped-decorator]  # huey has no types
    def run(job_id: int) -> None:
        with app.app_context():
            try:
                run_job(job_id)
            finally:
                db.session.remove()

    @queue.periodic_task(crontab(minute="*"), name="portico_sweep")  # type: ignore[untyped-decorator]  # huey has no types
    def sweep_each_minute() -> None:
        with app.app_context():
            try:
                sweep()
            finally:
                db.session.remove()

    wake_with(lambda job_id: _enqueue(run, job_id))
    app.extensions["portico_queue"] = queue


def _enqueue(task: Any, job_id: int) -> None:
    task(job_id)


def build_consumer(app: Flask, *, threads: int = 2, signals: bool = True) -> Consumer:
    """A consumer over the application's queue. Off the main thread set `signals` to False."""
    queue: Huey = app.extensions["portico_queue"]
    consumer = queue.create_consumer(
        workers=threads, worker_type="thread", initial_delay=0.05, max_delay=0.5, backoff=1.3
    )
    if not signals:
        consumer._set_signal_handlers = lambda: None
    return consumer
