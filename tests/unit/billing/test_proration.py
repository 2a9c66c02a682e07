"""What a change in the middle of a period costs, as a table."""

from datetime import UTC, datetime, timedelta

import pytest

from billing.coupons import Off
from billing.models import PlanBilling, SubscriptionState
from billing.subscriptions.proration import Terms, When, change_of
from billing.subscriptions.states import next_state, state_of

START = datetime(2026, 11, 1, tzinfo=UTC)
END = START + timedelta(days=30)
MONTHLY, YEARLY = PlanBilling.MONTHLY, PlanBilling.YEARLY


@pytest.mark.parametrize(
    ("new", "days", "when", "now", "later"),
    [
        # Nothing changes.
        (Terms(1, MONTHLY, 1_000, 2), 15, When.NEVER, 0, 2_000),
        # Three seats more for half a month.
        (Terms(1, MONTHLY, 1_000, 5), 15, When.NOW, 1_500, 5_000),
        # On the first and on the last moment.
        (Terms(1, MONTHLY, 1_000, 5), 0, When.NOW, 3_000, 5_000),
        (Terms(1, MONTHLY, 1_000, 5), 30, When.NOW, 0, 5_000),
        # A dearer plan for ten days.
        (Terms(2, MONTHLY, 1_600, 2), 20, When.NOW, 400, 3_200),
        # Less begins with the next payment.
        (Terms(1, MONTHLY, 1_000, 1), 15, When.NEXT_PAYMENT, 0, 1_000),
        (Terms(2, MONTHLY, 500, 2), 15, When.NEXT_PAYMENT, 0, 1_000),
        # Yearly: what is left of the month is taken off.
        (Terms(3, YEARLY, 10_000, 2), 15, When.NOW, 19_000, 20_000),
    ],
)
def test_more_is_paid_for_the_rest_and_less_waits(
    new: Terms, days: int, when: When, now: int, later: int
) -> None:
    held = Terms(1, MONTHLY, 1_000, 2)
    change = change_of(held, held, new, start=START, end=END, at=START + timedelta(days=days))
    assert (change.when, change.now, change.later) == (when, now, later)


def test_a_yearly_plan_ends_before_it_becomes_a_monthly_one() -> None:
    held = Terms(1, YEARLY, 10_000, 1)
    change = change_of(
        held,
        held,
        Terms(2, MONTHLY, 1_000, 1),
        start=START,
        end=START + timedelta(days=365),
        at=START,
    )
    assert change.when is When.NEVER
    assert "Cancel it" in change.reason


def test_without_a_known_period_the_whole_difference_is_told() -> None:
    old, new = Terms(1, MONTHLY, 1_000, 1), Terms(1, MONTHLY, 1_000, 3)
    assert change_of(old, old, new, start=None, end=None, at=START).now == 2_000


@pytest.mark.parametrize(
    ("paid", "held", "new", "expected"),
    [
        # Back to what is paid already, and a part of the way back.
        (5, 2, 5, (When.NEXT_PAYMENT, 0, 5_000)),
        (5, 2, 4, (When.NEXT_PAYMENT, 0, 4_000)),
        (5, 2, 2, (When.NEVER, 0, 2_000)),
        # Only what is above it is charged.
        (5, 2, 7, (When.NOW, 1_000, 7_000)),
        # What was added was given back: to have it again is paid again.
        (2, 5, 5, (When.NOW, 1_500, 5_000)),
        (2, 5, 2, (When.NEXT_PAYMENT, 0, 2_000)),
    ],
)
def test_nothing_is_paid_twice_for_one_period(
    paid: int, held: int, new: int, expected: tuple[When, int, int]
) -> None:
    change = change_of(
        *(Terms(1, MONTHLY, 1_000, seats) for seats in (paid, held, new)),
        start=START,
        end=END,
        at=START + timedelta(days=15),
    )
    assert (change.when, change.now, change.later) == expected


@pytest.mark.parametrize(
    ("new", "off", "later_off", "now", "later"),
    [
        (Terms(1, MONTHLY, 1_000, 5), Off(bps=5_000), Off(bps=5_000), 1_000, 2_500),
        (Terms(1, MONTHLY, 1_000, 5), Off(bps=2_000), Off(), 1_600, 5_000),
        # A fixed amount was taken off already.
        (Terms(1, MONTHLY, 1_000, 5), Off(amount=500), Off(amount=500), 2_000, 4_500),
        (Terms(3, YEARLY, 10_000, 3), Off(bps=5_000), Off(), 13_500, 30_000),
    ],
)
def test_what_is_charged_has_the_discount_of_the_subscription(
    new: Terms, off: Off, later_off: Off, now: int, later: int
) -> None:
    held = Terms(1, MONTHLY, 1_000, 3)
    change = change_of(
        held, held, new, start=START, end=END, at=START, off=off, later_off=later_off
    )
    assert (change.now, change.later) == (now, later)


@pytest.mark.parametrize(
    ("ours", "theirs", "expected"),
    [
        (SubscriptionState.INCOMPLETE, "trialing", SubscriptionState.TRIALING),
        (SubscriptionState.ACTIVE, "past_due", SubscriptionState.PAST_DUE),
        (SubscriptionState.PAST_DUE, "active", SubscriptionState.ACTIVE),
        (SubscriptionState.ACTIVE, "unpaid", SubscriptionState.PAST_DUE),
        (SubscriptionState.ACTIVE, "canceled", SubscriptionState.CANCELED),
        (SubscriptionState.CANCELED, "active", SubscriptionState.CANCELED),
        (SubscriptionState.ACTIVE, "incomplete", SubscriptionState.ACTIVE),
        (SubscriptionState.ACTIVE, "something_new", SubscriptionState.PAST_DUE),
    ],
)
def test_a_subscription_moves_forward_only(
    ours: SubscriptionState, theirs: str, expected: SubscriptionState
) -> None:
    assert next_state(ours, state_of(theirs)) is expected
