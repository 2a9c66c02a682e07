"""87 Login: P signs in by OIDC; a second factor guards where money is paid."""

from datetime import timedelta

from flask import Flask
from flask.testing import FlaskClient

from marketplace.core import clock
from marketplace.core.database import db
from marketplace.identity.models import Role
from marketplace.identity.second_factor import KEPT_AS, proves_second_factor
from marketplace.identity.sessions import COOKIE, find_session
from tests.conftest import SignIn
from tests.factories.people import make_member, make_organization
from tests.factories.stripe import StripeStandIn

ACCOUNT = "/partner/payout-account"


def test_087_login(app: Flask, sign_in: SignIn, stripe: StripeStandIn) -> None:
    partner = make_organization("Quayside", country="DE")
    owner = make_member(partner, Role.OWNER)
    browser = sign_in(owner, partner, second_factor=False)
    refused = browser.post(ACCOUNT, data={"country": "DE"})
    assert refused.status_code == 403
    assert "second factor" in refused.text
    assert "/auth/confirm" in refused.text
    assert stripe.all("account") == []
    assert browser.get(ACCOUNT).status_code == 200  # looking needs none

    confirmed = sign_in(owner, partner)
    assert confirmed.post(ACCOUNT, data={"country": "DE"}).status_code == 303
    assert confirmed.post(f"{ACCOUNT}/disconnection").status_code == 303


def test_a_second_factor_of_an_hour_ago_counts_no_more(app: Flask, sign_in: SignIn) -> None:
    partner = make_organization("Quayside", country="DE")
    owner = make_member(partner, Role.OWNER)
    browser = sign_in(owner, partner)
    _age(browser, timedelta(minutes=31))
    assert browser.post(ACCOUNT, data={"country": "DE"}).status_code == 403
    assert browser.post(f"{ACCOUNT}/disconnection").status_code == 403
    assert browser.get(f"{ACCOUNT}/dashboard").status_code == 403
    assert browser.get(f"{ACCOUNT}/onboarding").status_code == 403


def test_one_of_the_future_counts_as_little(app: Flask, sign_in: SignIn) -> None:
    partner = make_organization("Quayside", country="DE")
    browser = sign_in(make_member(partner, Role.OWNER), partner)
    _age(browser, timedelta(minutes=-5))
    assert browser.post(ACCOUNT, data={"country": "DE"}).status_code == 403


def test_the_claims_that_prove_two_factors() -> None:
    table = [
        ({"amr": ["mfa"]}, True),
        ({"amr": ["pwd", "otp"]}, True),
        ({"amr": ["fpt", "hwk"]}, True),
        ({"amr": ["pwd"]}, False),
        ({"amr": ["pwd", "pin"]}, False),  # two of one kind
        ({"amr": "mfa"}, False),
        ({"amr": [["mfa"]]}, False),
        ({"acr": "urn:acme:mfa"}, True),
        ({"acr": "urn:acme:password"}, False),
        ({"acr": ["urn:acme:mfa"]}, False),
        ({}, False),
    ]
    for claims, expected in table:
        assert proves_second_factor(claims, frozenset({"urn:acme:mfa"})) is expected, claims


def _age(browser: FlaskClient, by: timedelta) -> None:
    cookie = browser.get_cookie(COOKIE)
    assert cookie is not None
    row = find_session(cookie.value)
    assert row is not None
    row.data = {**row.data, KEPT_AS: (clock.now() - by).timestamp()}
    db.session.commit()
