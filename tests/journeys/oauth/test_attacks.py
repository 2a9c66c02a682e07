"""What an attacker tries, each refused with nothing changed."""

import logging
import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import Any
from urllib.parse import parse_qsl, quote, urlencode, urlsplit

import pytest
from flask import Flask, g
from flask.testing import FlaskClient
from sqlalchemy import select, text
from werkzeug.test import TestResponse

from marketplace.core import clock
from marketplace.core.database import Base, db
from marketplace.core.logging import redact_text
from marketplace.identity.models import Role
from marketplace.installs.models import (
    ClientSecret,
    Environment,
    Installation,
    InstallationState,
    OAuthGrant,
)
from marketplace.installs.oauth.tokens import find_access_token
from tests.factories.apps import client_of, make_client_secret, make_installation, make_sandbox
from tests.factories.people import make_member
from tests.factories.races import at_once
from tests.journeys.oauth.conftest import SignIn
from tests.journeys.oauth.flow import (
    ISSUER,
    SCOPES,
    Customer,
    Partner,
    answer_in,
    challenge_of,
    counts,
    hidden_fields,
    make_partner,
    make_people,
    make_verifier,
)


@contextmanager
def nothing_changes() -> Iterator[None]:
    """No installation, grant, code or token comes or goes within the block, nor is one revoked."""

    def state() -> tuple[dict[str, int], list[Any]]:
        db.session.expire_all()
        grants = db.session.execute(select(OAuthGrant.id, OAuthGrant.revoked_at)).all()
        return counts(), [tuple(row) for row in grants]

    before = state()
    yield
    assert state() == before


def refused(response: TestResponse, error: str, status: int = 400) -> None:
    """An OAuth error, as JSON that no cache keeps."""
    assert response.status_code == status, response.text
    assert response.json["error"] == error, response.json
    assert response.headers["Cache-Control"] == "no-store"


def refused_by_redirect(response: TestResponse, error: str, state: str | None) -> None:
    """An OAuth error that reaches the app, with who says so."""
    answer = answer_in(response)
    assert answer["error"] == error, answer
    assert answer["iss"] == ISSUER
    assert answer.get("state") == state
    assert "code" not in answer


# --- PKCE -----------------------------------------------------------------------------------


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


# --- codes ----------------------------------------------------------------------------------


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


def exchange_at_once(
    app: Flask, acts: list[Callable[[FlaskClient], TestResponse]]
) -> list[TestResponse]:
    """Do all of it at the same time, each as a program of its own."""
    answers: list[TestResponse] = []
    raised = at_once(app, [lambda act=act: answers.append(act(app.test_client())) for act in acts])
    assert raised == []
    return answers


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


# --- redirect addresses ---------------------------------------------------------------------

REGISTERED = "https://app.tides.example/oauth/callback"
VARIANTS = {
    "another path": "https://app.tides.example/oauth/other",
    "a parent path": "https://app.tides.example/oauth",
    "a path below": "https://app.tides.example/oauth/callback/more",
    "dots in the path": "https://app.tides.example/oauth/../oauth/callback",
    "a trailing slash": f"{REGISTERED}/",
    "a query": f"{REGISTERED}?next=https://evil.example",
    "an empty query": f"{REGISTERED}?",
    "a fragment": f"{REGISTERED}#x",
    "an empty fragment": f"{REGISTERED}#",
    "a user": "https://evil@app.tides.example/oauth/callback",
    "our host as a user": "https://app.tides.example@evil.example/oauth/callback",
    "a port": "https://app.tides.example:8443/oauth/callback",
    "the default port": "https://app.tides.example:443/oauth/callback",
    "plain http": "http://app.tides.example/oauth/callback",
    "another scheme": "javascript://app.tides.example/oauth/callback",
    "script": "javascript:alert(1)",
    "data": "data:text/html,x",
    "capital letters in the host": "https://APP.tides.example/oauth/callback",
    "capital letters in the path": "https://app.tides.example/OAuth/callback",
    "capital letters in the scheme": "HTTPS://app.tides.example/oauth/callback",
    "percent-encoding": "https://app.tides.example/oauth/%63allback",
    "an encoded slash": "https://app.tides.example/oauth%2Fcallback",
    "a suffix of the domain": "https://app.tides.example.evil.example/oauth/callback",
    "a prefix of the domain": "https://evil-app.tides.example/oauth/callback",
    "a subdomain": "https://x.app.tides.example/oauth/callback",
    "a dot after the host": "https://app.tides.example./oauth/callback",
    "a backslash": "https://app.tides.example\\@evil.example/oauth/callback",
    "no scheme": "//app.tides.example/oauth/callback",
    "a path only": "/oauth/callback",
    "space around it": f" {REGISTERED} ",
    "a line break": f"{REGISTERED}\r\nSet-Cookie: x=1",
    "a null": f"{REGISTERED}\x00",
    "a look-alike letter": "https://app.tidеs.example/oauth/callback",
    "loopback": "http://127.0.0.1/oauth/callback",
    "loopback in short": "http://127.1/oauth/callback",
    "loopback as a number": "http://2130706433/oauth/callback",
    "loopback by name": "http://localhost/oauth/callback",
    "loopback in IPv6": "http://[::1]/oauth/callback",
    "empty": "",
}


