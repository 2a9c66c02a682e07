"""Sign-in with everything served on loopback: site, provider and a plain HTTP client between."""

import html
import re
from collections.abc import Iterator
from urllib.parse import parse_qsl, urljoin, urlsplit

import pytest
import requests
from flask import Flask

from marketplace.demo.oidc_provider import (
    Client,
    Provider,
    build_app,
    make_provider_server,
    serving,
)
from marketplace.identity.providers import setup_providers
from tests.journeys.identity.conftest import ADA, KEY, PEOPLE, RunningProvider


@pytest.fixture
def site(app: Flask) -> Iterator[str]:
    """The address of the site, with forms guarded, and a provider beside it."""
    server = make_provider_server("127.0.0.1", 0, app)
    address = f"http://127.0.0.1:{server.server_port}"
    client = Client("portico", "a-client-secret", (f"{address}/auth/acme/callback",))
    provider = Provider("", PEOPLE, client, key=KEY)
    provider_server = make_provider_server("127.0.0.1", 0, build_app(provider))
    provider.issuer = f"http://127.0.0.1:{provider_server.server_port}"
    settings = app.extensions["portico_settings"]
    acme = RunningProvider("acme", provider).settings
    setup_providers(
        app, settings.model_copy(update={"oidc_providers": (acme,), "public_url": address})
    )
    app.config["WTF_CSRF_ENABLED"] = True
    with serving(server), serving(provider_server):
        yield address
    app.config["WTF_CSRF_ENABLED"] = False


def token_in(page: requests.Response) -> str:
    """The token of a page's forms."""
    found = re.search(r'name="csrf_token" value="([^"]+)"', page.text)
    assert found is not None
    return found[1]


def test_a_person_signs_in_says_who_they_are_and_signs_out(site: str) -> None:
    with requests.Session() as browser:
        asked = browser.get(f"{site}/account/sessions", timeout=10)
        button = re.search(r'href="(/auth/acme/login[^"]*)"', asked.text)
        assert button is not None
        people = browser.get(urljoin(site, html.unescape(button[1])), timeout=10)
        assert "Who do you want to be?" in people.text
        form = {**dict(parse_qsl(urlsplit(people.url).query)), "subject": ADA.subject}
        welcome = browser.post(people.url.split("?")[0], data=form, timeout=10)
        assert welcome.url == f"{site}/welcome?next=/account/sessions"
        assert f"Welcome, {ADA.name}" in welcome.text

        answers = {"name": "Ada O.", "timezone": "Europe/Paris", "csrf_token": token_in(welcome)}
        devices = browser.post(welcome.url, data=answers, timeout=10)
        assert devices.url == f"{site}/account/sessions"
        assert "This device" in devices.text
        assert "Ada O." in devices.text
        assert devices.headers["Cache-Control"] == "no-store"

        out = browser.post(
            f"{site}/auth/logout", data={"csrf_token": token_in(devices)}, timeout=10
        )
        assert out.url == f"{site}/auth/login"
        assert "You are signed out." in out.text
        again = browser.get(f"{site}/account", timeout=10)
        assert urlsplit(again.url).path == "/auth/login"
