"""Months as 2026-11, in UTC. Pure."""

import re
from datetime import UTC, datetime

_CODE = re.compile(r"(20\d\d)-(0[1-9]|1[0-2])")


def month_of(at: datetime) -> str:
    """The month of a moment."""
    return f"{at.astimezone(UTC):%Y-%m}"


def parse_month(text: str) -> str | None:
    """A month that was typed, or None."""
    found = _CODE.fullmatch(text.strip())
    return found[0] if found else None


def begins(month: str) -> datetime:
    """The first moment of a month."""
    year, number = month.split("-")
    return datetime(int(year), int(number), 1, tzinfo=UTC)


def following(month: str, by: int = 1) -> str:
    """The month so many months later."""
    year, number = (int(part) for part in month.split("-"))
    place = year * 12 + number - 1 + by
    return f"{place // 12}-{place % 12 + 1:02}"


def ends(month: str) -> datetime:
    """The first moment after a month."""
    return begins(following(month))


def between(first: str, last: str) -> list[str]:
    """The months from one to another, both included; none when the first is later."""
    found = []
    while first <= last:
        found.append(first)
        first = following(first)
    return found
