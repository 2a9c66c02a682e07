"""A partner's measurements by day, and a metric's value on every day, by prefix sums.

Days end at midnight in UTC. Day 0 is the first one that is asked for; what is measured after one
midnight and until the next (that moment included) belongs to the day that ends there, which is
exactly what an evaluation at that midnight counts.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import cached_property
from itertools import accumulate

from marketplace.program.policy.document import How, Metric, Policy
from marketplace.program.scorecards.rules import converted, half_up, how_many, window_of

Row = tuple[int | None, ...]
# What a provisional partner must have at least one of.
CERTIFYING = ("certified_listings", "certified_people")


@dataclass(frozen=True)
class Grid:
    """Midnights, the first and the last included. `reach`: how many days before the first one a
    window may look."""

    first: datetime
    days: int
    reach: int

    @cached_property
    def moments(self) -> tuple[datetime, ...]:
        """All midnights, in order."""
        return tuple(self.moment(day) for day in range(self.days + 1))

    def moment(self, day: int) -> datetime:
        """The midnight that ends a day."""
        return self.first + timedelta(days=day)

    @property
    def last(self) -> datetime:
        """The last midnight."""
        return self.moment(self.days)


@dataclass
class Series:
    """One measure in one currency: sums by day. What lies before the grid's reach is all at the
    day -reach, where no window ever looks."""

    totals: dict[int, int] = field(default_factory=dict)
    nets: dict[int, int] = field(default_factory=dict)
    positive: set[int] = field(default_factory=set)

    def add(self, day: int, amount: int, *, stands: bool = True) -> None:
        """One measurement; `stands`: it was not taken back."""
        self.totals[day] = self.totals.get(day, 0) + amount
        if amount >= 0:
            self.nets[day] = self.nets.get(day, 0) + 1
            if amount > 0 and stands:
                self.positive.add(day)
        else:
            self.nets[day] = self.nets.get(day, 0) - 1


# By measure and currency.
PartnerSeries = Mapping[tuple[str, str], Series]


def reach_of(policies: Iterable[Policy]) -> int:
    """How far back the longest window of any of them looks."""
    windows = [window_of(metric) or 0 for policy in policies for metric in policy.metrics]
    return max(windows, default=0)


def values_by_day(
    policy: Policy, metric: Metric, series: PartnerSeries, grid: Grid
) -> Sequence[int | None]:
    """A metric's value at each midnight of the grid."""
    own = {key[1]: each for key, each in series.items() if key[0] == metric.measure}
    counted = {
        currency: each
        for currency, each in own.items()
        if converted(0, currency, policy) is not None
    }
    match metric.how:
        case How.SUM | How.LEVEL:
            return _totals(policy, metric, counted, grid)
        case How.COUNT:
            nets = _summed([each.nets for each in counted.values()], metric, grid)
            return [how_many(net) for net in nets]
        case How.AVERAGE:
            totals = _totals(policy, metric, counted, grid)
            nets = _summed([each.nets for each in counted.values()], metric, grid)
            return [
                half_up(total, net) if net > 0 else None
                for total, net in zip(totals, nets, strict=True)
            ]
        case How.AGE:
            return _ages([each.positive for each in counted.values()], grid)


def _totals(
    policy: Policy, metric: Metric, series: Mapping[str, Series], grid: Grid
) -> Sequence[int]:
    """Sums in the policy's currency: each currency is converted once for each day, as live."""
    columns = []
    for currency, each in series.items():
        column = _windowed(each.totals, metric, grid)
        if currency not in ("", policy.currency):
            column = _converted(column, currency, policy)
        columns.append(column)
    return _together(columns, grid)


def _converted(column: Sequence[int], currency: str, policy: Policy) -> Sequence[int]:
    """Each day's amount in the policy's currency; most days it is the one of the day before."""
    found: list[int] = []
    before, value = 0, 0
    for amount in column:
        if amount != before:
            before, value = amount, converted(amount, currency, policy) or 0
        found.append(value)
    return found


def _summed(series: Sequence[Mapping[int, int]], metric: Metric, grid: Grid) -> Sequence[int]:
    return _together([_windowed(each, metric, grid) for each in series], grid)


def _together(columns: Sequence[Sequence[int]], grid: Grid) -> Sequence[int]:
    if not columns:
        return [0] * (grid.days + 1)
    if len(columns) == 1:
        return columns[0]
    return [sum(each) for each in zip(*columns, strict=True)]


def _windowed(by_day: Mapping[int, int], metric: Metric, grid: Grid) -> Sequence[int]:
    """The sum of the window that ends at each midnight."""
    window = window_of(metric)
    first = -grid.reach
    amounts = [0] * (grid.reach + grid.days + 1)
    for day, amount in by_day.items():
        amounts[day - first] = amount
    upto = list(accumulate(amounts))
    now = upto[grid.reach :]
    if window is None:
        return now
    start = grid.reach - window
    return [total - before for total, before in zip(now, upto[start:], strict=False)]


def _ages(days: Sequence[set[int]], grid: Grid) -> Sequence[int | None]:
    marked = sorted(set().union(*days)) if days else []
    found: list[int | None] = []
    place, newest = 0, None
    for day in range(grid.days + 1):
        while place < len(marked) and marked[place] <= day:
            newest, place = marked[place], place + 1
        found.append(None if newest is None else day - newest)
    return found


class PartnerValues:
    """A partner's values at each midnight of a grid, made once for all policies that ask alike."""

    def __init__(self, series: PartnerSeries, grid: Grid) -> None:
        self.grid = grid
        self._series = series
        self._columns: dict[object, Sequence[int | None]] = {}
        self._tables: dict[object, list[Row]] = {}

    def table(self, policy: Policy) -> list[Row]:
        """The values of all metrics of a policy, in its order, at each midnight."""
        keys = tuple(_asks(policy, metric) for metric in policy.metrics)
        if keys not in self._tables:
            for key, metric in zip(keys, policy.metrics, strict=True):
                if key not in self._columns:
                    self._columns[key] = values_by_day(policy, metric, self._series, self.grid)
            columns = [self._columns[key] for key in keys]
            empty: list[Row] = [()] * (self.grid.days + 1)
            self._tables[keys] = list(zip(*columns, strict=True)) if columns else empty
        return self._tables[keys]

    def certified(self) -> Sequence[bool]:
        """Whether something of the partner is certified, at each midnight."""
        levels = []
        for measure in CERTIFYING:
            by_day: dict[int, int] = {}
            for (name, _currency), each in self._series.items():
                if name == measure:
                    for day, amount in each.totals.items():
                        by_day[day] = by_day.get(day, 0) + amount
            level = sum(amount for day, amount in by_day.items() if day < 0)
            own = []
            for day in range(self.grid.days + 1):
                level += by_day.get(day, 0)
                own.append(level > 0)
            levels.append(own)
        return [any(each) for each in zip(*levels, strict=True)]


def _asks(policy: Policy, metric: Metric) -> object:
    """What decides a metric's values: two metrics that ask alike have the same ones."""
    rates = tuple(sorted(policy.rates.items()))
    return (metric.measure, metric.how, window_of(metric), policy.currency, rates)
