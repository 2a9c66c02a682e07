"""Whole flows over HTTP, as an app and a customer's browser make them."""

from datetime import timedelta
from urllib.parse import parse_qsl, urlencode, urlsplit

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select

from marketplace.core import clock
from marketplace.core.database import db
from marketplace.identity.models import Role
from marketplace.identity.next_path import local_path
from marketplace.installs.models import (
    Installation,
    InstallationEvent,
    PushedRequest,
)
from marketplace.installs.oauth.tokens import find_access_token
from tests.factories.apps import make_installation
from tests.factories.mails import mails
from tests.factories.people import make_customer, make_member, make_user
from tests.factories.queries import count_queries
from tests.journeys.oauth.conftest import SignIn
from tests.journeys.oauth.flow import (
    ISSUER,
    SCOPES,
    Customer,
    Partner,
    answer_in,
    counts,
    hidden_fields,
)


def test_a_customer_installs_from_the_app_and_the_app_gets_tokens(
    client: FlaskClient, partner: Partner, customer: Customer
) -> None:
    page = customer.browser.get(partner.address())
    assert page.status_code == 200
    assert "To use events.write" in page.text
    answer = answer_in(customer.browser.post(partner.address(), data=hidden_fields(page)))
    assert answer["state"] == partner.state
    assert answer["iss"] == ISSUER
    installation = db.session.scalars(select(Installation)).one()
    assert installation.organization_id == customer.organization.id
    assert installation.connected_at is None

    response = partner.exchange(client, answer["code"])
    assert response.status_code == 200
    assert response.headers["Cache-Control"] == "no-store"
    tokens = response.json
    assert tokens["token_type"] == "Bearer"
    assert tokens["expires_in"] == 3600
    assert tokens["scope"] == "events.write organization.read"
    assert tokens["installation"] == installation.public_id
    assert tokens["access_token"].startswith("pat_")
    assert tokens["refresh_token"].startswith("prt_")
    live = find_access_token(tokens["access_token"])
    assert live is not None
    assert live.installation_id == installation.id
    db.session.expire_all()
    assert installation.connected_at is not None
    kinds = [event.kind for event in db.session.scalars(select(InstallationEvent))]
    assert kinds == ["installed", "connected"]


def test_what_was_granted_is_not_asked_again(
    client: FlaskClient, partner: Partner, customer: Customer
) -> None:
    customer.tokens_for(partner)
    again = customer.browser.get(partner.address(scope="events.write"))
    tokens = partner.exchange(client, answer_in(again)["code"]).json
    assert tokens["scope"] == "events.write"
    kinds = [event.kind for event in db.session.scalars(select(InstallationEvent))]
    assert kinds.count("connected") == 1


def test_an_app_may_have_it_asked_again(partner: Partner, customer: Customer) -> None:
    customer.tokens_for(partner)
    page = customer.browser.get(partner.address(prompt="consent"))
    assert page.status_code == 200
    assert "code" in answer_in(
        customer.browser.post(partner.address(prompt="consent"), data=hidden_fields(page))
    )
    assert counts()["installation"] == 1


def test_without_scopes_an_app_asks_for_what_its_listing_names(
    client: FlaskClient, partner: Partner, customer: Customer
) -> None:
    tokens = customer.tokens_for(partner, scope=None)
    assert set(tokens["scope"].split()) == set(SCOPES)


def test_declining_installs_nothing_and_tells_the_app(partner: Partner, customer: Customer) -> None:
    before = counts()
    page = customer.browser.get(partner.address())
    address = f"/oauth/authorize/decline?{urlencode(partner.request())}"
    answer = answer_in(customer.browser.post(address, data=hidden_fields(page)))
    assert answer["error"] == "access_denied"
    assert answer["state"] == partner.state
    assert answer["iss"] == ISSUER
    assert "code" not in answer
    assert counts() == before


def test_whoever_is_not_signed_in_comes_back_after_the_sign_in(
    client: FlaskClient, partner: Partner, customer: Customer
) -> None:
    sent = client.get(partner.address())
    assert sent.status_code == 303
    location = urlsplit(sent.headers["Location"])
    assert location.path == "/auth/login"
    back = dict(parse_qsl(location.query))["next"]
    assert customer.browser.get(back).status_code == 200


