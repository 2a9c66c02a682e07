"""Finance looks at what is stuck at Stripe and says what became of it."""

from datetime import timedelta
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient

from billing.gateway import StripeUnknownError
from billing.models.stripe import EventState, OperationState, StripeEvent, StripeOperation
from billing.operations import perform
from marketplace.core import clock
from marketplace.core.database import db
from marketplace.core.facts import Fact
from marketplace.identity.models import Role
from tests.conftest import SignIn
from tests.factories.people import make_customer, make_member, make_platform
from tests.factories.queries import count_queries
from tests.factories.stripe import StripeStandIn


@pytest.fixture
def desk(app: Flask, sign_in: SignIn) -> FlaskClient:
    """A browser of somebody of finance."""
    platform = make_platform()
    person = make_member(platform, Role.FINANCE)
    db.session.commit()
    return sign_in(person, platform)


def make_event(number: int, state: EventState, **more: Any) -> StripeEvent:
    event = StripeEvent(
        event_id=f"evt_{number}",
        type="invoice.paid",
        object_id=f"in_{number}",
        state=state,
        happened_at=clock.now() - timedelta(hours=2),
        **more,
    )
    db.session.add(event)
    db.session.commit()
    return event


def test_dead_events_are_listed_and_handled_again(app: Flask, desk: FlaskClient) -> None:
    event = make_event(1, EventState.DEAD, error="no order in_1")
    make_event(2, EventState.DONE)
    page = desk.get("/staff/finance/stripe")
    assert page.status_code == 200
    assert "no order in_1" in page.text
    assert "evt_2" not in page.text
    assert "evt_2" in desk.get("/staff/finance/stripe?state=done").text
    assert desk.get("/staff/finance/stripe?state=nonsense").status_code == 200
    answer = desk.post(f"/staff/finance/stripe/events/{event.id}/retry")
    assert answer.status_code == 303
    db.session.expire_all()
    assert db.session.get_one(StripeEvent, event.id).state is EventState.RECEIVED
    again = desk.post(f"/staff/finance/stripe/events/{event.id}/retry", follow_redirects=True)
    assert "waits no longer" in again.text


def test_an_event_that_is_none_of_ours_is_set_aside_with_a_reason(
    app: Flask, desk: FlaskClient
) -> None:
    event = make_event(1, EventState.DEAD, error="acct_x is no account of ours", account="acct_x")
    path = f"/staff/finance/stripe/events/{event.id}/setting-aside"
    assert path in desk.get("/staff/finance/stripe").text
    page = desk.get(path)
    assert (page.status_code, "acct_x is no account of ours" in page.text) == (200, True)
    assert desk.post(path, data={"reason": " "}).status_code == 422
    assert desk.post(path, data={"reason": "x" * 301}).status_code == 422
    assert desk.post(path, data={"reason": "Not our account"}).status_code == 303
    db.session.expire_all()
    assert (event.state, event.error) == (EventState.SET_ASIDE, "Not our account")
    fact = db.session.query(Fact).filter_by(kind="stripe_event.set_aside").one()
    assert fact.data == {"reason": "Not our account"}
    assert "Not our account" in desk.get("/staff/finance/stripe?state=set_aside").text
    assert "waits no longer" in desk.post(
        path, data={"reason": "Again"}, follow_redirects=True
    ).text  # fmt: skip
    desk.post(f"/staff/finance/stripe/events/{event.id}/retry")
    db.session.expire_all()
    assert event.state is EventState.RECEIVED


def test_an_unanswered_call_is_settled_by_what_stripe_s_dashboard_says(
    app: Flask, desk: FlaskClient, stripe: StripeStandIn
) -> None:
    stripe.fund(5_000)
    account = stripe.new_account()
    stripe.fault("transfers.create", "lost")
    params = {"amount": 100, "currency": "EUR", "destination": account}
    with pytest.raises(StripeUnknownError):
        perform("payout:1:a1", "transfers.create", params)
    (made,) = stripe.all("transfer")
    row = db.session.query(StripeOperation).one()
    assert "payout:1:a1" in desk.get("/staff/finance/stripe/operations").text
    page = desk.get(f"/staff/finance/stripe/operations/{row.id}")
    assert account in page.text
    address = f"/staff/finance/stripe/operations/{row.id}/settlement"
    nothing = desk.post(address, data={})
    assert nothing.status_code == 422
    assert "Choose one." in nothing.text
    no_id = desk.post(address, data={"happened": "yes", "stripe_id": "what?"})
    assert no_id.status_code == 422
    assert "what?" in no_id.text
    assert desk.post(address, data={"happened": "yes", "stripe_id": made["id"]}).status_code == 303
    db.session.expire_all()
    assert row.state is OperationState.SUCCEEDED
    assert "known already" in desk.post(
        address, data={"happened": "no"}, follow_redirects=True
    ).text  # fmt: skip


