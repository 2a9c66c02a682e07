"""What everybody gives back, as a function of what went back."""

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from billing.models.earning import EarningKind
from billing.models.order import OrderLine
from billing.settlement.parts import (
    GoneBack,
    OrderParts,
    SettlementError,
    Share,
    gone_back,
    parts_of,
)


def _share(amount: int, place: int = 1) -> Share:
    return Share(place, EarningKind.PUBLISHER_SHARE, 7, amount, amount, 10_000, 14)


def _parts(tax: int, discount: int, commission: int, fee: int, *shares: int) -> OrderParts:
    total = tax + fee + sum(shares) - discount - commission
    return OrderParts(total, tax, discount, commission, fee, tuple(_share(each) for each in shares))


@st.composite
def orders(draw: st.DrawFn, most: int = 100_000) -> OrderParts:
    """Orders as checkout may freeze them."""
    tax, fee = draw(st.integers(0, most)), draw(st.integers(0, most))
    shares = draw(st.lists(st.integers(1, most), max_size=5))
    # The platform funds no more than what others get of it.
    discount = draw(st.integers(0, fee + sum(shares)))
    commission = draw(st.integers(0, fee + sum(shares) - discount))
    return _parts(tax, discount, commission, fee, *shares)


def _sum(found: GoneBack) -> int:
    return (
        found.tax
        + found.fee
        + sum(found.shares)
        + found.bad_debt
        - found.discount
        - found.commission
    )


def _flat(found: GoneBack) -> tuple[int, ...]:
    return (
        found.tax,
        found.discount,
        found.commission,
        found.fee,
        *found.shares,
        found.bad_debt,
    )


@pytest.mark.parametrize(
    ("parts", "amount", "expected"),
    [
        # A sale of €100.00 with 20% tax and a fee of 15%; half of it goes back.
        (_parts(2_000, 0, 0, 1_500, 8_500), 6_000, GoneBack(1_000, 0, 0, 750, (4_250,), 0)),
        (_parts(2_000, 0, 0, 1_500, 8_500), 12_000, GoneBack(2_000, 0, 0, 1_500, (8_500,), 0)),
        (_parts(2_000, 0, 0, 1_500, 8_500), 0, GoneBack(0, 0, 0, 0, (0,), 0)),
        # €99 in three thirds: the second and third take up what rounding left.
        (_parts(0, 0, 0, 15, 84), 33, GoneBack(0, 0, 0, 5, (28,), 0)),
        (_parts(0, 0, 0, 15, 85), 33, GoneBack(0, 0, 0, 5, (28,), 0)),
        (_parts(0, 0, 0, 15, 85), 66, GoneBack(0, 0, 0, 10, (56,), 0)),
        (_parts(0, 0, 0, 15, 85), 99, GoneBack(0, 0, 0, 15, (84,), 0)),
        # The platform's discount comes back with the rest.
        (_parts(0, 2_000, 0, 1_500, 8_500), 4_000, GoneBack(0, 1_000, 0, 750, (4_250,), 0)),
        # A dispute of more than was paid.
        (_parts(0, 0, 0, 1_500, 8_500), 10_300, GoneBack(0, 0, 0, 1_500, (8_500,), 300)),
    ],
)
def test_everybody_gives_back_their_part(
    parts: OrderParts, amount: int, expected: GoneBack
) -> None:
    assert gone_back(parts, amount) == expected


@given(orders(), st.data())
def test_the_parts_of_what_went_back_sum_to_it(parts: OrderParts, data: st.DataObject) -> None:
    amount = data.draw(st.integers(0, parts.total + 500))
    assert _sum(gone_back(parts, amount)) == amount


@given(orders())
def test_when_everything_went_back_everybody_gave_everything(parts: OrderParts) -> None:
    if parts.total == 0:
        # Nothing was paid, so that nothing can go back.
        return
    found = gone_back(parts, parts.total)
    assert found == GoneBack(
        parts.tax,
        parts.discount,
        parts.commission,
        parts.fee,
        tuple(share.amount for share in parts.shares),
        0,
    )


