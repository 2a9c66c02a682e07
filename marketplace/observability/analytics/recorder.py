"""Remembering what was seen behind the requests: a buffer of this process, written every few
seconds.

A page so costs no write and no query more. What is lost when a process is killed is some seconds
of counts; the oldest go when more wait than may. Nothing else depends on them.
"""

import atexit
import logging
import os
import threading
from collections import deque
from collections.abc import Iterable

from flask import Flask, current_app
from prometheus_client import Counter
from sqlalchemy.exc import DBAPIError, SQLAlchemyError

from marketplace.core.database import db
from marketplace.core.metrics import REGISTRY
from marketplace.observability.analytics.storing import Seen, store

log = logging.getLogger(__name__)

EVERY_SECONDS = 3.0
BATCH = 500
MOST_WAITING = 20_000
EXTENSION = "portico_exposure"
LOST = Counter(
    "portico_exposure_lost_total", "Sightings of listings that were not counted", registry=REGISTRY
)


class ExposureRecorder:
    """Collects sightings in any thread and counts them in one of its own."""

    def __init__(self, app: Flask, *, runs: bool = True) -> None:
        """`runs`: count by itself; else only at `flush()`."""
        self._app = app
        self._runs = runs
        self._reset()
        os.register_at_fork(after_in_child=self._reset)
        if runs:
            atexit.register(self._stop)

    def _reset(self) -> None:
        # A child of a fork has none of its parent's threads; what waited is the parent's.
        self._lock = threading.Lock()
        self._writing = threading.Lock()
        self._wake = threading.Event()
        self._waiting: deque[Seen] = deque()
        self._thread: threading.Thread | None = None
        self._stopped = False

    def add(self, seen: Iterable[Seen]) -> None:
        """Remember sightings. Asks and writes nothing."""
        with self._lock:
            self._waiting.extend(seen)
            while len(self._waiting) > MOST_WAITING:
                self._waiting.popleft()
                LOST.inc()
            if self._runs and self._thread is None and not self._stopped:
                self._thread = threading.Thread(target=self._run, name="exposure", daemon=True)
                self._thread.start()
            full = len(self._waiting) >= BATCH
        if full:
            self._wake.set()

    def clear(self) -> None:
        """Forget what waits."""
        with self._lock:
            self._waiting.clear()

    def flush(self) -> int:
        """Count all that waits; how many were new. What the database refuses is tried once more
        by itself, and then lost."""
        with self._writing:
            with self._lock:
                seen = list(self._waiting)
                self._waiting.clear()
            if not seen:
                return 0
            with self._app.app_context():
                try:
                    return _write(seen)
                except DBAPIError as error:
                    log.warning("sightings wait", extra={"error": str(error)[:300]})
                try:
                    return _write(seen)
                except SQLAlchemyError as error:
                    LOST.inc(len(seen))
                    log.warning("sightings were not counted", extra={"error": str(error)[:300]})
                    return 0

    def _run(self) -> None:
        while not self._stopped:
            self._wake.wait(EVERY_SECONDS)
            self._wake.clear()
            try:
                self.flush()
            except Exception:
                log.exception("counting sightings failed")

    def _stop(self) -> None:
        self._stopped = True
        self._wake.set()
        if self._thread is not None:
            try:
                self.flush()
            except Exception:
                log.exception("counting the last sightings failed")


def _write(seen: list[Seen]) -> int:
    with db.engine.begin() as connection:
        return store(connection, seen)


def setup_exposure(app: Flask, *, runs: bool) -> None:
    """Give the application its recorder."""
    app.extensions[EXTENSION] = ExposureRecorder(app, runs=runs)


def recorder() -> ExposureRecorder:
    """The recorder of this application."""
    found: ExposureRecorder = current_app.extensions[EXTENSION]
    return found
