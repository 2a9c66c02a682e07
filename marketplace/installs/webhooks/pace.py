"""How endpoints have answered of late, kept in the memory of one process."""

from collections import OrderedDict
from collections.abc import Iterable

SLOW_SECONDS = 1.0
# Keys of one endpoint that are sent at the same time; one until it was measured.
MOST_KEYS = 4
MOST_REMEMBERED = 5_000
_WEIGHT = 0.5


class Pace:
    """How fast and how well one endpoint answers.

    Suspect is what fails, is slow, or never worked: those share a part of the threads.
    """

    def __init__(self, *, is_suspect: bool) -> None:
        self.is_failing = is_suspect
        self.is_measured = False
        self._seconds = 0.0

    @property
    def is_slow(self) -> bool:
        """Whether it takes longer than SLOW_SECONDS of late."""
        return self._seconds > SLOW_SECONDS

    @property
    def is_suspect(self) -> bool:
        """Whether it may take no thread that a fine endpoint could use."""
        return self.is_failing or self.is_slow

    @property
    def most_keys(self) -> int:
        """How many of its keys may be on their way at once."""
        return MOST_KEYS if self.is_measured else 1

    def note(self, seconds: float, *, ok: bool) -> None:
        """Learn from one request."""
        self._seconds = (
            seconds if not self.is_measured else _WEIGHT * seconds + (1 - _WEIGHT) * self._seconds
        )
        self.is_measured = True
        self.is_failing = not ok

    def is_late(self, started: Iterable[float], now: float) -> bool:
        """Whether one of its requests, begun at these moments, is slow right now."""
        return any(now - at > SLOW_SECONDS for at in started)


class Paces:
    """The paces of the endpoints that this process sent to last."""

    def __init__(self) -> None:
        self._known: OrderedDict[int, Pace] = OrderedDict()

    def of(self, endpoint_id: int, *, is_suspect: bool) -> Pace:
        """The endpoint's pace; a new one begins as its record in the database says."""
        pace = self._known.pop(endpoint_id, None) or Pace(is_suspect=is_suspect)
        self._known[endpoint_id] = pace
        while len(self._known) > MOST_REMEMBERED:
            self._known.popitem(last=False)
        return pace

    def slow_ones(self, limit: int = 500) -> list[int]:
        """The endpoints that were slow, the latest first, for a query's list."""
        found = [number for number in reversed(self._known) if self._known[number].is_slow]
        return found[:limit]
