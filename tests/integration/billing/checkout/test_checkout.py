"""Buying through Stripe's Checkout, on the stand-in."""

from datetime import timedelta

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select

from billing.affiliates.programs import RuleTerms
from billing.checkout import open_checkout
from billing.checkout_events import replace_open_checkouts
from billing.entitlements import entitlement_of
from billing.ledger import balance
from billing.models import (
    DiscountKind,
    EntitlementState,
    Order,
    OrderKind,
    OrderLine,
    OrderState,
    PlanBilling,
    Refund,
    Subscription,
    SubscriptionState,
)
from billing.orders import Buyer
from billing.subscriptions.changing import cancel_at_period_end, change_subscription
from billing.subscriptions.proration import When
from marketplace.catalogue.models import Listing
from marketplace.core import jobs
from marketplace.core.database import db
from marketplace.core.errors import ConflictError
from marketplace.core.unit_of_work import unit_of_work
from marketplace.identity.models import Organization
from tests.factories.affiliates import make_affiliate, make_program
from tests.factories.listings import make_listing
from tests.factories.people import make_customer, make_organization
from tests.factories.selling import (
    make_discount,
    make_order,
    make_plan,
    make_sale_fee,
    make_tax_rate,
)
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


def open_for(order: Order) -> str:
    order_id = order.id
    db.session.commit()
    return open_checkout(
        order_id, success_url="http://localhost/done", cancel_url="http://localhost/back"
    )


def state_of(listing: Listing, customer: Organization) -> EntitlementState | None:
    db.session.expire_all()
    held = entitlement_of(listing.id, customer.id)
    return held.state if held else None


def test_a_purchase_with_discount_and_tax_is_charged_as_it_was_quoted(
    stripe: StripeStandIn, client: FlaskClient, listing: Listing, customer: Organization
) -> None:
    make_tax_rate("DE", 1_900)
    make_discount(listing.publisher, "AUTUMN", bps=1_500)
    plan = make_plan(listing, 9_999, is_per_seat=True)
    buyer = Buyer(
        customer.id, country="DE", billing_details={"legal_name": "Kite", "email": "a@b.de"}
    )
    order = make_order(plan, customer, quantity=3, code="AUTUMN", buyer=buyer)
    expected = (order.subtotal, order.discount_total, order.tax_total, order.total)
    url = open_for(order)
    assert open_for(order) == url
    stripe.pay(url)
    assert stripe.charge_of(url)["amount"] == order.total
    stripe.deliver(client, repeat=2)
    db.session.refresh(order)
    assert order.state is OrderState.PAID
    assert (order.subtotal, order.discount_total, order.tax_total, order.total) == expected
    assert (order.card_brand, order.card_last4) == ("visa", "4242")
    assert order.card_fingerprint
    assert state_of(listing, customer) is EntitlementState.ACTIVE
    assert balance("tax_payable", "EUR") == order.tax_total
    assert balance("processing_fee", "EUR") > 0


def test_what_costs_nothing_needs_no_checkout(
    stripe: StripeStandIn, listing: Listing, customer: Organization
) -> None:
    make_discount(listing.publisher, "ALL", bps=10_000)
    order = make_order(make_plan(listing), customer, code="ALL")
    assert open_for(order) == "http://localhost/done"
    db.session.refresh(order)
    assert order.state is OrderState.PAID
    assert state_of(listing, customer) is EntitlementState.ACTIVE


def test_a_checkout_that_ran_out_frees_what_it_held(
    stripe: StripeStandIn, client: FlaskClient, listing: Listing, customer: Organization
) -> None:
    order = make_order(make_plan(listing), customer)
    stripe.expire(open_for(order))
    stripe.deliver(client)
    db.session.refresh(order)
    assert order.state is OrderState.EXPIRED
    with pytest.raises(ConflictError):
        open_for(order)


