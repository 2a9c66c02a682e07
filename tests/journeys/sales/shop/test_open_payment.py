"""A renewal that was refused: paid by hand, or by another card."""

from collections.abc import Callable
from datetime import timedelta

import pytest
import requests
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select

from billing.models import (
    Entitlement,
    EntitlementState,
    Order,
    OrderKind,
    Subscription,
    SubscriptionState,
)
from billing.subscriptions.changing import cancel_now
from marketplace.core.database import db
from marketplace.identity.models import Role
from tests.factories.apps import make_app
from tests.factories.listings import make_listing
from tests.factories.mails import mails
from tests.factories.people import make_customer, make_member, make_organization
from tests.factories.selling import make_sale_fee
from tests.factories.stripe import StripeStandIn
from tests.journeys.sales.shop.test_buying import Scene, subscribe, token_in

SignIn = Callable[..., FlaskClient]
REFUSED = "4000000000000341"


@pytest.fixture
def scene(app: Flask, sign_in: SignIn) -> Scene:
    listing = make_listing(make_organization("Quayside"))
    make_app(listing)
    make_sale_fee(2_000)
    customer = make_customer("Blue Kite")
    user = make_member(customer, Role.ADMIN)
    return Scene(listing, customer, user, sign_in(user, customer))


def refuse(
    scene: Scene, stripe: StripeStandIn, client: FlaskClient, sign_in: SignIn
) -> tuple[str, Subscription]:
    """(the page of a past due subscription, the subscription)."""
    subscription = subscribe(scene, stripe, client)
    stripe.change_card(stripe.all("customer")[0]["id"], REFUSED)
    stripe.advance(timedelta(days=32))
    stripe.deliver(client)
    db.session.expire_all()
    assert subscription.state is SubscriptionState.PAST_DUE
    scene.browser = sign_in(scene.user, scene.customer)
    return f"{scene.pages}/subscriptions/{subscription.public_id}", subscription


def states(subscription: Subscription) -> tuple[SubscriptionState, EntitlementState]:
    db.session.expire_all()
    held = db.session.scalars(select(Entitlement)).one()
    return subscription.state, held.state


def test_a_refused_renewal_is_paid_on_stripe_s_page_and_the_grace_ends(
    scene: Scene, stripe: StripeStandIn, client: FlaskClient, sign_in: SignIn
) -> None:
    path, subscription = refuse(scene, stripe, client, sign_in)
    assert states(subscription) == (SubscriptionState.PAST_DUE, EntitlementState.GRACE)
    page = scene.browser.get(path)
    assert "Pay now" in page.text
    assert "mailed you a link" not in page.text
    assert "https://invoice.stripe.com" in page.headers["Content-Security-Policy"]
    told = next(mail for mail in mails() if "failed" in mail["subject"])
    assert path in told["body"]
    gone = scene.browser.post(f"{path}/payment")
    assert gone.status_code == 303
    assert gone.headers["Location"].startswith(f"{stripe.url}/i/in_")
    paid = requests.post(gone.headers["Location"], {"card": "4242424242424242"}, timeout=5)
    assert paid.status_code == 200
    stripe.deliver(client)
    assert states(subscription) == (SubscriptionState.ACTIVE, EntitlementState.ACTIVE)
    orders = db.session.scalars(select(Order).order_by(Order.id)).all()
    assert [order.kind for order in orders] == [OrderKind.PURCHASE, OrderKind.RENEWAL]
    page = scene.browser.get(path)
    assert "Pay now" not in page.text
    assert "Change the card" in page.text
    again = scene.browser.post(f"{path}/payment", follow_redirects=True)
    assert "No payment is open." in again.text


