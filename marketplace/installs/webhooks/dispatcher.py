"""Sends what is due: leases endpoints, and lets a pool of threads work on their keys in turn.

One thread (whoever calls `run`) decides, the pool sends. The unit of work is one delivery, so that
no endpoint, however much waits for it, keeps others waiting; several keys of one endpoint go in
parallel. Endpoints that are slow or fail share half of the pool (pace.py).
"""

import logging
import queue as thread_queue
import threading
import time
from collections import deque
from dataclasses import dataclass, field

from flask import Flask

from marketplace.core.database import db
from marketplace.core.unit_of_work import unit_of_work
from marketplace.installs.webhooks import leases, queue
from marketplace.installs.webhooks.delivery import Step, deliver_head
from marketplace.installs.webhooks.pace import MOST_KEYS, Pace, Paces

log = logging.getLogger(__name__)

THREADS = 16
POLL_SECONDS = 0.5
# After this long an endpoint is let go, so that another process may have it.
HOLD_SECONDS = 20.0
RENEW_SECONDS = 5.0
# After an error of ours, as of a database that is away, the scheduler goes on after this long.
ERROR_PAUSE_SECONDS = 1.0
# Endpoints that one process holds at a time; half of them may be slow or failing.
MOST_HELD = 64
KEYS_AT_ONCE = 64
STOP_SECONDS = 3.0
_STOP = None


@dataclass
class _Held:
    """An endpoint whose lease this process has."""

    endpoint_id: int
    lease_id: str
    pace: Pace
    since: float
    renewed: float
    waiting: deque[str] = field(default_factory=deque)
    # Keys on their way, and since when.
    flying: dict[str, float] = field(default_factory=dict)
    # Whether the database may know of more keys than `waiting`.
    may_have_more: bool = True
    # The lease was lost, or an error of ours could not even be noted: left alone for a while.
    is_broken: bool = False


@dataclass(frozen=True)
class _Task:
    held: _Held
    key: str


@dataclass(frozen=True)
class _Done:
    task: _Task
    step: Step | None
    seconds: float
    # After an error of ours (not of the partner's): the key was set back, the others go on.
    is_set_back: bool = False


