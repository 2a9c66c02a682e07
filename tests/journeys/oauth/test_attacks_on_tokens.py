"""Attacks with tokens and scopes that are not, or no longer, one's own. All refused."""

from collections.abc import Callable
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
from tests.journeys.oauth.conftest import SignIn
from tests.journeys.oauth.flow import (
    Customer,
    Partner,
    answer_in,
    counts,
    hidden_fields,
    make_partner,
    make_people,
)


def test_a_token_is_of_its_own_installation_alone(
    client: FlaskClient, partner: Partner, customer: Customer, sign_in: SignIn
) -> None:
    other = make_people(sign_in, "Red Fern")
    mine, theirs = customer.tokens_for(partner), other.tokens_for(partner)
    assert mine["installation"] != theirs["installation"]
    shown = partner.introspect(client, mine["access_token"])
    assert shown["installation"] == mine["installation"]
    assert shown["organization"] == customer.organization.slug
    live = find_access_token(theirs["access_token"])
    assert live is not None
    assert live.organization_id == other.organization.id
    # Naming another installation at a refresh changes nothing.
    again = partner.refresh(client, mine["refresh_token"], installation=theirs["installation"])
    assert again.json["installation"] == mine["installation"]


def test_an_app_cannot_reach_an_installation_of_which_the_person_is_no_member(
    partner: Partner, customer: Customer, sign_in: SignIn
) -> None:
    other = make_people(sign_in, "Red Fern")
    theirs = other.tokens_for(partner)["installation"]
    with nothing_changes():
        page = customer.browser.get(partner.address(installation=theirs))
        assert page.status_code == 200
        assert hidden_fields(page)["organization"] == customer.organization.slug
        assert "Red Fern" not in page.text


ENDS: dict[str, Callable[[Partner, Installation], object]] = {
    "is paused": lambda p, i: setattr(i, "state", InstallationState.PAUSED),
    "is removed": lambda p, i: setattr(i, "state", InstallationState.UNINSTALLED),
    "has a suspended listing": lambda p, i: setattr(p.app.listing, "suspended_at", clock.now()),
    "has a suspended publisher": lambda p, i: setattr(p.publisher, "suspended_at", clock.now()),
}


@pytest.mark.parametrize("what", ENDS)
def test_nothing_can_be_done_with_what(
    client: FlaskClient, partner: Partner, customer: Customer, what: str
) -> None:
    tokens = customer.tokens_for(partner)
    code = answer_in(customer.browser.get(partner.address()))["code"]
    installation = db.session.scalars(select(Installation)).one()
    ENDS[what](partner, installation)
    db.session.commit()
    with nothing_changes():
        assert partner.introspect(client, tokens["access_token"]) == {"active": False}
        assert partner.introspect(client, tokens["refresh_token"]) == {"active": False}
        refused(partner.refresh(client, tokens["refresh_token"]), "invalid_grant")
        refused(partner.exchange(client, code), "invalid_grant")
        if what != "is removed":
            page = customer.browser.get(partner.address())
            assert page.status_code == 403
            assert "error=access_denied" in page.text
            form = {"organization": customer.organization.slug, "fingerprint": ""}
            assert customer.browser.post(partner.address(), data=form).status_code == 403
    live = find_access_token(tokens["access_token"])
    assert live is None or not live.is_usable


def test_a_suspended_publisher_gets_no_tokens_of_its_own_either(
    client: FlaskClient, partner: Partner
) -> None:
    partner.publisher.suspended_at = clock.now()
    db.session.commit()
    form = {"grant_type": "client_credentials", "scope": "partner.listings.read"}
    with nothing_changes():
        answer = client.post("/oauth/token", data=form, headers=partner.header)
        refused(answer, "unauthorized_client")


@pytest.mark.parametrize("what", ["disabled client", "archived app"])
def test_everything_of_a(
    client: FlaskClient, partner: Partner, customer: Customer, what: str
) -> None:
    tokens = customer.tokens_for(partner)
    code = answer_in(customer.browser.get(partner.address()))["code"]
    if what == "disabled client":
        partner.client.disabled_at = clock.now()
    else:
        partner.app.archived_at = clock.now()
    db.session.commit()
    with nothing_changes():
        page = customer.browser.get(partner.address())
        assert page.status_code == 400
        assert "Location" not in page.headers
        refused(partner.exchange(client, code), "invalid_client", 401)
        refused(partner.refresh(client, tokens["refresh_token"]), "invalid_client", 401)
        for path, form in (
            ("token", {"grant_type": "client_credentials", "scope": "partner.listings.read"}),
            ("introspect", {"token": tokens["access_token"]}),
            ("revoke", {"token": tokens["access_token"]}),
            ("par", partner.request()),
        ):
            answer = client.post(f"/oauth/{path}", data=form, headers=partner.header)
            refused(answer, "invalid_client", 401)
    assert find_access_token(tokens["access_token"]) is None


