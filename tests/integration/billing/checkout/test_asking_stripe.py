"""What is asked of Stripe around a checkout: before anything is locked, and never stuck."""

from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import func, select, text

from billing import checkout, gateway
from billing.checkout import open_checkout
from billing.gateway import StripeRejectedError, StripeUnknownError
from billing.models import Order, OrderState, Plan, PlanBilling
from billing.models.stripe import StripeOperation
from billing.money import charge_step
from billing.orders import Buyer, close_order
from marketplace.catalogue.models import Listing
from marketplace.core.database import db
from marketplace.core.errors import ConflictError
from marketplace.core.unit_of_work import unit_of_work
from marketplace.identity.models import Organization
from tests.factories.listings import make_listing
from tests.factories.people import make_customer, make_organization
from tests.factories.races import at_once
from tests.factories.selling import make_order, make_plan, make_sale_fee, make_tax_rate
from tests.factories.stripe import StripeStandIn

DETAILS = {"legal_name": "Erika Mustermann", "email": "erika@people.example"}


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


def order_of(plan: Plan, customer: Organization, **options: Any) -> int:
    """The id of an order. No transaction is open."""
    order_id = make_order(plan, customer, **options).id
    db.session.commit()
    return order_id


def go(order_id: int) -> str:
    return open_checkout(
        order_id, success_url="http://localhost/done", cancel_url="http://localhost/back"
    )


@pytest.mark.parametrize("billing", [PlanBilling.ONE_TIME, PlanBilling.MONTHLY])
def test_nothing_is_locked_while_stripe_is_asked(
    app: Flask,
    client: FlaskClient,
    stripe: StripeStandIn,
    listing: Listing,
    customer: Organization,
    monkeypatch: pytest.MonkeyPatch,
    billing: PlanBilling,
) -> None:
    stripe.pay(go(order_of(make_plan(listing, billing=billing), customer)))
    asked: list[str] = []
    blocked: list[tuple[str, BaseException]] = []
    real = type(gateway.gateway()).retrieve

    def write() -> None:
        is_sqlite = db.session.get_bind().dialect.name == "sqlite"
        db.session.execute(
            text("PRAGMA busy_timeout=100" if is_sqlite else "SET lock_timeout='100ms'")
        )
        db.session.execute(text("UPDATE subscription SET payments = payments"))
        db.session.execute(text("UPDATE purchase_order SET total = total"))
        db.session.rollback()

    def retrieve(self: Any, resource: str, *args: Any, **named: Any) -> Any:
        asked.append(resource)
        blocked.extend((resource, error) for error in at_once(app, [write]))
        return real(self, resource, *args, **named)

    monkeypatch.setattr(type(gateway.gateway()), "retrieve", retrieve)
    stripe.deliver(client)
    assert "payment_intents" in asked
    assert blocked == []
    assert db.session.scalars(select(Order.state)).one() is OrderState.PAID


def test_a_plan_that_was_renamed_after_a_lost_answer_is_sold(
    stripe: StripeStandIn, listing: Listing, customer: Organization
) -> None:
    plan = make_plan(listing)
    plan_id, first = plan.id, order_of(plan, customer)
    stripe.fault("products.create", "lost")
    with pytest.raises(StripeUnknownError):
        go(first)
    with unit_of_work():
        db.session.get_one(Plan, plan_id).name = "Pro plus"
    second = order_of(db.session.get_one(Plan, plan_id), make_customer("Red Kite"))
    assert go(second)
    # The first one goes on where its answer was lost.
    assert go(first)
    products = {each["name"] for each in stripe.all("product")}
    assert products == {"Pro", "Pro plus"}


@pytest.mark.parametrize("method", ["products.create", "customers.create", "tax_rates.create"])
def test_what_stripe_refused_once_is_asked_again(
    stripe: StripeStandIn, listing: Listing, customer: Organization, method: str
) -> None:
    make_tax_rate("DE", 1_900)
    order_id = order_of(make_plan(listing), customer, buyer=Buyer(customer.id, country="DE"))
    stripe.fault(method, "refused", code="x", message="no", times=2)
    for _time in range(2):
        with pytest.raises(StripeRejectedError):
            go(order_id)
    assert go(order_id)
    assert go(order_id)
    tried = select(func.count()).where(StripeOperation.method == method)
    assert db.session.scalar(tried) == 3


def test_an_order_that_is_canceled_while_its_checkout_opens_cannot_be_paid(
    client: FlaskClient,
    stripe: StripeStandIn,
    listing: Listing,
    customer: Organization,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    order_id = order_of(make_plan(listing), customer)
    real = checkout.perform

    def perform(key: str, method: str, *args: Any, **named: Any) -> Any:
        done = real(key, method, *args, **named)
        if method == "checkout.sessions.create":
            with unit_of_work():
                close_order(order_id, OrderState.CANCELED)
        return done

    monkeypatch.setattr(checkout, "perform", perform)
    with pytest.raises(ConflictError):
        go(order_id)
    stripe.run_jobs()
    assert [each["status"] for each in stripe.all("checkout.session")] == ["expired"]


def test_names_and_addresses_are_not_kept_once_stripe_has_them(
    stripe: StripeStandIn, listing: Listing, customer: Organization
) -> None:
    order_id = order_of(
        make_plan(listing), customer, buyer=Buyer(customer.id, billing_details=DETAILS)
    )
    made = select(StripeOperation.request).where(StripeOperation.method == "customers.create")
    stripe.fault("customers.create", "lost")
    with pytest.raises(StripeUnknownError):
        go(order_id)
    # Until it is known what became of it, it may have to be sent again.
    assert db.session.scalars(made).one()["email"] == DETAILS["email"]
    db.session.rollback()
    go(order_id)
    assert db.session.scalars(made).one() == {}
    assert [each["name"] for each in stripe.all("customer")] == [DETAILS["legal_name"]]


@pytest.mark.parametrize(
    ("currency", "amount", "bps"),
    [("KWD", 1_010, 500), ("BHD", 12_340, 1_000), ("ISK", 199_900, 2_400), ("UGX", 105_000, 1_850)],
)
def test_a_total_with_tax_is_in_steps_that_stripe_charges(
    client: FlaskClient,
    stripe: StripeStandIn,
    listing: Listing,
    customer: Organization,
    currency: str,
    amount: int,
    bps: int,
) -> None:
    make_tax_rate("DE", bps)
    plan = make_plan(listing, amount, currency)
    order_id = order_of(plan, customer, currency=currency, buyer=Buyer(customer.id, country="DE"))
    total = db.session.get_one(Order, order_id).total
    assert total > amount
    assert total % charge_step(currency) == 0
    db.session.rollback()
    url = go(order_id)
    stripe.pay(url)
    stripe.deliver(client)
    db.session.expire_all()
    assert stripe.charge_of(url)["amount"] == total
    assert db.session.get_one(Order, order_id).total == total
