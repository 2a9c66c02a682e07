"""Changes of subscriptions whose answer is lost, or whose money goes back."""

from datetime import timedelta

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select

from billing.checkout import open_checkout
from billing.entitlements import entitlement_of
from billing.gateway import StripeUnknownError
from billing.models import (
    Order,
    OrderKind,
    Plan,
    PlanBilling,
    Subscription,
    SubscriptionState,
)
from billing.models.stripe import OperationState, StripeOperation
from billing.settlement.refunds import refundable, request_refund
from billing.subscriptions.changing import cancel_at_period_end, change_subscription
from marketplace.catalogue.models import Listing
from marketplace.core.database import db
from marketplace.core.errors import ConflictError
from marketplace.core.facts import Fact
from marketplace.core.unit_of_work import unit_of_work
from marketplace.identity.models import Organization
from tests.factories.listings import make_listing
from tests.factories.people import make_customer, make_organization
from tests.factories.selling import make_order, make_plan, make_sale_fee
from tests.factories.stripe import StripeStandIn


@pytest.fixture
def listing(app: Flask) -> Listing:
    found = make_listing(make_organization("Quayside"))
    make_sale_fee(2_000)
    db.session.commit()
    return found


@pytest.fixture
def customer(app: Flask) -> Organization:
    found = make_customer("Blue Kite")
    db.session.commit()
    return found


def seats(listing: Listing, amount: int = 1_000, **fields: object) -> Plan:
    return make_plan(listing, amount, billing=PlanBilling.MONTHLY, is_per_seat=True, **fields)


def subscribe(
    stripe: StripeStandIn, client: FlaskClient, plan: Plan, customer: Organization, quantity: int
) -> int:
    """The id of a subscription that is three days old. No transaction is open."""
    order_id = make_order(plan, customer, quantity=quantity).id
    db.session.commit()
    stripe.pay(
        open_checkout(
            order_id, success_url="http://localhost/done", cancel_url="http://localhost/back"
        )
    )
    stripe.deliver(client)
    stripe.advance(timedelta(days=3))
    subscription_id = db.session.scalars(select(Subscription.id)).one()
    db.session.rollback()
    return subscription_id


def given(listing: Listing, customer: Organization) -> tuple[int, int] | None:
    """The plan and the seats that the customer may use."""
    db.session.expire_all()
    held = entitlement_of(listing.id, customer.id)
    found = (held.plan_id, held.quantity) if held is not None else None
    db.session.rollback()
    return found


def change_of(listing: Listing) -> Order:
    db.session.expire_all()
    return db.session.scalars(select(Order).where(Order.kind == OrderKind.CHANGE)).one()


def pay_back(stripe: StripeStandIn, client: FlaskClient, order: Order) -> None:
    stripe.fund(100_000)
    with unit_of_work():
        request_refund(order, refundable(order), reason="Asked.", by_user_id=1)
    stripe.deliver(client)
    stripe.run_jobs()
    stripe.deliver(client)


def test_seats_that_were_charged_are_there_although_the_answer_was_lost(
    stripe: StripeStandIn, client: FlaskClient, listing: Listing, customer: Organization
) -> None:
    plan_id = (plan := seats(listing)).id
    subscription_id = subscribe(stripe, client, plan, customer, 2)
    stripe.fault("subscriptions.update", "lost")
    with pytest.raises(StripeUnknownError):
        change_subscription(subscription_id, plan_id, 5, token="t1", by_user_id=1)
    assert given(listing, customer) == (plan_id, 2)
    stripe.deliver(client)
    assert given(listing, customer) == (plan_id, 5)
    operation = db.session.scalars(
        select(StripeOperation).where(StripeOperation.idem_key.endswith(":change:t1"))
    ).one()
    assert operation.state is OperationState.SUCCEEDED
    db.session.rollback()
    # Sent once more it charges nothing.
    with pytest.raises(ConflictError):
        change_subscription(subscription_id, plan_id, 5, token="t1", by_user_id=1)
    assert change_of(listing).lines[0].quantity == 5
    changed = select(Fact).where(Fact.kind == "subscription.changed")
    assert len(db.session.scalars(changed).all()) == 1