def lost_transfer(stripe: StripeStandIn, group: str = "payout_1") -> StripeOperation:
    """A transfer that Stripe made and we never heard of."""
    stripe.fund(5_000)
    stripe.fault("transfers.create", "lost")
    params = {
        "amount": 100,
        "currency": "EUR",
        "destination": stripe.new_account(),
        "transfer_group": group,
    }
    with pytest.raises(StripeUnknownError):
        perform("payout:1:a1", "transfers.create", params)
    return db.session.query(StripeOperation).filter_by(idem_key="payout:1:a1").one()


def test_what_did_happen_is_not_noted_as_not_happened(
    app: Flask, desk: FlaskClient, stripe: StripeStandIn
) -> None:
    row = lost_transfer(stripe)
    (made,) = stripe.all("transfer")
    address = f"/staff/finance/stripe/operations/{row.id}/settlement"
    answer = desk.post(address, data={"happened": "no"})
    assert answer.status_code == 422
    assert f"Stripe has it as {made['id']}" in answer.text
    db.session.expire_all()
    assert row.state is OperationState.UNKNOWN
    assert "known already" not in answer.text


def test_what_happened_must_be_what_was_asked_for(
    app: Flask, desk: FlaskClient, stripe: StripeStandIn
) -> None:
    row = lost_transfer(stripe)
    account = row.request["destination"]
    address = f"/staff/finance/stripe/operations/{row.id}/settlement"
    wrong = {
        "amount": 101,
        "currency": "EUR",
        "destination": account,
        "transfer_group": "payout_1",
    }
    more = perform("payout:2:a1", "transfers.create", wrong)
    other_group = perform(
        "payout:3:a1", "transfers.create", {**wrong, "amount": 100, "transfer_group": "payout_3"}
    )
    same = perform("payout:4:a1", "transfers.create", {**wrong, "amount": 100})
    for stripe_id, message in (
        ("tr_nothing", "Stripe has nothing of this id"),
        (more["id"], "This is something else"),
        (other_group["id"], "This is something else"),
        (same["id"], "Another call made this one"),
    ):
        answer = desk.post(address, data={"happened": "yes", "stripe_id": stripe_id})
        assert (answer.status_code, message in answer.text) == (422, True), stripe_id
        assert stripe_id in answer.text
    db.session.expire_all()
    assert row.state is OperationState.UNKNOWN
    page = desk.get(f"/staff/finance/stripe/operations/{row.id}").text
    assert "optional" not in page


def test_what_never_arrived_is_noted_as_not_happened(
    app: Flask, desk: FlaskClient, stripe: StripeStandIn
) -> None:
    stripe.fund(5_000)
    account = stripe.new_account()
    params = {"amount": 100, "currency": "EUR", "destination": account, "transfer_group": "a"}
    stripe.fault("transfers.create", "dropped")
    with pytest.raises(StripeUnknownError):
        perform("payout:1:a1", "transfers.create", params)
    row = db.session.query(StripeOperation).one()
    address = f"/staff/finance/stripe/operations/{row.id}/settlement"
    stripe.fault("transfers.list", "error")
    busy = desk.post(address, data={"happened": "no"})
    assert (busy.status_code, "cannot be asked just now" in busy.text) == (422, True)
    assert desk.post(address, data={"happened": "no"}).status_code == 303
    db.session.expire_all()
    assert row.state is OperationState.REJECTED


def test_the_set_up_page_says_what_to_enter_at_stripe(
    app: Flask, desk: FlaskClient, stripe: StripeStandIn
) -> None:
    page = desk.get("/staff/finance/stripe/set-up")
    assert "http://localhost/webhooks/stripe" in page.text
    assert "Test" in page.text


def test_the_pages_cost_the_same_however_long_the_lists_are(app: Flask, desk: FlaskClient) -> None:
    make_event(0, EventState.DEAD)
    few = count_queries(lambda: desk.get("/staff/finance/stripe"))
    for number in range(1, 30):
        make_event(number, EventState.DEAD)
    assert count_queries(lambda: desk.get("/staff/finance/stripe")) == few


def test_customers_and_other_staff_do_not_see_it(app: Flask, sign_in: SignIn) -> None:
    customer, platform = make_customer(), make_platform()
    outsider = make_member(customer)
    reviewer = make_member(platform, Role.REVIEWER)
    event = make_event(1, EventState.DEAD)
    event_id = event.id
    for browser in (sign_in(outsider, customer), sign_in(reviewer, platform)):
        assert browser.get("/staff/finance/stripe").status_code == 403
        answer = browser.post(f"/staff/finance/stripe/events/{event_id}/retry")
        assert answer.status_code == 404
