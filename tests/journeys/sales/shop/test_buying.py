"""Buying over HTTP: from the listing to the invoice, on the stand-in for Stripe."""

import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select

from billing.checkout import open_checkout
from billing.models import (
    Entitlement,
    Order,
    OrderState,
    PlanBilling,
    RefundRequest,
    RequestState,
    Subscription,
)
from marketplace.catalogue.models import Listing
from marketplace.core.database import db
from marketplace.identity.models import Organization, Role, User
from marketplace.installs.customer.paid_plans import decide_by_plan
from marketplace.installs.models import App, Installation, InstallationState
from tests.factories.apps import make_app, make_installation, make_sandbox
from tests.factories.listings import make_listing
from tests.factories.mails import mails
from tests.factories.people import make_customer, make_member, make_organization
from tests.factories.queries import count_queries
from tests.factories.selling import (
    make_discount,
    make_order,
    make_paid_order,
    make_plan,
    make_sale_fee,
    make_tax_rate,
)
from tests.factories.stripe import StripeStandIn

SignIn = Callable[..., FlaskClient]
DETAILS = {
    "legal_name": "Blue Kite GmbH",
    "email": "billing@kite.example",
    "address_line": "1 Harbour Road",
    "postal_code": "20457",
    "city": "Hamburg",
    "country": "DE",
    "tax_id": "",
}


@dataclass
class Scene:
    """A listing with an app and a customer with a person of finance."""

    listing: Listing
    customer: Organization
    user: User
    browser: FlaskClient

    @property
    def pages(self) -> str:
        return f"/organizations/{self.customer.slug}"

    def form(self, path: str, **data: str) -> dict[str, str]:
        """What the checkout page would send once it has shown the sum."""
        typed = {"organization": self.customer.slug, "currency": "EUR", **DETAILS, **data}
        page = self.browser.post(path, data={**typed, "update": "1"}).text
        found = re.search(r'id="shown" name="shown" type="hidden" value="([^"]*)"', page)
        assert found is not None, page
        return {**typed, "shown": found[1]}


@pytest.fixture
def scene(app: Flask, sign_in: SignIn) -> Scene:
    listing = make_listing(make_organization("Quayside"))
    make_app(listing)
    make_sale_fee(2_000)
    customer = make_customer("Blue Kite")
    user = make_member(customer, Role.ADMIN)
    return Scene(listing, customer, user, sign_in(user, customer))


def test_from_the_listing_to_the_invoice(
    scene: Scene, stripe: StripeStandIn, client: FlaskClient
) -> None:
    make_tax_rate("DE", 1_900)
    plan = make_plan(scene.listing, 10_000, name="Pro", is_per_seat=True)
    make_discount(scene.listing.publisher, "AUTUMN", bps=1_000)
    db.session.commit()
    browser = scene.browser
    listing_page = browser.get(f"/listings/{scene.listing.slug}").text
    assert "Choose a plan" in listing_page
    assert "€100.00" in listing_page
    assert "Choose a plan" in client.get(f"/listings/{scene.listing.slug}").text
    install = browser.get(f"/listings/{scene.listing.slug}/install")
    assert "Choose a plan of Tide Tables first." in install.text
    path = f"/buy/{scene.listing.slug}/{plan.public_id}"
    assert f'href="{path}' in browser.get(f"/buy/{scene.listing.slug}").text
    page = browser.get(f"{path}?quantity=2")
    assert page.status_code == 200
    assert "€200.00" in page.text
    assert "checkout.stripe.com" in page.headers["Content-Security-Policy"]
    data = scene.form(path, quantity="3", code="autumn")
    updated = browser.post(path, data={**data, "update": "1"}).text
    assert "−€30.00" in updated
    assert "€51.30" in updated
    assert "€321.30" in updated
    gone = browser.post(path, data=data)
    assert gone.status_code == 303
    assert gone.headers["Location"].startswith(stripe.url)
    order = db.session.scalars(select(Order)).one()
    assert order.total == 32_130
    done = f"{scene.pages}/orders/{order.public_id}/done"
    assert "One moment" in browser.get(done).text
    stripe.pay(gone.headers["Location"])
    stripe.deliver(client)
    assert "Thank you" in browser.get(f"{done}/state").text
    shown = browser.get(f"{scene.pages}/orders/{order.public_id}").text
    for words in ("AUTUMN", "VAT 19%", "€321.30", "Visa ending in 4242", "Blue Kite GmbH"):
        assert words in shown
    for name in ("invoice", "receipt"):
        file = browser.get(f"{scene.pages}/orders/{order.public_id}/{name}.pdf")
        assert file.headers["Content-Type"] == "application/pdf"
        assert file.data.startswith(b"%PDF")
    db.session.refresh(order)
    assert str(order.invoice_number) in browser.get(f"{scene.pages}/orders").text
    assert any("Your receipt INV-" in mail["subject"] for mail in mails())
    assert 'name="fingerprint"' in browser.get(f"/listings/{scene.listing.slug}/install").text


