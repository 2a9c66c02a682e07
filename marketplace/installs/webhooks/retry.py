"""When a delivery that failed is tried again, decided purely."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from email.utils import parsedate_to_datetime

# The wait after the first failure, the second, and so on: about three days in all.
SCHEDULE = (
    timedelta(seconds=5),
    timedelta(minutes=5),
    timedelta(minutes=30),
    timedelta(hours=2),
    timedelta(hours=5),
    timedelta(hours=10),
    timedelta(hours=14),
    timedelta(hours=18),
    timedelta(hours=22),
)
MAX_TRIES = len(SCHEDULE) + 1
JITTER = 0.1
LONGEST_RETRY_AFTER = timedelta(hours=1)
# How long an endpoint fails without a success before it is warned of, and before it is disabled.
# The schedule's shortest sum is below three days: the last try of its first event counts.
WARN_AFTER = timedelta(hours=24)
DISABLE_AFTER = timedelta(hours=64)
GONE = 410
_ASKS_FOR_PATIENCE = frozenset({429, 503})


@dataclass(frozen=True)
class Verdict:
    """What an answer means. `wait` is None when it was delivered or no try is left."""

    delivered: bool
    wait: timedelta | None = None
    disable: bool = False


def judge(
    status: int | None,
    *,
    tries: int,
    jitter: float,
    retry_after: timedelta | None = None,
) -> Verdict:
    """What follows from try number `tries` (from 1) answered by `status`, None without an answer.

    `jitter` is within -1..1. `retry_after` is what the answer asked for.
    """
    if status is not None and 200 <= status < 300:
        return Verdict(delivered=True)
    if status == GONE:
        return Verdict(delivered=False, disable=True)
    if tries >= MAX_TRIES:
        return Verdict(delivered=False)
    wait = SCHEDULE[tries - 1] * (1 + JITTER * jitter)
    if status in _ASKS_FOR_PATIENCE and retry_after is not None:
        wait = max(wait, min(retry_after, LONGEST_RETRY_AFTER))
    return Verdict(delivered=False, wait=wait)


def parse_retry_after(value: str | None, *, at: datetime) -> timedelta | None:
    """The wait that a Retry-After header asks for (RFC 9110: seconds or a date), never negative."""
    if not value:
        return None
    value = value.strip()
    if value.isascii() and value.isdigit():
        return timedelta(seconds=int(value[:9]))
    try:
        moment = parsedate_to_datetime(value)
    except ValueError:
        return None
    if moment.tzinfo is None:
        return None
    return max(moment - at, timedelta(0))


def must_warn(failing_since: datetime | None, warned_at: datetime | None, *, at: datetime) -> bool:
    """Whether its people are to be told that an endpoint has failed for a day."""
    return failing_since is not None and warned_at is None and at - failing_since >= WARN_AFTER


def must_disable(failing_since: datetime | None, *, at: datetime) -> bool:
    """Whether an endpoint of which a delivery used up its tries is to be disabled."""
    return failing_since is not None and at - failing_since >= DISABLE_AFTER
