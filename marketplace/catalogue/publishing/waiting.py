"""How long a review takes: ages, positions and the median wait. Pure."""

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from statistics import median

WINDOW = timedelta(days=90)


def median_wait(decided: Iterable[tuple[datetime, datetime]], *, at: datetime) -> timedelta | None:
    """The median of `decided - submitted` over the decisions of the 90 days before `at`.

    `decided` are pairs (submitted, decided). None when nothing was decided in that time.
    """
    waits = [
        (end - start).total_seconds()
        for start, end in decided
        if at - WINDOW <= end <= at and end >= start
    ]
    return timedelta(seconds=median(waits)) if waits else None


def queue_position(submitted_at: datetime, others: Sequence[datetime]) -> int:
    """The place in the queue, from 1: how many of `others` were submitted earlier, plus one."""
    return 1 + sum(1 for other in others if other < submitted_at)


def wait_text(wait: timedelta | None) -> str:
    """A wait as people say it: "under an hour", "5 hours", "2 days"; a dash without one."""
    if wait is None:
        return "–"
    hours = wait.total_seconds() / 3600
    if hours < 1:
        return "under an hour"
    if hours < 36:
        count = round(hours)
        return f"{count} hour{'s' if count != 1 else ''}"
    count = round(hours / 24)
    return f"{count} day{'s' if count != 1 else ''}"
