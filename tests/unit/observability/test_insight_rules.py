"""The pure rules of insight."""

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from marketplace.catalogue.exposure import Placement
from marketplace.observability.analytics.visits import (
    Browser,
    is_machine,
    placement_of,
    slot_of,
)
from marketplace.observability.cockpit.heat import heat_of
from marketplace.observability.dashboard.tiles import mean
from marketplace.observability.governance.expiring import Expiring, expiring_between, expiring_from
from marketplace.observability.periods import Period, month_of, read_period, series, zone_of
from marketplace.observability.reports.services import due_at, month_before
from marketplace.program.policy.document import Policy
from tests.factories.program import policy_document

NOW = datetime(2026, 11, 20, 23, 30, tzinfo=UTC)
UTC_ZONE, BERLIN, TOKYO = ZoneInfo("UTC"), ZoneInfo("Europe/Berlin"), ZoneInfo("Asia/Tokyo")
FIREFOX = "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0"


@pytest.mark.parametrize(
    ("args", "zone", "first", "last"),
    [
        ({}, UTC_ZONE, "2026-10-22", "2026-11-20"),
        ({"period": "7d"}, UTC_ZONE, "2026-11-14", "2026-11-20"),
        ({"period": "7d"}, TOKYO, "2026-11-15", "2026-11-21"),  # it is tomorrow there
        ({"period": "month"}, BERLIN, "2026-11-01", "2026-11-21"),
        ({"period": "last_month"}, BERLIN, "2026-10-01", "2026-10-31"),
        ({"period": "year"}, UTC_ZONE, "2026-01-01", "2026-11-20"),
        ({"period": "custom", "from": "2026-10-25", "to": "2026-10-25"}, BERLIN, "2026-10-25",
         "2026-10-25"),
        ({"period": "moon"}, UTC_ZONE, "2026-10-22", "2026-11-20"),
    ],
)  # fmt: skip
def test_a_period_is_whole_days_of_a_zone(
    args: dict[str, str], zone: ZoneInfo, first: str, last: str
) -> None:
    period = read_period(args, now=NOW, zone=zone)
    assert (str(period.first), str(period.last), period.problem) == (first, last, "")
    assert len(period.days()) == period.length


@pytest.mark.parametrize(
    ("begin", "end", "problem"),
    [
        ("", "", "Choose a first and a last day."),
        ("2026-11-02", "2026-11-01", "The first day is after the last."),
        ("2020-01-01", "2026-01-01", "Choose at most"),
        ("1999-12-31", "1999-12-31", "Choose days nearer"),
        ("9999-12-31", "9999-12-31", "Choose days nearer"),
        ("2026-02-30", "2026-03-01", "Choose a first and a last day."),
    ],
)
def test_what_is_no_time_is_the_usual_one_and_says_why(begin: str, end: str, problem: str) -> None:
    args = {"period": "custom", "from": begin, "to": end}
    period = read_period(args, now=NOW, zone=UTC_ZONE)
    assert period.problem.startswith(problem)
    assert period.length == 30


def test_the_day_when_clocks_go_back_has_25_hours() -> None:
    day = Period(date(2026, 10, 25), date(2026, 10, 25), BERLIN)
    assert day.end - day.begin == timedelta(hours=25)
    spring = Period(date(2026, 3, 29), date(2026, 3, 29), BERLIN)
    assert spring.end - spring.begin == timedelta(hours=23)


def test_the_time_before_is_as_long_and_touches() -> None:
    period = Period(date(2026, 11, 1), date(2026, 11, 30), BERLIN)
    before = period.before()
    assert (before.first, before.last) == (date(2026, 10, 2), date(2026, 10, 31))
    assert before.end == period.begin


def test_a_series_is_by_the_days_of_the_zone() -> None:
    period = Period(date(2026, 11, 1), date(2026, 11, 2), TOKYO)
    moments = [
        (datetime(2026, 10, 31, 15, 0, tzinfo=UTC), 1),
        (datetime(2026, 11, 1, 14, 59, tzinfo=UTC), 2),
        (datetime(2026, 11, 1, 15, 0, tzinfo=UTC), 4),
        # Rounded down to before the period's beginning: still its first day.
        (datetime(2026, 10, 31, 14, 50, tzinfo=UTC), 8),
    ]
    assert series(period, moments) == [11, 4]


def test_a_month_is_utc_and_nothing_else_is_one() -> None:
    assert month_of("2026-12") == (
        datetime(2026, 12, 1, tzinfo=UTC),
        datetime(2027, 1, 1, tzinfo=UTC),
    )
    for text in ("", "2026-13", "2026-1", "1999-12", "9999-12", "2026-10-01", "\0" * 7):
        assert month_of(text) is None
    assert month_before(datetime(2026, 1, 31, tzinfo=UTC)) == "2025-12"
    assert due_at(NOW, 3) == datetime(2026, 11, 3, 6, tzinfo=UTC)
    assert zone_of("Moon/Base") == zone_of("\0") == UTC_ZONE


