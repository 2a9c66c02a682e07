"""The success of some days in a row, as numbers for an SVG without any style."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

WIDTH, HEIGHT = 700, 100


@dataclass(frozen=True)
class DayCounts:
    """Deliveries of a time: those that arrived, and those that failed or were tried in vain."""

    arrived: int = 0
    failed: int = 0

    @property
    def total(self) -> int:
        """All that were tried."""
        return self.arrived + self.failed

    @property
    def percent(self) -> int | None:
        """How many of a hundred arrived, rounded down (99.9 is not all); None without any."""
        return None if self.total == 0 else 100 * self.arrived // self.total


@dataclass(frozen=True)
class Bar:
    """One day. Lengths are in units of the drawing; what failed stands on what arrived."""

    day: date
    counts: DayCounts
    x: float
    width: float
    y: float
    height: float
    failed_y: float
    failed_height: float


@dataclass(frozen=True)
class WeekChart:
    """All bars, and the counts of the whole time."""

    bars: tuple[Bar, ...]
    total: DayCounts
    width: int = WIDTH
    height: int = HEIGHT


def week_chart(days: Sequence[date], counts: Sequence[DayCounts]) -> WeekChart:
    """The chart of these days; the highest bar has the full height."""
    top = max((day.total for day in counts), default=0) or 1
    step = WIDTH / max(len(days), 1)
    bars = []
    for index, (day, found) in enumerate(zip(days, counts, strict=True)):
        height = round(HEIGHT * found.arrived / top, 2)
        failed_height = round(HEIGHT * found.failed / top, 2)
        bars.append(
            Bar(
                day,
                found,
                x=round(index * step + step * 0.15, 2),
                width=round(step * 0.7, 2),
                y=round(HEIGHT - height, 2),
                height=height,
                failed_y=round(HEIGHT - height - failed_height, 2),
                failed_height=failed_height,
            )
        )
    total = DayCounts(sum(day.arrived for day in counts), sum(day.failed for day in counts))
    return WeekChart(tuple(bars), total)
