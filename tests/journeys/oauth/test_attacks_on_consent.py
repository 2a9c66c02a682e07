"""Attacks on the person who consents, and across environments. All refused, nothing changed."""

from urllib.parse import urlencode, urlsplit

import pytest
from flask import Flask, g
from flask.testing import FlaskClient

from marketplace.core.database import db
from marketplace.identity.models import Role
from marketplace.installs.models import (
    Environment,
)
from tests.factories.apps import client_of, make_client_secret, make_sandbox
from tests.factories.people import make_member
from tests.journeys.oauth.attacks import nothing_changes, refused
from tests.journeys.oauth.conftest import SignIn
from tests.journeys.oauth.flow import (
    Customer,
    Partner,
    answer_in,
    hidden_fields,
    make_partner,
    make_people,
)


@pytest.mark.parametrize("verb", ["", "/decline", "/ask"])
def test_consent_cannot_be_forged_from_another_site(
    app: Flask, partner: Partner, customer: Customer, sign_in: SignIn, verb: str
) -> None:
    attacker = make_people(sign_in, "Red Fern")
    # Flask-WTF keeps the token in `g`, which lives as long as the test's application context.
    stolen = attacker.consent_form(partner.address())["csrf_token"]
    g.pop("csrf_token")
    form = customer.consent_form(partner.address())
    g.pop("csrf_token")
    query = urlencode(partner.request())
    app.config["WTF_CSRF_ENABLED"] = True
    try:
        with nothing_changes():
            for token in ("", "x", stolen):
                answer = customer.browser.post(
                    f"/oauth/authorize{verb}?{query}", data={**form, "csrf_token": token}
                )
                assert answer.status_code == 400
                assert "The form has expired" in answer.text
        page = customer.browser.get(partner.address())
        good = customer.browser.post(partner.address(), data=hidden_fields(page))
        assert "code" in answer_in(good)
    finally:
        app.config["WTF_CSRF_ENABLED"] = False


def test_reading_the_page_installs_nothing(partner: Partner, customer: Customer) -> None:
    with nothing_changes():
        customer.browser.get(partner.address())
        customer.browser.get(partner.address(organization=customer.organization.slug))
        customer.browser.head(partner.address())


def test_the_page_cannot_be_framed_and_forms_lead_to_the_app_alone(
    partner: Partner, customer: Customer
) -> None:
    page = customer.browser.get(partner.address())
    policy = dict(
        part.split(" ", 1) for part in page.headers["Content-Security-Policy"].split("; ")
    )
    assert policy["frame-ancestors"] == "'none'"
    assert page.headers["X-Frame-Options"] == "DENY"
    assert policy["form-action"] == "'self' https://app.tides.example"
    assert policy["default-src"] == "'self'"
    assert page.headers["Referrer-Policy"] == "same-origin"
    assert page.headers["Cache-Control"] == "no-store"
    elsewhere = customer.browser.get("/oauth/authorize")
    assert "tides.example" not in elsewhere.headers["Content-Security-Policy"]


def test_no_way_off_the_page_leads_to_an_unregistered_site(
    client: FlaskClient, partner: Partner, customer: Customer
) -> None:
    evil = "https://evil.example/"
    for name in ("next", "return_to", "continue", "request_uri", "redirect", "organization"):
        for browser in (client, customer.browser):
            answer = browser.get(partner.address(**{name: evil}))
            location = answer.headers.get("Location", "")
            assert urlsplit(location).netloc in {"", "app.tides.example"}
            if answer.status_code == 200:
                assert f'href="{evil}' not in answer.text
                assert f'action="{evil}' not in answer.text


def test_what_an_app_sends_is_never_markup(partner: Partner, customer: Customer) -> None:
    payload = '"><script>alert(1)</script>'
    page = customer.browser.get(partner.address(state=payload, anything=payload))
    assert page.status_code == 200
    assert "<script>alert" not in page.text


def test_a_person_cannot_consent_for_another_organization(
    partner: Partner, customer: Customer, sign_in: SignIn
) -> None:
    other = make_people(sign_in, "Red Fern")
    form = customer.consent_form(partner.address())
    with nothing_changes():
        for slug in (other.organization.slug, partner.publisher.slug, "", "nobody", "\x00"):
            for verb in ("", "/decline", "/ask"):
                answer = customer.browser.post(
                    f"/oauth/authorize{verb}?{urlencode(partner.request())}",
                    data={**form, "organization": slug},
                )
                assert answer.status_code == 404, slug


def test_a_member_who_may_not_install_cannot_press_the_button(
    partner: Partner, customer: Customer, sign_in: SignIn
) -> None:
    form = customer.consent_form(partner.address())
    member = make_member(customer.organization, Role.VIEWER)
    browser = sign_in(member, customer.organization)
    with nothing_changes():
        answer = browser.post(partner.address(), data=form)
        assert "Location" not in answer.headers


def test_a_stranger_presses_nothing(
    client: FlaskClient, partner: Partner, customer: Customer
) -> None:
    form = customer.consent_form(partner.address())
    with nothing_changes():
        answer = client.post(partner.address(), data=form)
        assert answer.status_code == 303
        assert answer.headers["Location"].startswith("/auth/login?")


def test_a_test_client_reaches_no_real_organization(app: Flask, sign_in: SignIn) -> None:
    partner = make_partner(environment=Environment.TEST)
    make_sandbox(partner.publisher)
    customer = make_people(sign_in)
    with nothing_changes():
        page = customer.browser.get(partner.address())
        assert page.status_code == 403
        assert "test credentials" in page.text
        form = {"organization": customer.organization.slug, "fingerprint": ""}
        assert customer.browser.post(partner.address(), data=form).status_code == 404
    # Not even for its own publisher's developer who is a member of a customer as well.
    developer = make_member(partner.publisher, Role.DEVELOPER)
    make_member(customer.organization, user=developer)
    browser = sign_in(developer)
    with nothing_changes():
        assert browser.post(partner.address(), data=form).status_code == 404


def test_a_live_client_reaches_no_sandbox(app: Flask, sign_in: SignIn) -> None:
    partner = make_partner()
    sandbox = make_sandbox(partner.publisher)
    browser = sign_in(make_member(partner.publisher))
    form = {"organization": sandbox.slug, "fingerprint": ""}
    with nothing_changes():
        assert browser.post(partner.address(), data=form).status_code == 404
        assert browser.get(partner.address(organization=sandbox.slug)).status_code == 403


def test_live_and_test_credentials_of_one_app_are_strangers(
    client: FlaskClient, partner: Partner, customer: Customer
) -> None:
    twin = client_of(partner.app, Environment.TEST)
    other = Partner(partner.app, twin, make_client_secret(twin), partner.publisher)
    db.session.commit()
    tokens = customer.tokens_for(partner)
    code = answer_in(customer.browser.get(partner.address()))["code"]
    with nothing_changes():
        refused(partner.exchange(client, code, header=other.header), "invalid_grant")
        refused(
            partner.refresh(client, tokens["refresh_token"], header=other.header), "invalid_grant"
        )
        assert other.introspect(client, tokens["access_token"]) == {"active": False}
