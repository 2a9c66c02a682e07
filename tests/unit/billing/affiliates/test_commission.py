"""What a sale earns, which click counts, and what looks wrong."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from billing.affiliate import (
    Rate,
    Relation,
    Touch,
    commission,
    counted_touch,
    program_rank,
    rate_for_sale,
    self_referral,
    velocity,
)
from billing.models.affiliate import AttributionModel

NOW = datetime(2026, 11, 29, 12, tzinfo=UTC)
STEPS = ((10, 2_500), (50, 3_000))


@pytest.mark.parametrize(
    ("rate", "net", "currency", "number", "before", "bps", "amount"),
    [
        pytest.param(Rate(bps=2_000), 4_900, "EUR", 1, 0, 2_000, 980, id="a share"),
        pytest.param(Rate(bps=1_250), 333, "EUR", 1, 0, 1_250, 42, id="halves go up"),
        pytest.param(
            Rate(fixed=500, currency="EUR"), 4_900, "EUR", 1, 0, 0, 500, id="a fixed amount"
        ),
        pytest.param(
            Rate(bps=1_000, fixed=500, currency="EUR"), 4_900, "EUR", 1, 0, 1_000, 990, id="both"
        ),
        pytest.param(
            Rate(bps=1_000, fixed=500, currency="EUR"),
            4_900, "USD", 1, 0, 1_000, 490,
            id="a fixed amount counts in its own currency alone",
        ),
        pytest.param(
            Rate(bps=5_000, cap=2_000, currency="EUR"), 10_000, "EUR", 1, 0, 5_000, 2_000,
            id="cut to the cap",
        ),
        pytest.param(
            Rate(bps=1_000, fixed=5_000, currency="EUR"), 3_000, "EUR", 1, 0, 1_000, 3_000,
            id="never more than was paid",
        ),
        pytest.param(Rate(bps=2_000), 0, "EUR", 1, 0, 2_000, 0, id="nothing paid, nothing earned"),
        pytest.param(
            Rate(fixed=500, currency="EUR"), 0, "EUR", 1, 0, 0, 0, id="nothing fixed for nothing"
        ),
        pytest.param(Rate(bps=2_000, payments=3), 100, "EUR", 3, 9, 2_000, 20, id="third of three"),
        pytest.param(Rate(bps=2_000, payments=None), 100, "EUR", 99, 0, 2_000, 20, id="for ever"),
        pytest.param(
            Rate(bps=2_000, steps=STEPS), 10_000, "EUR", 1, 8, 2_000, 2_000, id="the ninth sale"
        ),
        pytest.param(
            Rate(bps=2_000, steps=STEPS), 10_000, "EUR", 1, 9, 2_500, 2_500, id="the tenth sale"
        ),
        pytest.param(
            Rate(bps=2_000, steps=STEPS, payments=None), 10_000, "EUR", 2, 9, 2_000, 2_000,
            id="a renewal is no sale of its own",
        ),
        pytest.param(Rate(bps=2_000), 500, "JPY", 1, 0, 2_000, 100, id="no decimals"),
    ],
)  # fmt: skip
def test_a_payment_earns_what_its_rule_says(
    rate: Rate, net: int, currency: str, number: int, before: int, bps: int, amount: int
) -> None:
    earned = commission(
        rate, net=net, currency=currency, payment_number=number, sales_before=before
    )
    assert earned is not None
    assert (earned.base, earned.bps, earned.amount) == (net, bps, amount)


@pytest.mark.parametrize(
    ("rate", "number"),
    [
        pytest.param(Rate(bps=2_000), 2, id="for the first payment alone"),
        pytest.param(Rate(bps=2_000, payments=12), 13, id="after a year"),
        pytest.param(Rate(fixed=500, currency="USD"), 1, id="only fixed, in another currency"),
    ],
)
def test_a_payment_that_the_rule_does_not_pay_for_earns_nothing(rate: Rate, number: int) -> None:
    assert (
        commission(rate, net=4_900, currency="EUR", payment_number=number, sales_before=0) is None
    )


@given(
    st.integers(0, 10_000),
    st.integers(0, 10**6),
    st.one_of(st.none(), st.integers(1, 10**6)),
    st.integers(0, 10**7),
)
def test_a_commission_is_never_more_than_the_payment_or_the_cap(
    bps: int, fixed: int, cap: int | None, net: int
) -> None:
    rate = Rate(bps=bps, fixed=fixed, currency="EUR", cap=cap)
    earned = commission(rate, net=net, currency="EUR", payment_number=1, sales_before=0)
    if earned is not None:
        assert 0 <= earned.amount <= net
        assert cap is None or earned.amount <= cap


def test_steps_count_in_any_order() -> None:
    rate = Rate(bps=1_000, steps=((50, 3_000), (10, 2_000)))
    assert [rate_for_sale(rate, nth) for nth in (1, 9, 10, 49, 50, 500)] == [
        1_000, 1_000, 2_000, 2_000, 3_000, 3_000,
    ]  # fmt: skip


def touch(affiliate: int, days_ago: float, source: str = "click") -> Touch:
    return Touch(1, affiliate, NOW - timedelta(days=days_ago), source, click_id=affiliate)


@pytest.mark.parametrize(
    ("touches", "model", "winner"),
    [
        pytest.param([touch(1, 9), touch(2, 3)], AttributionModel.LAST_CLICK, 2, id="last"),
        pytest.param([touch(1, 9), touch(2, 3)], AttributionModel.FIRST_CLICK, 1, id="first"),
        pytest.param(
            [touch(1, 31), touch(2, 3)], AttributionModel.FIRST_CLICK, 2, id="first in the window"
        ),
        pytest.param([touch(1, 30)], AttributionModel.LAST_CLICK, None, id="the window has passed"),
        pytest.param([touch(1, -1)], AttributionModel.LAST_CLICK, None, id="not from the future"),
        pytest.param(
            [touch(1, 9), touch(2, 1, "server")],
            AttributionModel.LAST_CLICK,
            1,
            id="a click goes before a lead",
        ),
        pytest.param([touch(2, 1, "server")], AttributionModel.LAST_CLICK, 2, id="a lead alone"),
        pytest.param([], AttributionModel.LAST_CLICK, None, id="nobody"),
    ],
)
def test_the_click_that_counts(
    touches: list[Touch], model: AttributionModel, winner: int | None
) -> None:
    found = counted_touch(touches, model, 30, NOW)
    assert (found.affiliate_id if found else None) == winner


@pytest.mark.parametrize(
    ("relation", "word"),
    [
        (Relation(same_organization=True), "is the customer"),
        (Relation(is_publisher=True), "publishes"),
        (Relation(shared_members=1), "belongs to both"),
        (Relation(same_card=True), "same card"),
        (Relation(shared_domain="tidewater.co"), "tidewater.co"),
        (Relation(), ""),
    ],
)
def test_self_referrals_are_said_in_words(relation: Relation, word: str) -> None:
    reason = self_referral(relation)
    assert word in reason
    assert bool(reason) == (relation != Relation())


@pytest.mark.parametrize(
    ("counts", "is_fast"),
    [
        ({"clicks_today": 50}, False),
        ({"clicks_today": 51}, True),
        ({"customers_today": 3}, False),
        ({"customers_today": 4}, True),
        ({"sales_this_hour": 20}, False),
        ({"sales_this_hour": 21}, True),
    ],
)
def test_a_pace_beyond_a_persons_is_said_in_words(counts: dict[str, int], is_fast: bool) -> None:
    assert bool(velocity(**counts)) is is_fast


@pytest.mark.parametrize(
    ("publisher", "listing", "rank"),
    [
        (7, 70, 0),
        (7, None, 1),
        (None, 70, 2),
        (None, None, 3),
        (8, None, None),
        (7, 71, None),
        (None, 71, None),
    ],
)
def test_the_program_that_fits_most_exactly_goes_first(
    publisher: int | None, listing: int | None, rank: int | None
) -> None:
    assert program_rank(publisher, listing, listing_id=70, publisher_id=7) == rank
