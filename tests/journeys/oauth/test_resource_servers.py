"""The operator's own services, which ask what the tokens of apps may do."""

from datetime import timedelta

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select

from marketplace.core import clock
from marketplace.core.database import db
from marketplace.installs.models import (
    Environment,
    Installation,
    InstallationState,
    OAuthClient,
    Scope,
    ScopeDirection,
    ScopeUse,
)
from tests.factories.apps import (
    client_of,
    make_access_token,
    make_client_secret,
    make_installation,
    make_sandbox,
)
from tests.factories.queries import count_queries
from tests.journeys.oauth.flow import ISSUER, Customer, Partner, basic, make_partner


def make_server(app: Flask, name: str = "Harbor API") -> dict[str, str]:
    """A resource server made by the command; the header by which it authenticates."""
    made = app.test_cli_runner().invoke(args=["oauth", "resource-server", name])
    assert made.exit_code == 0, made.output
    words = made.stdout.split()
    return basic(words[1], words[3])


def ask(client: FlaskClient, header: dict[str, str], token: str, **more: str) -> dict[str, object]:
    """What introspection answers."""
    answer = client.post("/oauth/introspect", data={"token": token, **more}, headers=header)
    assert answer.status_code == 200
    found: dict[str, object] = answer.json
    return found


def test_the_operators_api_learns_all_that_it_needs_to_know(
    app: Flask, client: FlaskClient, partner: Partner, customer: Customer
) -> None:
    header = make_server(app)
    tokens = customer.tokens_for(partner)
    answer = ask(client, header, tokens["access_token"])
    expires, issued = answer.pop("exp"), answer.pop("iat")
    assert isinstance(expires, int)
    assert isinstance(issued, int)
    assert expires - issued == 3600
    assert answer == {
        "active": True,
        "iss": ISSUER,
        "token_type": "Bearer",
        "client_id": partner.client.client_id,
        "sub": tokens["installation"],
        "scope": "events.write organization.read",
        "app": partner.app.public_id,
        "environment": "live",
        "installation": tokens["installation"],
        "organization": customer.organization.slug,
    }


def test_a_scope_that_is_asked_for_must_be_there_and_is_noted_as_used(
    app: Flask, client: FlaskClient, partner: Partner, customer: Customer
) -> None:
    header = make_server(app)
    token = customer.tokens_for(partner)["access_token"]
    assert ask(client, header, token, scope="contacts.delete") == {"active": False}
    assert ask(client, header, token, scope="events.write contacts.delete") == {"active": False}
    assert db.session.scalars(select(ScopeUse)).all() == []
    assert ask(client, header, token, scope="events.write")["active"] is True
    use = db.session.scalars(select(ScopeUse)).one()
    assert use.scope == "events.write"
    first = use.last_used_at
    installation = db.session.scalars(select(Installation)).one()
    assert installation.last_used_at is not None
    # A moment later nothing needs to be written; an hour later it does.
    ask(client, header, token, scope="events.write")
    db.session.expire_all()
    assert use.last_used_at == first
    with clock.frozen(clock.now() + timedelta(minutes=30)):
        ask(client, header, token, scope="events.write")
    db.session.expire_all()
    assert use.last_used_at > first


def test_a_question_costs_few_queries_once_its_use_was_noted(
    app: Flask, client: FlaskClient, partner: Partner, customer: Customer
) -> None:
    header = make_server(app)
    token = customer.tokens_for(partner)["access_token"]
    ask(client, header, token, scope="events.write")
    # The client, its secrets, the token, its last use.
    assert count_queries(lambda: ask(client, header, token, scope="events.write")) <= 4


def test_it_learns_nothing_of_what_is_no_access_token_or_not_in_order(
    app: Flask, client: FlaskClient, partner: Partner, customer: Customer
) -> None:
    header = make_server(app)
    tokens = customer.tokens_for(partner)
    for token in (tokens["refresh_token"], partner.secret, "x", "pat_x"):
        assert ask(client, header, token) == {"active": False}
    installation = db.session.scalars(select(Installation)).one()
    installation.state = InstallationState.PAUSED
    db.session.commit()
    assert ask(client, header, tokens["access_token"]) == {"active": False}


def test_it_sees_which_tokens_are_for_the_sandbox(
    app: Flask, client: FlaskClient, partner: Partner
) -> None:
    header = make_server(app)
    twin = client_of(partner.app, Environment.TEST)
    trial = make_installation(
        partner.app, make_sandbox(partner.publisher), environment=Environment.TEST
    )
    token = make_access_token(twin, "organization.read", installation=trial)
    db.session.commit()
    answer = ask(client, header, token)
    assert answer["environment"] == "test"
    assert answer["installation"] == trial.public_id


