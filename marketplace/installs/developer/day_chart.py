"""Installs (upwards) and removals (downwards) by day, as numbers for an SVG without any style."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta

WIDTH, HEIGHT = 720, 160


@dataclass(frozen=True)
class DayBar:
    """One day. Lengths are in units of the drawing, y from its top."""

    day: date
    installs: int
    removals: int
    x: float
    width: float
    up_y: float
    up_height: float
    down_height: float


@dataclass(frozen=True)
class DayChart:
    """All days in order, the height of the line that both begin at, and the sums."""

    bars: tuple[DayBar, ...]
    axis_y: float
    installs: int
    removals: int
    most: int
    width: int = WIDTH
    height: int = HEIGHT

    @property
    def is_empty(self) -> bool:
        return not self.installs and not self.removals


def day_chart(counts: Mapping[date, tuple[int, int]], last: date, days: int = 28) -> DayChart:
    """The chart of the `days` up to and with `last`, from (installs, removals) by day."""
    all_days = [last - timedelta(days=days - 1 - number) for number in range(days)]
    values = [counts.get(day, (0, 0)) for day in all_days]
    most_up = max(up for up, _ in values)
    most_down = max(down for _, down in values)
    scale = HEIGHT / max(most_up + most_down, 1)
    axis = most_up * scale if most_up + most_down else HEIGHT
    step = WIDTH / days
    bars = tuple(
        DayBar(
            day,
            up,
            down,
            round(number * step + step * 0.12, 2),
            round(step * 0.76, 2),
            round(axis - up * scale, 2),
            round(up * scale, 2),
            round(down * scale, 2),
        )
        for number, (day, (up, down)) in enumerate(zip(all_days, values, strict=True))
    )
    return DayChart(
        bars,
        round(axis, 2),
        sum(up for up, _ in values),
        sum(down for _, down in values),
        max(most_up, most_down),
    )
