"""A sign-in provider on loopback, and a browser that walks between it and the site."""

from collections.abc import Iterator
from contextlib import AbstractContextManager
from dataclasses import dataclass, replace
from urllib.parse import parse_qsl, urlsplit

import pytest
import requests
from flask import Flask
from flask.testing import FlaskClient
from joserfc.jwk import RSAKey
from werkzeug.test import TestResponse

from marketplace.config import OidcProvider
from marketplace.core.limits import limiter
from marketplace.demo.oidc_provider import (
    Client,
    Provider,
    build_app,
    make_provider_server,
    serving,
)
from marketplace.demo.people import DemoPerson
from marketplace.identity.providers import setup_providers

SITE = "http://localhost"
ADA = DemoPerson("ada-1", "Ada Okafor", "ada@quayside.example", "quayside", "owner")
BEN = DemoPerson("ben-2", "Ben Ruiz", "ben@bluekite.example", "blue-kite", "owner")
PEOPLE = (ADA, BEN)
KEY = RSAKey.generate_key(2048, auto_kid=True)  # making one takes longer than a whole sign-in


@dataclass
class RunningProvider:
    """A provider that answers on loopback."""

    name: str
    provider: Provider

    @property
    def settings(self) -> OidcProvider:
        """What the site is told of it."""
        return OidcProvider(
            name=self.name,
            label=self.name.title(),
            issuer=self.provider.issuer,
            client_id=self.provider.client.client_id,
            client_secret=self.provider.client.client_secret,
        )


def start(
    name: str, kind: type[Provider] = Provider
) -> tuple[RunningProvider, AbstractContextManager[None]]:
    """A provider of that name, and the context in which it serves."""
    client = Client("portico", "a-client-secret", (f"{SITE}/auth/{name}/callback",))
    provider = kind("", PEOPLE, client, key=KEY)
    server = make_provider_server("127.0.0.1", 0, build_app(provider))
    provider.issuer = f"http://127.0.0.1:{server.server_port}"
    return RunningProvider(name, provider), serving(server)


def use(app: Flask, *running: RunningProvider) -> None:
    """Configure the site with these providers, and with nothing remembered of earlier ones."""
    settings = app.extensions["portico_settings"]
    providers = tuple(found.settings for found in running)
    setup_providers(app, settings.model_copy(update={"oidc_providers": providers}))


@pytest.fixture(autouse=True)
def _fresh_limits(app: Flask) -> Iterator[None]:
    """Each test begins with unused rate limits, and leaves no provider behind."""
    limiter.reset()
    yield
    setup_providers(app, app.extensions["portico_settings"])
    limiter.reset()


@pytest.fixture
def acme(app: Flask) -> Iterator[RunningProvider]:
    """The site's one provider, `acme`."""
    running, context = start("acme")
    use(app, running)
    with context:
        yield running


@dataclass
class Journey:
    """A browser on its way through a sign-in, step by step."""

    client: FlaskClient

    def begin(self, provider: str = "acme", **query: str) -> str:
        """Press the site's button; the provider's address that the browser is sent to."""
        response = self.client.get(f"/auth/{provider}/login", query_string=query)
        assert response.status_code == 302, response.text
        return response.location

    def choose(self, authorization_url: str, person: DemoPerson | None = ADA) -> str:
        """Say at the provider who one is; the site's address that the browser is sent back to."""
        page = requests.get(authorization_url, timeout=5)
        assert page.status_code == 200, page.text
        form = dict(parse_qsl(urlsplit(authorization_url).query))
        if person is not None:
            assert person.name in page.text
            form["subject"] = person.subject
        answer = requests.post(
            authorization_url.split("?")[0], data=form, allow_redirects=False, timeout=5
        )
        assert answer.status_code == 303, answer.text
        return answer.headers["Location"].removeprefix(SITE)

    def sign_in(
        self, person: DemoPerson = ADA, provider: str = "acme", **query: str
    ) -> TestResponse:
        """The whole way; the site's last answer."""
        return self.client.get(self.choose(self.begin(provider, **query), person))


@pytest.fixture
def journey(client: FlaskClient) -> Journey:
    """A browser that nobody has signed in with."""
    return Journey(client)


def other_person(person: DemoPerson, **changes: str) -> DemoPerson:
    """The person with changes."""
    return replace(person, **changes)
