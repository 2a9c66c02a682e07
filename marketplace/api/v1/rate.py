"""How many requests an anonymous client has.

A sliding window of two counters: what was used in the window before counts less and less while
this one goes on. In Redis when there is one, shared by all processes; else in this process,
where it costs microseconds (the storage that comes with the limits package starts a thread
for each request). When Redis does not answer, the process counts for itself.
"""

import logging
import math
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass

from limits import RateLimitItem, parse
from limits.errors import StorageError
from limits.storage import storage_from_string
from limits.strategies import SlidingWindowCounterRateLimiter

log = logging.getLogger(__name__)

MAX_CLIENTS = 20_000
_EPSILON = 1e-6
"""What adding up fractions may lose: whoever waits exactly as told must be let through."""


@dataclass(frozen=True, slots=True)
class Allowance:
    """What a client has. `wait` seconds from now there is more: a refused request that is sent
    again then is let through, if nothing else was sent meanwhile."""

    allowed: bool
    limit: int
    window: int
    remaining: int
    wait: int


class ProcessWindow:
    """Sliding windows in this process. Safe in any thread."""

    def __init__(self, limit: int, window: int, now: Callable[[], float] = time.monotonic) -> None:
        """`limit` requests in each `window` of so many seconds."""
        self._limit, self._window, self._now = limit, window, now
        self._lock = threading.Lock()
        # client: (number of the window, used in it, used in the one before)
        self._clients: dict[str, tuple[int, int, int]] = {}

    def hit(self, client: str) -> Allowance:
        """Count a request of `client`, unless it has none left."""
        number, elapsed = divmod(self._now(), self._window)
        share = elapsed / self._window
        window = int(number)
        with self._lock:
            known, used, before = self._clients.get(client, (window, 0, 0))
            if known == window - 1:
                used, before = 0, used
            elif known != window:
                used = before = 0
            free = self._limit - used - before * (1 - share)
            allowed = free >= 1 - _EPSILON
            if allowed:
                used += 1
                free -= 1
            self._clients[client] = (window, used, before)
            if len(self._clients) > MAX_CLIENTS:
                self._forget(window)
        wait = self._wait(used, before, share)
        left = max(0, int(free + _EPSILON))
        return Allowance(allowed, self._limit, self._window, left, wait)

    def _wait(self, used: int, before: int, share: float) -> int:
        """Seconds until one more request is free."""
        rest = self._window * (1 - share)
        if used < self._limit and before:
            # The window before must fade to what leaves room for one.
            needed = 1 - (self._limit - used - 1) / before
            if needed <= 1:
                return max(1, math.ceil((needed - share) * self._window))
        fade = max(0.0, 1 - (self._limit - 1) / used) if used else 0.0
        return max(1, math.ceil(rest + fade * self._window))

    def _forget(self, window: int) -> None:
        """Drop clients of long ago; all of them when there are too many of late."""
        self._clients = {
            client: counts for client, counts in self._clients.items() if counts[0] >= window - 1
        }
        if len(self._clients) > MAX_CLIENTS:
            self._clients.clear()


class RateLimit:
    """The limit of a setting such as `120 per minute`."""

    def __init__(self, setting: str, redis_url: str | None = None) -> None:
        """Raises ValueError when the setting cannot be read."""
        self._item: RateLimitItem = parse(setting)
        self._process = ProcessWindow(self._item.amount, self._item.get_expiry())
        self._shared: SlidingWindowCounterRateLimiter | None = None
        if redis_url:
            storage = storage_from_string(
                redis_url,
                wrap_exceptions=True,
                socket_connect_timeout=1,
                socket_timeout=1,
            )
            self._shared = SlidingWindowCounterRateLimiter(storage)

    def hit(self, client: str) -> Allowance:
        """Count a request of `client`, unless it has none left."""
        if self._shared is not None:
            try:
                return self._hit_shared(self._shared, client)
            except StorageError as error:
                log.warning("Redis does not count requests", extra={"error": str(error)})
        return self._process.hit(client)

    def _hit_shared(self, shared: SlidingWindowCounterRateLimiter, client: str) -> Allowance:
        allowed = shared.hit(self._item, "api.v1", client)
        stats = shared.get_window_stats(self._item, "api.v1", client)
        window = self._item.get_expiry()
        wait = min(max(1, math.ceil(stats.reset_time - time.time())), window)
        return Allowance(allowed, self._item.amount, window, stats.remaining, wait)
