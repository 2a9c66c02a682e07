"""Attacks by clients: on authentication and on what is not theirs. All refused, nothing changed."""

from datetime import timedelta
from urllib.parse import urlencode

from flask.testing import FlaskClient
from sqlalchemy import select

from marketplace.core import clock
from marketplace.core.database import db
from marketplace.installs.models import (
    ClientSecret,
)
from marketplace.installs.oauth.tokens import find_access_token
from tests.journeys.oauth.attacks import nothing_changes, refused
from tests.journeys.oauth.flow import (
    Customer,
    Partner,
    make_partner,
)


def test_a_revoked_secret_is_dead_at_once(client: FlaskClient, partner: Partner) -> None:
    db.session.scalars(select(ClientSecret)).one().revoked_at = clock.now()
    db.session.commit()
    form = {"grant_type": "client_credentials", "scope": "partner.listings.read"}
    with nothing_changes():
        answer = client.post("/oauth/token", data=form, headers=partner.header)
        refused(answer, "invalid_client", 401)
        assert answer.headers["WWW-Authenticate"].startswith("Basic realm=")


def test_the_secrets_of_two_clients_cannot_be_swapped(
    client: FlaskClient, partner: Partner
) -> None:
    other = make_partner("Moon Phases")
    db.session.commit()
    partner.secret, other.secret = other.secret, partner.secret
    form = {"grant_type": "client_credentials", "scope": "partner.listings.read"}
    with nothing_changes():
        for swapped in (partner, other):
            answer = client.post("/oauth/token", data=form, headers=swapped.header)
            refused(answer, "invalid_client", 401)


def test_a_confidential_client_cannot_do_without_its_secret(
    client: FlaskClient, partner: Partner, customer: Customer
) -> None:
    code = customer.code_for(partner)
    name = {"client_id": partner.client.client_id}
    with nothing_changes():
        refused(partner.exchange(client, code, header={}, **name), "invalid_client", 401)
        refused(
            partner.exchange(client, code, header={}, client_secret="", **name),
            "invalid_client",
            401,
        )


def test_a_secret_in_the_address_does_not_count(client: FlaskClient, partner: Partner) -> None:
    query = urlencode(
        {
            "grant_type": "client_credentials",
            "scope": "partner.listings.read",
            "client_id": partner.client.client_id,
            "client_secret": partner.secret,
        }
    )
    with nothing_changes():
        answer = client.post(
            f"/oauth/token?{query}", content_type="application/x-www-form-urlencoded"
        )
        assert answer.status_code in {400, 401}


def test_one_way_to_authenticate_is_enough(client: FlaskClient, partner: Partner) -> None:
    form = {
        "grant_type": "client_credentials",
        "scope": "partner.listings.read",
        "client_id": partner.client.client_id,
        "client_secret": partner.secret,
    }
    with nothing_changes():
        refused(client.post("/oauth/token", data=form, headers=partner.header), "invalid_request")


def test_guessing_secrets_is_slowed_down_and_harms_nobody_else(
    client: FlaskClient, partner: Partner
) -> None:
    good, form = (
        partner.header,
        {"grant_type": "client_credentials", "scope": "partner.listings.read"},
    )
    partner.secret = "pcs_guess"
    for _ in range(30):
        refused(
            client.post("/oauth/token", data=form, headers=partner.header), "invalid_client", 401
        )
    slowed = client.post("/oauth/token", data=form, headers=partner.header)
    assert slowed.status_code == 429
    assert slowed.json["error"] == "temporarily_unavailable"
    assert int(slowed.headers["Retry-After"]) > 0
    elsewhere = client.post(
        "/oauth/token", data=form, headers=good, environ_base={"REMOTE_ADDR": "203.0.113.9"}
    )
    assert elsewhere.status_code == 200


def test_an_app_learns_nothing_of_foreign_tokens(
    client: FlaskClient, partner: Partner, customer: Customer
) -> None:
    tokens = customer.tokens_for(partner)
    thief = make_partner("Moon Phases")
    db.session.commit()
    with nothing_changes():
        for token in (tokens["access_token"], tokens["refresh_token"], "pat_unknown", "x"):
            assert thief.introspect(client, token) == {"active": False}
        for token in (tokens["access_token"], tokens["refresh_token"]):
            answer = client.post("/oauth/revoke", data={"token": token}, headers=thief.header)
            refused(answer, "invalid_grant")
    assert find_access_token(tokens["access_token"]) is not None


def test_nobody_introspects_without_a_secret(
    client: FlaskClient, partner: Partner, customer: Customer
) -> None:
    tokens = customer.tokens_for(partner)
    form = {"token": tokens["access_token"]}
    refused(client.post("/oauth/introspect", data=form), "invalid_client", 401)
    partner.client.is_confidential = False
    db.session.commit()
    form["client_id"] = partner.client.client_id
    refused(client.post("/oauth/introspect", data=form), "invalid_client", 401)


def test_a_pushed_request_of_another_client_is_unknown(
    client: FlaskClient, partner: Partner, customer: Customer
) -> None:
    thief = make_partner("Moon Phases")
    db.session.commit()
    pushed = client.post("/oauth/par", data=partner.request(), headers=partner.header).json
    query = urlencode({"client_id": thief.client.client_id, "request_uri": pushed["request_uri"]})
    page = customer.browser.get(f"/oauth/authorize?{query}")
    assert page.status_code == 400
    query = urlencode({"client_id": partner.client.client_id, "request_uri": pushed["request_uri"]})
    with clock.frozen(clock.now() + timedelta(seconds=91)):
        assert customer.browser.get(f"/oauth/authorize?{query}").status_code == 400
    assert customer.browser.get(f"/oauth/authorize?{query}").status_code == 303
