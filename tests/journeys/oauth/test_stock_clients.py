"""Clients that know nothing of this server but its address: all else is in its metadata."""

import json
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import pytest
import requests
from authlib.integrations.requests_client import OAuth2Session
from authlib.oauth2 import rfc8414, rfc9207
from flask import Flask
from sqlalchemy import select

from marketplace.core.database import db
from marketplace.demo.oidc_provider import make_provider_server, serving
from marketplace.installs.models import Installation
from tests.journeys.oauth.flow import SCOPES, Customer, Partner, answer_in, hidden_fields
from tests.parts import node_clients

HERE = Path(__file__).parent


@pytest.fixture
def site(app: Flask) -> Iterator[str]:
    """The address of the site, served on loopback."""
    server = make_provider_server("127.0.0.1", 0, app)
    address = f"http://127.0.0.1:{server.server_port}"
    before = app.config["PUBLIC_URL"]
    app.config["PUBLIC_URL"] = address
    with serving(server):
        yield address
    app.config["PUBLIC_URL"] = before


def consent(customer: Customer, address: str) -> str:
    """Let the customer's browser go to an authorization address and say yes; where it is sent."""
    # The signed-in browser of the test has its cookie for the site, whatever its port.
    address = urlsplit(address)._replace(scheme="", netloc="").geturl()
    page = customer.browser.get(address)
    while page.status_code == 303:
        address = page.headers["Location"]
        page = customer.browser.get(address)
    assert page.status_code == 200, page.text
    sent = customer.browser.post(address, data=hidden_fields(page))
    answer_in(sent)
    return str(sent.headers["Location"])


def test_the_metadata_is_valid_and_complete(site: str) -> None:
    answer = requests.get(f"{site}/.well-known/oauth-authorization-server", timeout=10)
    assert answer.headers["Content-Type"] == "application/json"
    metadata = answer.json()

    class Metadata(rfc8414.AuthorizationServerMetadata):  # type: ignore[misc]  # no types
        """Loopback may be plain http; Authlib's validation wants https of everybody."""

        def validate_issuer(self) -> None:
            assert self["issuer"] == site

    checked = dict(metadata)
    for name, value in metadata.items():
        if name.endswith("_endpoint"):
            assert value.startswith(f"{site}/oauth/")
            checked[name] = value.replace("http://", "https://")
    Metadata(checked).validate(metadata_classes=[rfc9207.AuthorizationServerMetadata])
    assert metadata["code_challenge_methods_supported"] == ["S256"]
    assert metadata["response_types_supported"] == ["code"]
    assert metadata["grant_types_supported"] == [
        "authorization_code",
        "refresh_token",
        "client_credentials",
    ]
    assert set(SCOPES[1:]) <= set(metadata["scopes_supported"])


def test_authlibs_client_works_from_the_metadata_alone(
    site: str, partner: Partner, customer: Customer
) -> None:
    metadata = requests.get(f"{site}/.well-known/oauth-authorization-server", timeout=10).json()
    session = OAuth2Session(
        partner.client.client_id,
        partner.secret,
        scope=" ".join(SCOPES),
        redirect_uri=partner.redirect_uri,
        code_challenge_method="S256",
        token_endpoint_auth_method="client_secret_basic",
    )
    address, state = session.create_authorization_url(
        metadata["authorization_endpoint"], code_verifier=partner.verifier
    )
    callback = consent(customer, address)
    assert dict(parse_qsl(urlsplit(callback).query))["iss"] == metadata["issuer"]
    with session:
        tokens = session.fetch_token(
            metadata["token_endpoint"],
            authorization_response=callback,
            code_verifier=partner.verifier,
            state=state,
        )
        assert tokens["scope"] == "events.write organization.read"
        again = session.refresh_token(metadata["token_endpoint"])
        assert again["refresh_token"] != tokens["refresh_token"]
        seen = session.introspect_token(
            metadata["introspection_endpoint"], token=again["access_token"]
        )
        assert seen.json()["active"] is True
        gone = session.revoke_token(metadata["revocation_endpoint"], token=again["refresh_token"])
        assert gone.status_code == 200
        seen = session.introspect_token(
            metadata["introspection_endpoint"], token=again["access_token"]
        )
        assert seen.json() == {"active": False}
    with OAuth2Session(
        partner.client.client_id, partner.secret, scope="partner.listings.read"
    ) as own:
        token = own.fetch_token(metadata["token_endpoint"], grant_type="client_credentials")
        assert token["scope"] == "partner.listings.read"


@pytest.mark.parametrize("pushed", [False, True], ids=["plain", "pushed"])
def test_openid_client_works_from_the_metadata_alone(
    app: Flask, site: str, partner: Partner, customer: Customer, pushed: bool
) -> None:
    modules = node_clients()
    made = app.test_cli_runner().invoke(args=["oauth", "resource-server", "Harbor API"])
    _, server_id, _, server_secret = made.stdout.split()
    given: dict[str, Any] = {
        "modules": modules,
        "issuer": site,
        "clientId": partner.client.client_id,
        "clientSecret": partner.secret,
        "resourceServer": {"id": server_id, "secret": server_secret},
        "redirectUri": partner.redirect_uri,
        "scope": " ".join(SCOPES),
        "pushed": pushed,
    }
    with subprocess.Popen(
        ["node", str(HERE / "openid_client.mjs")],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as node:
        assert node.stdin is not None
        assert node.stdout is not None
        try:
            print(json.dumps(given), file=node.stdin, flush=True)
            line = node.stdout.readline()
            assert line, node.communicate(timeout=30)
            callback = consent(customer, json.loads(line)["address"])
            print(json.dumps({"callback": callback}), file=node.stdin, flush=True)
            out, errors = node.communicate(timeout=60)
        finally:
            node.kill()
    assert node.returncode == 0, errors
    told = json.loads(out)
    assert told == {
        "issuer": site,
        "supportsPkce": True,
        "mixUp": "OAUTH_INVALID_RESPONSE",
        "first": {"scope": "events.write organization.read", "type": "bearer", "life": 3600},
        "rotated": True,
        "own": "partner.listings.read",
        "ownByPost": "partner.events.read",
        "live": {
            "active": True,
            "scope": "events.write organization.read",
            "organization": customer.organization.slug,
        },
        "dead": {"active": False},
        "afterRevocation": "invalid_grant",
    }
    db.session.expire_all()
    assert db.session.scalars(select(Installation)).one().connected_at is not None
