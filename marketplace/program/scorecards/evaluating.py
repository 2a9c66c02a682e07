"""The values of partners' metrics at a moment, out of their measurements."""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime, timedelta
from itertools import islice
from typing import Any

from sqlalchemy import ColumnElement, and_, case, func, or_, select

from marketplace.core.database import db
from marketplace.program.measures import Measurement, stands
from marketplace.program.policy.document import How, Metric, Policy
from marketplace.program.scorecards.rules import (
    PartnerMetrics,
    Tally,
    value_of,
    window_of,
)

__all__ = ["BATCH", "PartnerMetrics", "in_batches", "values_of"]

# Organizations whose measurements are added up by one statement.
BATCH = 500
_Column = tuple[str, int | None]


def values_of(
    organization_ids: Iterable[int], policy: Policy, at: datetime
) -> dict[int, PartnerMetrics]:
    """The values of all metrics of each organization at a moment: one statement for each `BATCH`.

    A metric's window is (at - window_days, at]; a measurement at its beginning does not count any
    more, one at the moment itself does.
    """
    found: dict[int, PartnerMetrics] = {}
    for batch in in_batches(organization_ids, BATCH):
        found |= _values_of_batch(batch, policy, at)
    return found


def in_batches(ids: Iterable[int], size: int) -> Iterator[list[int]]:
    """Lists of at most `size` different ids, in order."""
    remaining = iter(sorted(set(ids)))
    while batch := list(islice(remaining, size)):
        yield batch


def _values_of_batch(
    organization_ids: Sequence[int], policy: Policy, at: datetime
) -> dict[int, PartnerMetrics]:
    tallies: dict[tuple[int, str], list[tuple[str, dict[_Column, Any]]]] = defaultdict(list)
    if policy.metrics:
        columns = _columns(policy.metrics)
        for row in db.session.execute(_statement(organization_ids, policy.metrics, columns, at)):
            amounts = dict(zip(columns, row[3:], strict=True))
            tallies[row[0], row[1]].append((row[2], amounts))
    found = {}
    for organization_id in organization_ids:
        values: dict[str, int | None] = {}
        left_out: dict[str, tuple[str, ...]] = {}
        for metric in policy.metrics:
            window = window_of(metric)
            by_currency = {
                currency: Tally(
                    total=int(amounts.get(("total", window)) or 0),
                    net=int(amounts.get(("net", window)) or 0),
                    newest=amounts.get(("newest", window)),
                )
                for currency, amounts in tallies.get((organization_id, metric.measure), ())
            }
            values[metric.key], missing = value_of(policy, metric, by_currency, at)
            if missing:
                left_out[metric.key] = missing
        found[organization_id] = PartnerMetrics(values, left_out)
    return found


def _columns(metrics: Sequence[Metric]) -> list[_Column]:
    """What must be added up: a kind of sum for each window."""
    wanted: set[_Column] = set()
    for metric in metrics:
        window = window_of(metric)
        match metric.how:
            case How.SUM | How.LEVEL:
                wanted.add(("total", window))
            case How.COUNT | How.AVERAGE:
                # The total of a count says which currencies had to be left out.
                wanted |= {("total", window), ("net", window)}
            case How.AGE:
                wanted.add(("newest", window))
    return sorted(wanted, key=lambda each: (each[0], each[1] or 0))


def _statement(
    organization_ids: Sequence[int],
    metrics: Sequence[Metric],
    columns: Sequence[_Column],
    at: datetime,
) -> Any:
    return (
        select(
            Measurement.organization_id,
            Measurement.measure,
            Measurement.currency,
            *(_sum(column, at) for column in columns),
        )
        .where(
            Measurement.organization_id.in_(organization_ids),
            Measurement.counts_at <= at,
            _inside(metrics, at),
        )
        .group_by(Measurement.organization_id, Measurement.measure, Measurement.currency)
    )


def _sum(column: _Column, at: datetime) -> ColumnElement[Any]:
    kind, window = column
    amount: ColumnElement[Any]
    match kind:
        case "total":
            amount = Measurement.amount.expression
        case "net":
            amount = case((Measurement.amount >= 0, 1), else_=-1)
        case _:
            return func.max(case((stands(), Measurement.counts_at)))
    if window is None:
        return func.sum(amount)
    inside = Measurement.counts_at > at - timedelta(days=window)
    return func.sum(case((inside, amount), else_=0))


def _inside(metrics: Sequence[Metric], at: datetime) -> ColumnElement[bool]:
    """The measurements that any metric looks at: all of some measures, the newer ones of others."""
    longest: dict[str, int | None] = {}
    for metric in metrics:
        window = window_of(metric)
        if metric.measure not in longest:
            longest[metric.measure] = window
        else:
            known = longest[metric.measure]
            longest[metric.measure] = (
                None if known is None or window is None else max(known, window)
            )
    by_window: dict[int | None, list[str]] = defaultdict(list)
    for measure, window in longest.items():
        by_window[window].append(measure)
    return or_(
        *(
            Measurement.measure.in_(measures)
            if window is None
            else and_(
                Measurement.measure.in_(measures),
                Measurement.counts_at > at - timedelta(days=window),
            )
            for window, measures in by_window.items()
        )
    )
