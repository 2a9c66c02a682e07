"""Two who decide about the same thing at once: the second sees what the first decided."""

import pytest
from flask import Flask
from sqlalchemy import func, select

from billing.models import Entitlement, Order, OrderState, PlanBilling
from billing.models.ledger import LedgerTransaction
from billing.orders import Payment, close_order, closing, listeners, mark_paid, paying
from marketplace.catalogue.models import Listing
from marketplace.core import clock
from marketplace.core.database import db
from marketplace.core.jobs import Job
from marketplace.core.unit_of_work import unit_of_work
from marketplace.identity.models import Organization
from tests.factories.listings import make_listing
from tests.factories.people import make_customer, make_organization
from tests.factories.races import at_once, meanwhile
from tests.factories.selling import make_order, make_plan, make_sale_fee

pytestmark = pytest.mark.timeout(30)


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


def pay(order_id: int, number: int = 1) -> None:
    mark_paid(
        order_id,
        Payment(
            paid_at=clock.now(),
            payment_intent_id=f"pi_{number}",
            charge_id=f"ch_{number}",
        ),
    )


def test_an_order_that_is_paid_while_it_is_canceled_is_paid(
    app: Flask, listing: Listing, customer: Organization, monkeypatch: pytest.MonkeyPatch
) -> None:
    order_id = make_order(make_plan(listing), customer).id
    db.session.commit()
    raised = meanwhile(app, monkeypatch, closing, "record_fact", lambda: pay(order_id))
    with unit_of_work():
        close_order(order_id, OrderState.CANCELED)
    assert raised() == []
    order = db.session.get_one(Order, order_id, populate_existing=True)
    assert (order.state, order.closed_at) == (OrderState.PAID, None)
    assert order.invoice_number is not None


def test_an_order_that_was_paid_a_moment_ago_is_not_canceled(
    app: Flask, listing: Listing, customer: Organization
) -> None:
    order = make_order(make_plan(listing), customer)
    order_id = order.id
    db.session.commit()
    # Read here while it was pending.
    assert order.state is OrderState.PENDING
    db.session.rollback()
    assert db.session.get_one(Order, order_id).state is OrderState.PENDING
    assert at_once(app, [lambda: (pay(order_id), db.session.commit())]) == []
    with unit_of_work():
        assert not close_order(order_id, OrderState.CANCELED)
    assert db.session.get_one(Order, order_id, populate_existing=True).state is OrderState.PAID


def test_two_workers_pay_an_order_once(
    app: Flask, listing: Listing, customer: Organization, monkeypatch: pytest.MonkeyPatch
) -> None:
    order_id = make_order(make_plan(listing), customer).id
    db.session.commit()
    told: list[str | None] = []
    monkeypatch.setattr(listeners, "_paid", [lambda order: told.append(order.invoice_number)])
    raised = meanwhile(app, monkeypatch, paying, "adopt_amounts", lambda: pay(order_id))
    with unit_of_work():
        pay(order_id)
    assert raised() == []
    order = db.session.get_one(Order, order_id, populate_existing=True)
    assert told == [order.invoice_number]
    assert str(order.invoice_number).endswith("-00001")
    sales = select(func.count()).where(LedgerTransaction.kind == "sale")
    assert db.session.scalar(sales) == 1


def test_two_orders_for_the_same_that_are_paid_at_once_give_one_back(
    app: Flask, listing: Listing, customer: Organization, monkeypatch: pytest.MonkeyPatch
) -> None:
    plan = make_plan(listing, billing=PlanBilling.ONE_TIME)
    first, second = make_order(plan, customer).id, make_order(plan, customer).id
    db.session.commit()
    raised = meanwhile(app, monkeypatch, paying, "tell_paid", lambda: pay(second, 2))
    with unit_of_work():
        pay(first)
    assert raised() == []
    held = db.session.scalars(select(Entitlement)).one()
    assert held.order_id == first
    doubles = select(Job.payload).where(Job.kind == paying.PAID_TWICE)
    assert [each["order_id"] for each in db.session.scalars(doubles)] == [second]