def test_nobody_pays_a_sum_that_they_did_not_see(scene: Scene, stripe: StripeStandIn) -> None:
    make_tax_rate("DE", 1_900)
    plan = make_plan(scene.listing)
    db.session.commit()
    path = f"/buy/{scene.listing.slug}/{plan.public_id}"
    data = scene.form(path, country="US")
    answer = scene.browser.post(path, data={**data, "country": "DE"})
    assert answer.status_code == 409
    assert "Look at it once more" in answer.text
    assert "€119.00" in answer.text
    db.session.rollback()
    assert db.session.scalars(select(Order)).all() == []


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"legal_name": ""}, "Give the name that stands on the invoice."),
        ({"email": "nobody"}, "Give an e-mail address for receipts."),
        ({"country": ""}, "Choose a country: it decides the tax."),
        ({"tax_id": "!!"}, "A tax ID has letters and digits only."),
        ({"code": "NONE"}, "This code is not valid here."),
        ({"quantity": "0"}, "From 1 to 10,000 seats."),
        ({"quantity": "many"}, "Not a valid integer"),
    ],
)
def test_what_is_wrong_is_told_at_its_field_and_what_was_typed_is_kept(
    scene: Scene, stripe: StripeStandIn, change: dict[str, str], message: str
) -> None:
    plan = make_plan(scene.listing, is_per_seat=True)
    db.session.commit()
    path = f"/buy/{scene.listing.slug}/{plan.public_id}"
    data = {**scene.form(path, quantity="1"), **change}
    answer = scene.browser.post(path, data=data)
    assert answer.status_code == 422
    assert message in answer.text
    assert "1 Harbour Road" in answer.text
    db.session.rollback()
    assert db.session.scalars(select(Order)).all() == []


def test_stripe_is_away_and_nothing_is_lost(scene: Scene, stripe: StripeStandIn) -> None:
    plan = make_plan(scene.listing)
    db.session.commit()
    path = f"/buy/{scene.listing.slug}/{plan.public_id}"
    data = scene.form(path)
    stripe.fault("checkout.sessions.create", "lost")
    answer = scene.browser.post(path, data=data)
    order = db.session.scalars(select(Order)).one()
    assert answer.headers["Location"] == f"{scene.pages}/orders/{order.public_id}"
    assert (
        "We could not reach the payment service"
        in scene.browser.get(answer.headers["Location"]).text
    )
    again = scene.browser.post(f"{scene.pages}/orders/{order.public_id}/checkout")
    assert again.headers["Location"].startswith(stripe.url)
    scene.browser.post(f"{scene.pages}/orders/{order.public_id}/cancellation")
    db.session.refresh(order)
    assert order.state is OrderState.CANCELED


