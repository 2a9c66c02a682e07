"""The bars of the search log's chart, as numbers for an SVG without any style."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta

WIDTH = 720
HEIGHT = 180
MOST_BARS = 62


@dataclass(frozen=True)
class Bar:
    """The searches of one day or of some days in a row. Lengths are in units of the drawing."""

    first: date
    last: date
    searches: int
    zero_results: int
    x: float
    width: float
    y: float
    height: float
    zero_y: float
    zero_height: float


@dataclass(frozen=True)
class Chart:
    """All bars, the greatest value of the scale, and how many days a bar stands for."""

    bars: tuple[Bar, ...]
    top: int
    days_each: int
    width: int = WIDTH
    height: int = HEIGHT
    base: int = HEIGHT


def chart(counts: Mapping[date, tuple[int, int]], first: date, last: date) -> Chart:
    """The chart of (searches, zero results) by day, days without any included.

    Longer ranges join days, so that there are never more than MOST_BARS bars.
    """
    days = (last - first).days + 1
    each = -(-days // MOST_BARS)
    groups: list[tuple[date, date, int, int]] = []
    for offset in range(0, days, each):
        begin = first + timedelta(days=offset)
        end = min(begin + timedelta(days=each - 1), last)
        inside = [
            counts.get(begin + timedelta(days=n), (0, 0)) for n in range((end - begin).days + 1)
        ]
        groups.append((begin, end, sum(a for a, _ in inside), sum(b for _, b in inside)))
    top = _round_up(max((searches for _, _, searches, _ in groups), default=0))
    base, step = HEIGHT, WIDTH / len(groups)
    bars = []
    for index, (begin, end, searches, zero) in enumerate(groups):
        height = base * searches / top
        zero_height = base * min(zero, searches) / top
        bars.append(
            Bar(
                begin,
                end,
                searches,
                zero,
                round(index * step + step * 0.1, 2),
                round(step * 0.8, 2),
                round(base - height, 2),
                round(height, 2),
                round(base - zero_height, 2),
                round(zero_height, 2),
            )
        )
    return Chart(tuple(bars), top, each)


def _round_up(value: int) -> int:
    """The next of 1, 2, 2.5, 3, 4, 5, 6, 8 times a power of ten not below `value`; at least 1."""
    size = 1
    while True:
        for tenths in (10, 20, 25, 30, 40, 50, 60, 80):
            top = tenths * size // 10
            if top >= value and tenths * size % 10 == 0:
                return top
        size *= 10
