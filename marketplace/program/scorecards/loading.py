"""Measurements of many partners by day: two statements for a batch, sums made by the database."""

from collections import defaultdict
from collections.abc import Sequence
from datetime import date, datetime
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Date,
    Integer,
    String,
    Time,
    case,
    cast,
    func,
    literal,
    select,
    type_coerce,
)

from marketplace.core.database import db
from marketplace.program.measures import Measurement, stands
from marketplace.program.scorecards.days import Grid, Series

# Counts days from here, as Python's date.toordinal does.
_JULIAN_OF_ORDINAL_0 = 1_721_424.5
_MIDNIGHT = "00:00:00.000000"


def series_of(
    organization_ids: Sequence[int], measures: Sequence[str], grid: Grid
) -> dict[int, dict[tuple[str, str], Series]]:
    """The series of each partner, by measure and currency."""
    found: dict[int, dict[tuple[str, str], Series]] = defaultdict(lambda: defaultdict(Series))
    if not measures:
        return found
    first = grid.first.toordinal()
    start = grid.moment(-grid.reach)
    for organization_id, measure, currency, total, net, newest in db.session.execute(
        _before(organization_ids, measures, start)
    ):
        series = found[organization_id][measure, currency]
        series.totals[-grid.reach] = int(total)
        series.nets[-grid.reach] = int(net)
        if newest is not None:
            series.positive.add(_day_of(newest) - first)
    for organization_id, measure, currency, ordinal, amount, is_there in db.session.execute(
        _rows(organization_ids, measures, start, grid.last)
    ):
        found[organization_id][measure, currency].add(ordinal - first, amount, stands=is_there)
    return found


def _before(organization_ids: Sequence[int], measures: Sequence[str], start: datetime) -> Any:
    return (
        select(
            Measurement.organization_id,
            Measurement.measure,
            Measurement.currency,
            func.sum(Measurement.amount),
            func.sum(case((Measurement.amount >= 0, 1), else_=-1)),
            func.max(case((stands(), Measurement.counts_at))),
        )
        .where(
            Measurement.organization_id.in_(organization_ids),
            Measurement.measure.in_(measures),
            Measurement.counts_at <= start,
        )
        .group_by(Measurement.organization_id, Measurement.measure, Measurement.currency)
    )


def _rows(
    organization_ids: Sequence[int], measures: Sequence[str], start: datetime, end: datetime
) -> Any:
    return select(
        Measurement.organization_id,
        Measurement.measure,
        Measurement.currency,
        _ordinal(),
        Measurement.amount,
        stands(),
    ).where(
        Measurement.organization_id.in_(organization_ids),
        Measurement.measure.in_(measures),
        Measurement.counts_at > start,
        Measurement.counts_at <= end,
    )


def _ordinal() -> ColumnElement[Any]:
    """The day at whose end a measurement counts: its own, or the one before at midnight sharp."""
    day: ColumnElement[Any]
    if db.session.get_bind().dialect.name == "sqlite":
        stored = type_coerce(Measurement.counts_at, String)
        day = cast(func.julianday(func.substr(stored, 1, 10)) - _JULIAN_OF_ORDINAL_0, Integer)
        at_midnight = func.substr(stored, 12, 15) == _MIDNIGHT
    else:
        utc = func.timezone("UTC", Measurement.counts_at)
        day = cast(utc, Date) - literal(date(1, 1, 1), Date) + 1
        at_midnight = cast(utc, Time) == func.make_time(0, 0, 0.0)
    return day + case((at_midnight, 0), else_=1)


def _day_of(moment: datetime) -> int:
    is_midnight = (moment.hour, moment.minute, moment.second, moment.microsecond) == (0, 0, 0, 0)
    return moment.toordinal() + (0 if is_midnight else 1)