def test_a_free_plan_is_taken_at_once(scene: Scene) -> None:
    plan = make_plan(scene.listing, None, billing=PlanBilling.FREE, name="Free")
    db.session.commit()
    path = f"/buy/{scene.listing.slug}/{plan.public_id}"
    assert "costs nothing" in scene.browser.get(path).text
    taken = scene.browser.post(path, data={"organization": scene.customer.slug})
    assert taken.headers["Location"] == f"/listings/{scene.listing.slug}"
    held = db.session.scalars(select(Entitlement)).one()
    assert held.organization_id == scene.customer.id
    again = scene.browser.post(path, data={"organization": scene.customer.slug})
    assert again.status_code == 409
    assert "has this plan" in again.text


def test_only_owners_admins_and_finance_buy_and_see_what_was_bought(
    scene: Scene, sign_in: SignIn
) -> None:
    plan = make_plan(scene.listing)
    order = make_paid_order(plan, scene.customer)
    viewer = sign_in(make_member(scene.customer, Role.VIEWER), scene.customer)
    stranger_organization = make_customer("Red Kite")
    stranger = sign_in(make_member(stranger_organization), stranger_organization)
    publisher = sign_in(make_member(scene.listing.publisher), scene.listing.publisher)
    path = f"/buy/{scene.listing.slug}/{plan.public_id}"
    for page in ("orders", f"orders/{order.public_id}", "subscriptions", "billing"):
        assert viewer.get(f"{scene.pages}/{page}").status_code == 403
        assert stranger.get(f"{scene.pages}/{page}").status_code == 404
        assert scene.browser.get(f"{scene.pages}/{page}").status_code == 200
    for nobody in (viewer, publisher):
        assert "Ask somebody who may buy" in nobody.get(path).text
        data = {"organization": scene.customer.slug, **DETAILS}
        assert nobody.post(path, data=data).status_code == 404
    other = f"/organizations/{stranger_organization.slug}/orders/{order.public_id}"
    assert stranger.get(other).status_code == 404


def test_a_sandbox_never_pays_and_is_always_entitled(scene: Scene, sign_in: SignIn) -> None:
    make_plan(scene.listing)
    partner = make_organization("Rivals")
    make_sandbox(partner)
    sandbox = db.session.scalars(
        select(Organization).where(Organization.sandbox_of_id == partner.id)
    ).one()
    assert decide_by_plan(scene.listing, sandbox).allowed
    assert not decide_by_plan(scene.listing, scene.customer).allowed


def test_what_was_installed_before_there_were_plans_goes_on(scene: Scene) -> None:
    found = db.session.scalars(select(App)).one()
    installation = make_installation(found, scene.customer, scene.user)
    plan = make_plan(scene.listing)
    assert plan.activated_at is not None
    assert not decide_by_plan(scene.listing, scene.customer).allowed
    installation.installed_at = plan.activated_at - timedelta(days=1)
    db.session.flush()
    assert decide_by_plan(scene.listing, scene.customer).allowed


def subscribe(
    scene: Scene, stripe: StripeStandIn, client: FlaskClient, **data: str
) -> Subscription:
    plan = make_plan(
        scene.listing, 1_000, billing=PlanBilling.MONTHLY, is_per_seat=True, name="Team"
    )
    db.session.commit()
    path = f"/buy/{scene.listing.slug}/{plan.public_id}"
    gone = scene.browser.post(path, data=scene.form(path, quantity="2", **data))
    stripe.pay(gone.headers["Location"])
    stripe.deliver(client)
    return db.session.scalars(select(Subscription)).one()