@pytest.mark.parametrize("variant", VARIANTS)
def test_a_redirect_address_is_compared_to_the_letter(
    client: FlaskClient, partner: Partner, customer: Customer, variant: str
) -> None:
    address = partner.address(redirect_uri=VARIANTS[variant])
    with nothing_changes():
        for browser in (customer.browser, client):
            page = browser.get(address)
            assert page.status_code == 400
            assert "Location" not in page.headers
        if customer.browser.get(partner.address()).status_code == 200:
            form = hidden_fields(customer.browser.get(partner.address()))
            posted = customer.browser.post(address, data=form)
            assert posted.status_code == 400
            assert "Location" not in posted.headers


def test_a_loopback_address_of_a_native_app_is_compared_to_the_letter_too(
    partner: Partner, customer: Customer
) -> None:
    partner.client.redirect_uris = ["http://127.0.0.1:8765/cb"]
    db.session.commit()
    for uri in (
        "http://127.0.0.1:9999/cb",
        "http://127.0.0.1/cb",
        "http://localhost:8765/cb",
        "http://127.0.0.1:8765@evil.example/cb",
        "http://127.0.0.1.evil.example:8765/cb",
        "http://0.0.0.0:8765/cb",
        "http://[::ffff:127.0.0.1]:8765/cb",
    ):
        page = customer.browser.get(partner.address(redirect_uri=uri))
        assert page.status_code == 400, uri
        assert "Location" not in page.headers


def test_a_missing_redirect_address_is_not_guessed(partner: Partner, customer: Customer) -> None:
    page = customer.browser.get(partner.address(redirect_uri=None))
    assert page.status_code == 400
    assert "Location" not in page.headers


@pytest.mark.parametrize("order", ["good first", "bad first", "twice the same"])
def test_two_redirect_addresses_are_one_too_many(
    partner: Partner, customer: Customer, order: str
) -> None:
    evil = "https://evil.example/"
    pair = {
        "good first": [REGISTERED, evil],
        "bad first": [evil, REGISTERED],
        "twice the same": [REGISTERED, REGISTERED],
    }[order]
    query = urlencode(
        [*partner.request(redirect_uri=None).items(), *(("redirect_uri", uri) for uri in pair)]
    )
    with nothing_changes():
        page = customer.browser.get(f"/oauth/authorize?{query}")
        assert page.status_code == 400
        assert "Location" not in page.headers


def test_an_unknown_client_sends_nobody_anywhere(partner: Partner, customer: Customer) -> None:
    for client_id in ("pcl_unknown", "", "'; DROP TABLE app; --", "\x00", "x" * 5_000, "pcl_ä"):
        page = customer.browser.get(partner.address(client_id=client_id))
        assert page.status_code == 400
        assert "Location" not in page.headers
    two = f"{partner.address()}&client_id={partner.client.client_id}"
    assert customer.browser.get(two).status_code == 400


@pytest.mark.parametrize(
    "name",
    [
        "response_type",
        "scope",
        "state",
        "code_challenge",
        "code_challenge_method",
        "prompt",
        "anything",
    ],
)
def test_no_parameter_may_come_twice(partner: Partner, customer: Customer, name: str) -> None:
    value = partner.request(prompt="consent", anything="x")[name]
    address = f"{partner.address(prompt='consent', anything='x')}&{urlencode({name: value})}"
    with nothing_changes():
        state = None if name == "state" else partner.state
        refused_by_redirect(customer.browser.get(address), "invalid_request", state)