@pytest.mark.parametrize("environment", list(Environment))
def test_it_learns_nothing_of_a_token_that_no_customer_consented_to(
    app: Flask, client: FlaskClient, partner: Partner, environment: Environment
) -> None:
    header = make_server(app)
    twin = client_of(partner.app, environment)
    own = basic(twin.client_id, make_client_secret(twin))
    # Also where the operator's API has a scope of the same name, from before there was a rule.
    db.session.add(Scope(name="partner.events.read", title="See", direction=ScopeDirection.READ))
    db.session.commit()
    token = client.post(
        "/oauth/token",
        data={"grant_type": "client_credentials", "scope": "partner.events.read"},
        headers=own,
    ).json["access_token"]
    assert ask(client, header, token) == {"active": False}
    assert ask(client, header, token, scope="partner.events.read") == {"active": False}
    assert ask(client, own, token)["active"] is True


def test_no_partner_gets_a_scope_that_the_operator_described(
    client: FlaskClient, partner: Partner
) -> None:
    for name in ("events.read", "contacts.read"):
        db.session.add(Scope(name=name, title="See things", direction=ScopeDirection.READ))
    db.session.commit()
    for name in ("events.read", "contacts.read", "organization.read"):
        answer = client.post(
            "/oauth/token",
            data={"grant_type": "client_credentials", "scope": name},
            headers=partner.header,
        )
        assert (answer.status_code, answer.json["error"]) == (400, "invalid_scope")
    supported = client.get("/.well-known/oauth-authorization-server").json["scopes_supported"]
    assert len(supported) == len(set(supported))


def test_it_can_do_nothing_but_ask(
    app: Flask, client: FlaskClient, partner: Partner, customer: Customer
) -> None:
    header = make_server(app)
    tokens = customer.tokens_for(partner)
    row = db.session.scalars(
        select(OAuthClient).where(OAuthClient.client_id.startswith("prs_"))
    ).one()
    for path, form, error in (
        ("token", {"grant_type": "client_credentials", "scope": "partner.listings.read"}, 400),
        ("token", {"grant_type": "refresh_token", "refresh_token": tokens["refresh_token"]}, 400),
        ("token", {"grant_type": "authorization_code", "code": "pco_x"}, 400),
        ("revoke", {"token": tokens["access_token"]}, 400),
        ("par", partner.request(client_id=row.client_id), 401),
    ):
        answer = client.post(f"/oauth/{path}", data=form, headers=header)
        assert answer.status_code == error, (path, answer.text)
    page = customer.browser.get(partner.address(client_id=row.client_id))
    assert page.status_code == 400
    assert ask(client, header, tokens["access_token"])["active"] is True


def test_the_command_lists_and_disables(app: Flask, client: FlaskClient, partner: Partner) -> None:
    run = app.test_cli_runner()
    assert "There are none." in run.invoke(args=["oauth", "resource-server", "--list"]).output
    header = make_server(app)
    listed = run.invoke(args=["oauth", "resource-server", "--list"]).output
    assert "Harbor API" in listed
    assert "active" in listed
    client_id = listed.split()[0]
    gone = run.invoke(args=["oauth", "resource-server", "--disable", client_id])
    assert gone.exit_code == 0
    assert "disabled" in run.invoke(args=["oauth", "resource-server", "--list"]).output
    answer = client.post("/oauth/introspect", data={"token": "pat_x"}, headers=header)
    assert answer.status_code == 401


def test_the_command_says_what_is_wrong(app: Flask, partner: Partner) -> None:
    run = app.test_cli_runner()
    for arguments, words in (
        ([], "Give a NAME"),
        (["x", "--list"], "Give a NAME"),
        ([" "], "Use 1 to 60"),
        (["x" * 61], "Use 1 to 60"),
        (["--disable", "prs_unknown"], "no resource server"),
        (["--disable", partner.client.client_id], "no resource server"),
    ):
        answer = run.invoke(args=["oauth", "resource-server", *arguments])
        assert answer.exit_code != 0
        assert words in answer.output
    db.session.expire_all()
    assert partner.client.disabled_at is None


def test_a_partners_app_is_no_resource_server(
    client: FlaskClient, partner: Partner, customer: Customer
) -> None:
    """Its own tokens it may ask for; using them is noted by no one."""
    token = customer.tokens_for(partner)["access_token"]
    assert partner.introspect(client, token, scope="events.write")["active"] is True
    assert partner.introspect(client, token, scope="x") == {"active": False}
    assert db.session.scalars(select(ScopeUse)).all() == []
    other = make_partner("Moon Phases")
    db.session.commit()
    assert other.introspect(client, token) == {"active": False}