def test_a_long_address_survives_the_sign_in(
    client: FlaskClient, partner: Partner, customer: Customer
) -> None:
    partner.state = "s" * 1500
    sent = client.get(partner.address())
    back = dict(parse_qsl(urlsplit(sent.headers["Location"]).query))["next"]
    assert len(back) < 100
    assert local_path(back) == back
    page = customer.browser.get(back)
    assert page.status_code == 200
    answer = answer_in(customer.browser.post(back, data=hidden_fields(page)))
    assert answer["state"] == partner.state
    assert partner.exchange(client, answer["code"]).status_code == 200


def test_a_kept_address_is_forgotten_after_an_hour(
    client: FlaskClient, partner: Partner, customer: Customer
) -> None:
    sent = client.get(partner.address(state="s" * 1500))
    back = dict(parse_qsl(urlsplit(sent.headers["Location"]).query))["next"]
    with clock.frozen(clock.now() + timedelta(hours=1, seconds=1)):
        page = customer.browser.get(back)
    assert page.status_code == 400
    assert "too old" in page.text


def test_a_person_of_several_organizations_chooses_one(
    client: FlaskClient, partner: Partner, customer: Customer
) -> None:
    other = make_customer("Red Fern")
    make_member(other, user=customer.person)
    db.session.commit()
    choice = customer.browser.get(partner.address())
    assert "Red Fern" in choice.text
    assert "Blue Kite" in choice.text
    address = partner.address(organization=other.slug)
    page = customer.browser.get(address)
    assert "Choose another organization" in page.text
    answer = answer_in(customer.browser.post(partner.address(), data=hidden_fields(page)))
    assert "code" in answer
    installation = db.session.scalars(select(Installation)).one()
    assert installation.organization_id == other.id


def test_an_app_may_say_which_installation_it_wants_to_connect(
    client: FlaskClient, partner: Partner, customer: Customer
) -> None:
    other = make_customer("Red Fern")
    make_member(other, user=customer.person)
    installation = make_installation(partner.app, other, customer.person, scopes=SCOPES)
    db.session.commit()
    sent = customer.browser.get(partner.address(installation=installation.public_id))
    tokens = partner.exchange(client, answer_in(sent)["code"]).json
    assert tokens["installation"] == installation.public_id


def test_a_person_without_an_organization_is_told_what_to_do(
    partner: Partner, sign_in: SignIn
) -> None:
    page = sign_in(make_user()).get(partner.address())
    assert page.status_code == 403
    assert "Create an organization" in page.text
    assert "error=access_denied" in page.text


def test_a_member_asks_an_admin_from_the_page(
    partner: Partner, customer: Customer, sign_in: SignIn
) -> None:
    member = make_member(customer.organization, Role.VIEWER, make_user("Mel Park"))
    browser = sign_in(member, customer.organization)
    page = browser.get(partner.address())
    assert page.status_code == 200
    assert "Ask your admins" in page.text
    form = {**hidden_fields(page), "message": "For the tides"}
    too_long = browser.post(
        f"/oauth/authorize/ask?{urlencode(partner.request())}", data={**form, "message": "x" * 501}
    )
    assert too_long.status_code == 422
    assert "x" * 501 in too_long.text
    sent = browser.post(f"/oauth/authorize/ask?{urlencode(partner.request())}", data=form)
    asked = browser.get(sent.headers["Location"])
    assert "You have asked for it" in asked.text
    assert counts()["installation"] == 0


