"""What people search for."""

from datetime import date, timedelta

from flask import render_template, request
from flask.typing import ResponseReturnValue

from marketplace.catalogue.curation.bar_chart import chart
from marketplace.catalogue.curation.queries import search_log as queries
from marketplace.catalogue.curation.views.blueprint import curation
from marketplace.catalogue.engagement.csv_export import csv_response
from marketplace.core import clock
from marketplace.core.permissions import needs

DEFAULT_DAYS = 30
MOST_DAYS = 366
RANGES = (7, 30, 90, 365)


@curation.get("/search")
@needs("search_log.read")
def search_log() -> ResponseReturnValue:
    """Figures, a chart by day, the top queries, and those that found nothing."""
    first, last = _range()
    by_day = queries.by_day(first, last)
    today = clock.now().date()
    return render_template(
        "curation/search_log.html",
        first=first,
        last=last,
        ranges=[
            {
                "label": f"{days} days",
                "first": today - timedelta(days=days - 1),
                "current": last == today and (last - first).days == days - 1,
            }
            for days in RANGES
        ],
        totals=queries.totals(first, last),
        top=queries.top_queries(first, last),
        without=queries.top_without_results(first, last),
        chart=chart(by_day, first, last),
    )


@curation.get("/search.csv")
@needs("search_log.read")
def search_log_csv() -> ResponseReturnValue:
    """All queries of the days as a file."""
    first, last = _range()
    return csv_response(
        f"searches-{first.isoformat()}-{last.isoformat()}.csv",
        ("query", "searches", "without_results", "clicks", "click_through", "mean_position"),
        (
            (
                row.query,
                row.searches,
                row.zero_results,
                row.clicks,
                round(row.click_through, 4) if row.click_through is not None else None,
                round(row.mean_position, 2) if row.mean_position is not None else None,
            )
            for row in queries.top_queries(first, last, None)
        ),
    )


def _range() -> tuple[date, date]:
    """The days asked for; whatever is unusable is the last 30 days, a longer range is cut."""
    today = clock.now().date()
    last = min(_day("to") or today, today)
    first = _day("from") or last - timedelta(days=DEFAULT_DAYS - 1)
    if first > last:
        first = last - timedelta(days=DEFAULT_DAYS - 1)
    return max(first, last - timedelta(days=MOST_DAYS - 1)), last


def _day(name: str) -> date | None:
    try:
        found = date.fromisoformat(request.args.get(name, ""))
    except ValueError:
        return None
    # Dates near the calendar's ends cannot be reckoned with.
    return found if 2000 <= found.year <= 2999 else None
