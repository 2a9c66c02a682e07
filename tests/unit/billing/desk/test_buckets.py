"""Months and days as the charts count them."""

from datetime import date

import pytest

from billing.desk.figures import MAX_DAYS, days_between, months_between


@pytest.mark.parametrize(
    ("first", "last", "wanted"),
    [
        ("2026-10", "2026-10", ["2026-10"]),
        ("2026-11", "2027-02", ["2026-11", "2026-12", "2027-01", "2027-02"]),
        ("2027-02", "2026-11", ["2027-02"]),
    ],
)
def test_months_go_over_the_year(first: str, last: str, wanted: list[str]) -> None:
    assert months_between(first, last) == wanted


def test_days_hold_both_ends() -> None:
    days = days_between(date(2026, 2, 27), date(2026, 3, 1))
    assert days == ["2026-02-27", "2026-02-28", "2026-03-01"]


def test_too_many_days_are_cut_at_the_beginning() -> None:
    days = days_between(date(2020, 1, 1), date(2026, 3, 1))
    assert len(days) == MAX_DAYS
    assert days[-1] == "2026-03-01"
