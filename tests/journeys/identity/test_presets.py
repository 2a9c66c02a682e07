"""GitHub, which is not OpenID Connect, and Microsoft, whose shared issuer stands for many."""

import json
import time
from collections.abc import Callable
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from flask import Flask
from joserfc import jwt
from joserfc.jwk import RSAKey
from sqlalchemy import select
from werkzeug.test import TestResponse
from werkzeug.wrappers import Request, Response

from marketplace.config import OidcProvider
from marketplace.core.database import db
from marketplace.demo.oidc_provider import make_provider_server, serving
from marketplace.identity import oidc
from marketplace.identity.models import Identity, User
from marketplace.identity.providers import setup_providers
from tests.journeys.identity.conftest import Journey

TENANT = "11111111-2222-3333-4444-555555555555"
OTHER_TENANT = "99999999-2222-3333-4444-555555555555"
PERSON = {"id": 583231, "login": "ada", "name": "Ada Okafor", "email": "public@ada.example"}
EMAILS = [
    {"email": "old@ada.example", "primary": False, "verified": True},
    {"email": "Ada@Ada.example", "primary": True, "verified": True},
]


def configure(app: Flask, name: str, issuer: str) -> None:
    """The site with that one provider."""
    provider = OidcProvider(
        name=name, label=name.title(), issuer=issuer, client_id="portico", client_secret="s"
    )
    settings = app.extensions["portico_settings"]
    setup_providers(app, settings.model_copy(update={"oidc_providers": (provider,)}))


class GitHubStandIn:
    """What GitHub answers, on loopback, as an Enterprise server."""

    def __init__(self) -> None:
        self.person: Any = PERSON
        self.emails: Any = EMAILS
        self.emails_status = 200
        self.token: Any = {"access_token": "gho_x", "token_type": "bearer", "scope": "read:user"}
        self.asked: list[Request] = []

    def __call__(self, request: Request) -> Response:
        """Answer as the API does."""
        if request.path == "/login/oauth/access_token":
            assert request.form["code_verifier"]
            assert request.form["client_secret"] == "s"
            return self._json(self.token)
        assert request.headers["Authorization"] == "Bearer gho_x"
        if request.path == "/api/v3/user":
            return self._json(self.person)
        return self._json(self.emails, self.emails_status)

    def _json(self, value: Any, status: int = 200) -> Response:
        return Response(json.dumps(value), status, mimetype="application/json")


def through_github(app: Flask, journey: Journey, stand_in: GitHubStandIn) -> TestResponse:
    """Sign in with the stand-in; the site's answer."""
    server = make_provider_server("127.0.0.1", 0, Request.application(stand_in))  # type: ignore[arg-type]  # any WSGI application will do
    configure(app, "github", f"http://127.0.0.1:{server.server_port}")
    with serving(server):
        query = parse_qs(urlsplit(journey.begin("github")).query)
        assert query["code_challenge_method"] == ["S256"]
        return journey.client.get(f"/auth/github/callback?state={query['state'][0]}&code=abc")


def test_github_signs_in_by_the_number_and_the_verified_primary_address(
    app: Flask, journey: Journey
) -> None:
    response = through_github(app, journey, GitHubStandIn())

    assert response.location == "/welcome"
    identity = db.session.scalars(select(Identity)).one()
    assert (identity.provider, identity.subject) == ("github", "583231")
    assert (identity.email, identity.email_verified) == ("ada@ada.example", True)


@pytest.mark.parametrize(
    ("emails", "status"),
    [
        ([{"email": "ada@ada.example", "primary": True, "verified": False}], 200),
        ([{"email": "ada@ada.example", "primary": False, "verified": True}], 200),
        ([], 200),
        ({"message": "Resource not accessible"}, 403),
    ],
)
def test_without_a_verified_primary_address_github_gives_none(
    app: Flask, journey: Journey, emails: Any, status: int
) -> None:
    stand_in = GitHubStandIn()
    stand_in.emails, stand_in.emails_status = emails, status
    assert through_github(app, journey, stand_in).status_code == 302
    user = db.session.scalars(select(User)).one()
    assert (user.email, user.email_verified) == (None, False)


@pytest.mark.parametrize(
    ("part", "value", "status"),
    [
        ("person", {"login": "ada"}, 400),
        ("person", {"id": True, "login": "ada"}, 400),
        ("person", {"id": "583231; drop", "login": "ada"}, 400),
        ("person", [], 400),
        ("emails", {"not": "a list"}, 400),
        ("emails_status", 500, 503),
        ("token", {"error": "bad_verification_code"}, 400),
        ("token", {"token_type": "bearer"}, 400),
        ("token", [], 400),
    ],
)
def test_an_answer_of_github_that_cannot_be_used_is_a_page(
    app: Flask, journey: Journey, part: str, value: Any, status: int
) -> None:
    stand_in = GitHubStandIn()
    setattr(stand_in, part, value)
    response = through_github(app, journey, stand_in)
    assert response.status_code == status
    assert "Try again with Github" in response.text
    assert db.session.scalars(select(User)).all() == []