@pytest.mark.parametrize(
    "scope",
    [
        "contacts.delete",
        "events.write contacts.delete",
        "partner.listings.write",
        "*",
        "members.read",
    ],
)
def test_an_app_cannot_ask_for_what_its_listing_does_not_name(
    partner: Partner, customer: Customer, scope: str
) -> None:
    with nothing_changes():
        sent = customer.browser.get(partner.address(scope=scope))
        refused_by_redirect(sent, "invalid_scope", partner.state)
        form = {"organization": customer.organization.slug, "fingerprint": ""}
        posted = customer.browser.post(partner.address(scope=scope), data=form)
        refused_by_redirect(posted, "invalid_scope", partner.state)


def test_the_page_cannot_be_answered_with_more_than_it_showed(
    partner: Partner, customer: Customer
) -> None:
    """The form of a small request, sent to the address of a larger one."""
    form = customer.consent_form(partner.address(scope="organization.read"))
    with nothing_changes():
        answer = customer.browser.post(partner.address(), data=form)
        assert answer.status_code == 409
        assert "Read it again" in answer.text


def test_a_refresh_cannot_widen_the_scope(
    client: FlaskClient, partner: Partner, customer: Customer
) -> None:
    tokens = customer.tokens_for(partner, scope="organization.read")
    with nothing_changes():
        for scope in (
            "events.write",
            "organization.read events.write",
            "partner.listings.read",
            "x",
        ):
            refused(partner.refresh(client, tokens["refresh_token"], scope=scope), "invalid_scope")
    assert partner.refresh(client, tokens["refresh_token"]).json["scope"] == "organization.read"


def test_an_exchange_cannot_widen_the_scope(
    client: FlaskClient, partner: Partner, customer: Customer
) -> None:
    code = customer.code_for(partner, scope="organization.read")
    tokens = partner.exchange(client, code, scope="organization.read events.write").json
    assert tokens["scope"] == "organization.read"


@pytest.mark.parametrize(
    "scope",
    [None, "", "organization.read", "events.write", "partner.listings.read members.read", "admin"],
)
def test_a_partner_gets_no_customer_scopes_for_itself(
    client: FlaskClient, partner: Partner, scope: str | None
) -> None:
    form = {"grant_type": "client_credentials"} | ({"scope": scope} if scope is not None else {})
    with nothing_changes():
        answer = client.post("/oauth/token", data=form, headers=partner.header)
        refused(answer, "invalid_scope")


def test_a_replayed_refresh_token_revokes_all_that_came_of_it(
    client: FlaskClient, partner: Partner, customer: Customer
) -> None:
    first = customer.tokens_for(partner)
    second = partner.refresh(client, first["refresh_token"]).json
    refused(partner.refresh(client, first["refresh_token"]), "invalid_grant")
    assert find_access_token(first["access_token"]) is None
    assert find_access_token(second["access_token"]) is None
    refused(partner.refresh(client, second["refresh_token"]), "invalid_grant")
    assert db.session.scalars(select(OAuthGrant)).one().revoked_reason == "refresh_replayed"


def test_of_two_refreshes_at_once_one_wins_and_the_family_is_revoked(
    app: Flask, partner: Partner, customer: Customer
) -> None:
    tokens, header = customer.tokens_for(partner), partner.header
    db.session.remove()
    answers = exchange_at_once(
        app, [lambda http: partner.refresh(http, tokens["refresh_token"], header=header)] * 4
    )
    assert sorted(answer.status_code for answer in answers) == [200, 400, 400, 400]
    winner = next(answer for answer in answers if answer.status_code == 200)
    assert find_access_token(winner.json["access_token"]) is None
    assert counts()["oauth_token"] == 4


def test_a_refresh_token_of_another_client_is_unknown(
    client: FlaskClient, partner: Partner, customer: Customer
) -> None:
    thief = make_partner("Moon Phases")
    db.session.commit()
    used = customer.tokens_for(partner)["refresh_token"]
    fresh = partner.refresh(client, used).json["refresh_token"]
    with nothing_changes():
        for token in (used, fresh):
            refused(partner.refresh(client, token, header=thief.header), "invalid_grant")
    assert partner.refresh(client, fresh).status_code == 200


def test_kinds_of_tokens_cannot_stand_in_for_each_other(
    client: FlaskClient, partner: Partner, customer: Customer
) -> None:
    code = customer.code_for(partner)
    with nothing_changes():
        refused(partner.refresh(client, code), "invalid_grant")
    tokens = partner.exchange(client, code).json
    assert find_access_token(tokens["refresh_token"]) is None
    with nothing_changes():
        refused(partner.refresh(client, tokens["access_token"]), "invalid_grant")
        refused(partner.exchange(client, tokens["refresh_token"]), "invalid_grant")
        refused(partner.exchange(client, tokens["access_token"]), "invalid_grant")


def test_a_refresh_token_lives_sixty_days(
    client: FlaskClient, partner: Partner, customer: Customer
) -> None:
    tokens = customer.tokens_for(partner)
    with clock.frozen(clock.now() + timedelta(days=60, seconds=1)), nothing_changes():
        refused(partner.refresh(client, tokens["refresh_token"]), "invalid_grant")
