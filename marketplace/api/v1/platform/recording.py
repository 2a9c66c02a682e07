"""Remembering calls behind the requests: a buffer of this process, written once a second.

A GET so costs no write, and no request waits for the log. What is lost when a process is
killed is a second of a log, nothing that anything depends on. See docs/decisions/0015.
"""

import atexit
import logging
import os
import threading
from collections import deque
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from flask import Flask
from sqlalchemy import Connection, bindparam, insert, or_, update
from sqlalchemy.dialects.postgresql import insert as postgresql_insert
from sqlalchemy.dialects.sqlite import insert as sqlite_insert
from sqlalchemy.exc import DBAPIError, InterfaceError, OperationalError, TimeoutError

from marketplace.core.database import db
from marketplace.installs.models import (
    AccessKey,
    ApiCall,
    Environment,
    Installation,
    OAuthToken,
    ScopeUse,
)

log = logging.getLogger(__name__)

EVERY_SECONDS = 1.0
BATCH = 200
MOST_WAITING = 10_000


@dataclass(frozen=True, slots=True)
class Call:
    """A call as it is remembered. `scope` is the one that opened it, if it needed one."""

    organization_id: int
    environment: Environment
    app_id: int | None
    installation_id: int | None
    credential: str
    method: str
    path: str
    status: int
    problem: str
    duration_ms: int
    request_id: str
    created_at: datetime
    key_id: int | None = None
    token_id: int | None = None
    scope: str | None = None


class Recorder:
    """Collects calls in any thread and writes them in one of its own."""

    def __init__(self, app: Flask, *, runs: bool = True) -> None:
        """`runs`: write by itself; else only at `flush()`."""
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
        self._waiting: deque[Call] = deque()
        self._dropped = 0
        self._thread: threading.Thread | None = None
        self._stopped = False

    def add(self, call: Call) -> None:
        """Remember a call. Costs no write; the oldest goes when too many wait."""
        with self._lock:
            self._waiting.append(call)
            if len(self._waiting) > MOST_WAITING:
                self._waiting.popleft()
                self._dropped += 1
            if self._runs and self._thread is None and not self._stopped:
                self._thread = threading.Thread(target=self._run, name="api-calls", daemon=True)
                self._thread.start()
        if len(self._waiting) >= BATCH:
            self._wake.set()

    def clear(self) -> None:
        """Forget what waits."""
        with self._lock:
            self._waiting.clear()
            self._dropped = 0

    def flush(self) -> int:
        """Write all that waits; how many calls. What the database refuses for now goes on
        waiting."""
        with self._writing:
            with self._lock:
                calls = list(self._waiting)
                self._waiting.clear()
                dropped, self._dropped = self._dropped, 0
            if dropped:
                log.warning("calls of the API were not recorded", extra={"count": dropped})
            if not calls:
                return 0
            with self._app.app_context():
                return self._write(calls)

    def _write(self, calls: list[Call]) -> int:
        try:
            with db.engine.begin() as connection:
                _write_calls(connection, calls)
            return len(calls)
        except (OperationalError, InterfaceError, TimeoutError) as error:
            log.warning("calls of the API wait for the database", extra={"error": str(error)[:300]})
            self._put_back(calls)
            return 0
        except DBAPIError:
            # Something that one of them names is gone. The others are kept.
            return sum(self._write_one(call) for call in calls)

    def _write_one(self, call: Call) -> bool:
        try:
            with db.engine.begin() as connection:
                _write_calls(connection, [call])
        except DBAPIError:
            log.warning("a call of the API was not recorded", extra={"call": call.request_id})
            return False
        return True

    def _put_back(self, calls: list[Call]) -> None:
        with self._lock:
            self._waiting.extendleft(reversed(calls))
            while len(self._waiting) > MOST_WAITING:
                self._waiting.popleft()
                self._dropped += 1

    def _run(self) -> None:
        while not self._stopped:
            self._wake.wait(EVERY_SECONDS)
            self._wake.clear()
            try:
                if not self.flush() and self._waiting:
                    self._wake.clear()
            except Exception:
                log.exception("recording the API's calls failed")

    def _stop(self) -> None:
        self._stopped = True
        self._wake.set()
        if self._thread is not None:
            try:
                self.flush()
            except Exception:
                log.exception("recording the API's last calls failed")


def _write_calls(connection: Connection, calls: Iterable[Call]) -> None:
    rows: list[dict[str, Any]] = []
    tokens: dict[int, datetime] = {}
    keys: dict[int, datetime] = {}
    installations: dict[int, datetime] = {}
    scopes: dict[tuple[int, str], datetime] = {}
    for call in calls:
        rows.append({name: getattr(call, name) for name in _COLUMNS})
        at = call.created_at
        if call.token_id is not None:
            _latest(tokens, call.token_id, at)
        if call.key_id is not None:
            _latest(keys, call.key_id, at)
        if call.installation_id is not None:
            _latest(installations, call.installation_id, at)
            if call.scope is not None and call.status < 400:
                _latest(scopes, (call.installation_id, call.scope), at)
    # What others may be writing comes first and in one order: no two processes lock crosswise.
    for model, found in ((OAuthToken, tokens), (Installation, installations), (AccessKey, keys)):
        _touch(connection, model, found)
    _touch_scopes(connection, scopes)
    connection.execute(insert(ApiCall), rows)


_COLUMNS = (
    "organization_id",
    "environment",
    "app_id",
    "installation_id",
    "credential",
    "method",
    "path",
    "status",
    "problem",
    "duration_ms",
    "request_id",
    "created_at",
)


def _latest(found: dict[Any, datetime], name: Any, at: datetime) -> None:
    if name not in found or found[name] < at:
        found[name] = at


def _touch(connection: Connection, model: Any, found: dict[int, datetime]) -> None:
    if not found:
        return
    table = model.__table__
    connection.execute(
        update(table)
        .where(
            table.c.id == bindparam("row_id"),
            or_(table.c.last_used_at.is_(None), table.c.last_used_at < bindparam("at")),
        )
        .values(last_used_at=bindparam("at")),
        [{"row_id": row_id, "at": at} for row_id, at in sorted(found.items())],
    )


def _touch_scopes(connection: Connection, found: dict[tuple[int, str], datetime]) -> None:
    if not found:
        return
    make = postgresql_insert if connection.dialect.name == "postgresql" else sqlite_insert
    statement = make(ScopeUse)
    connection.execute(
        statement.on_conflict_do_update(
            index_elements=["installation_id", "scope"],
            set_={"last_used_at": statement.excluded.last_used_at},
        ),
        [
            {"installation_id": installation_id, "scope": scope, "last_used_at": at}
            for (installation_id, scope), at in sorted(found.items())
        ],
    )