def test_a_pushed_request_works_from_a_short_address(
    client: FlaskClient, partner: Partner, customer: Customer
) -> None:
    pushed = client.post("/oauth/par", data=partner.request(), headers=partner.header)
    assert pushed.status_code == 201
    assert pushed.json["expires_in"] == 90
    query = urlencode(
        {"client_id": partner.client.client_id, "request_uri": pushed.json["request_uri"]}
    )
    sent = customer.browser.get(f"/oauth/authorize?{query}")
    assert sent.status_code == 303
    page = customer.browser.get(sent.headers["Location"])
    assert customer.browser.get(sent.headers["Location"]).status_code == 200
    answer = answer_in(customer.browser.post(sent.headers["Location"], data=hidden_fields(page)))
    assert answer["state"] == partner.state
    assert partner.exchange(client, answer["code"]).status_code == 200
    # Once is enough.
    assert customer.browser.get(f"/oauth/authorize?{query}").status_code == 400
    assert all(row.uri_hash not in pushed.text for row in db.session.scalars(select(PushedRequest)))


def test_a_pushed_request_is_checked_like_any_other(client: FlaskClient, partner: Partner) -> None:
    for change, error in (
        ({"scope": "contacts.delete"}, "invalid_scope"),
        ({"code_challenge": None}, "invalid_request"),
        ({"redirect_uri": "https://evil.example/"}, "invalid_request"),
        ({"response_type": "token"}, "unsupported_response_type"),
        ({"request_uri": "urn:ietf:params:oauth:request_uri:x"}, "invalid_request"),
    ):
        answer = client.post("/oauth/par", data=partner.request(**change), headers=partner.header)
        assert answer.status_code == 400
        assert answer.json["error"] == error, change
    assert client.post("/oauth/par", data=partner.request()).status_code == 401


def test_a_reached_cap_is_said_to_the_person_and_mailed_to_the_publisher(
    app: Flask, partner: Partner, customer: Customer
) -> None:
    maker = make_member(partner.publisher, Role.DEVELOPER)
    form = customer.consent_form(partner.address())
    settings = app.extensions["portico_settings"]
    app.extensions["portico_settings"] = settings.model_copy(update={"uncertified_install_cap": 0})
    try:
        answer = customer.browser.post(partner.address(), data=form)
    finally:
        app.extensions["portico_settings"] = settings
    assert answer.status_code == 403
    assert "not certified yet" in answer.text
    assert counts()["installation"] == 0

    assert [mail["to"] for mail in mails()] == [maker.email]


def test_the_pages_cost_the_same_however_much_there_is(
    partner: Partner, customer: Customer, sign_in: SignIn
) -> None:
    def cost(address: str) -> int:
        return count_queries(lambda: customer.browser.get(address))

    consent = partner.address(organization=customer.organization.slug)
    cost(consent)
    for _ in range(2):
        make_member(make_customer("Red Fern"), user=customer.person)
    db.session.commit()
    few = cost(consent), cost(partner.address())
    for _ in range(6):
        make_member(make_customer("Red Fern"), user=customer.person)
    db.session.commit()
    assert (cost(consent), cost(partner.address())) == few
    assert max(few) <= 20


@pytest.mark.parametrize("verb", ["", "/decline", "/ask"])
@pytest.mark.parametrize("state", ["short", "long " + "x" * 1_500])
def test_whose_session_ended_signs_in_and_comes_back_to_the_request(
    client: FlaskClient, partner: Partner, customer: Customer, verb: str, state: str
) -> None:
    page = customer.browser.get(partner.address(state=state))
    form = hidden_fields(page)
    action = partner.address(state=state).replace("?", f"{verb}?", 1)
    before = counts()
    # The same form, sent by a browser that is no longer signed in.
    answer = client.post(action, data=form)
    assert answer.status_code == 303
    sign_in_at = urlsplit(answer.headers["Location"])
    assert sign_in_at.path == "/auth/login"
    following = dict(parse_qsl(sign_in_at.query))["next"]
    assert local_path(following) == following
    assert following.startswith("/oauth/authorize?")
    assert counts() == before
    # Signed in again, the person sees the same question.
    again = customer.browser.get(following)
    assert again.status_code == 200
    answered = customer.browser.post(following, data=hidden_fields(again))
    assert answer_in(answered)["state"] == state


def test_a_request_that_is_wrong_leads_nobody_to_the_sign_in(
    client: FlaskClient, partner: Partner
) -> None:
    answer = client.post(partner.address(redirect_uri="https://evil.example/"))
    assert answer.status_code == 400
    assert "Location" not in answer.headers