def test_a_subscription_is_changed_canceled_and_resumed(
    scene: Scene, stripe: StripeStandIn, client: FlaskClient
) -> None:
    subscription = subscribe(scene, stripe, client)
    larger = make_plan(
        scene.listing, 3_000, billing=PlanBilling.MONTHLY, is_per_seat=True, name="Fleet"
    )
    db.session.commit()
    path = f"{scene.pages}/subscriptions/{subscription.public_id}"
    assert "Team" in scene.browser.get(f"{scene.pages}/subscriptions").text
    assert "€10.00 a seat a month" in scene.browser.get(path).text
    form = scene.browser.get(f"{path}/change").text
    token = re.search(r'name="token" type="hidden" value="([0-9a-f]{32})"', form)
    assert token is not None
    data = {"plan": larger.public_id, "quantity": "2", "token": token[1]}
    preview = scene.browser.post(f"{path}/change", data=data)
    assert "Charged now, about" in preview.text
    said = re.search(r'name="said" value="([^"]+)"', preview.text)
    assert said is not None
    changed = scene.browser.post(f"{path}/change", data={**data, "said": said[1]})
    assert changed.status_code == 303
    again = scene.browser.post(f"{path}/change", data={**data, "said": said[1]})
    assert again.status_code in {200, 303}
    stripe.deliver(client)
    page = scene.browser.get(path).text
    assert "Fleet" in page
    assert "Change of plan" in page
    buy = scene.browser.get(f"/buy/{scene.listing.slug}/{larger.public_id}").text
    assert "Change its plan instead" in buy
    asked = scene.browser.get(f"{path}/cancellation")
    assert "Nothing is deleted" in asked.text
    canceled = scene.browser.post(f"{path}/cancellation", follow_redirects=True)
    assert "It ends on" in canceled.text
    resumed = scene.browser.post(f"{path}/resumption", follow_redirects=True)
    assert "It goes on." in resumed.text


def token_in(page: str) -> str:
    found = re.search(r'name="token"[^>]* value="([0-9a-f]{32})"', page)
    assert found is not None, page
    return found[1]


def said_in(page: str) -> str:
    found = re.search(r'name="said" value="([^"]+)"', page)
    assert found is not None, page
    return found[1]


def test_the_announced_sum_of_seats_has_the_discount(
    scene: Scene, stripe: StripeStandIn, client: FlaskClient
) -> None:
    make_discount(scene.listing.publisher, "HALF", bps=5_000, months=None)
    subscription = subscribe(scene, stripe, client, code="HALF")
    path = f"{scene.pages}/subscriptions/{subscription.public_id}/change"
    data = {"plan": subscription.plan.public_id, "quantity": "5"}
    preview = scene.browser.post(path, data=data).text
    # Three seats more at half of ten euros each, for all of the month.
    assert "€15.00" in preview
    assert "€25.00" in preview


def test_confirming_other_numbers_with_an_old_page_gives_a_fresh_one(
    scene: Scene, stripe: StripeStandIn, client: FlaskClient
) -> None:
    subscription = subscribe(scene, stripe, client)
    path = f"{scene.pages}/subscriptions/{subscription.public_id}/change"
    token = token_in(scene.browser.get(path).text)
    data = {"plan": subscription.plan.public_id, "quantity": "3", "token": token}
    said = said_in(scene.browser.post(path, data=data).text)
    assert scene.browser.post(path, data={**data, "said": said}).status_code == 303
    data["quantity"] = "4"
    said = said_in(scene.browser.post(path, data=data).text)
    old = scene.browser.post(path, data={**data, "said": said})
    assert old.status_code == 409
    assert "This page is old" in old.text
    assert "could not reach" not in old.text
    assert token_in(old.text) != token
    data |= {"token": token_in(old.text), "said": said_in(old.text)}
    done = scene.browser.post(path, data=data, follow_redirects=True)
    assert "Changed. It counts from now on." in done.text
    db.session.expire_all()
    assert db.session.scalars(select(Subscription)).one().quantity == 4


def test_an_old_cancellation_does_not_say_that_it_ends(
    scene: Scene, stripe: StripeStandIn, client: FlaskClient
) -> None:
    subscription = subscribe(scene, stripe, client)
    path = f"{scene.pages}/subscriptions/{subscription.public_id}"
    form = {"token": token_in(scene.browser.get(f"{path}/cancellation").text)}
    assert (
        "It ends on"
        in scene.browser.post(f"{path}/cancellation", data=form, follow_redirects=True).text
    )
    scene.browser.post(f"{path}/resumption")
    again = scene.browser.post(f"{path}/cancellation", data=form, follow_redirects=True).text
    assert "This page is old" in again
    assert "It ends on" not in again
    db.session.expire_all()
    assert not db.session.scalars(select(Subscription)).one().cancel_at_period_end


