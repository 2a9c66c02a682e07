"""What a partner's metrics came to since a moment: in a plan's year, or on a track."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import case, func, select

from marketplace.core.database import db
from marketplace.program.measures import Measurement, stands
from marketplace.program.policy.document import Metric, Policy, Unit
from marketplace.program.scorecards.rules import Tally, value_of, window_of


@dataclass(frozen=True)
class Progress:
    """A figure against its target, in the metric's unit. `share`: percent of the way from `start`
    to the target, 0 to 100; None without a value."""

    metric: str
    name: str
    unit: str
    target: int
    start: int | None
    value: int | None
    share: int | None

    @property
    def is_met(self) -> bool:
        """Whether the target is reached."""
        return self.share == 100


def values_between(
    organization_id: int, policy: Policy, metrics: Iterable[Metric], start: datetime, at: datetime
) -> dict[str, int | None]:
    """The values of metrics over [start, at]: sums, counts and averages of what was measured then,
    levels as they stand at the end. One query."""
    wanted = {metric.key: metric for metric in metrics}
    inside = Measurement.counts_at >= start
    amount = Measurement.amount
    rows = db.session.execute(
        select(
            Measurement.measure,
            Measurement.currency,
            func.sum(amount),
            func.sum(case((inside, amount), else_=0)),
            func.sum(case((inside & (amount < 0), -1), (inside, 1), else_=0)),
            func.max(case((stands(), Measurement.counts_at))),
        )
        .where(
            Measurement.organization_id == organization_id,
            Measurement.measure.in_({metric.measure for metric in wanted.values()}),
            Measurement.counts_at <= at,
        )
        .group_by(Measurement.measure, Measurement.currency)
    ).all()
    found: dict[str, int | None] = {}
    for key, metric in wanted.items():
        is_whole = window_of(metric) is None
        tallies = {
            currency: Tally(
                total=int((ever if is_whole else inside_total) or 0),
                net=int(net or 0),
                newest=newest,
            )
            for measure, currency, ever, inside_total, net, newest in rows
            if measure == metric.measure
        }
        found[key] = value_of(policy, metric, tallies, at)[0]
    return found


def progress_of(
    figures: Iterable[Mapping[str, Any]],
    values: Mapping[str, int | None],
    higher_is_better: Mapping[str, bool],
) -> list[Progress]:
    """Figures ({"metric", "name", "unit", "target", "start"}) with what they came to."""
    return [
        Progress(
            metric=each["metric"],
            name=each["name"],
            unit=each["unit"],
            target=int(each["target"]),
            start=each.get("start"),
            value=(value := values.get(each["metric"])),
            share=_share(
                each.get("start") or 0,
                value,
                int(each["target"]),
                higher_is_better.get(each["metric"], True),
            ),
        )
        for each in figures
    ]


def _share(start: int, value: int | None, target: int, higher: bool) -> int | None:
    if value is None:
        return None
    if (value >= target) if higher else (value <= target):
        return 100
    way = target - start
    if way == 0 or (way > 0) is not higher:
        return 0
    return max(0, min(99, (value - start) * 100 // way))


def directions(policy: Policy) -> dict[str, bool]:
    """Whether more is better, by metric."""
    return {metric.key: metric.higher_is_better for metric in policy.metrics}


def unit_of(policy: Policy, metric: Metric) -> str:
    """How a metric's values are shown: a currency for money, else the unit's name."""
    return policy.currency if metric.unit is Unit.MONEY else metric.unit.value