def test_the_answer_was_lost_and_the_same_checkout_is_found_again(
    stripe: StripeStandIn, listing: Listing, customer: Organization
) -> None:
    from billing.gateway import StripeUnknownError

    order = make_order(make_plan(listing), customer)
    stripe.fault("checkout.sessions.create", "lost")
    with pytest.raises(StripeUnknownError):
        open_for(order)
    assert open_for(order)
    assert len(stripe.all("checkout.session")) == 1


def test_a_lost_webhook_is_made_up_for_by_looking(
    stripe: StripeStandIn, client: FlaskClient, listing: Listing, customer: Organization
) -> None:
    order = make_order(make_plan(listing), customer)
    url = open_for(order)
    stripe.pay(url)
    stripe.lose()
    stripe.advance(timedelta(hours=25))
    stripe.lose()
    jobs.add_due_ticks()
    while jobs.run_due():
        pass
    db.session.refresh(order)
    assert order.state is OrderState.PAID


def test_another_checkout_for_the_same_closes_the_one_before(
    stripe: StripeStandIn, client: FlaskClient, listing: Listing, customer: Organization
) -> None:
    plan = make_plan(listing)
    first = make_order(plan, customer)
    open_for(first)
    second = make_order(plan, customer)
    with unit_of_work():
        replace_open_checkouts(second)
    open_for(second)
    stripe.deliver(client)
    db.session.refresh(first)
    assert first.state is OrderState.CANCELED
    (closed, still_open) = stripe.all("checkout.session")
    assert (closed["status"], still_open["status"]) == ("expired", "open")


def test_two_checkouts_that_were_both_paid_give_one_back(
    stripe: StripeStandIn, client: FlaskClient, listing: Listing, customer: Organization
) -> None:
    plan = make_plan(listing, 5_000, billing=PlanBilling.MONTHLY)
    orders = [make_order(plan, customer), make_order(plan, customer)]
    urls = [open_for(order) for order in orders]
    for url in urls:
        stripe.pay(url)
    stripe.fund(100_000)
    stripe.deliver(client)
    db.session.expire_all()
    refund = db.session.scalars(select(Refund)).one()
    assert refund.amount == 5_000
    live = db.session.scalars(
        select(Subscription).where(Subscription.state == SubscriptionState.ACTIVE)
    ).all()
    assert len(live) == 1
    assert sorted(each["status"] for each in stripe.all("subscription")) == ["active", "canceled"]
    assert state_of(listing, customer) is EntitlementState.ACTIVE


def subscribe(
    stripe: StripeStandIn, client: FlaskClient, order: Order, card: str = "4242424242424242"
) -> Subscription:
    url = open_for(order)
    stripe.pay(url, card)
    stripe.deliver(client)
    db.session.expire_all()
    return db.session.get_one(Subscription, order.subscription_id)


def test_a_subscription_renews_with_its_discount_for_as_long_as_it_lasts(
    stripe: StripeStandIn, client: FlaskClient, listing: Listing, customer: Organization
) -> None:
    make_discount(listing.publisher, "TWO", bps=2_500, months=2)
    plan = make_plan(listing, 4_000, billing=PlanBilling.MONTHLY, is_per_seat=True)
    order = make_order(plan, customer, quantity=2, code="TWO")
    subscription = subscribe(stripe, client, order)
    assert subscription.state is SubscriptionState.ACTIVE
    for _month in range(2):
        stripe.advance(timedelta(days=31))
        stripe.deliver(client)
    db.session.expire_all()
    orders = db.session.scalars(select(Order).order_by(Order.id)).all()
    assert [each.kind for each in orders] == [OrderKind.PURCHASE, *[OrderKind.RENEWAL] * 2]
    assert [(each.subtotal, each.discount_total) for each in orders] == [
        (8_000, 2_000),
        (8_000, 2_000),
        (8_000, 0),
    ]
    assert all(each.state is OrderState.PAID for each in orders)
    assert db.session.get_one(Subscription, subscription.id).payments == 3
    assert len({each.invoice_number for each in orders}) == 3
    assert orders[1].lines[0].publisher_amount == 4_800
    assert orders[1].period_end is not None


