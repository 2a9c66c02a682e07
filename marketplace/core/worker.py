"""Huey: wakes a worker when a job is committed, and ticks. The job table stays the truth.

SqliteHuey in the data folder by default; RedisHuey with REDIS_URL. A task that Huey loses, or
a queue that is gone, delays a job until the next sweep and loses nothing. Domains that have a
queue of their own run beside the consumer, in the same process.
"""

import logging
import threading
from collections.abc import Callable
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
# A companion that broke is started again after this long.
COMPANION_PAUSE_SECONDS = 5
COMPANION_STOP_SECONDS = 5

# Runs until the event is set, and then returns within seconds.
Companion = Callable[[Flask, threading.Event], None]
_companions: list[Companion] = []


def run_beside_worker(*companions: Companion) -> None:
    """Have each of these run in a thread of its own while a worker works."""
    _companions[:] = companions


def work(app: Flask, *, threads: int = 2) -> None:
    """Run jobs as they come, and what runs beside them, until a signal stops the consumer."""
    stop = threading.Event()
    beside = [
        threading.Thread(target=_accompany, args=(app, companion, stop), daemon=True)
        for companion in _companions
    ]
    for thread in beside:
        thread.start()
    try:
        build_consumer(app, threads=threads).run()
    finally:
        stop.set()
        for thread in beside:
            thread.join(COMPANION_STOP_SECONDS)


def _accompany(app: Flask, companion: Companion, stop: threading.Event) -> None:
    while not stop.is_set():
        try:
            companion(app, stop)
        except Exception as error:
            # The database may be away for a moment; the worker goes on.
            log.warning("a companion of the worker broke", exc_info=error)
        stop.wait(COMPANION_PAUSE_SECONDS)


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
