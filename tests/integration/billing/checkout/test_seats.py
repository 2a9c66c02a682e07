"""Changing seats and plans within a period: nothing is charged twice, nothing without its discount,
nothing while a payment is open."""

from datetime import timedelta
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select

from billing.checkout import open_checkout
from billing.entitlements import entitlement_of
from billing.gateway import StripeRejectedError, StripeUnknownError
from billing.ledger import balance
from billing.models import (
    DiscountKind,
    EntitlementState,
    Order,
    OrderKind,
    OrderState,
    Plan,
    PlanBilling,
    Subscription,
    SubscriptionState,
)
from billing.orders import Buyer
from billing.subscriptions.changing import (
    OLD_PAGE,
    cancel_at_period_end,
    change_subscription,
    want,
)
from billing.subscriptions.invoices import settle_invoice
from billing.subscriptions.proration import When
from marketplace.catalogue.models import Listing
from marketplace.core import clock
from marketplace.core.database import db
from marketplace.core.errors import ConflictError
from marketplace.core.facts import Fact
from marketplace.core.unit_of_work import unit_of_work
from marketplace.identity.models import Organization
from tests.factories.listings import make_listing
from tests.factories.people import make_customer, make_organization
from tests.factories.selling import (
    make_discount,
    make_order,
    make_plan,
    make_price,
    make_sale_fee,
    make_tax_rate,
)
from tests.factories.stripe import StripeStandIn

REFUSED = "4000000000000341"


@pytest.fixture
def listing(app: Flask) -> Listing:
    found = make_listing(make_organization("Quayside"))
    make_sale_fee(2_000)
    make_tax_rate("DE", 1_900)
    db.session.commit()
    return found


@pytest.fixture
def customer(app: Flask) -> Organization:
    found = make_customer("Blue Kite")
    db.session.commit()
    return found


def seats(listing: Listing, amount: int = 1_000, **fields: Any) -> Plan:
    return make_plan(listing, amount, billing=PlanBilling.MONTHLY, is_per_seat=True, **fields)


def subscribe(
    stripe: StripeStandIn,
    client: FlaskClient,
    plan: Plan,
    customer: Organization,
    quantity: int,
    **options: Any,
) -> int:
    """The id of a subscription that has just begun. No transaction is open."""
    buyer = Buyer(customer.id, country="DE")
    order_id = make_order(plan, customer, quantity=quantity, buyer=buyer, **options).id
    db.session.commit()
    stripe.pay(open_for(order_id))
    stripe.deliver(client)
    subscription_id = db.session.scalars(select(Subscription.id)).one()
    db.session.rollback()
    return subscription_id


def open_for(order_id: int) -> str:
    return open_checkout(
        order_id, success_url="http://localhost/done", cancel_url="http://localhost/back"
    )


def change(subscription_id: int, plan_id: int, quantity: int, token: str) -> When:
    return change_subscription(
        subscription_id, plan_id, quantity, token=token, by_user_id=None
    ).when


def announced(subscription_id: int, plan_id: int, quantity: int) -> tuple[int, int]:
    """What the page says is charged now, and with the next payment."""
    subscription = db.session.get_one(Subscription, subscription_id)
    found = want(subscription, db.session.get_one(Plan, plan_id), quantity).change
    db.session.rollback()
    return found.now, found.later


def given(listing: Listing, customer: Organization) -> tuple[int, int] | None:
    """The plan and the seats that the customer may use."""
    db.session.expire_all()
    held = entitlement_of(listing.id, customer.id)
    found = (held.plan_id, held.quantity) if held is not None else None
    db.session.rollback()
    return found


def changes() -> list[Order]:
    db.session.expire_all()
    rows = select(Order).where(Order.kind == OrderKind.CHANGE).order_by(Order.id)
    return list(db.session.scalars(rows))


@pytest.mark.parametrize(
    ("discount", "now", "later", "charged"),
    [
        ({"bps": 5_000, "months": None}, 1_000, 2_500, (2_000, 1_000)),
        ({"bps": 2_000, "months": 3}, 1_600, 4_000, (2_000, 400)),
        # What is off the first payment alone is not taken back, and not given a second time.
        ({"bps": 5_000, "months": 1}, 2_000, 5_000, (2_000, 0)),
        ({"kind": DiscountKind.FIXED, "bps": 0, "amount": 500, "currency": "EUR", "months": None},
         2_000, 4_500, (2_000, 0)),
    ],
)  # fmt: skip
def test_seats_that_are_added_cost_what_was_announced_with_the_discount_and_are_booked(
    stripe: StripeStandIn,
    client: FlaskClient,
    listing: Listing,
    customer: Organization,
    discount: dict[str, Any],
    now: int,
    later: int,
    charged: tuple[int, int],
) -> None:
    make_discount(listing.publisher, "LESS", **discount)
    plan_id = (plan := seats(listing)).id
    subscription_id = subscribe(stripe, client, plan, customer, 3, code="LESS")
    assert announced(subscription_id, plan_id, 5) == (now, later)
    assert change(subscription_id, plan_id, 5, "t1") is When.NOW
    stripe.deliver(client)
    (order,) = changes()
    assert order.state is OrderState.PAID
    assert (order.subtotal, order.discount_total) == charged
    assert abs(order.tax_total - now * 19 / 100) <= 1
    assert stripe.all("invoice")[-1]["total"] == order.total
    line = order.lines[0]
    assert line.fee_amount + line.publisher_amount == now
    stripe.advance(timedelta(days=31))
    stripe.deliver(client)
    db.session.expire_all()
    renewal = db.session.scalars(select(Order).where(Order.kind == OrderKind.RENEWAL)).one()
    assert renewal.subtotal - renewal.discount_total == later