Change = Callable[[dict[str, Any], dict[str, Any], str], None]


def through_microsoft(
    app: Flask, journey: Journey, monkeypatch: pytest.MonkeyPatch, change: Change
) -> TestResponse:
    """Sign in at a stand-in for the shared issuer, whose claims and key `change` changes."""
    key = RSAKey.generate_key(2048, auto_kid=True)
    kept: dict[str, str] = {}

    def answer(request: Request) -> Response:
        base = request.host_url.rstrip("/")
        public = {**key.as_dict(private=False), "issuer": f"{base}/{{tenantid}}/v2.0"}
        at = int(time.time())
        claims: dict[str, Any] = {
            "iss": f"{base}/{TENANT}/v2.0",
            "tid": TENANT,
            "sub": "pairwise-1",
            "aud": "portico",
            "iat": at,
            "exp": at + 600,
            "nonce": kept.get("nonce", ""),
            "name": "Ada Okafor",
            "email": "ada@contoso.example",
        }
        change(claims, public, base)
        if request.path.endswith("/keys"):
            body: dict[str, Any] = {"keys": [public]}
        elif request.path.endswith("/token"):
            token = jwt.encode({"alg": "RS256", "kid": key.kid}, claims, key)
            body = {"access_token": "x", "token_type": "Bearer", "id_token": token}
        else:
            body = {
                "issuer": f"{base}/{{tenantid}}/v2.0",
                "authorization_endpoint": f"{base}/authorize",
                "token_endpoint": f"{base}/token",
                "jwks_uri": f"{base}/keys",
            }
        return Response(json.dumps(body), mimetype="application/json")

    server = make_provider_server("127.0.0.1", 0, Request.application(answer))  # type: ignore[arg-type]  # any WSGI application will do
    base = f"http://127.0.0.1:{server.server_port}"
    monkeypatch.setattr(oidc, "MICROSOFT", f"{base}/")
    monkeypatch.setattr(oidc, "MICROSOFT_SHARED", {f"{base}/common/v2.0"})
    configure(app, "microsoft", f"{base}/common/v2.0")
    with serving(server):
        query = parse_qs(urlsplit(journey.begin("microsoft")).query)
        kept["nonce"] = query["nonce"][0]
        return journey.client.get(f"/auth/microsoft/callback?state={query['state'][0]}&code=abc")


def test_a_microsoft_token_of_any_tenant_is_believed_but_its_address_is_not(
    app: Flask, journey: Journey, monkeypatch: pytest.MonkeyPatch
) -> None:
    response = through_microsoft(app, journey, monkeypatch, lambda claims, key, base: None)
    assert response.location == "/welcome"
    identity = db.session.scalars(select(Identity)).one()
    assert identity.issuer.endswith(f"/{TENANT}/v2.0")
    assert (identity.email, identity.email_verified) == ("ada@contoso.example", False)


def test_a_tenants_email_verified_claim_is_no_proof(
    app: Flask, journey: Journey, monkeypatch: pytest.MonkeyPatch
) -> None:
    def claim(claims: dict[str, Any], _key: dict[str, Any], _base: str) -> None:
        claims["email_verified"] = True

    through_microsoft(app, journey, monkeypatch, claim)
    assert db.session.scalars(select(Identity.email_verified)).one() is False


def test_a_domain_owner_verified_address_of_microsoft_is_proof(
    app: Flask, journey: Journey, monkeypatch: pytest.MonkeyPatch
) -> None:
    def claim(claims: dict[str, Any], _key: dict[str, Any], _base: str) -> None:
        claims["xms_edov"] = True

    through_microsoft(app, journey, monkeypatch, claim)
    assert db.session.scalars(select(Identity.email_verified)).one() is True


MISMATCHES: dict[str, Change] = {
    "a tenant that is not the issuer's": lambda c, k, b: c.update(tid=OTHER_TENANT),
    "an issuer that is not the tenant's": lambda c, k, b: c.update(iss=f"{b}/{OTHER_TENANT}/v2.0"),
    "the template itself": lambda c, k, b: c.update(iss=f"{b}/{{tenantid}}/v2.0"),
    "the shared name": lambda c, k, b: c.update(iss=f"{b}/common/v2.0", tid="common"),
    "no tenant": lambda c, k, b: c.pop("tid"),
    "a tenant that is a path": lambda c, k, b: c.update(tid="../x", iss=f"{b}/../x/v2.0"),
    "a key of another tenant": lambda c, k, b: k.update(issuer=f"{b}/{OTHER_TENANT}/v2.0"),
}


@pytest.mark.parametrize("mismatch", MISMATCHES)
def test_a_microsoft_token_whose_tenant_does_not_fit_is_refused(
    app: Flask, journey: Journey, monkeypatch: pytest.MonkeyPatch, mismatch: str
) -> None:
    response = through_microsoft(app, journey, monkeypatch, MISMATCHES[mismatch])
    assert response.status_code == 400
    assert db.session.scalars(select(User)).all() == []
