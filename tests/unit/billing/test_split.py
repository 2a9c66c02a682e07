"""How a line is divided, to the cent."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from billing.models.discount import Funder
from billing.split import Split, SplitError, Terms, split


@pytest.mark.parametrize(
    ("terms", "expected"),
    [
        (Terms(10_000, fee_bps=1_500), Split(10_000, 10_000, 10_000, 1_500, 8_500, 0, 0)),
        # The publisher's discount lowers what is divided.
        (
            Terms(10_000, discount=2_000, fee_bps=1_500),
            Split(8_000, 8_000, 8_000, 1_200, 6_800, 0, 0),
        ),
        # The platform's does not: it pays the difference.
        (
            Terms(10_000, discount=2_000, discount_by_platform=2_000, fee_bps=1_500),
            Split(8_000, 10_000, 10_000, 1_500, 8_500, 0, 0),
        ),
        # A resale: the fee is of the floor, the margin is the reseller's alone.
        (
            Terms(12_500, fee_bps=1_500, floor=10_000),
            Split(12_500, 12_500, 10_000, 1_500, 8_500, 2_500, 0),
        ),
        # A commission comes out of the publisher's part …
        (
            Terms(10_000, fee_bps=1_500, commission=2_000, commission_funder=Funder.PUBLISHER),
            Split(10_000, 10_000, 10_000, 1_500, 6_500, 0, 2_000),
        ),
        # … or is the platform's expense.
        (
            Terms(10_000, fee_bps=1_500, commission=2_000, commission_funder=Funder.PLATFORM),
            Split(10_000, 10_000, 10_000, 1_500, 8_500, 0, 2_000),
        ),
        # A commission that nobody funds is none.
        (
            Terms(10_000, fee_bps=1_500, commission=2_000),
            Split(10_000, 10_000, 10_000, 1_500, 8_500, 0, 0),
        ),
        # A fixed fee is cut to what there is.
        (Terms(100, fee_fixed=300), Split(100, 100, 100, 100, 0, 0, 0)),
        (Terms(0, fee_fixed=300), Split(0, 0, 0, 0, 0, 0, 0)),
        # So is a commission: nobody earns more by a sale than was paid.
        (
            Terms(1_000, fee_bps=1_500, commission=5_000, commission_funder=Funder.PUBLISHER),
            Split(1_000, 1_000, 1_000, 150, 0, 0, 850),
        ),
        (
            Terms(1_000, fee_bps=1_500, commission=5_000, commission_funder=Funder.PLATFORM),
            Split(1_000, 1_000, 1_000, 150, 850, 0, 1_000),
        ),
        # Half a cent goes to the platform.
        (Terms(333, fee_bps=1_500), Split(333, 333, 333, 50, 283, 0, 0)),
        (Terms(10, fee_bps=1_500), Split(10, 10, 10, 2, 8, 0, 0)),
    ],
)
def test_a_line_is_divided(terms: Terms, expected: Split) -> None:
    assert split(terms) == expected


@pytest.mark.parametrize(
    ("terms", "why"),
    [
        (Terms(100, discount=101), "part of the price"),
        (Terms(100, discount=10, discount_by_platform=11), "part of the price"),
        (Terms(100, fee_bps=-1), "below zero"),
        (Terms(100, commission=-1), "below zero"),
        (Terms(100, floor=101), "below the floor"),
    ],
)
def test_terms_that_leave_less_than_nothing_are_refused(terms: Terms, why: str) -> None:
    with pytest.raises(SplitError, match=why):
        split(terms)


@given(st.data())
def test_the_parts_are_never_below_nothing_and_sum_to_what_is_divided(data: st.DataObject) -> None:
    price = data.draw(st.integers(0, 1_000_000))
    discount = data.draw(st.integers(0, price))
    by_platform = data.draw(st.integers(0, discount))
    divided = price - discount + by_platform
    funder = data.draw(st.sampled_from([None, *Funder]))
    found = split(
        Terms(
            price,
            discount,
            by_platform,
            fee_bps=data.draw(st.integers(0, 10_000)),
            fee_fixed=data.draw(st.integers(0, 500)),
            floor=data.draw(st.none() | st.integers(0, divided)),
            commission=data.draw(st.integers(0, 1_000_000)),
            commission_funder=funder,
        )
    )
    borne = found.commission if funder is Funder.PUBLISHER else 0
    assert found.fee + found.publisher + found.margin + borne == found.divided == divided
    assert found.commission <= found.net
    assert min(found.fee, found.publisher, found.margin, found.commission) >= 0