def test_what_the_platform_takes_off_seats_that_are_added_the_publisher_does_not_lose(
    stripe: StripeStandIn, client: FlaskClient, listing: Listing, customer: Organization
) -> None:
    make_discount(None, "OURS", bps=5_000, months=None)
    plan_id = (plan := seats(listing)).id
    subscription_id = subscribe(stripe, client, plan, customer, 3, code="OURS")
    before = balance("discount", "EUR")
    change(subscription_id, plan_id, 5, "t1")
    stripe.deliver(client)
    (order,) = changes()
    line = order.lines[0]
    assert (line.net_amount, line.discount_platform_amount) == (1_000, 1_000)
    assert (line.fee_amount, line.publisher_amount) == (400, 1_600)
    assert balance("discount", "EUR") - before == 1_000


@pytest.mark.parametrize(
    ("subtotal", "discount", "tax", "booked"),
    [
        # Credited more than charged: nothing was paid, and there is nothing to divide.
        (2_000, 2_500, -95, None),
        (-500, 0, -95, None),
        # Sums that no order can carry, of which something was paid.
        (2_000, -500, 475, (2_500, 0, 475)),
        (2_000, 0, -100, (1_900, 0, 0)),
    ],
)
def test_whatever_a_paid_invoice_says_it_can_be_booked(
    stripe: StripeStandIn,
    client: FlaskClient,
    listing: Listing,
    customer: Organization,
    subtotal: int,
    discount: int,
    tax: int,
    booked: tuple[int, int, int] | None,
) -> None:
    plan_id = (plan := seats(listing)).id
    subscription_id = subscribe(stripe, client, plan, customer, 3)
    change(subscription_id, plan_id, 5, "t1")
    stripe.lose()
    invoice = stripe.all("invoice")[-1]
    with stripe.store.transaction():
        stripe.store.save(
            {
                **invoice,
                "subtotal": subtotal,
                "total_discount_amounts": [{"amount": discount, "discount": "di_1"}],
                "total_taxes": [{**invoice["total_taxes"][0], "amount": tax}],
            }
        )
    with unit_of_work():
        order = settle_invoice(invoice["id"])
        found = (order.subtotal, order.discount_total, order.tax_total) if order else None
    assert found == booked
    noted = db.session.scalars(select(Fact).where(Fact.kind == "invoice.without_amount")).all()
    assert len(noted) == (booked is None)


def test_seats_that_were_to_go_and_come_back_are_not_paid_twice(
    stripe: StripeStandIn, client: FlaskClient, listing: Listing, customer: Organization
) -> None:
    plan_id = (plan := seats(listing)).id
    subscription_id = subscribe(stripe, client, plan, customer, 5)
    change(subscription_id, plan_id, 2, "t1")
    assert given(listing, customer) == (plan_id, 5)
    assert announced(subscription_id, plan_id, 5) == (0, 5_000)
    change(subscription_id, plan_id, 5, "t2")
    stripe.deliver(client)
    assert changes() == []
    assert given(listing, customer) == (plan_id, 5)
    with pytest.raises(ConflictError, match="That is what you have"):
        change(subscription_id, plan_id, 5, "t3")
    stripe.advance(timedelta(days=31))
    stripe.deliver(client)
    assert given(listing, customer) == (plan_id, 5)


def test_of_more_than_was_paid_only_the_rest_is_charged(
    stripe: StripeStandIn, client: FlaskClient, listing: Listing, customer: Organization
) -> None:
    plan_id = (plan := seats(listing)).id
    subscription_id = subscribe(stripe, client, plan, customer, 5)
    change(subscription_id, plan_id, 2, "t1")
    assert announced(subscription_id, plan_id, 7) == (2_000, 7_000)
    assert change(subscription_id, plan_id, 7, "t2") is When.NOW
    stripe.deliver(client)
    assert [order.subtotal for order in changes()] == [2_000]
    assert given(listing, customer) == (plan_id, 7)


def test_a_refused_card_leaves_what_was_planned(
    stripe: StripeStandIn, client: FlaskClient, listing: Listing, customer: Organization
) -> None:
    plan_id = (plan := seats(listing)).id
    subscription_id = subscribe(stripe, client, plan, customer, 5)
    change(subscription_id, plan_id, 2, "t1")
    stripe.change_card(stripe.all("customer")[0]["id"], REFUSED)
    for _click in range(2):
        with pytest.raises(StripeRejectedError):
            change(subscription_id, plan_id, 7, "t2")
    stripe.deliver(client)
    assert given(listing, customer) == (plan_id, 5)
    assert db.session.get_one(Subscription, subscription_id).quantity == 2
    (at_stripe,) = stripe.all("subscription")
    assert at_stripe["items"]["data"][0]["quantity"] == 2
    assert changes() == []