@pytest.mark.parametrize("order_of_events", ["as sent", "reversed", "shuffled"])
def test_every_order_of_the_events_leads_to_the_same(
    stripe: StripeStandIn,
    client: FlaskClient,
    listing: Listing,
    customer: Organization,
    order_of_events: str,
) -> None:
    plan = make_plan(listing, 4_000, billing=PlanBilling.MONTHLY)
    order = make_order(plan, customer)
    url = open_for(order)
    stripe.pay(url)
    stripe.deliver(client, order=order_of_events, repeat=2, seed=7)
    stripe.advance(timedelta(days=31))
    stripe.deliver(client, order=order_of_events, repeat=2, seed=7)
    db.session.expire_all()
    orders = db.session.scalars(select(Order)).all()
    assert [each.state for each in orders] == [OrderState.PAID] * 2
    assert balance("platform_fee", "EUR") == 1_600
    assert state_of(listing, customer) is EntitlementState.ACTIVE


def test_a_trial_is_free_and_its_discount_is_for_the_first_payment(
    stripe: StripeStandIn, client: FlaskClient, listing: Listing, customer: Organization
) -> None:
    make_discount(
        listing.publisher, "FIVE", kind=DiscountKind.FIXED, bps=0, amount=500, currency="EUR"
    )
    plan = make_plan(listing, 4_000, billing=PlanBilling.MONTHLY, trial_days=14)
    subscription = subscribe(stripe, client, make_order(plan, customer, code="FIVE"))
    assert subscription.state is SubscriptionState.TRIALING
    assert state_of(listing, customer) is EntitlementState.ACTIVE
    assert subscription.payments == 0
    for days in (15, 31):
        stripe.advance(timedelta(days=days))
        stripe.deliver(client)
    db.session.expire_all()
    totals = db.session.scalars(select(Order.total).order_by(Order.id)).all()
    assert list(totals) == [0, 3_500, 4_000]


def test_what_begins_with_a_trial_pays_its_affiliate_by_the_first_payment(
    stripe: StripeStandIn, client: FlaskClient, listing: Listing, customer: Organization
) -> None:
    program = make_program(listing.publisher, RuleTerms(bps=1_000))
    affiliate = make_affiliate(program, make_organization("Harbourmaster"))
    discount = make_discount(listing.publisher, "MASTER", bps=500)
    discount.codes[0].affiliate_id = affiliate.id
    plan = make_plan(listing, 4_000, billing=PlanBilling.MONTHLY, trial_days=14)
    subscribe(stripe, client, make_order(plan, customer, code="MASTER"))
    stripe.advance(timedelta(days=15))
    stripe.deliver(client)
    db.session.expire_all()
    lines = db.session.scalars(select(OrderLine).order_by(OrderLine.id)).all()
    assert [line.affiliate_id for line in lines] == [affiliate.id] * 2
    assert [line.commission_amount for line in lines] == [0, 380]
    assert balance("partner_held", "EUR", affiliate.organization_id) == 380


def test_an_unpaid_renewal_has_days_of_grace_and_then_ends(
    stripe: StripeStandIn, client: FlaskClient, listing: Listing, customer: Organization
) -> None:
    plan = make_plan(listing, 4_000, billing=PlanBilling.MONTHLY)
    subscription = subscribe(stripe, client, make_order(plan, customer))
    (buyer,) = stripe.all("customer")
    stripe.change_card(buyer["id"], "4000000000000341")
    stripe.advance(timedelta(days=32))
    stripe.deliver(client)
    assert state_of(listing, customer) is EntitlementState.GRACE
    db.session.refresh(subscription)
    assert subscription.state is SubscriptionState.PAST_DUE
    stripe.advance(timedelta(days=8))
    jobs.add_due_ticks()
    stripe.deliver(client)
    assert state_of(listing, customer) is None
    db.session.refresh(subscription)
    assert subscription.state is SubscriptionState.CANCELED


