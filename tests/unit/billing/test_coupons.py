"""The coupon that Stripe is told, as a table."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from billing.coupons import Off, coupon_params, off_at, trial_days_of
from billing.models import Order, OrderLine, Plan, PlanBilling


def kept(kind: str = "percent", months: int | None = 1, **fields: Any) -> dict[str, Any]:
    return {
        "id": 1, "name": "Autumn", "kind": kind, "bps": 1_000, "amount": 400, "later_amount": 400,
        "funder": "publisher", "code": "", "months": months, **fields,
    }  # fmt: skip


def order_of(discounts: list[dict[str, Any]], *, trial: bool = False, recurring: bool) -> Order:
    amount = 0 if trial else sum(each["amount"] for each in discounts)
    line = OrderLine(plan_id=1, discount_amount=amount, discounts=discounts)
    order = Order(public_id="ord_1", currency="EUR", subscription_id=5 if recurring else None)
    order.lines = [line]
    return order


@pytest.mark.parametrize(
    ("discounts", "recurring", "billing", "expected"),
    [
        ([kept()], False, PlanBilling.ONE_TIME, {"amount_off": 400, "duration": "once"}),
        # Stripe takes what is given once back as soon as seats are added, so it lasts the period.
        ([kept()], True, PlanBilling.MONTHLY,
         {"amount_off": 400, "duration": "repeating", "duration_in_months": 1}),
        ([kept()], True, PlanBilling.YEARLY,
         {"amount_off": 400, "duration": "repeating", "duration_in_months": 12}),
        ([kept(months=None)], True, PlanBilling.MONTHLY,
         {"percent_off": 10.0, "duration": "forever"}),
        ([kept(months=3)], True, PlanBilling.MONTHLY,
         {"percent_off": 10.0, "duration": "repeating", "duration_in_months": 3}),
        ([kept(months=2)], True, PlanBilling.YEARLY,
         {"percent_off": 10.0, "duration": "repeating", "duration_in_months": 24}),
        ([kept(months=2), kept(months=2, bps=2_000)], True, PlanBilling.MONTHLY,
         {"percent_off": 28.0, "duration": "repeating", "duration_in_months": 2}),
        ([kept("fixed", months=2)], True, PlanBilling.MONTHLY,
         {"amount_off": 400, "duration": "repeating", "duration_in_months": 2}),
    ],
)  # fmt: skip
def test_one_coupon_says_what_was_computed(
    discounts: list[dict[str, Any]],
    recurring: bool,
    billing: PlanBilling,
    expected: dict[str, Any],
) -> None:
    params = coupon_params(
        order_of(discounts, recurring=recurring), {1: Plan(id=1, billing=billing)}, trial_days=0
    )
    assert params is not None
    told = {key: value for key, value in params.items() if key not in {"name", "metadata"}}
    assert told.pop("currency", "EUR") == "EUR"
    assert told == expected


@pytest.mark.parametrize(("trial_days", "months"), [(14, 1), (27, 1), (30, 2), (60, 3)])
def test_a_trial_does_not_use_the_coupon_up(trial_days: int, months: int) -> None:
    discounts = [kept("fixed", amount=0)]
    params = coupon_params(
        order_of(discounts, trial=True, recurring=True),
        # What the plan says by now does not count, but what was agreed.
        {1: Plan(id=1, billing=PlanBilling.MONTHLY, trial_days=365)},
        trial_days=trial_days,
    )
    assert params is not None
    assert params["amount_off"] == 400
    assert params["duration_in_months"] == months


def test_without_a_discount_there_is_no_coupon() -> None:
    assert coupon_params(order_of([], recurring=False), {}, trial_days=0) is None


BEGUN = datetime(2027, 1, 31, 12, tzinfo=UTC)


@pytest.mark.parametrize(
    ("discount", "days", "left"),
    [
        (kept(months=None), 900, 1_800),
        (kept(months=2), 27, 1_800),
        # From the third payment on, which is on 31 March, there is none.
        (kept(months=2), 58, 1_800),
        (kept(months=2), 59, 2_000),
        # What is off the first payment is an amount, however many seats there are.
        (kept(), 5, 1_600),
        (kept(), 28, 2_000),
        (kept("fixed", months=2, amount=0), 40, 1_600),
    ],
)
def test_a_discount_is_in_force_as_long_as_its_coupon(
    discount: dict[str, Any], days: int, left: int
) -> None:
    off = off_at(
        [discount],
        BEGUN + timedelta(days=days),
        begun_at=BEGUN,
        billing=PlanBilling.MONTHLY,
        trial_days=0,
    )
    assert off.less(2_000) == left


def test_what_a_share_was_taken_off_is_known_by_what_is_left() -> None:
    assert Off(bps=2_000).before(1_600) == 2_000
    assert Off(bps=3_333).before(6_667) == 10_000
    assert Off(bps=10_000).before(0) == 0
    assert Off(amount=500).before(1_600) == 1_600


def test_the_days_of_a_trial_are_those_that_were_agreed() -> None:
    assert trial_days_of(BEGUN, BEGUN + timedelta(days=14, seconds=2)) == 14
    assert trial_days_of(BEGUN, None) == 0
