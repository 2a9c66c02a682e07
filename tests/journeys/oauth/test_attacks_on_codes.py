"""Attacks on codes and their PKCE. All refused, nothing changed."""

from datetime import timedelta

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select

from marketplace.core import clock
from marketplace.core.database import db
from marketplace.installs.models import (
    Installation,
    InstallationState,
    OAuthGrant,
)
from marketplace.installs.oauth.tokens import find_access_token
from tests.journeys.oauth.attacks import (
    exchange_at_once,
    nothing_changes,
    refused,
    refused_by_redirect,
)
from tests.journeys.oauth.flow import (
    Customer,
    Partner,
    challenge_of,
    counts,
    make_partner,
)


@pytest.mark.parametrize(
    "changes",
    [
        {"code_challenge": None, "code_challenge_method": None},
        {"code_challenge": None},
        {"code_challenge": ""},
        {"code_challenge_method": None},
        {"code_challenge_method": "plain"},
        {"code_challenge_method": "s256"},
        {"code_challenge": "short"},
        {"code_challenge": "x" * 44},
        {"code_challenge": "=" * 43},
    ],
)
def test_pkce_with_s256_cannot_be_avoided(
    partner: Partner, customer: Customer, changes: dict[str, str | None]
) -> None:
    with nothing_changes():
        sent = customer.browser.get(partner.address(**changes))
        refused_by_redirect(sent, "invalid_request", partner.state)
        posted = customer.browser.post(
            partner.address(**changes), data={"organization": customer.organization.slug}
        )
        refused_by_redirect(posted, "invalid_request", partner.state)


def test_a_plain_challenge_is_no_challenge_at_the_exchange(
    client: FlaskClient, partner: Partner, customer: Customer
) -> None:
    """Were `plain` compared, the challenge itself would be the verifier."""
    code = customer.code_for(partner)
    with nothing_changes():
        answer = partner.exchange(client, code, code_verifier=challenge_of(partner.verifier))
        refused(answer, "invalid_grant")


@pytest.mark.parametrize(
    ("verifier", "error"),
    [
        (None, "invalid_request"),
        ("", "invalid_request"),
        ("short", "invalid_request"),
        ("x" * 129, "invalid_request"),
        ("x" * 43, "invalid_grant"),
        ("ä" * 43, "invalid_request"),
    ],
)
def test_a_wrong_verifier_gets_nothing_and_leaves_the_code_alone(
    client: FlaskClient,
    partner: Partner,
    customer: Customer,
    verifier: str | None,
    error: str,
) -> None:
    code = customer.code_for(partner)
    with nothing_changes():
        refused(partner.exchange(client, code, code_verifier=verifier), error)
    assert partner.exchange(client, code).status_code == 200


def test_a_replayed_code_revokes_all_that_came_of_it(
    client: FlaskClient, partner: Partner, customer: Customer
) -> None:
    code = customer.code_for(partner)
    tokens = partner.exchange(client, code).json
    refused(partner.exchange(client, code), "invalid_grant")
    assert find_access_token(tokens["access_token"]) is None
    refused(partner.refresh(client, tokens["refresh_token"]), "invalid_grant")
    grant = db.session.scalars(select(OAuthGrant)).one()
    assert grant.revoked_reason == "code_replayed"
    # The installation itself is the customer's affair: it stays.
    assert db.session.scalars(select(Installation)).one().state is InstallationState.ACTIVE


def test_a_code_is_still_known_as_used_after_its_minute(
    client: FlaskClient, partner: Partner, customer: Customer
) -> None:
    code = customer.code_for(partner)
    tokens = partner.exchange(client, code).json
    with clock.frozen(clock.now() + timedelta(minutes=10)):
        refused(partner.exchange(client, code), "invalid_grant")
    assert find_access_token(tokens["access_token"]) is None


def test_of_two_exchanges_at_once_one_wins_and_the_family_is_revoked(
    app: Flask, partner: Partner, customer: Customer
) -> None:
    code, header = customer.code_for(partner), partner.header
    db.session.remove()
    answers = exchange_at_once(app, [lambda http: partner.exchange(http, code, header=header)] * 4)
    assert sorted(answer.status_code for answer in answers) == [200, 400, 400, 400]
    winner = next(answer for answer in answers if answer.status_code == 200)
    assert find_access_token(winner.json["access_token"]) is None
    assert counts()["oauth_token"] == 2


def test_a_code_of_another_client_is_unknown(
    client: FlaskClient, partner: Partner, customer: Customer
) -> None:
    thief = make_partner("Moon Phases")
    db.session.commit()
    code = customer.code_for(partner)
    with nothing_changes():
        answer = partner.exchange(client, code, header=thief.header)
        refused(answer, "invalid_grant")
    tokens = partner.exchange(client, code).json
    with nothing_changes():
        # Nor does the replay of a foreign code revoke anything.
        refused(partner.exchange(client, code, header=thief.header), "invalid_grant")
    assert find_access_token(tokens["access_token"]) is not None


def test_a_code_lives_a_minute(client: FlaskClient, partner: Partner, customer: Customer) -> None:
    code = customer.code_for(partner)
    with clock.frozen(clock.now() + timedelta(seconds=61)), nothing_changes():
        refused(partner.exchange(client, code), "invalid_grant")


def test_a_code_is_bound_to_its_redirect_address(
    client: FlaskClient, partner: Partner, customer: Customer
) -> None:
    other = "https://app.tides.example/other"
    partner.client.redirect_uris = [partner.redirect_uri, other]
    db.session.commit()
    code = customer.code_for(partner)
    with nothing_changes():
        for uri in (other, None, "", partner.redirect_uri + "/"):
            refused(partner.exchange(client, code, redirect_uri=uri), "invalid_grant")