def test_a_second_click_before_the_event_delivers_what_the_lost_answer_said(
    stripe: StripeStandIn, client: FlaskClient, listing: Listing, customer: Organization
) -> None:
    plan_id = (plan := seats(listing)).id
    subscription_id = subscribe(stripe, client, plan, customer, 2)
    stripe.fault("subscriptions.update", "lost")
    for is_lost in (True, False):
        try:
            change_subscription(subscription_id, plan_id, 5, token="t1", by_user_id=1)
        except StripeUnknownError:
            assert is_lost
    assert given(listing, customer) == (plan_id, 5)
    stripe.deliver(client)
    assert change_of(listing).lines[0].quantity == 5


def test_a_bigger_plan_that_was_charged_is_there_although_the_answer_was_lost(
    stripe: StripeStandIn, client: FlaskClient, listing: Listing, customer: Organization
) -> None:
    subscription_id = subscribe(stripe, client, seats(listing), customer, 2)
    big = seats(listing, 9_000, name="Big").id
    db.session.commit()
    stripe.fault("subscriptions.update", "lost")
    with pytest.raises(StripeUnknownError):
        change_subscription(subscription_id, big, 2, token="t1", by_user_id=1)
    stripe.deliver(client)
    assert given(listing, customer) == (big, 2)
    line = change_of(listing).lines[0]
    assert (line.plan_id, line.description) == (big, "Big, change to 2 until the next payment")
    db.session.rollback()
    stripe.advance(timedelta(days=31))
    stripe.deliver(client)
    assert given(listing, customer) == (big, 2)
    assert db.session.get_one(Subscription, subscription_id).plan_id == big


def test_a_smaller_plan_whose_answer_was_lost_begins_with_the_next_payment(
    stripe: StripeStandIn, client: FlaskClient, listing: Listing, customer: Organization
) -> None:
    big = seats(listing, 9_000, name="Big")
    big_id, small = big.id, seats(listing).id
    subscription_id = subscribe(stripe, client, big, customer, 2)
    stripe.fault("subscriptions.update", "lost")
    with pytest.raises(StripeUnknownError):
        change_subscription(subscription_id, small, 2, token="t1", by_user_id=1)
    stripe.deliver(client)
    assert given(listing, customer) == (big_id, 2)
    stripe.advance(timedelta(days=31))
    stripe.deliver(client)
    assert given(listing, customer) == (small, 2)


def test_a_year_that_is_paid_back_in_full_ends(
    stripe: StripeStandIn, client: FlaskClient, listing: Listing, customer: Organization
) -> None:
    year = make_plan(listing, 10_000, billing=PlanBilling.YEARLY).id
    subscription_id = subscribe(stripe, client, seats(listing), customer, 1)
    change_subscription(subscription_id, year, 1, token="t1", by_user_id=1)
    stripe.deliver(client)
    assert given(listing, customer) == (year, 1)
    pay_back(stripe, client, change_of(listing))
    assert given(listing, customer) is None
    subscription = db.session.get_one(Subscription, subscription_id)
    assert subscription.state is SubscriptionState.CANCELED


def test_the_month_before_a_year_that_is_paid_back_takes_nothing_away(
    stripe: StripeStandIn, client: FlaskClient, listing: Listing, customer: Organization
) -> None:
    year = make_plan(listing, 10_000, billing=PlanBilling.YEARLY).id
    subscription_id = subscribe(stripe, client, seats(listing), customer, 1)
    change_subscription(subscription_id, year, 1, token="t1", by_user_id=1)
    stripe.deliver(client)
    db.session.expire_all()
    month = db.session.scalars(select(Order).where(Order.kind == OrderKind.PURCHASE)).one()
    pay_back(stripe, client, month)
    assert given(listing, customer) == (year, 1)


def test_seats_that_are_paid_back_go_and_what_was_paid_before_stays(
    stripe: StripeStandIn, client: FlaskClient, listing: Listing, customer: Organization
) -> None:
    plan_id = (plan := seats(listing)).id
    subscription_id = subscribe(stripe, client, plan, customer, 2)
    change_subscription(subscription_id, plan_id, 5, token="t1", by_user_id=1)
    stripe.deliver(client)
    pay_back(stripe, client, change_of(listing))
    assert given(listing, customer) == (plan_id, 2)
    # Looking at the subscription again does not give them a second time.
    cancel_at_period_end(subscription_id, is_canceled=False, token="t2", by_user_id=1)
    stripe.deliver(client)
    assert given(listing, customer) == (plan_id, 2)
    stripe.advance(timedelta(days=31))
    stripe.deliver(client)
    assert given(listing, customer) == (plan_id, 5)
