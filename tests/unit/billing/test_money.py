"""How amounts are divided: tables for the corners, properties for the rest."""

from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from billing.money import (
    CURRENCIES,
    MAX_AMOUNT,
    THREE_DECIMAL,
    TWO_DECIMAL,
    WHOLE_UNIT_PAYOUTS,
    ZERO_DECIMAL,
    CurrencyError,
    allocate,
    apportion,
    charge_step,
    decimals,
    proportion,
    share,
    whole_step,
)

amounts = st.integers(0, MAX_AMOUNT)
weights = st.lists(st.integers(0, 1_000_000), min_size=1, max_size=12)


@pytest.mark.parametrize(
    ("amount", "bps", "expected"),
    [
        (10_000, 1_500, 1_500),
        (0, 1_500, 0),
        (1, 10_000, 1),
        # Halves are rounded up, everything below is not.
        (1, 5_000, 1),
        (1, 4_999, 0),
        (333, 1_500, 50),
        (99_999_999, 1, 10_000),
    ],
)
def test_a_share_is_rounded_to_the_nearest_unit(amount: int, bps: int, expected: int) -> None:
    assert share(amount, bps) == expected


def test_a_share_takes_nothing_negative() -> None:
    with pytest.raises(ValueError, match="negative"):
        share(-1, 100)
    with pytest.raises(ValueError, match="negative"):
        share(1, -100)


@given(amounts, st.integers(0, 10_000))
def test_a_share_is_within_half_a_unit_of_the_exact_one(amount: int, bps: int) -> None:
    assert abs(share(amount, bps) - Fraction(amount * bps, 10_000)) <= Fraction(1, 2)
    assert share(amount, bps) <= amount


@pytest.mark.parametrize(
    ("total", "parts", "expected"),
    [
        (100, [1, 1, 1], [34, 33, 33]),
        (1, [1, 1, 1], [1, 0, 0]),
        (5, [0, 3, 2], [0, 3, 2]),
        (7, [0, 0], [7, 0]),
        (0, [3, 4], [0, 0]),
        # The largest remainder first: 10 * 6 / 16 = 3.75, 10 * 5 / 16 = 3.125 twice.
        (10, [5, 6, 5], [3, 4, 3]),
    ],
)
def test_the_largest_remainder_gets_the_odd_unit_and_the_earlier_one_among_equals(
    total: int, parts: list[int], expected: list[int]
) -> None:
    assert allocate(total, parts) == expected


def test_nobody_is_allocated_nothing() -> None:
    with pytest.raises(ValueError, match="nobody"):
        allocate(1, [])
    with pytest.raises(ValueError, match="negative"):
        allocate(-1, [1])


@given(amounts, weights)
def test_allocated_parts_sum_exactly_and_are_less_than_a_unit_off(
    total: int, parts: list[int]
) -> None:
    found = allocate(total, parts)
    assert sum(found) == total
    whole = sum(parts)
    if whole:
        assert all(
            abs(got - Fraction(total * weight, whole)) < 1
            for got, weight in zip(found, parts, strict=True)
        )


@given(weights, st.data())
def test_apportioned_parts_sum_exactly_and_never_exceed_their_weight(
    parts: list[int], data: st.DataObject
) -> None:
    total = data.draw(st.integers(0, sum(parts)))
    found = apportion(total, parts)
    assert sum(found) == total
    assert all(0 <= got <= weight for got, weight in zip(found, parts, strict=True))


@given(st.lists(st.integers(0, 60), min_size=1, max_size=6))
def test_no_apportioned_part_ever_falls_and_in_the_end_each_is_its_weight(
    parts: list[int],
) -> None:
    before = [0] * len(parts)
    for total in range(sum(parts) + 1):
        found = apportion(total, parts)
        assert all(now >= then for now, then in zip(found, before, strict=True))
        before = found
    assert before == parts


@given(weights, st.data())
def test_apportioning_from_far_below_is_what_handing_out_one_by_one_gives(
    parts: list[int], data: st.DataObject
) -> None:
    total = data.draw(st.integers(0, min(sum(parts), 300)))
    slow = [0] * len(parts)
    for _ in range(total):
        best = max(range(len(parts)), key=lambda n: (Fraction(parts[n], 2 * slow[n] + 1), -n))
        slow[best] += 1
    assert apportion(total, parts) == slow


@pytest.mark.parametrize("total", [-1, 4])
def test_more_than_the_whole_is_not_apportioned(total: int) -> None:
    with pytest.raises(ValueError, match="between"):
        apportion(total, [1, 2])


@given(amounts, st.integers(1, MAX_AMOUNT), st.data())
def test_a_proportion_grows_to_the_whole_part(part: int, whole: int, data: st.DataObject) -> None:
    so_far = data.draw(st.integers(0, whole))
    found = proportion(part, so_far, whole)
    assert abs(found - Fraction(part * so_far, whole)) <= Fraction(1, 2)
    assert proportion(part, 0, whole) == 0
    assert proportion(part, whole, whole) == part
    if so_far < whole:
        assert proportion(part, so_far + 1, whole) >= found


def test_a_proportion_of_nothing_is_nothing_and_of_more_than_the_whole_is_refused() -> None:
    assert proportion(5, 0, 0) == 0
    with pytest.raises(ValueError, match="proportion"):
        proportion(5, 11, 10)


def test_every_currency_is_of_one_kind() -> None:
    kinds = [ZERO_DECIMAL, THREE_DECIMAL, WHOLE_UNIT_PAYOUTS, TWO_DECIMAL]
    assert sum(len(kind) for kind in kinds) == len(CURRENCIES)


@pytest.mark.parametrize(
    ("currency", "places", "step"),
    [("EUR", 2, 1), ("JPY", 0, 1), ("KWD", 3, 10), ("HUF", 2, 100), ("TWD", 2, 100)],
)
def test_decimals_and_steps(currency: str, places: int, step: int) -> None:
    assert decimals(currency) == places
    assert charge_step(currency) == step


def test_an_unknown_currency_is_refused() -> None:
    with pytest.raises(CurrencyError, match="'eur'"):
        decimals("eur")


@given(amounts, st.sampled_from(sorted(CURRENCIES)))
def test_what_cannot_be_paid_out_is_carried(amount: int, currency: str) -> None:
    now, carried = whole_step(amount, currency)
    assert now + carried == amount
    assert now % charge_step(currency) == 0
    assert 0 <= carried < charge_step(currency)
