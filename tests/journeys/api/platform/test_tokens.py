"""Which tokens open the platform API, and what the others are told."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import select

from marketplace.api.v1.rate import RateLimit
from marketplace.core import clock
from marketplace.core.database import db
from marketplace.identity.models import Membership, Role
from marketplace.installs.grants import revoke_installation_grants
from marketplace.installs.models import (
    AccessKey,
    Environment,
    InstallationState,
    OAuthGrant,
)
from tests.factories.people import make_member, make_organization, make_user
from tests.factories.queries import count_queries
from tests.journeys.api.platform.conftest import Api, Partner

Client = Callable[[str | None], Api]


def problem(response: Any, status: int, code: str) -> Any:
    assert response.status_code == status, response.text
    assert response.content_type == "application/problem+json"
    assert response.json["code"] == code
    return response.json


def test_each_kind_of_token_says_what_it_is(partner: Partner, api: Client) -> None:
    key = api(partner.key("partner.listings.read", "partner.events.read")).ask("/me")
    assert key == {
        "kind": "organization_key",
        "name": "CI",
        "organization": {"slug": partner.organization.slug, "name": "Quayside"},
        "person": None,
        "app": None,
        "installation": None,
        "environment": "live",
        "scopes": ["partner.events.read", "partner.listings.read"],
        "expires_at": None,
    }
    personal = api(partner.key(user=partner.owner)).ask("/me")
    assert (personal["kind"], personal["person"]) == (
        "personal_key",
        {"name": partner.owner.name},
    )
    app_token = api(partner.app_token("partner.events.read")).ask("/me")
    assert (app_token["kind"], app_token["app"]["id"]) == ("app", partner.app.public_id)
    assert app_token["organization"]["slug"] == partner.organization.slug
    installed = api(partner.token("members.read")).ask("/me")
    assert installed["kind"] == "installation"
    assert installed["installation"] == partner.installation.public_id
    assert installed["organization"]["slug"] == partner.customer.slug
    assert installed["scopes"] == ["members.read"]
    trial = api(partner.token(installation=partner.trial)).ask("/me")
    assert trial["environment"] == "test"


def test_without_a_token_the_answer_says_how_to_send_one(client: Any) -> None:
    response = client.get("/api/v1/me")
    problem(response, 401, "invalid-token")
    header = response.headers["WWW-Authenticate"]
    assert header.startswith('Bearer realm="http://localhost/api/v1"')
    assert "error=" not in header
    assert "Access-Control-Allow-Origin" not in response.headers


@pytest.mark.parametrize(
    "header",
    [
        "Bearer nonsense",
        "Bearer pat_unknown",
        "Bearer pkp_unknown",
        "Bearer pko_" + "x" * 5000,
        "bearer prt_a-refresh-token",
        "Bearer pko_\xff\xfe",
        "Bearer a b c",
    ],
)
def test_a_token_that_opens_nothing_is_invalid(client: Any, header: str) -> None:
    response = client.get("/api/v1/me", headers={"Authorization": header})
    problem(response, 401, "invalid-token")
    assert 'error="invalid_token"' in response.headers["WWW-Authenticate"]


@pytest.mark.parametrize("header", ["Basic YTpi", "Bearer", "Bearer ", "Token x", ""])
def test_other_ways_to_sign_in_are_no_token(client: Any, header: str) -> None:
    problem(client.get("/api/v1/me", headers={"Authorization": header}), 401, "invalid-token")


def test_a_token_in_the_address_is_refused_even_beside_a_good_one(
    partner: Partner, api: Client
) -> None:
    token = partner.key("partner.events.read")
    for query in (f"access_token={token}", f"key={token}", "access_token=x"):
        problem(api(token).get(f"/me?{query}"), 400, "token-in-address")


def test_keys_end_when_they_expire_or_are_revoked(partner: Partner, api: Client) -> None:
    brief = api(partner.key(expires_at=clock.now() + timedelta(minutes=5)))
    assert brief.get("/me").status_code == 200
    key = db.session.scalars(select(AccessKey)).one()
    key.expires_at = clock.now() - timedelta(seconds=1)
    db.session.commit()
    problem(brief.get("/me"), 401, "invalid-token")
    revoked = api(partner.key(revoked_at=clock.now()))
    problem(revoked.get("/me"), 401, "invalid-token")


def test_a_personal_key_ends_with_the_membership_and_with_the_account(
    partner: Partner, api: Client
) -> None:
    editor = make_member(partner.organization, Role.EDITOR, make_user("Eve Ito"))
    other = make_organization("Elsewhere")
    make_member(other, Role.OWNER, editor)
    client = api(partner.key(user=editor))
    assert client.get("/me").status_code == 200
    membership = db.session.scalars(
        select(Membership).where(
            Membership.user_id == editor.id,
            Membership.organization_id == partner.organization.id,
        )
    ).one()
    db.session.delete(membership)
    db.session.commit()
    problem(client.get("/me"), 401, "invalid-token")
    owner = api(partner.key(user=partner.owner))
    partner.owner.deactivated_at = clock.now()
    db.session.commit()
    problem(owner.get("/me"), 401, "invalid-token")


def test_a_suspended_partner_is_told_so(partner: Partner, api: Client) -> None:
    key, token = api(partner.key()), api(partner.token())
    partner.organization.suspended_at = clock.now()
    db.session.commit()
    problem(key.get("/me"), 403, "suspended")
    problem(token.get("/me"), 403, "suspended")


def test_a_paused_installation_is_refused_until_it_is_resumed(
    partner: Partner, api: Client
) -> None:
    token = api(partner.token())
    partner.installation.state = InstallationState.PAUSED
    db.session.commit()
    problem(token.get("/installation"), 403, "installation-paused")
    partner.installation.state = InstallationState.ACTIVE
    db.session.commit()
    assert token.get("/installation").status_code == 200


def test_revoking_a_grant_or_removing_the_app_ends_the_token_at_once(
    partner: Partner, api: Client
) -> None:
    token = api(partner.token())
    assert token.get("/installation").status_code == 200
    revoke_installation_grants(partner.installation.id, "uninstalled")
    db.session.commit()
    assert db.session.scalars(select(OAuthGrant.revoked_at)).all()
    problem(token.get("/installation"), 401, "invalid-token")
    other = api(partner.token())
    partner.installation.state = InstallationState.UNINSTALLED
    db.session.commit()
    problem(other.get("/installation"), 401, "invalid-token")


def test_a_missing_scope_is_named_in_the_answer_and_in_the_header(
    partner: Partner, api: Client
) -> None:
    response = api(partner.key("partner.events.read")).get("/partner/listings")
    problem(response, 403, "insufficient-scope")
    header = response.headers["WWW-Authenticate"]
    assert 'error="insufficient_scope"' in header
    assert 'scope="partner.listings.read"' in header


def test_a_personal_key_can_do_no_more_than_its_person(partner: Partner, api: Client) -> None:
    viewer = make_member(partner.organization, Role.VIEWER, make_user("Vik Rao"))
    client = api(partner.key(user=viewer))
    assert "partner.listings.write" not in client.ask("/me")["scopes"]
    assert client.get("/partner/listings").status_code == 200
    body = {"name": "Moon Phases", "kind": "app", "category": "productivity"}
    problem(client.post("/partner/listings", body), 403, "not-allowed")
    developer = make_member(partner.organization, Role.DEVELOPER, make_user("Dev Ong"))
    ci = api(partner.key(user=developer))
    problem(ci.post("/partner/listings", body), 403, "not-allowed")
    version = {"version": "1.1.0", "changelog": "More."}
    assert ci.post(f"/listings/{partner.listing.slug}/versions", version).status_code == 201


def test_an_app_and_a_partner_have_each_their_own_addresses(partner: Partner, api: Client) -> None:
    problem(api(partner.token()).get("/events"), 403, "wrong-credential")
    problem(api(partner.key()).get("/installation"), 403, "wrong-credential")
    problem(api(partner.app_token()).get("/installation/members"), 403, "wrong-credential")


def test_test_credentials_change_nothing_that_is_live(partner: Partner, api: Client) -> None:
    test = api(partner.key(environment=Environment.TEST))
    version = {"version": "1.1.0", "changelog": "More."}
    response = test.post(f"/listings/{partner.listing.slug}/versions", version)
    problem(response, 403, "test-credential")
    problem(
        test.get("/partner/installations?environment=live"),
        403,
        "test-credential",
    )


def test_each_credential_has_a_limit_of_its_own(app: Flask, partner: Partner, api: Client) -> None:
    app.extensions["portico_token_limit"] = RateLimit("2 per minute")
    one, other = api(partner.key()), api(partner.key())
    first = one.get("/me")
    assert (first.headers["RateLimit-Limit"], first.headers["RateLimit-Remaining"]) == ("2", "1")
    assert one.get("/me").status_code == 200
    refused = one.get("/me")
    problem(refused, 429, "rate-limited")
    assert 1 <= int(refused.headers["Retry-After"]) <= 120
    assert other.get("/me").status_code == 200
    # A new token of the same installation is no new limit.
    assert api(partner.token()).get("/me").status_code == 200
    assert api(partner.token()).get("/me").status_code == 200
    problem(api(partner.token()).get("/me"), 429, "rate-limited")


def test_wrong_tokens_count_against_the_address(app: Flask, partner: Partner, api: Client) -> None:
    app.extensions["portico_api_limit"] = RateLimit("3 per minute")
    wrong = api("pat_wrong")
    for _ in range(3):
        problem(wrong.get("/me"), 401, "invalid-token")
    problem(wrong.get("/me"), 429, "rate-limited")
    assert api(partner.key()).get("/me").status_code == 200


@pytest.mark.parametrize("kind", ["key", "personal", "token", "app"])
def test_a_token_costs_one_query(partner: Partner, api: Client, kind: str) -> None:
    for number in range(3):
        make_member(make_organization(f"Other {number}"), Role.OWNER, partner.owner)
    tokens: dict[str, Callable[[], str]] = {
        "key": partner.key,
        "personal": lambda: partner.key(user=partner.owner),
        "token": partner.token,
        "app": partner.app_token,
    }
    client = api(tokens[kind]())
    client.get("/me")
    names = 1 if kind in {"token", "app"} else 0
    assert count_queries(lambda: client.get("/me")) == 1 + names


def test_no_form_token_is_needed(app: Flask, partner: Partner, api: Client) -> None:
    app.config["WTF_CSRF_ENABLED"] = True
    try:
        response = api(partner.key()).post(
            "/partner/listings", {"name": "Moon", "kind": "app", "category": "productivity"}
        )
    finally:
        app.config["WTF_CSRF_ENABLED"] = False
    assert response.status_code == 201


def test_a_signed_in_browser_is_no_token(partner: Partner, sign_in: Any) -> None:
    browser = sign_in(partner.owner, partner.organization)
    problem(browser.get("/api/v1/me"), 401, "invalid-token")


def test_answers_are_private_and_not_for_pages_of_other_sites(
    partner: Partner, api: Client
) -> None:
    response = api(partner.key()).get("/me")
    assert response.headers["Cache-Control"] == "private, no-cache"
    assert "Authorization" in response.headers["Vary"]
    assert "Access-Control-Allow-Origin" not in response.headers
    assert 'rel="service-desc"' in response.headers["Link"]
    assert "Set-Cookie" not in response.headers
    again = api(partner.key()).get("/me", headers={"If-None-Match": response.headers["ETag"]})
    assert (again.status_code, again.data) == (304, b"")
    head = api(partner.key()).send("HEAD", "/me")
    assert (head.status_code, head.data) == (200, b"")
    preflight = api(None).send("OPTIONS", "/partner/listings")
    assert preflight.status_code == 200
    assert "POST" in preflight.headers["Allow"]
    assert "Access-Control-Allow-Origin" not in preflight.headers
    wrong = api(partner.key()).send("DELETE", "/partner/listings")
    assert wrong.status_code == 405
    assert wrong.headers["Allow"] == "GET, HEAD, OPTIONS, POST"