@pytest.mark.parametrize("name", ["grant_type", "code", "redirect_uri", "code_verifier", "scope"])
def test_no_parameter_of_a_token_request_may_come_twice(
    client: FlaskClient, partner: Partner, customer: Customer, name: str
) -> None:
    code = customer.code_for(partner)
    form = {
        "grant_type": "authorization_code",
        "code": code,
        "redirect_uri": partner.redirect_uri,
        "code_verifier": partner.verifier,
        "scope": "events.write",
    }
    body = urlencode([*form.items(), (name, form[name])])
    with nothing_changes():
        answer = client.post(
            "/oauth/token",
            data=body,
            headers=partner.header,
            content_type="application/x-www-form-urlencoded",
        )
        refused(answer, "invalid_request")


@pytest.mark.parametrize(
    ("changes", "error"),
    [
        ({"response_type": None}, "invalid_request"),
        ({"response_type": "token"}, "unsupported_response_type"),
        ({"response_type": "code token"}, "unsupported_response_type"),
        ({"response_type": "<script>é"}, "unsupported_response_type"),
        ({"response_mode": "fragment"}, "invalid_request"),
        ({"response_mode": "form_post"}, "invalid_request"),
        ({"request": "eyJhbGciOiJub25lIn0.e30."}, "request_not_supported"),
        ({"scope": "events.write\x00"}, "invalid_request"),
        ({"nonce": "x" * 2_001}, "invalid_request"),
    ],
)
def test_other_kinds_of_requests_are_refused_to_the_app(
    partner: Partner, customer: Customer, changes: dict[str, str | None], error: str
) -> None:
    with nothing_changes():
        refused_by_redirect(customer.browser.get(partner.address(**changes)), error, partner.state)


def test_a_state_that_could_break_something_is_not_sent_on(
    partner: Partner, customer: Customer
) -> None:
    for state in ("a\r\nSet-Cookie: x=1", "\x00", "ä", "\x7f"):
        sent = customer.browser.get(partner.address(state=state))
        refused_by_redirect(sent, "invalid_request", None)


# --- mix-up ---------------------------------------------------------------------------------


def test_good_and_bad_answers_name_their_issuer(
    client: FlaskClient, partner: Partner, customer: Customer
) -> None:
    metadata = client.get("/.well-known/oauth-authorization-server").json
    assert metadata["authorization_response_iss_parameter_supported"] is True
    good = answer_in(customer.approve(partner))
    bad = answer_in(customer.browser.get(partner.address(scope="contacts.delete")))
    declined = answer_in(
        customer.browser.post(
            f"/oauth/authorize/decline?{urlencode(partner.request(prompt='consent'))}",
            data={"organization": customer.organization.slug},
        )
    )
    assert good["iss"] == bad["iss"] == declined["iss"] == metadata["issuer"] == ISSUER


def test_an_app_cannot_choose_the_issuer_of_its_answer(
    partner: Partner, customer: Customer
) -> None:
    answer = answer_in(customer.browser.get(partner.address(iss="https://evil.example", scope="x")))
    assert answer["iss"] == ISSUER


# --- tokens of others, of the paused, of the removed -------------------------------------------


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
    form = {"grant_type": "client_credentials", "scope": "listings.read"}
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
            ("token", {"grant_type": "client_credentials", "scope": "listings.read"}),
            ("introspect", {"token": tokens["access_token"]}),
            ("revoke", {"token": tokens["access_token"]}),
            ("par", partner.request()),
        ):
            answer = client.post(f"/oauth/{path}", data=form, headers=partner.header)
            refused(answer, "invalid_client", 401)
    assert find_access_token(tokens["access_token"]) is None


# --- scopes ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "scope",
    ["contacts.delete", "events.write contacts.delete", "listings.write", "*", "members.read"],
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
        for scope in ("events.write", "organization.read events.write", "listings.read", "x"):
            refused(partner.refresh(client, tokens["refresh_token"], scope=scope), "invalid_scope")
    assert partner.refresh(client, tokens["refresh_token"]).json["scope"] == "organization.read"


def test_an_exchange_cannot_widen_the_scope(
    client: FlaskClient, partner: Partner, customer: Customer
) -> None:
    code = customer.code_for(partner, scope="organization.read")
    tokens = partner.exchange(client, code, scope="organization.read events.write").json
    assert tokens["scope"] == "organization.read"


@pytest.mark.parametrize(
    "scope", [None, "", "organization.read", "events.write", "listings.read members.read", "admin"]
)
def test_a_partner_gets_no_customer_scopes_for_itself(
    client: FlaskClient, partner: Partner, scope: str | None
) -> None:
    form = {"grant_type": "client_credentials"} | ({"scope": scope} if scope is not None else {})
    with nothing_changes():
        answer = client.post("/oauth/token", data=form, headers=partner.header)
        refused(answer, "invalid_scope")


