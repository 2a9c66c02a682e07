"""Between which prices a reseller may quote."""

import pytest

from billing.resale.pricing import Bounds, bounds, margin, markup_bps, wrong_with_price


@pytest.mark.parametrize(
    ("floor", "markup", "currency", "expected"),
    [
        (4_000, 2_500, "EUR", Bounds(4_000, 5_000)),
        (4_000, 0, "EUR", Bounds(4_000, 4_000)),
        (4_000, None, "EUR", Bounds(4_000, 99_999_999)),
        (3_333, 1_000, "EUR", Bounds(3_333, 3_666)),
        (100_000, 1_000, "HUF", Bounds(100_000, 110_000)),
        (100_050, 100, "HUF", Bounds(100_100, 101_000)),
        (5_000, 1_000, "JPY", Bounds(5_000, 5_500)),
        (1_005, 5_000, "KWD", Bounds(1_010, 1_500)),
    ],
)
def test_the_bounds_are_the_floor_and_the_largest_markup_in_steps_that_can_be_charged(
    floor: int, markup: int | None, currency: str, expected: Bounds
) -> None:
    assert bounds(floor, markup, currency) == expected


@pytest.mark.parametrize(
    ("unit", "markup", "message"),
    [
        (3_999, 2_500, "Not below the floor price of €40.00."),
        (4_000, 2_500, ""),
        (5_000, 2_500, ""),
        (5_001, 2_500, "At most €50.00: the agreement allows 25% above the floor price."),
        (5_001, None, ""),
        (100_000_000, None, "At most €999,999.99."),
    ],
)
def test_a_price_outside_of_them_is_refused_in_words(
    unit: int, markup: int | None, message: str
) -> None:
    assert wrong_with_price(unit, 4_000, markup, "EUR") == message


def test_forints_are_quoted_whole() -> None:
    reason = wrong_with_price(100_050, 100_000, None, "HUF")
    assert reason.replace("\u00a0", " ") == "HUF is charged in steps of HUF 1.00."


def test_the_margin_is_what_is_above_the_floor() -> None:
    assert margin(4_900, 4_000, 3) == 2_700
    assert markup_bps(4_900, 4_000) == 2_250
    assert markup_bps(4_900, 0) is None