class Dispatcher:
    """A scheduler and its pool of threads."""

    def __init__(self, app: Flask, *, threads: int = THREADS) -> None:
        self._app = app
        self._size = threads
        self._tasks: thread_queue.SimpleQueue[_Task | None] = thread_queue.SimpleQueue()
        self._done: thread_queue.SimpleQueue[_Done] = thread_queue.SimpleQueue()
        self._held: dict[int, _Held] = {}
        self._turns: deque[int] = deque()
        self._paces = Paces()
        self._flying = 0
        self._polled = float("-inf")
        self._others_wait = False
        self._sent = 0

    def run(self, stop: threading.Event) -> None:
        """Send what becomes due until `stop` is set; then leave within seconds."""
        self._start()
        try:
            while not stop.is_set():
                try:
                    self._turn()
                except Exception as error:
                    # What is on its way goes on, and so does everything else once it can.
                    log.warning("the webhooks' scheduler broke off a turn", exc_info=error)
                    stop.wait(ERROR_PAUSE_SECONDS)
                self._wait(POLL_SECONDS)
        finally:
            self._finish()

    def run_due(self) -> int:
        """Send everything that is due now, then stop; how many requests were made."""
        self._start()
        try:
            while True:
                self._turn(poll=not self._flying)
                if not self._flying and not self._held:
                    return self._sent
                self._wait(POLL_SECONDS)
        finally:
            self._finish()

    def _start(self) -> None:
        # Daemons: a request that hangs must not keep a worker that is told to stop. What it was
        # sending is sent again.
        for number in range(self._size):
            threading.Thread(
                target=self._work, name=f"portico-webhook-{number}", daemon=True
            ).start()

    def _finish(self) -> None:
        until = time.monotonic() + STOP_SECONDS
        while self._flying and (left := until - time.monotonic()) > 0:
            self._wait(left)
        for _number in range(self._size):
            self._tasks.put(_STOP)
        with self._app.app_context():
            for held in list(self._held.values()):
                if not held.flying:
                    self._let_go(held)
            db.session.remove()

    def _work(self) -> None:
        while (task := self._tasks.get()) is not _STOP:
            started = time.monotonic()
            step: Step | None = None
            is_set_back = False
            try:
                with self._app.app_context():
                    try:
                        step = deliver_head(task.held.endpoint_id, task.key, task.held.lease_id)
                    finally:
                        db.session.remove()
            except BaseException as error:  # a thread that ends would be missed for good
                log.warning(
                    "a webhook delivery broke",
                    extra={"endpoint_id": task.held.endpoint_id},
                    exc_info=error,
                )
                is_set_back = self._set_back(task)
            self._done.put(_Done(task, step, time.monotonic() - started, is_set_back))

    def _set_back(self, task: _Task) -> bool:
        """Leave the key for later, so that what broke is not repeated at once; whether it is so."""
        try:
            with self._app.app_context():
                try:
                    with unit_of_work():
                        queue.set_back(task.held.endpoint_id, task.key)
                finally:
                    db.session.remove()
        except BaseException:  # noqa: BLE001 - as above; it was logged
            return False
        return True

    def _wait(self, seconds: float) -> None:
        """Until a request ended, but no longer than `seconds`; takes in all that ended."""
        try:
            self._take_in(self._done.get(timeout=seconds))
            while True:
                self._take_in(self._done.get_nowait())
        except thread_queue.Empty:
            return

    def _take_in(self, done: _Done) -> None:
        held, key, step = done.task.held, done.task.key, done.step
        held.flying.pop(key, None)
        self._flying -= 1
        if step is None:
            held.is_broken |= not done.is_set_back
            return
        if step.sent:
            self._sent += 1
            held.pace.note(done.seconds, ok=step.delivered)
        held.is_broken |= step.is_lost
        if step.has_next:
            held.waiting.append(key)

    def _turn(self, *, poll: bool = False) -> None:
        now = time.monotonic()
        with self._app.app_context():
            try:
                has_room = self._others_wait and len(self._held) <= MOST_HELD // 2
                if poll or has_room or now - self._polled >= POLL_SECONDS:
                    self._polled = now
                    self._poll(now)
                self._fill_pool(now)
            finally:
                db.session.remove()

    def _poll(self, now: float) -> None:
        for held in list(self._held.values()):
            held.may_have_more = True
            if held.flying and now - held.renewed >= RENEW_SECONDS:
                held.is_broken |= not leases.renew(held.endpoint_id, held.lease_id)
                held.renewed = now
            if not held.flying and (held.is_broken or now - held.since >= HOLD_SECONDS):
                self._let_go(held)
        self._others_wait = False
        held_suspects = sum(held.pace.is_suspect for held in self._held.values())
        for suspects, room in (
            (False, MOST_HELD - len(self._held)),
            (True, MOST_HELD // 2 - held_suspects),
        ):
            if room > 0:
                self._take(now, room, suspects=suspects)

    def _take(self, now: float, room: int, *, suspects: bool) -> None:
        found = queue.due_endpoints(
            room, slow=self._paces.slow_ones(), suspects=suspects, but=list(self._held)
        )
        db.session.rollback()
        if not suspects:
            self._others_wait = len(found) == room
        for candidate in found:
            lease_id = leases.take(candidate.endpoint_id)
            if lease_id is None:
                continue
            pace = self._paces.of(
                candidate.endpoint_id,
                is_suspect=candidate.is_failing or not candidate.has_history,
            )
            held = _Held(candidate.endpoint_id, lease_id, pace, since=now, renewed=now)
            self._held[candidate.endpoint_id] = held
            self._turns.append(candidate.endpoint_id)

    def _let_go(self, held: _Held) -> None:
        del self._held[held.endpoint_id]
        self._turns.remove(held.endpoint_id)
        # A broken one keeps its lease until that ends, so that nothing is repeated at once.
        if not held.is_broken:
            leases.release(held.endpoint_id, held.lease_id)

    def _fill_pool(self, now: float) -> None:
        """Give free threads one key of each endpoint in turn, until nobody may have another."""
        passed = 0
        while self._flying < self._size and self._turns and passed < len(self._turns):
            endpoint_id = self._turns[0]
            self._turns.rotate(-1)
            if self._send_one(self._held[endpoint_id], now):
                passed = 0
            else:
                passed += 1
        for held in list(self._held.values()):
            if not held.flying and not held.waiting and not held.may_have_more:
                self._let_go(held)

    def _send_one(self, held: _Held, now: float) -> bool:
        if held.is_broken or now - held.since >= HOLD_SECONDS:
            return False
        if len(held.flying) >= held.pace.most_keys:
            return False
        if self._is_suspect(held, now) and self._suspect_flying(now) >= max(1, self._size // 2):
            return False
        key = self._next_key(held)
        if key is None:
            return False
        held.flying[key] = now
        self._flying += 1
        self._tasks.put(_Task(held, key))
        return True

    def _next_key(self, held: _Held) -> str | None:
        if not held.waiting and held.may_have_more:
            keys = queue.due_keys(held.endpoint_id, KEYS_AT_ONCE + MOST_KEYS)
            db.session.rollback()
            held.waiting.extend(key for key in keys if key not in held.flying)
            held.may_have_more = len(keys) == KEYS_AT_ONCE + MOST_KEYS
        while held.waiting:
            key = held.waiting.popleft()
            if key not in held.flying:
                return key
        return None

    def _is_suspect(self, held: _Held, now: float) -> bool:
        return held.pace.is_suspect or held.pace.is_late(held.flying.values(), now)

    def _suspect_flying(self, now: float) -> int:
        return sum(len(held.flying) for held in self._held.values() if self._is_suspect(held, now))


def deliver_due(app: Flask, *, threads: int = THREADS) -> int:
    """Send everything that is due now; how many requests were made."""
    return Dispatcher(app, threads=threads).run_due()


def run_until_stopped(app: Flask, stop: threading.Event) -> None:
    """What runs beside the worker's consumer."""
    Dispatcher(app).run(stop)