def test_more_seats_are_charged_at_once_and_fewer_count_from_the_next_payment(
    stripe: StripeStandIn, client: FlaskClient, listing: Listing, customer: Organization
) -> None:
    plan = make_plan(listing, 1_000, billing=PlanBilling.MONTHLY, is_per_seat=True)
    subscription = subscribe(stripe, client, make_order(plan, customer, quantity=2))
    subscription_id, plan_id = subscription.id, plan.id
    db.session.commit()
    change = change_subscription(subscription_id, plan_id, 5, token="a", by_user_id=None)
    again = change_subscription(subscription_id, plan_id, 3, token="b", by_user_id=None)
    assert (change.when, again.when) == (When.NOW, When.NEXT_PAYMENT)
    stripe.deliver(client)
    held = entitlement_of(listing.id, customer.id)
    assert held is not None
    assert held.quantity == 5
    changes = db.session.scalars(select(Order).where(Order.kind == OrderKind.CHANGE)).all()
    assert [each.state for each in changes] == [OrderState.PAID]
    assert 2_900 <= changes[0].total <= 3_000
    stripe.advance(timedelta(days=31))
    stripe.deliver(client)
    db.session.expire_all()
    held = entitlement_of(listing.id, customer.id)
    assert held is not None
    assert held.quantity == 3
    renewal = db.session.scalars(select(Order).where(Order.kind == OrderKind.RENEWAL)).one()
    assert renewal.subtotal == 3_000


def test_a_canceled_subscription_runs_to_its_end_unless_it_goes_on(
    stripe: StripeStandIn, client: FlaskClient, listing: Listing, customer: Organization
) -> None:
    plan = make_plan(listing, 1_000, billing=PlanBilling.MONTHLY)
    subscription = subscribe(stripe, client, make_order(plan, customer))
    subscription_id = subscription.id
    db.session.commit()
    for token, is_canceled in (("a", True), ("b", False), ("c", True)):
        cancel_at_period_end(subscription_id, is_canceled=is_canceled, token=token, by_user_id=None)
        db.session.expire_all()
        row = db.session.get_one(Subscription, subscription_id)
        assert row.cancel_at_period_end is is_canceled
        db.session.commit()
    assert state_of(listing, customer) is EntitlementState.ACTIVE
    stripe.advance(timedelta(days=32))
    stripe.deliver(client)
    assert state_of(listing, customer) is None


def test_refunded_in_full_what_it_paid_for_ends(
    stripe: StripeStandIn, client: FlaskClient, listing: Listing, customer: Organization
) -> None:
    order = make_order(make_plan(listing, 5_000), customer)
    url = open_for(order)
    stripe.pay(url)
    stripe.fund(100_000)
    stripe.deliver(client)
    stripe.refund(stripe.charge_of(url), 2_000)
    stripe.deliver(client)
    assert state_of(listing, customer) is EntitlementState.ACTIVE
    stripe.refund(stripe.charge_of(url), 3_000)
    stripe.deliver(client)
    assert state_of(listing, customer) is None


def test_a_lost_dispute_ends_it_and_a_won_one_does_not(
    stripe: StripeStandIn, client: FlaskClient, listing: Listing
) -> None:
    plan = make_plan(listing, 5_000)
    stripe.fund(100_000)
    for number, won in enumerate((True, False)):
        customer = make_customer(f"Kite {number}")
        url = open_for(make_order(plan, customer))
        stripe.pay(url)
        stripe.deliver(client)
        dispute = stripe.dispute(stripe.charge_of(url))
        stripe.deliver(client)
        assert state_of(listing, customer) is EntitlementState.ACTIVE
        stripe.decide(dispute, won=won)
        stripe.deliver(client)
        assert (state_of(listing, customer) is EntitlementState.ACTIVE) is won
