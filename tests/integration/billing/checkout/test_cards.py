"""A renewal that was refused, paid by hand or by another card; answers that are lost meanwhile."""

from datetime import timedelta

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select

from billing.gateway import StripeUnknownError
from billing.models import Order, Subscription, SubscriptionState
from billing.models.stripe import OperationState, StripeOperation
from billing.sandbox_stripe.errors import ApiError
from billing.subscriptions.card import (
    TAKE_OVER_CARD,
    open_card_page,
    open_payment,
    take_over_card,
)
from billing.subscriptions.changing import OLD_PAGE, cancel_now
from marketplace.catalogue.models import Listing
from marketplace.core.database import db
from marketplace.core.errors import ConflictError, NotFoundError
from marketplace.core.facts import Fact
from marketplace.core.jobs import Job, RetryLater
from marketplace.identity.models import Organization
from tests.factories.listings import make_listing
from tests.factories.people import make_customer, make_organization
from tests.factories.selling import make_sale_fee
from tests.factories.stripe import StripeStandIn
from tests.integration.billing.checkout.test_changes import seats, subscribe

PAGES = {"done_url": "http://localhost/done", "back_url": "http://localhost/back"}
REFUSED_LATER = "4000000000000341"


@pytest.fixture
def unpaid(app: Flask, stripe: StripeStandIn, client: FlaskClient) -> int:
    """The id of a subscription whose renewal was refused."""
    listing: Listing = make_listing(make_organization("Quayside"))
    customer: Organization = make_customer("Blue Kite")
    make_sale_fee(2_000)
    subscription_id = subscribe(stripe, client, seats(listing), customer, 2)
    stripe.change_card(stripe.all("customer")[0]["id"], REFUSED_LATER)
    stripe.advance(timedelta(days=31))
    stripe.deliver(client)
    assert state() is SubscriptionState.PAST_DUE
    return subscription_id


def state() -> SubscriptionState:
    found = db.session.scalars(select(Subscription.state)).one()
    db.session.rollback()
    return found


def paid() -> int:
    found = len(db.session.scalars(select(Order.id)).all())
    db.session.rollback()
    return found


def give_card(stripe: StripeStandIn, subscription_id: int, card: str) -> str:
    """Fill in the page on which another card is given; the session's id."""
    url = open_card_page(subscription_id, token="t1", **PAGES)
    stripe.pay(url, card)
    return url.rsplit("/", 1)[-1]


def test_the_open_payment_has_a_page_until_it_is_paid(
    stripe: StripeStandIn, client: FlaskClient, unpaid: int
) -> None:
    url = open_payment(unpaid)
    assert url is not None
    assert url.startswith(f"{stripe.url}/i/")
    stripe.change_card(stripe.all("customer")[0]["id"], "4242424242424242")
    stripe.advance(timedelta(days=3))
    # What Stripe says this moment counts, although its event is not here yet.
    assert open_payment(unpaid) is None
    assert state() is SubscriptionState.ACTIVE
    stripe.deliver(client)
    assert paid() == 2


def test_a_card_is_taken_over_and_pays_once_however_often_the_job_runs(
    stripe: StripeStandIn, client: FlaskClient, unpaid: int
) -> None:
    session_id = give_card(stripe, unpaid, "5555555555554444")
    stripe.deliver(client, repeat=2)
    take_over_card({"session_id": session_id})
    stripe.deliver(client)
    assert (state(), paid()) == (SubscriptionState.ACTIVE, 2)
    facts = select(Fact).where(Fact.kind == "subscription.card_changed")
    assert len(db.session.scalars(facts).all()) == 1
    assert stripe.all("charge")[-1]["payment_method_details"]["card"]["brand"] == "mastercard"


@pytest.mark.parametrize("method", ["subscriptions.update", "invoices.pay"])
def test_a_lost_answer_is_asked_for_again_and_charges_once(
    stripe: StripeStandIn, client: FlaskClient, unpaid: int, method: str
) -> None:
    session_id = give_card(stripe, unpaid, "5555555555554444")
    stripe.fault(method, "lost")
    stripe.deliver(client, run=False)
    with pytest.raises(RetryLater):
        take_over_card({"session_id": session_id})
    take_over_card({"session_id": session_id})
    stripe.deliver(client)
    assert (state(), paid()) == (SubscriptionState.ACTIVE, 2)
    assert sum(each["paid"] for each in stripe.all("charge")) == 2
    operations = db.session.scalars(
        select(StripeOperation.state).where(StripeOperation.idem_key.startswith("card:"))
    ).all()
    assert set(operations) == {OperationState.SUCCEEDED}


def test_a_card_that_is_refused_as_well_leaves_it_open(
    stripe: StripeStandIn, client: FlaskClient, unpaid: int
) -> None:
    with pytest.raises(ApiError, match="declined"):
        give_card(stripe, unpaid, "4000000000000002")
    give_card(stripe, unpaid, REFUSED_LATER)
    stripe.deliver(client)
    assert (state(), paid()) == (SubscriptionState.PAST_DUE, 1)


def test_a_page_is_the_same_for_one_attempt_and_old_afterwards(
    stripe: StripeStandIn, client: FlaskClient, unpaid: int
) -> None:
    stripe.fault("checkout.sessions.create", "lost")
    with pytest.raises(StripeUnknownError):
        open_card_page(unpaid, token="t1", **PAGES)
    url = open_card_page(unpaid, token="t1", **PAGES)
    assert open_card_page(unpaid, token="t1", **PAGES) == url
    assert open_card_page(unpaid, token="t2", **PAGES) != url
    stripe.pay(url)
    with pytest.raises(ConflictError) as caught:
        open_card_page(unpaid, token="t1", **PAGES)
    assert caught.value.code == OLD_PAGE
    with pytest.raises(ConflictError) as caught:
        open_card_page(unpaid, token="t1", done_url="http://localhost/", back_url="http://x/")
    assert caught.value.code == OLD_PAGE


def test_what_has_ended_meanwhile_takes_no_card(
    stripe: StripeStandIn, client: FlaskClient, unpaid: int
) -> None:
    session_id = give_card(stripe, unpaid, "5555555555554444")
    cancel_now(unpaid)
    take_over_card({"session_id": session_id})
    assert state() is SubscriptionState.CANCELED
    for ask in (lambda: open_payment(unpaid), lambda: open_card_page(unpaid, token="t", **PAGES)):
        with pytest.raises(ConflictError, match="has ended"):
            ask()
    with pytest.raises(NotFoundError):
        open_payment(999)
    stripe.deliver(client)
    jobs = db.session.scalars(select(Job).where(Job.kind == TAKE_OVER_CARD)).all()
    assert [job.last_error for job in jobs] in ([None], [""])
