"""Counting searches and clicks."""

from datetime import date, timedelta

import pytest
from flask import Flask
from sqlalchemy import select, text

from marketplace.catalogue.curation import search_log
from marketplace.catalogue.curation.queries import search_log as queries
from marketplace.catalogue.models import SearchQueryStat
from marketplace.core import clock
from marketplace.core.database import db
from tests.factories.races import at_once


def rows() -> list[tuple[str, int, int, int, int]]:
    db.session.rollback()
    found = db.session.scalars(select(SearchQueryStat).order_by(SearchQueryStat.query))
    return [
        (row.query, row.searches, row.zero_results, row.clicks, row.click_position_sum)
        for row in found
    ]


def test_searches_and_clicks_of_a_day_are_one_row_a_query(app: Flask) -> None:
    search_log.record_search("HubSpot", 12)
    search_log.record_search(" hubspot ", 12)
    search_log.record_search("hubspott", 0)
    search_log.record_click("HUBSPOT", 3)
    search_log.record_click("HUBSPOT", 0)
    assert rows() == [("hubspot", 2, 0, 2, 4), ("hubspott", 1, 1, 0, 0)]


def test_what_may_be_somebodys_data_leaves_no_row(app: Flask) -> None:
    for query in ("ada@people.example", "+49 170 1234567", "", "a"):
        search_log.record_search(query, 0)
        search_log.record_click(query, 1)
    assert rows() == []


def test_another_day_is_another_row(app: Flask) -> None:
    search_log.record_search("crm", 1)
    with clock.frozen(clock.now() + timedelta(days=1)):
        search_log.record_search("crm", 1)
    assert [row[:2] for row in rows()] == [("crm", 1), ("crm", 1)]


def test_searches_at_once_are_all_counted(app: Flask) -> None:
    acts = [lambda: search_log.record_search("crm", 0) for _ in range(8)]
    assert at_once(app, acts) == []
    assert rows() == [("crm", 8, 8, 0, 0)]


def test_in_a_request_the_count_comes_after_the_response_and_its_transaction(app: Flask) -> None:
    with app.test_request_context("/search?q=crm"):
        search_log.record_search("crm", 3)
        assert rows() == []
        app.process_response(app.make_response("done"))
    assert rows() == [("crm", 1, 0, 0, 0)]


def test_a_count_that_fails_is_logged_and_measured_and_breaks_nothing(
    app: Flask, caplog: pytest.LogCaptureFixture
) -> None:
    lost = search_log.LOST._value.get()
    db.session.execute(text("DROP TABLE search_query_stat"))
    db.session.commit()
    try:
        search_log.record_search("crm", 3)
    finally:
        SearchQueryStat.__table__.create(db.engine)
    assert search_log.LOST._value.get() == lost + 1
    assert "a search was not counted" in caplog.text


def test_a_locked_database_costs_a_search_a_moment_only(app: Flask, database_kind: str) -> None:
    if database_kind != "sqlite":
        pytest.skip("on PostgreSQL writers of different rows do not wait for each other")
    lost = search_log.LOST._value.get()
    with db.engine.connect() as other:
        other.exec_driver_sql("BEGIN IMMEDIATE")
        search_log.record_search("crm", 3)
        other.rollback()
    assert search_log.LOST._value.get() == lost + 1
    search_log.record_search("crm", 3)
    assert rows() == [("crm", 1, 0, 0, 0)]
    with db.engine.connect() as connection:
        assert connection.exec_driver_sql("PRAGMA busy_timeout").scalar() == 5_000


def test_figures_are_summed_over_the_days_asked_for(app: Flask) -> None:
    def add(day: int, query: str, searches: int, zero: int, clicks: int, places: int) -> None:
        db.session.add(
            SearchQueryStat(
                day=date(2026, 11, day),
                query=query,
                searches=searches,
                zero_results=zero,
                clicks=clicks,
                click_position_sum=places,
            )
        )

    add(1, "crm", 10, 0, 5, 10)
    add(2, "crm", 10, 0, 0, 0)
    add(2, "hubspott", 4, 4, 0, 0)
    add(9, "crm", 100, 0, 100, 100)
    db.session.flush()
    first, last = date(2026, 11, 1), date(2026, 11, 3)
    top = queries.top_queries(first, last)
    assert [(row.query, row.searches) for row in top] == [("crm", 20), ("hubspott", 4)]
    assert (top[0].click_through, top[0].mean_position) == (0.25, 2.0)
    assert [row.query for row in queries.top_without_results(first, last)] == ["hubspott"]
    total = queries.totals(first, last)
    assert (total.searches, total.zero_results, total.clicks) == (24, 4, 5)
    assert queries.by_day(first, last) == {first: (10, 0), date(2026, 11, 2): (14, 4)}
    empty = queries.totals(date(2020, 1, 1), date(2020, 1, 2))
    assert (empty.click_through, empty.zero_rate, empty.mean_position) == (None, None, None)
