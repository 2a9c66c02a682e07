"""What ends gives way to what was paid for otherwise."""

from datetime import timedelta

import pytest
from flask import Flask
from sqlalchemy import select

from billing.entitlements import (
    begin_grace,
    end,
    end_for_order,
    end_overdue,
    entitlement_of,
    grant,
    last_entitlement,
)
from billing.models import (
    Dispute,
    DisputeState,
    Entitlement,
    EntitlementState,
    Order,
    Plan,
    PlanBilling,
    Subscription,
    SubscriptionState,
)
from marketplace.catalogue.models import Listing
from marketplace.core import clock
from marketplace.core.database import db
from marketplace.core.jobs import Job
from marketplace.identity.models import Organization
from tests.factories.listings import make_listing
from tests.factories.people import make_customer, make_organization
from tests.factories.selling import make_paid_order, make_plan, make_sale_fee


@pytest.fixture
def listing(app: Flask) -> Listing:
    make_sale_fee()
    return make_listing(make_organization("Quayside"))


@pytest.fixture
def customer(app: Flask) -> Organization:
    return make_customer("Granite Peak")


@pytest.fixture
def once(listing: Listing) -> Plan:
    return make_plan(listing, 120_000, is_per_seat=True, name="Clean-up")


@pytest.fixture
def monthly(listing: Listing) -> Plan:
    return make_plan(listing, 7_900, billing=PlanBilling.MONTHLY, name="Account")


def held(listing: Listing, customer: Organization) -> Entitlement | None:
    return entitlement_of(listing.id, customer.id)


def subscribed(plan: Plan, customer: Organization) -> Order:
    """A paid first order of a subscription that is live."""
    order = make_paid_order(plan, customer)
    subscription = db.session.get_one(Subscription, order.subscription_id)
    subscription.state = SubscriptionState.ACTIVE
    db.session.flush()
    return order


def give_back(order: Order, reason: str = "It was refunded.") -> bool:
    order.refunded_total = order.total
    db.session.flush()
    return end_for_order(order, reason)


def test_a_subscription_that_is_refunded_leaves_what_was_paid_once(
    listing: Listing, customer: Organization, once: Plan, monthly: Plan
) -> None:
    first = make_paid_order(once, customer, quantity=3)
    order = subscribed(monthly, customer)
    assert give_back(order)
    found = held(listing, customer)
    assert found is not None
    assert (found.state, found.plan_id, found.quantity) == (EntitlementState.ACTIVE, once.id, 3)
    assert (found.order_id, found.subscription_id) == (first.id, None)
    # And that ends when it is given back as well, although the subscription is still to be ended.
    assert give_back(first)
    assert held(listing, customer) is None
    last = last_entitlement(listing.id, customer.id)
    assert last is not None
    assert last.ended_reason == "It was refunded."


def test_an_unpaid_subscription_leaves_what_was_paid_once_and_is_canceled(
    listing: Listing, customer: Organization, once: Plan, monthly: Plan
) -> None:
    make_paid_order(once, customer)
    order = subscribed(monthly, customer)
    found = held(listing, customer)
    assert found is not None
    begin_grace(found)
    found.grace_until = clock.now() - timedelta(seconds=1)
    db.session.flush()
    end_overdue({})
    assert (found.state, found.plan_id) == (EntitlementState.ACTIVE, once.id)
    assert found.grace_until is None
    canceled = db.session.scalars(
        select(Job).where(Job.kind == "billing.cancel_subscription")
    ).one()
    assert canceled.payload["subscription_id"] == order.subscription_id


def test_the_newest_order_that_stands_counts(
    listing: Listing, customer: Organization, once: Plan, monthly: Plan
) -> None:
    other = make_plan(listing, 50_000, name="Survey")
    stands = make_paid_order(once, customer)
    disputed = make_paid_order(other, customer)
    db.session.add(
        Dispute(
            stripe_id="dp_1",
            order_id=disputed.id,
            charge_id="ch_1",
            amount=disputed.total,
            currency="EUR",
            state=DisputeState.LOST,
        )
    )
    elsewhere = make_listing(listing.publisher, name="Other")
    make_paid_order(make_plan(elsewhere, 1_000), customer)
    make_paid_order(make_plan(listing, 1_000), make_customer("Birchline"))
    assert give_back(subscribed(monthly, customer))
    found = held(listing, customer)
    assert found is not None
    assert found.order_id == stands.id


def test_a_live_subscription_counts_before_what_was_paid_once(
    listing: Listing, customer: Organization, once: Plan, monthly: Plan
) -> None:
    make_paid_order(once, customer)
    order = subscribed(monthly, customer)
    second = make_plan(listing, 50_000, name="Survey")
    found = grant(
        organization_id=customer.id, listing_id=listing.id, plan_id=second.id, order_id=None
    )
    end(found, "Taken back.")
    assert (found.plan_id, found.subscription_id) == (monthly.id, order.subscription_id)


def test_with_nothing_else_paid_it_ends(
    listing: Listing, customer: Organization, once: Plan
) -> None:
    assert give_back(make_paid_order(once, customer))
    assert held(listing, customer) is None
