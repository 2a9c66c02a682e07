"""What becomes of tokens: refreshing, revoking, a partner's own, secrets and public clients."""

from datetime import timedelta

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select

from marketplace.core import clock
from marketplace.core.database import db
from marketplace.identity.models import Role
from marketplace.installs.models import (
    ClientSecret,
    Environment,
    Installation,
    InstallationState,
    OAuthGrant,
)
from marketplace.installs.oauth.tokens import find_access_token
from tests.factories.apps import make_client_secret, make_sandbox
from tests.factories.people import make_member
from tests.journeys.oauth.conftest import SignIn
from tests.journeys.oauth.flow import (
    SCOPES,
    Customer,
    Partner,
    answer_in,
    hidden_fields,
    make_partner,
)


def test_refreshing_rotates_the_token_and_may_narrow_the_scope(
    client: FlaskClient, partner: Partner, customer: Customer
) -> None:
    tokens = customer.tokens_for(partner)
    narrow = partner.refresh(client, tokens["refresh_token"], scope="organization.read").json
    assert narrow["scope"] == "organization.read"
    assert narrow["refresh_token"] != tokens["refresh_token"]
    live = find_access_token(narrow["access_token"])
    assert live is not None
    assert live.scopes == {"organization.read"}
    wide = partner.refresh(client, narrow["refresh_token"]).json
    assert set(wide["scope"].split()) == set(SCOPES)


def test_a_refresh_never_brings_back_what_the_installation_lost(
    client: FlaskClient, partner: Partner, customer: Customer
) -> None:
    tokens = customer.tokens_for(partner)
    installation = db.session.scalars(select(Installation)).one()
    installation.granted_scopes = ["organization.read"]
    db.session.commit()
    live = find_access_token(tokens["access_token"])
    assert live is not None
    assert live.scopes == {"organization.read"}
    refused = partner.refresh(client, tokens["refresh_token"], scope="events.write")
    assert refused.json["error"] == "invalid_scope"
    assert partner.refresh(client, tokens["refresh_token"]).json["scope"] == "organization.read"


def test_a_pause_refuses_the_refresh_token_without_using_it_up(
    client: FlaskClient, partner: Partner, customer: Customer
) -> None:
    tokens = customer.tokens_for(partner)
    installation = db.session.scalars(select(Installation)).one()
    installation.state = InstallationState.PAUSED
    db.session.commit()
    refused = partner.refresh(client, tokens["refresh_token"])
    assert refused.status_code == 400
    assert "paused" in refused.json["error_description"]
    installation.state = InstallationState.ACTIVE
    db.session.commit()
    assert partner.refresh(client, tokens["refresh_token"]).status_code == 200


@pytest.mark.parametrize("what", ["paused", "suspended"])
def test_a_code_says_what_blocks_it_and_is_not_used_up(
    client: FlaskClient, partner: Partner, customer: Customer, what: str
) -> None:
    code = customer.code_for(partner)
    installation = db.session.scalars(select(Installation)).one()
    if what == "paused":
        installation.state = InstallationState.PAUSED
    else:
        customer.organization.suspended_at = clock.now()
    db.session.commit()
    for _ in range(2):
        refused = partner.exchange(client, code)
        assert (refused.status_code, refused.json["error"]) == (400, "invalid_grant")
        assert what in refused.json["error_description"]
    # Nobody learns it but the client whose code it is, while the code is good.
    strange = partner.exchange(client, "pco_unknown")
    assert what not in strange.json["error_description"]
    with clock.frozen(clock.now() + timedelta(seconds=61)):
        assert what not in partner.exchange(client, code).json["error_description"]
    installation.state = InstallationState.ACTIVE
    customer.organization.suspended_at = None
    db.session.commit()
    assert partner.exchange(client, code).status_code == 200


def test_a_partner_gets_a_token_of_its_own(client: FlaskClient, partner: Partner) -> None:
    answer = client.post(
        "/oauth/token",
        data={
            "grant_type": "client_credentials",
            "scope": "partner.listings.read partner.events.read",
        },
        headers=partner.header,
    )
    assert answer.status_code == 200
    assert "refresh_token" not in answer.json
    assert "installation" not in answer.json
    live = find_access_token(answer.json["access_token"])
    assert live is not None
    assert live.organization_id is None
    assert live.publisher_id == partner.publisher.id
    assert live.scopes == {"partner.listings.read", "partner.events.read"}
    assert live.environment is Environment.LIVE