@given(orders(most=40))
def test_no_part_ever_falls_when_more_goes_back(parts: OrderParts) -> None:
    before = _flat(gone_back(parts, 0))
    assert not any(before)
    for amount in range(parts.total + 3):
        now = _flat(gone_back(parts, amount))
        assert all(new >= old for new, old in zip(now, before, strict=True))
        before = now


@given(orders(), st.lists(st.integers(1, 5_000), max_size=40))
def test_partial_refunds_of_any_size_take_what_one_refund_takes(
    parts: OrderParts, steps: list[int]
) -> None:
    taken, so_far = [0] * len(_flat(gone_back(parts, 0))), 0
    for step in steps:
        change = gone_back(parts, so_far + step).less(gone_back(parts, so_far))
        assert min(_flat(change)) >= 0
        taken = [old + new for old, new in zip(taken, _flat(change), strict=True)]
        so_far += step
    assert tuple(taken) == _flat(gone_back(parts, so_far))


@pytest.mark.parametrize(
    "parts",
    [
        _parts(0, 0, 0, 1_500, 8_500),
        # Nothing divides evenly: tax, what the platform funds, and shares in thirds and sevenths.
        _parts(1_901, 1_003, 707, 1_499, 3_333, 3_333, 3_334, 7, 1),
        # A share of one cent, and a fee of none.
        _parts(1_596, 0, 0, 0, 1, 8_399),
        # A price that only thousands of refunds of many cents give back.
        _parts(1_596_639, 13, 333_333, 1_260_504, 5_546_219, 1),
    ],
)
def test_thousands_of_partial_refunds_end_at_exactly_what_one_full_refund_gives(
    parts: OrderParts,
) -> None:
    cuts = sorted(random.Random(7).sample(range(1, parts.total), 2_000))
    before = gone_back(parts, 0)
    taken = _flat(before)
    for so_far in [*cuts, parts.total]:
        now = gone_back(parts, so_far)
        change = _flat(now.less(before))
        assert min(change) >= 0
        taken = tuple(old + new for old, new in zip(taken, change, strict=True))
        before = now
    shares = tuple(share.amount for share in parts.shares)
    assert taken == (parts.tax, parts.discount, parts.commission, parts.fee, *shares, 0)
    assert taken == _flat(gone_back(parts, parts.total))


def test_nothing_less_than_nothing_goes_back() -> None:
    with pytest.raises(ValueError, match="less than nothing"):
        gone_back(_parts(0, 0, 0, 15, 85), -1)


def _line(**fields: int | None) -> OrderLine:
    values: dict[str, int | None] = {
        "position": 1,
        "order_id": 5,
        "list_amount": 10_000,
        "discount_amount": 0,
        "discount_platform_amount": 0,
        "net_amount": 10_000,
        "tax_amount": 2_000,
        "total_amount": 12_000,
        "fee_base": 10_000,
        "fee_bps": 1_500,
        "fee_amount": 1_500,
        "publisher_id": 7,
        "publisher_amount": 8_500,
        "publisher_hold_days": 14,
    }
    return OrderLine(**{**values, **fields})


def test_a_line_that_sums_up_is_taken_as_it_is() -> None:
    parts = parts_of([_line()])
    assert (parts.total, parts.tax, parts.fee) == (12_000, 2_000, 1_500)
    assert [share.amount for share in parts.shares] == [8_500]
    assert parts.shares[0].rate_bps == 8_500


def test_what_the_platform_sells_itself_is_all_its_own() -> None:
    own = _line(publisher_id=None, publisher_amount=0, fee_amount=0)
    assert parts_of([own]).fee == 10_000
    assert parts_of([own]).shares == ()


@pytest.mark.parametrize(
    "wrong",
    [
        {"fee_amount": 1_499},
        {"fee_amount": 1_501},
        {"publisher_amount": 8_501},
        {"net_amount": 9_999},
        {"total_amount": 12_001},
        {"discount_platform_amount": 1},
        {"fee_amount": -1, "publisher_amount": 10_001},
        {"publisher_id": None},
    ],
)
def test_a_line_that_does_not_sum_up_is_refused_by_its_place(wrong: dict[str, int | None]) -> None:
    with pytest.raises(SettlementError, match="Line 1 of order 5"):
        parts_of([_line(**wrong)])
