"""An app and a customer, and the steps between them, over HTTP."""

import base64
import hashlib
import re
import secrets
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qsl, quote, urlencode, urlsplit

from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import func, select
from werkzeug.test import TestResponse

from marketplace.core.database import db
from marketplace.identity.models import Organization, User
from marketplace.installs.models import (
    App,
    AuthorizationCode,
    Environment,
    Installation,
    OAuthClient,
    OAuthGrant,
    OAuthToken,
)
from tests.factories.apps import REDIRECT_URI, client_of, make_app, make_client_secret
from tests.factories.listings import make_listing
from tests.factories.people import make_customer, make_member, make_organization

ISSUER = "http://localhost"
SCOPES = ("events.write", "organization.read")


def make_verifier() -> str:
    """A fresh PKCE verifier."""
    return secrets.token_urlsafe(48)


def challenge_of(verifier: str) -> str:
    """Its S256 challenge."""
    digest = hashlib.sha256(verifier.encode()).digest()
    return base64.urlsafe_b64encode(digest).rstrip(b"=").decode()


def basic(client_id: str, secret: str) -> dict[str, str]:
    """The header of client_secret_basic, as RFC 6749 section 2.3.1 wants it."""
    joined = f"{quote(client_id, safe='')}:{quote(secret, safe='')}"
    return {"Authorization": "Basic " + base64.b64encode(joined.encode()).decode()}


def answer_in(response: TestResponse, redirect_uri: str = REDIRECT_URI) -> dict[str, str]:
    """What a redirect tells the app; it must lead to the app's registered address."""
    assert response.status_code == 303, response.text[:500]
    location = response.headers["Location"]
    assert location.startswith(redirect_uri + ("&" if "?" in redirect_uri else "?")), location
    return dict(parse_qsl(urlsplit(location).query, keep_blank_values=True))


@dataclass
class Partner:
    """A publisher with an app, and its live (or test) client with a secret."""

    app: App
    client: OAuthClient
    secret: str
    publisher: Organization
    verifier: str = field(default_factory=make_verifier)
    state: str = "a state/with=odd&signs"
    redirect_uri: str = REDIRECT_URI

    @property
    def header(self) -> dict[str, str]:
        return basic(self.client.client_id, self.secret)

    def request(self, **changes: str | None) -> dict[str, str]:
        """The parameters of an authorization request; None leaves one out."""
        parameters: dict[str, str | None] = {
            "response_type": "code",
            "client_id": self.client.client_id,
            "redirect_uri": self.redirect_uri,
            "scope": " ".join(SCOPES),
            "state": self.state,
            "code_challenge": challenge_of(self.verifier),
            "code_challenge_method": "S256",
            **changes,
        }
        return {name: value for name, value in parameters.items() if value is not None}

    def address(self, **changes: str | None) -> str:
        return f"/oauth/authorize?{urlencode(self.request(**changes))}"

    def exchange(self, browser: FlaskClient, code: str, **changes: Any) -> TestResponse:
        """Exchange a code at the token endpoint."""
        header = changes.pop("header") if "header" in changes else self.header
        form = {
            "grant_type": "authorization_code",
            "code": code,
            "redirect_uri": self.redirect_uri,
            "code_verifier": self.verifier,
            **changes,
        }
        form = {name: value for name, value in form.items() if value is not None}
        return browser.post("/oauth/token", data=form, headers=header)

    def refresh(self, browser: FlaskClient, token: str, **changes: Any) -> TestResponse:
        """Exchange a refresh token."""
        header = changes.pop("header") if "header" in changes else self.header
        form = {"grant_type": "refresh_token", "refresh_token": token, **changes}
        return browser.post("/oauth/token", data=form, headers=header)

    def introspect(self, browser: FlaskClient, token: str, **more: str) -> dict[str, Any]:
        """What introspection says of a token."""
        answer = browser.post(
            "/oauth/introspect", data={"token": token, **more}, headers=self.header
        )
        assert answer.status_code == 200, answer.text
        found: dict[str, Any] = answer.json
        return found


def make_partner(
    name: str = "Tide Tables",
    environment: Environment = Environment.LIVE,
    scopes: tuple[str, ...] = SCOPES,
    **listing_fields: Any,
) -> Partner:
    """A partner with a public listing that asks for `scopes`."""
    publisher = make_organization("Quayside")
    listing = make_listing(
        publisher,
        name=name,
        scopes=[{"scope": scope, "reason": f"To use {scope}"} for scope in scopes],
        **listing_fields,
    )
    app = make_app(listing)
    client = client_of(app, environment)
    return Partner(app, client, make_client_secret(client), publisher)


@dataclass
class Customer:
    """An organization, its owner, and the owner's browser."""

    organization: Organization
    person: User
    browser: FlaskClient

    def consent_form(self, address: str) -> dict[str, str]:
        """The hidden fields of the consent page at `address`."""
        page = self.browser.get(address)
        assert page.status_code == 200, page.text[:300]
        return hidden_fields(page)

    def approve(self, partner: Partner, **changes: str | None) -> TestResponse:
        """Read the consent page and press its button."""
        address = partner.address(**changes)
        return self.browser.post(address, data=self.consent_form(address))

    def code_for(self, partner: Partner, **changes: str | None) -> str:
        """Consent, and the code that the app gets."""
        return answer_in(self.approve(partner, **changes), partner.redirect_uri)["code"]

    def tokens_for(self, partner: Partner, **changes: str | None) -> dict[str, Any]:
        """Consent, and the tokens that the app gets for its code."""
        code = self.code_for(partner, **changes)
        answer = partner.exchange(self.browser.application.test_client(), code)
        assert answer.status_code == 200, answer.text
        tokens: dict[str, Any] = answer.json
        return tokens


def make_people(sign_in: Any, name: str = "Blue Kite") -> Customer:
    """A customer whose owner is signed in."""
    organization = make_customer(name)
    person = make_member(organization)
    return Customer(organization, person, sign_in(person, organization))


def hidden_fields(page: TestResponse) -> dict[str, str]:
    """The hidden fields of the page's consent form."""
    form = re.search(r'<form\s[^>]*action="/oauth/authorize.*?</form>', page.text, re.S)
    assert form is not None, page.text[:2000]
    return dict(re.findall(r'<input type="hidden"\s+name="([^"]+)"\s+value="([^"]*)"', form[0]))


def counts() -> dict[str, int]:
    """How many rows there are of what an attack must not make."""
    return {
        model.__tablename__: db.session.scalar(select(func.count()).select_from(model)) or 0
        for model in (Installation, OAuthGrant, AuthorizationCode, OAuthToken)
    }


def machine(app: Flask) -> FlaskClient:
    """A program without cookies."""
    return app.test_client()