def test_while_a_payment_is_open_the_page_says_to_pay_it_first(
    scene: Scene, stripe: StripeStandIn, client: FlaskClient, sign_in: SignIn
) -> None:
    subscription = subscribe(scene, stripe, client)
    path = f"{scene.pages}/subscriptions/{subscription.public_id}"
    stripe.change_card(stripe.all("customer")[0]["id"], "4000000000000341")
    stripe.advance(timedelta(days=32))
    stripe.deliver(client)
    browser = sign_in(scene.user, scene.customer)
    assert "Change the plan" not in browser.get(path).text
    data = {"plan": subscription.plan.public_id, "quantity": "3"}
    for answer in (
        browser.get(f"{path}/change", follow_redirects=True),
        browser.post(f"{path}/change", data=data, follow_redirects=True),
    ):
        assert "Pay it first" in answer.text


def test_an_order_that_stripe_knows_with_other_details_says_what_to_do(
    scene: Scene, stripe: StripeStandIn
) -> None:
    order = make_order(make_plan(scene.listing), scene.customer)
    order_id, page = order.id, f"{scene.pages}/orders/{order.public_id}"
    db.session.commit()
    open_checkout(order_id, success_url="http://other.example/", cancel_url="http://other.example/")
    answer = scene.browser.post(f"{page}/checkout", follow_redirects=True)
    assert "begun with other details" in answer.text
    assert "could not reach" not in answer.text


def test_a_subscriber_is_told_why_a_plan_that_is_paid_once_is_not_for_them(
    scene: Scene, stripe: StripeStandIn, client: FlaskClient
) -> None:
    subscribe(scene, stripe, client)
    once = make_plan(scene.listing, 120_000, name="Clean-up")
    db.session.commit()
    page = scene.browser.get(f"/buy/{scene.listing.slug}/{once.public_id}").text
    assert "Only one plan counts at a time" in page
    assert "Change its plan instead" not in page


def test_a_refused_card_changes_nothing(
    scene: Scene, stripe: StripeStandIn, client: FlaskClient
) -> None:
    subscription = subscribe(scene, stripe, client)
    (buyer,) = stripe.all("customer")
    stripe.change_card(buyer["id"], "4000000000000002")
    path = f"{scene.pages}/subscriptions/{subscription.public_id}/change"
    data = {"plan": subscription.plan.public_id, "quantity": "9", "token": "a" * 32}
    said = re.search(r'name="said" value="([^"]+)"', scene.browser.post(path, data=data).text)
    assert said is not None
    answer = scene.browser.post(path, data={**data, "said": said[1]}, follow_redirects=True)
    assert "Nothing was changed" in answer.text
    db.session.expire_all()
    assert db.session.scalars(select(Subscription)).one().quantity == 2


def test_losing_what_was_paid_for_pauses_the_installation_and_paying_resumes_it(
    scene: Scene, stripe: StripeStandIn, client: FlaskClient, sign_in: SignIn
) -> None:
    subscription = subscribe(scene, stripe, client)
    make_installation(db.session.scalars(select(App)).one(), scene.customer, scene.user)
    db.session.commit()
    scene.browser.post(f"{scene.pages}/subscriptions/{subscription.public_id}/cancellation")
    stripe.advance(timedelta(days=32))
    stripe.deliver(client)
    db.session.expire_all()
    installation = db.session.scalars(select(Installation)).one()
    assert installation.state is InstallationState.PAUSED
    scene.browser = sign_in(scene.user, scene.customer)
    assert "its plan has ended" in scene.browser.get(f"/listings/{scene.listing.slug}").text
    assert any("has ended" in mail["subject"] for mail in mails())
    path = f"/buy/{scene.listing.slug}/{subscription.plan.public_id}"
    gone = scene.browser.post(path, data=scene.form(path, quantity="1"))
    stripe.pay(gone.headers["Location"])
    stripe.deliver(client)
    db.session.refresh(installation)
    assert installation.state is InstallationState.ACTIVE