def test_another_card_pays_what_is_open_and_all_that_follows(
    scene: Scene, stripe: StripeStandIn, client: FlaskClient, sign_in: SignIn
) -> None:
    path, subscription = refuse(scene, stripe, client, sign_in)
    data = {"token": token_in(scene.browser.get(path).text)}
    gone = scene.browser.post(f"{path}/card", data=data).headers["Location"]
    assert gone.startswith(f"{stripe.url}/c/pay/cs_")
    assert scene.browser.post(f"{path}/card", data=data).headers["Location"] == gone
    back = requests.post(
        gone, {"card": "5555555555554444"}, timeout=5, allow_redirects=False
    ).headers["Location"]
    assert back.endswith(f"{path}?card=given")
    assert "Stripe has your card" in scene.browser.get(f"{path}?card=given").text
    stripe.deliver(client, repeat=2)
    assert states(subscription) == (SubscriptionState.ACTIVE, EntitlementState.ACTIVE)
    stripe.advance(timedelta(days=31))
    stripe.deliver(client)
    assert states(subscription) == (SubscriptionState.ACTIVE, EntitlementState.ACTIVE)
    assert len(db.session.scalars(select(Order)).all()) == 3
    old = sign_in(scene.user, scene.customer).post(f"{path}/card", data=data, follow_redirects=True)
    assert "This page is old" in old.text


def test_a_new_card_that_is_refused_as_well_leaves_it_open(
    scene: Scene, stripe: StripeStandIn, client: FlaskClient, sign_in: SignIn
) -> None:
    path, subscription = refuse(scene, stripe, client, sign_in)
    gone = scene.browser.post(f"{path}/card").headers["Location"]
    requests.post(gone, {"card": REFUSED}, timeout=5, allow_redirects=False)
    stripe.deliver(client)
    assert states(subscription) == (SubscriptionState.PAST_DUE, EntitlementState.GRACE)
    assert "Pay now" in scene.browser.get(path).text


def test_canceling_while_a_payment_is_open_promises_nothing_that_is_not_paid(
    scene: Scene, stripe: StripeStandIn, client: FlaskClient, sign_in: SignIn
) -> None:
    path, _ = refuse(scene, stripe, client, sign_in)
    ends = db.session.scalars(select(Entitlement)).one().grace_until
    assert ends is not None
    answer = scene.browser.post(f"{path}/cancellation", follow_redirects=True)
    assert f"Unless the open payment is paid it ends on {ends.day} {ends:%b %Y}" in answer.text
    assert "Until then nothing changes" not in answer.text


@pytest.mark.parametrize("page", ["payment", "card"])
def test_stripe_is_away_and_the_page_says_so(
    scene: Scene, stripe: StripeStandIn, client: FlaskClient, sign_in: SignIn, page: str
) -> None:
    path, subscription = refuse(scene, stripe, client, sign_in)
    stripe.fault("subscriptions.retrieve", "dropped")
    answer = scene.browser.post(f"{path}/{page}", follow_redirects=True)
    assert "We could not reach the payment service" in answer.text
    assert states(subscription)[0] is SubscriptionState.PAST_DUE
    assert scene.browser.post(f"{path}/{page}").headers["Location"].startswith(stripe.url)


@pytest.mark.parametrize("page", ["payment", "card"])
def test_what_has_ended_is_neither_paid_nor_given_a_card(
    scene: Scene, stripe: StripeStandIn, client: FlaskClient, sign_in: SignIn, page: str
) -> None:
    path, subscription = refuse(scene, stripe, client, sign_in)
    cancel_now(subscription.id)
    stripe.deliver(client)
    assert db.session.scalars(select(Subscription.state)).one() is SubscriptionState.CANCELED
    browser = sign_in(scene.user, scene.customer)
    answer = browser.post(f"{path}/{page}", follow_redirects=True)
    assert "This subscription has ended." in answer.text
    assert "Change the card" not in answer.text


@pytest.mark.parametrize("page", ["payment", "card"])
def test_strangers_and_viewers_do_neither(
    scene: Scene, stripe: StripeStandIn, client: FlaskClient, sign_in: SignIn, page: str
) -> None:
    path, _subscription = refuse(scene, stripe, client, sign_in)
    viewer = sign_in(make_member(scene.customer, Role.VIEWER), scene.customer)
    other = make_customer("Red Kite")
    stranger = sign_in(make_member(other), other)
    assert viewer.post(f"{path}/{page}").status_code == 403
    assert stranger.post(f"{path}/{page}").status_code == 404