# --- refresh tokens -------------------------------------------------------------------------


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


# --- the consent page -----------------------------------------------------------------------


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
        assert client.post(partner.address(), data=form).status_code == 401


# --- environments ---------------------------------------------------------------------------


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


# --- client authentication --------------------------------------------------------------------


def test_a_revoked_secret_is_dead_at_once(client: FlaskClient, partner: Partner) -> None:
    db.session.scalars(select(ClientSecret)).one().revoked_at = clock.now()
    db.session.commit()
    form = {"grant_type": "client_credentials", "scope": "listings.read"}
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
    form = {"grant_type": "client_credentials", "scope": "listings.read"}
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
            "scope": "listings.read",
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
        "scope": "listings.read",
        "client_id": partner.client.client_id,
        "client_secret": partner.secret,
    }
    with nothing_changes():
        refused(client.post("/oauth/token", data=form, headers=partner.header), "invalid_request")


def test_guessing_secrets_is_slowed_down_and_harms_nobody_else(
    client: FlaskClient, partner: Partner
) -> None:
    good, form = partner.header, {"grant_type": "client_credentials", "scope": "listings.read"}
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


# --- introspection and revocation of what is not yours ----------------------------------------


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


# --- secrets in logs and in the database --------------------------------------------------------


def test_no_secret_reaches_a_log_or_the_database_in_clear(
    app: Flask,
    client: FlaskClient,
    partner: Partner,
    customer: Customer,
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level(logging.DEBUG)
    secrets = {partner.secret, partner.verifier}
    pushed = client.post("/oauth/par", data=partner.request(), headers=partner.header).json
    secrets.add(pushed["request_uri"])
    code = customer.code_for(partner)
    tokens = partner.exchange(client, code).json
    again = partner.refresh(client, tokens["refresh_token"]).json
    own = client.post(
        "/oauth/token",
        data={
            "grant_type": "client_credentials",
            "scope": "listings.read",
            "client_id": partner.client.client_id,
            "client_secret": partner.secret,
        },
    ).json
    secrets |= {code, own["access_token"]}
    kinds = ("access_token", "refresh_token")
    secrets |= {made[kind] for made in (tokens, again) for kind in kinds}
    # And when it goes wrong.
    wrong = make_verifier()
    secrets.add(wrong)
    other = answer_in(customer.browser.get(partner.address()))["code"]
    secrets.add(other)
    partner.exchange(client, other, code_verifier=wrong)
    partner.exchange(client, other, header={"Authorization": f"Bearer {partner.secret}"})
    partner.exchange(client, code)
    partner.refresh(client, tokens["refresh_token"])
    partner.refresh(client, again["refresh_token"])
    client.post("/oauth/introspect", data={"token": again["access_token"]})
    client.post(
        "/oauth/token", data={"client_secret": partner.secret, "token": again["access_token"]}
    )
    client.get(f"/oauth/authorize?client_secret={partner.secret}&code={code}")

    assert len(secrets) == 11
    said = [redact_text(logged(record)) for record in caplog.records]
    assert any("oauth" in line for line in said)
    kept = "\n".join(everything_in_the_database())
    for secret in secrets:
        assert not any(secret in line or quote(secret) in line for line in said), secret[:8]
        assert secret not in kept, secret[:8]


def logged(record: logging.LogRecord) -> str:
    """A record with all that was given to it."""
    return f"{record.name} {record.getMessage()} {record.__dict__} {record.exc_text or ''}"


def everything_in_the_database() -> Iterator[str]:
    """Each row of each table, as text."""
    db.session.expire_all()
    for table in Base.metadata.sorted_tables:
        for row in db.session.execute(text(f'SELECT * FROM "{table.name}"')):  # noqa: S608 - ours
            yield repr(tuple(row))


# --- garbage --------------------------------------------------------------------------------

BODIES: dict[str, dict[str, Any]] = {
    "nothing": {},
    "an empty form": {"data": "", "content_type": "application/x-www-form-urlencoded"},
    "JSON": {"json": {"grant_type": "authorization_code", "code": "x"}},
    "broken JSON": {"data": "{", "content_type": "application/json"},
    "a file": {"data": {"token": "x"}, "content_type": "multipart/form-data"},
    "bytes": {"data": bytes(range(256)), "content_type": "application/x-www-form-urlencoded"},
    "broken encoding": {
        "data": "grant_type=%ff%fe&client_id=%00&code=%ed%a0%80&token=%00",
        "content_type": "application/x-www-form-urlencoded",
    },
    "nulls": {"data": {"grant_type": "refresh_token", "refresh_token": "\x00", "token": "\x00"}},
    "a long token": {"data": {"token": "pat_" + "x" * 50_000, "grant_type": "x" * 5_000}},
    "many parameters": {"data": {f"p{n}": "x" for n in range(500)}},
    "a huge body": {"data": {"token": "x" * 3_000_000}},
    "a wrong charset": {
        "data": "token=ä".encode("latin-1"),
        "content_type": "application/x-www-form-urlencoded; charset=klingon",
    },
}
HEADERS: dict[str, str | None] = {
    "none": None,
    "no base64": "Basic ???",
    "no colon": "Basic eA==",
    "no text": "Basic //79/A==",
    "no scheme": "eA==",
    "empty": "Basic ",
    "a bearer token": "Bearer pat_x",
    "a null": "Basic AHg6AHg=",
    "an object": "Basic eyJhIjp7fX0=",
    "good": "good",
}


@pytest.mark.parametrize("path", ["token", "revoke", "introspect", "par"])
@pytest.mark.parametrize("body", BODIES)
def test_garbage_is_refused_politely(
    client: FlaskClient, partner: Partner, path: str, body: str
) -> None:
    with nothing_changes():
        for name, value in HEADERS.items():
            header = partner.header["Authorization"] if name == "good" else value
            answer = client.post(
                f"/oauth/{path}",
                headers={"Authorization": header} if header else {},
                **BODIES[body],
            )
            if path == "revoke" and name == "good" and answer.status_code == 200:
                # An unknown token is revoked as much as it can be.
                continue
            if path == "introspect" and name == "good" and answer.status_code == 200:
                assert answer.json == {"active": False}
                continue
            assert answer.status_code in {400, 401, 413, 429}, (name, answer.status_code)
            assert re.fullmatch(r"[a-z_]+", answer.json["error"])
            assert answer.headers["Cache-Control"] == "no-store"


@pytest.mark.parametrize(
    "query",
    [
        "",
        "client_id",
        "client_id=%00&redirect_uri=%ff",
        "continue=",
        "continue=%00",
        "continue=" + "x" * 3_000,
        "request_uri=urn:ietf:params:oauth:request_uri:x",
        "client_id=x&request_uri=%00",
        "a=" * 500,
        "&" * 2_000,
        "x=1&" * 1_000,
    ],
)
def test_garbage_in_the_address_is_a_page_that_says_so(
    client: FlaskClient, customer: Customer, query: str
) -> None:
    for browser in (client, customer.browser):
        assert browser.get(f"/oauth/authorize?{query}").status_code == 400
    for verb in ("", "/decline", "/ask"):
        assert customer.browser.post(f"/oauth/authorize{verb}?{query}").status_code == 400


def test_odd_values_in_a_right_request_break_nothing(partner: Partner, customer: Customer) -> None:
    for name in ("scope", "state", "prompt", "installation", "organization", "response_type"):
        for value in ("\x00", "ä€𝄞", "x" * 3_000, "%", "'\"<>", " ", "\r\n"):
            answer = customer.browser.get(partner.address(**{name: value}))
            assert answer.status_code in {200, 303}, (name, value)
            if answer.status_code == 303:
                assert dict(parse_qsl(urlsplit(answer.headers["Location"]).query))["error"]


def test_other_methods_are_not_taken(client: FlaskClient, partner: Partner) -> None:
    for path in ("token", "revoke", "introspect", "par"):
        assert client.get(f"/oauth/{path}").status_code == 405
        assert client.put(f"/oauth/{path}").status_code == 405
    assert client.delete(partner.address()).status_code == 405


def test_an_installation_made_by_others_is_not_answered_for(
    partner: Partner, customer: Customer, sign_in: SignIn
) -> None:
    """Whoever is no member gets no code, however much was granted."""
    make_installation(partner.app, customer.organization, customer.person, scopes=SCOPES)
    stranger = make_people(sign_in, "Red Fern")
    with nothing_changes():
        page = stranger.browser.get(partner.address(organization=customer.organization.slug))
        assert page.status_code == 200
        assert hidden_fields(page)["organization"] == stranger.organization.slug