def test_a_refund_is_asked_for_and_withdrawn(scene: Scene) -> None:
    order = make_paid_order(make_plan(scene.listing, 5_000), scene.customer)
    db.session.commit()
    path = f"{scene.pages}/orders/{order.public_id}"
    assert 'value="50.00"' in scene.browser.get(f"{path}/refund").text
    for data, message in (
        ({"amount": "50.01", "body": "It does not fit."}, "Up to €50.00."),
        ({"amount": "x", "body": "It does not fit."}, "Type an amount like 12.50."),
        ({"amount": "50", "body": ""}, "Say in a few words why."),
    ):
        answer = scene.browser.post(f"{path}/refund", data=data)
        assert answer.status_code == 422
        assert message in answer.text
    data = {"amount": "20", "body": "It does not fit."}
    assert scene.browser.post(f"{path}/refund", data=data).status_code == 303
    assert scene.browser.get(f"{path}/refund").status_code == 303
    page = scene.browser.get(path).text
    assert "€20.00" in page
    assert "We are looking at it" in page
    request = db.session.scalars(select(RefundRequest)).one()
    scene.browser.post(f"{path}/refund/{request.id}/withdrawal")
    db.session.refresh(request)
    assert request.state is RequestState.WITHDRAWN


def test_billing_details_are_kept_and_lead_back(scene: Scene) -> None:
    path = f"{scene.pages}/billing"
    assert 'value="Blue Kite"' in scene.browser.get(path).text
    assert scene.browser.post(path, data={**DETAILS, "email": ""}).status_code == 422
    saved = scene.browser.post(f"{path}?next={scene.pages}/orders", data=DETAILS)
    assert saved.headers["Location"] == f"{scene.pages}/orders"
    away = scene.browser.post(f"{path}?next=https://evil.example/", data=DETAILS)
    assert away.headers["Location"] == path
    assert "1 Harbour Road" in scene.browser.get(path).text


def test_the_list_of_orders_costs_the_same_however_many_there_are(scene: Scene) -> None:
    plan = make_plan(scene.listing)
    make_paid_order(plan, scene.customer)
    db.session.commit()
    path = f"{scene.pages}/orders"
    scene.browser.get(path)
    few = count_queries(lambda: scene.browser.get(path))
    for _number in range(4):
        make_paid_order(plan, scene.customer)
    db.session.commit()
    assert count_queries(lambda: scene.browser.get(path)) == few


def test_a_listing_that_sells_nothing_has_no_shop(scene: Scene) -> None:
    assert scene.browser.get(f"/buy/{scene.listing.slug}").status_code == 404
    assert "Choose a plan" not in scene.browser.get(f"/listings/{scene.listing.slug}").text


def test_who_tries_many_codes_is_stopped_and_may_buy_without(scene: Scene) -> None:
    plan = make_plan(scene.listing)
    make_discount(scene.listing.publisher, "AUTUMN")
    db.session.commit()
    path = f"/buy/{scene.listing.slug}/{plan.public_id}"
    data = {"organization": scene.customer.slug, "currency": "EUR", **DETAILS, "update": "1"}

    def compute(code: str) -> int:
        return scene.browser.post(path, data={**data, "code": code}).status_code

    # A code that counts is no guess.
    assert {compute("AUTUMN") for _time in range(45)} == {200}
    assert [compute(f"GUESS{number}") for number in range(38)] == [200] * 38
    assert [scene.browser.get(f"{path}?code=MORE{n}").status_code for n in range(3)] == [
        200,
        200,
        429,
    ]
    assert compute("AUTUMN") == 429
    assert compute("") == 200


def test_a_code_in_the_address_of_the_plans_goes_on_to_the_checkout(scene: Scene) -> None:
    plan = make_plan(scene.listing)
    db.session.commit()
    page = scene.browser.get(f"/buy/{scene.listing.slug}?code=AUTUMN").text
    assert f"/buy/{scene.listing.slug}/{plan.public_id}?currency=EUR&amp;code=AUTUMN" in page
