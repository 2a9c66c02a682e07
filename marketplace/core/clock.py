"""The time, in UTC, in one place, so that a test or the demo can move it."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

_offset = timedelta(0)
_frozen_at: datetime | None = None


def now() -> datetime:
    """The current time as an aware UTC datetime, moved by `shift` or held by `frozen`."""
    if _frozen_at is not None:
        return _frozen_at
    return datetime.now(UTC) + _offset


def zone_of(name: str) -> ZoneInfo:
    """The time zone of that name, such as a person's; UTC for a name that there is not."""
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        return ZoneInfo("UTC")


def today_in(zone: str) -> date:
    """The day that it is now where a person is, by the name of their time zone."""
    return now().astimezone(zone_of(zone)).date()


def shift(by: timedelta) -> None:
    """Move the clock of this process by `by`, on top of earlier shifts."""
    global _offset, _frozen_at
    if _frozen_at is not None:
        _frozen_at += by
    else:
        _offset += by


def unshift() -> None:
    """Take all shifts back."""
    global _offset
    _offset = timedelta(0)


@contextmanager
def frozen(at: datetime) -> Iterator[None]:
    """Hold the clock at `at` (aware, any zone) within the block."""
    global _frozen_at
    if at.tzinfo is None:
        raise ValueError("the clock takes aware datetimes only")
    before = _frozen_at
    _frozen_at = at.astimezone(UTC)
    try:
        yield
    finally:
        _frozen_at = before
