"""What was searched, by query and by day."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from sqlalchemy import ColumnElement, Select, func, select

from marketplace.catalogue.models import SearchQueryStat as Stat
from marketplace.core.database import db

LISTED = 50


@dataclass(frozen=True)
class QueryFigures:
    """The counts of a query, or of all of them, over some days."""

    query: str
    searches: int
    zero_results: int
    clicks: int
    click_position_sum: int

    @property
    def click_through(self) -> float | None:
        """Clicks for each search, 0 to 1 (people may click more than once: then it is 1)."""
        return min(1.0, self.clicks / self.searches) if self.searches else None

    @property
    def zero_rate(self) -> float | None:
        """The share of searches that found nothing, 0 to 1."""
        return self.zero_results / self.searches if self.searches else None

    @property
    def mean_position(self) -> float | None:
        """The mean place of the results that were clicked, from 1."""
        return self.click_position_sum / self.clicks if self.clicks else None


_SUMS = (
    func.coalesce(func.sum(Stat.searches), 0),
    func.coalesce(func.sum(Stat.zero_results), 0),
    func.coalesce(func.sum(Stat.clicks), 0),
    func.coalesce(func.sum(Stat.click_position_sum), 0),
)


def totals(first: date, last: date) -> QueryFigures:
    """The figures of all searches of these days, both included."""
    row = db.session.execute(select(*_SUMS).where(_within(first, last))).one()
    return QueryFigures("", *(int(value) for value in row))


def by_day(first: date, last: date) -> dict[date, tuple[int, int]]:
    """Searches and searches without a result by day; days without any are missing."""
    rows = db.session.execute(
        select(Stat.day, func.sum(Stat.searches), func.sum(Stat.zero_results))
        .where(_within(first, last))
        .group_by(Stat.day)
    )
    return {day: (int(searches), int(zero)) for day, searches, zero in rows}


def top_queries(first: date, last: date, limit: int | None = LISTED) -> Sequence[QueryFigures]:
    """The queries of these days that were searched most; all of them without a limit."""
    query = _by_query(first, last).order_by(func.sum(Stat.searches).desc(), Stat.query)
    return _figures(query.limit(limit) if limit else query)


def top_without_results(first: date, last: date) -> Sequence[QueryFigures]:
    """The queries of these days that found nothing most often."""
    zero = func.sum(Stat.zero_results)
    return _figures(
        _by_query(first, last).having(zero > 0).order_by(zero.desc(), Stat.query).limit(LISTED)
    )


def _by_query(first: date, last: date) -> Select[str, int, int, int, int]:
    return select(Stat.query, *_SUMS).where(_within(first, last)).group_by(Stat.query)


def _figures(query: Select[str, int, int, int, int]) -> list[QueryFigures]:
    return [
        QueryFigures(text, int(searches), int(zero), int(clicks), int(positions))
        for text, searches, zero, clicks, positions in db.session.execute(query)
    ]


def _within(first: date, last: date) -> ColumnElement[bool]:
    return Stat.day.between(first, last)