@pytest.mark.parametrize(
    ("agent", "accept", "purpose", "machine"),
    [
        (FIREFOX, "text/html,*/*", "", False),
        (FIREFOX, "", "", False),
        (FIREFOX, "application/json", "", True),
        (FIREFOX, "text/html", "prefetch", True),
        (FIREFOX, "text/html", "prefetch;prerender", True),
        ("", "text/html", "", True),
        ("Googlebot/2.1 (+http://www.google.com/bot.html)", "text/html", "", True),
        ("Mozilla/5.0 (compatible; bingbot/2.0)", "text/html", "", True),
        ("Mozilla/5.0 HeadlessChrome/140.0", "text/html", "", True),
        ("curl/8.9", "*/*", "", True),
        ("python-requests/2.32", "*/*", "", True),
        ("Go-http-client/2.0", "", "", True),
        ("axios/1.7", "*/*", "", True),
        ("Mozilla/5.0 (iPhone; CPU iPhone OS 18_0) Mobile/15E148 Safari/604.1", "*/*", "", False),
    ],
)
def test_machines_do_not_count(agent: str, accept: str, purpose: str, machine: bool) -> None:
    assert is_machine(agent, accept, purpose) is machine


@pytest.mark.parametrize(
    ("referrer", "expected"),
    [
        ("http://localhost/", Placement.HOME),
        ("http://localhost/search?q=crm", Placement.SEARCH),
        ("http://localhost/categories/crm?page=2", Placement.CATEGORY),
        ("http://localhost/collections/best", Placement.COLLECTION),
        ("http://localhost/partners/quayside", Placement.PARTNER),
        ("http://localhost/listings/other", Placement.SIMILAR),
        ("http://localhost/account", Placement.DIRECT),
        ("https://elsewhere.example/search", Placement.DIRECT),
        ("", Placement.DIRECT),
        ("http://[broken", Placement.DIRECT),
    ],
)
def test_what_led_to_a_listing_is_told_by_the_page_before(
    referrer: str, expected: Placement
) -> None:
    assert placement_of(referrer, "localhost") is expected


def test_a_visitor_is_nobody_without_the_days_salt() -> None:
    one = Browser("198.51.100.1", FIREFOX)
    assert one.visitor("a") == one.visitor("a") != one.visitor("b")
    assert one.visitor("a") != Browser("198.51.100.2", FIREFOX).visitor("a")
    assert one.visitor("a") != Browser("198.51.100.1", FIREFOX + " ").visitor("a")
    # Whoever is signed in is one person wherever they move.
    moved = Browser("203.0.113.9", "Other", "7")
    assert Browser("198.51.100.1", FIREFOX, "7").visitor("a") == moved.visitor("a")
    assert len(one.visitor("a")) == 32
    assert "198.51" not in one.visitor("a")


def test_a_slot_is_half_an_hour() -> None:
    assert slot_of(datetime(2026, 11, 1, 10, 59, 59, tzinfo=UTC)).minute == 30
    assert slot_of(datetime(2026, 11, 1, 10, 29, 59, 9, tzinfo=UTC)) == datetime(
        2026, 11, 1, 10, tzinfo=UTC
    )


def test_a_mean_is_rounded_half_up() -> None:
    assert [mean(total, 2) for total in (0, 1, 2, 3)] == [0, 1, 1, 2]
    assert mean(5, 0) == 0


def test_the_map_is_sorted_by_how_many_and_shaded_by_the_most() -> None:
    policy = Policy.model_validate(policy_document())
    heat = heat_of([("DE", "technology", 10), ("DE", "old", 1), ("FR", "reseller", 2)], policy)
    assert [key for key, _name in heat.types] == ["technology", "reseller", "old"]
    assert [(country, total) for country, _cells, total in heat.rows] == [("DE", 11), ("FR", 2)]
    assert [cell.step for cell in heat.rows[0][1]] == [5, 0, 1]
    assert heat.total == 13
    assert heat_of([], None).rows == ()


def test_what_ends_is_told_by_whoever_is_connected() -> None:
    from marketplace.observability.governance import expiring

    before = list(expiring._providers)
    try:
        late, soon = Expiring("b", "Late", NOW + timedelta(2)), Expiring("a", "Soon", NOW)
        expiring_from(lambda _begin, _end, _most: [late], lambda _begin, _end, _most: [soon])
        assert expiring_between(NOW, NOW + timedelta(3)) == [soon, late]
        assert expiring_between(NOW, NOW + timedelta(3), 1) == [soon]
    finally:
        expiring_from(*before)