def test_a_client_may_also_authenticate_in_the_form(client: FlaskClient, partner: Partner) -> None:
    answer = client.post(
        "/oauth/token",
        data={
            "grant_type": "client_credentials",
            "scope": "partner.listings.read",
            "client_id": partner.client.client_id,
            "client_secret": partner.secret,
        },
    )
    assert answer.status_code == 200


def test_two_secrets_work_while_one_is_exchanged_for_the_other(
    client: FlaskClient, partner: Partner
) -> None:
    old, new = partner.secret, make_client_secret(partner.client)
    db.session.commit()
    form = {"grant_type": "client_credentials", "scope": "partner.listings.read"}
    for secret in (old, new):
        partner.secret = secret
        assert client.post("/oauth/token", data=form, headers=partner.header).status_code == 200
    used = db.session.scalars(select(ClientSecret).order_by(ClientSecret.id)).all()
    assert all(row.last_used_at is not None for row in used)
    used[0].revoked_at = clock.now()
    db.session.commit()
    partner.secret = old
    assert client.post("/oauth/token", data=form, headers=partner.header).status_code == 401
    partner.secret = new
    assert client.post("/oauth/token", data=form, headers=partner.header).status_code == 200


def test_a_public_client_proves_itself_by_pkce_alone(
    client: FlaskClient, partner: Partner, customer: Customer
) -> None:
    partner.client.is_confidential = False
    db.session.commit()
    code = customer.code_for(partner)
    name = {"client_id": partner.client.client_id}
    tokens = partner.exchange(client, code, header={}, **name).json
    again = partner.refresh(client, tokens["refresh_token"], header={}, **name)
    assert again.status_code == 200
    gone = client.post("/oauth/revoke", data={"token": again.json["refresh_token"], **name})
    assert gone.status_code == 200
    assert (
        partner.refresh(client, again.json["refresh_token"], header={}, **name).status_code == 400
    )
    refused = client.post(
        "/oauth/token",
        data={"grant_type": "client_credentials", "scope": "partner.listings.read", **name},
    )
    assert refused.status_code == 401


def test_revoking_a_refresh_token_ends_everything_of_its_grant(
    client: FlaskClient, partner: Partner, customer: Customer
) -> None:
    tokens = customer.tokens_for(partner)
    for _ in range(2):
        answer = client.post(
            "/oauth/revoke",
            data={"token": tokens["refresh_token"], "token_type_hint": "nonsense"},
            headers=partner.header,
        )
        assert answer.status_code == 200
    assert find_access_token(tokens["access_token"]) is None
    grant = db.session.scalars(select(OAuthGrant)).one()
    assert grant.revoked_reason == "revoked_by_client"


def test_revoking_an_access_token_leaves_the_refresh_token(
    client: FlaskClient, partner: Partner, customer: Customer
) -> None:
    tokens = customer.tokens_for(partner)
    client.post("/oauth/revoke", data={"token": tokens["access_token"]}, headers=partner.header)
    assert find_access_token(tokens["access_token"]) is None
    assert partner.refresh(client, tokens["refresh_token"]).status_code == 200


def test_revoking_what_nobody_knows_is_no_error(client: FlaskClient, partner: Partner) -> None:
    answer = client.post("/oauth/revoke", data={"token": "pat_nothing"}, headers=partner.header)
    assert answer.status_code == 200


def test_a_test_client_connects_the_sandbox_of_its_publisher(
    client: FlaskClient, app: Flask, sign_in: SignIn
) -> None:
    partner = make_partner(environment=Environment.TEST)
    sandbox = make_sandbox(partner.publisher)
    developer = make_member(partner.publisher, Role.DEVELOPER)
    browser = sign_in(developer, partner.publisher)
    page = browser.get(partner.address(scope="members.read"))
    answer = answer_in(
        browser.post(partner.address(scope="members.read"), data=hidden_fields(page))
    )
    tokens = partner.exchange(client, answer["code"]).json
    live = find_access_token(tokens["access_token"])
    assert live is not None
    assert live.environment is Environment.TEST
    assert live.organization_id == sandbox.id


def test_a_redirect_address_with_a_query_keeps_it(
    client: FlaskClient, partner: Partner, customer: Customer
) -> None:
    partner.redirect_uri = "https://app.tides.example/cb?tenant=a%2Fb&x"
    partner.client.redirect_uris = [partner.redirect_uri]
    db.session.commit()
    code = customer.code_for(partner)
    assert partner.exchange(client, code).status_code == 200