def test_back_to_the_plan_that_is_paid_is_free_and_keeps_its_price(
    stripe: StripeStandIn, client: FlaskClient, listing: Listing, customer: Organization
) -> None:
    big = seats(listing, 9_000, name="Big")
    big_id, small_id = big.id, seats(listing).id
    subscription_id = subscribe(stripe, client, big, customer, 2)
    change(subscription_id, small_id, 2, "t1")
    make_price(db.session.get_one(Plan, big_id), 12_000)
    db.session.commit()
    assert announced(subscription_id, big_id, 2) == (0, 18_000)
    change(subscription_id, big_id, 2, "t2")
    stripe.advance(timedelta(days=31))
    stripe.deliver(client)
    assert changes() == []
    renewal = db.session.scalars(select(Order).where(Order.kind == OrderKind.RENEWAL)).one()
    assert renewal.subtotal == 18_000


def test_nothing_is_changed_while_a_payment_is_open(
    stripe: StripeStandIn, client: FlaskClient, listing: Listing, customer: Organization
) -> None:
    plan_id = (plan := seats(listing)).id
    subscription_id = subscribe(stripe, client, plan, customer, 5)
    (buyer,) = stripe.all("customer")
    stripe.change_card(buyer["id"], REFUSED)
    stripe.advance(timedelta(days=31))
    stripe.change_card(buyer["id"], "4242424242424242")
    # Also before the event has told us.
    for _time in range(2):
        with pytest.raises(ConflictError, match="Pay it first"):
            change(subscription_id, plan_id, 6, "t1")
        stripe.deliver(client)
    subscription = db.session.get_one(Subscription, subscription_id)
    assert (subscription.state, subscription.quantity) == (SubscriptionState.PAST_DUE, 5)
    held = entitlement_of(listing.id, customer.id)
    assert held is not None
    assert held.state is EntitlementState.GRACE


def test_a_form_that_was_used_for_other_numbers_is_old(
    stripe: StripeStandIn, client: FlaskClient, listing: Listing, customer: Organization
) -> None:
    plan_id = (plan := seats(listing)).id
    subscription_id = subscribe(stripe, client, plan, customer, 3)
    change(subscription_id, plan_id, 5, "t1")
    for quantity in (6, 4):
        with pytest.raises(ConflictError) as caught:
            change(subscription_id, plan_id, quantity, "t1")
        assert caught.value.code == OLD_PAGE
    # The first form again, after another one.
    change(subscription_id, plan_id, 4, "t2")
    change(subscription_id, plan_id, 2, "t3")
    with pytest.raises(ConflictError) as caught:
        change(subscription_id, plan_id, 4, "t2")
    assert caught.value.code == OLD_PAGE
    assert db.session.get_one(Subscription, subscription_id).quantity == 2


def test_an_old_form_of_a_cancellation_cancels_nothing_and_says_so(
    stripe: StripeStandIn, client: FlaskClient, listing: Listing, customer: Organization
) -> None:
    subscription_id = subscribe(stripe, client, seats(listing), customer, 1)
    for token, is_canceled in (("a", True), ("a", True), ("b", False)):
        cancel_at_period_end(subscription_id, is_canceled=is_canceled, token=token, by_user_id=None)
    with pytest.raises(ConflictError) as caught:
        cancel_at_period_end(subscription_id, is_canceled=True, token="a", by_user_id=None)
    assert caught.value.code == OLD_PAGE
    assert not db.session.get_one(Subscription, subscription_id).cancel_at_period_end


@pytest.mark.parametrize("days", [14, 60])
def test_the_trial_of_an_order_is_the_one_that_was_agreed(
    stripe: StripeStandIn,
    client: FlaskClient,
    listing: Listing,
    customer: Organization,
    days: int,
) -> None:
    make_discount(listing.publisher, "TRY", months=1)
    plan_id = (plan := seats(listing, 3_300, trial_days=days)).id
    order_id = make_order(plan, customer, code="TRY").id
    db.session.commit()
    stripe.fault("customers.create", "dropped")
    with pytest.raises(StripeUnknownError):
        open_for(order_id)
    db.session.get_one(Plan, plan_id).trial_days = 0
    db.session.commit()
    stripe.pay(open_for(order_id))
    stripe.deliver(client)
    db.session.expire_all()
    assert db.session.get_one(Order, order_id).total == 0
    subscription = db.session.scalars(select(Subscription)).one()
    assert subscription.state is SubscriptionState.TRIALING
    assert subscription.trial_ends_at is not None
    assert (subscription.trial_ends_at - clock.now() + timedelta(hours=1)).days == days
    for passed in (days + 1, 31):
        stripe.advance(timedelta(days=passed))
        stripe.deliver(client)
    db.session.expire_all()
    nets = db.session.scalars(select(Order).order_by(Order.id)).all()
    assert [each.subtotal - each.discount_total for each in nets] == [0, 2_970, 3_300]
