"""The sample app, over real HTTP on loopback, as a partner's app in the sandbox."""

import json
import re
import secrets
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import pytest
import requests
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select
from standardwebhooks.webhooks import Webhook

from examples.sample_app.app import create_app as create_sample
from examples.sample_app.settings import read_settings
from examples.sample_app.store import Store
from marketplace.core.database import db
from marketplace.core.sealing import seal
from marketplace.demo.oidc_provider import make_provider_server, serving
from marketplace.identity.models import Organization, Role
from marketplace.installs.models import (
    Environment,
    ErasureRequest,
    Installation,
    OAuthGrant,
    OAuthToken,
    TokenKind,
    WebhookDelivery,
    WebhookEndpoint,
    WebhookSecret,
)
from marketplace.installs.webhooks.dispatcher import deliver_due
from marketplace.installs.webhooks.signing import new_signing_secret
from tests.factories.apps import client_of, make_app, make_client_secret
from tests.factories.listings import make_listing
from tests.factories.people import make_member, make_organization

SignIn = Callable[..., FlaskClient]


@dataclass
class Sample:
    """The running sample app, and what its developer set up for it."""

    url: str
    folder: Path
    webhook_secret: str
    developer: FlaskClient
    app_id: str
    partner_id: int
    # The developer's browser, as far as it is in the sample app.
    browser: requests.Session

    @property
    def store(self) -> Store:
        return Store(self.folder)

    def page(self) -> str:
        answer = self.browser.get(self.url, timeout=10)
        assert answer.status_code == 200
        return answer.text

    def call_api(self, installation_id: str) -> str:
        """The page after "Call the API" was pressed."""
        token = re.search(r'name="form_token" value="([^"]+)"', self.page())
        assert token
        answer = self.browser.post(
            f"{self.url}/installations/{installation_id}/call",
            data={"form_token": token[1]},
            timeout=10,
        )
        assert answer.status_code == 200
        return answer.text


@pytest.fixture
def sample(app: Flask, site: str, sign_in: SignIn, tmp_path: Path) -> Iterator[Sample]:
    """The sample app with test credentials, its addresses registered through the portal."""
    partner = make_organization("Quayside")
    row = make_app(make_listing(partner))
    client = client_of(row, Environment.TEST)
    secret = make_client_secret(client)
    webhook_secret = new_signing_secret()
    developer = sign_in(make_member(partner, Role.DEVELOPER), partner)
    with _free_server() as (port, start):
        url = f"http://127.0.0.1:{port}"
        endpoint = WebhookEndpoint(
            public_id="we_sample",
            organization_id=partner.id,
            app_id=row.id,
            environment=Environment.TEST,
            url=f"{url}/webhooks",
        )
        db.session.add(endpoint)
        db.session.flush()
        db.session.add(WebhookSecret(endpoint_id=endpoint.id, sealed=seal(webhook_secret)))
        client.redirect_uris = [f"{url}/oauth/callback"]
        client.install_url = f"{url}/install"
        db.session.commit()
        settings = read_settings(
            {
                "PORTICO_URL": site,
                "CLIENT_ID": client.client_id,
                "CLIENT_SECRET": secret,
                "WEBHOOK_SECRET": webhook_secret,
                "DATA_DIR": str(tmp_path),
                "APP_NAME": "Tide Tables",
            },
            host="127.0.0.1",
            port=port,
        )
        start(create_sample(settings))
        yield Sample(
            url,
            tmp_path,
            webhook_secret,
            developer,
            row.public_id,
            partner.id,
            requests.Session(),
        )


class _free_server:  # noqa: N801 - used like a function
    """A server whose port is known before the app that it serves is made."""

    def __enter__(self) -> tuple[int, Callable[[Flask], None]]:
        self._holder = Flask("holder")
        self._server = make_provider_server("127.0.0.1", 0, self._holder)
        self._serving = serving(self._server)
        self._serving.__enter__()

        def start(app: Flask) -> None:
            self._server.app = app

        return self._server.server_port, start

    def __exit__(self, *_error: object) -> None:
        self._serving.__exit__(None, None, None)


def install(sample: Sample) -> str:
    """Install in the sandbox as its developer does; the installation's id."""
    assert sample.developer.post("/partner/sandbox/making").status_code == 303
    try_url = f"/partner/apps/{sample.app_id}/test/install"
    page = sample.developer.get(try_url).text
    fingerprint = re.search(r'name="fingerprint"\s+value="([^"]*)"', page)
    assert fingerprint
    done = sample.developer.post(try_url, data={"fingerprint": fingerprint[1]})
    link = re.search(rf'href="({re.escape(sample.url)}/install[^"]+)"', done.text)
    assert link
    address = link[1].replace("&amp;", "&")
    # The browser goes to the app, which sends it to the authorization server, which sends it back.
    begun = sample.browser.get(address, allow_redirects=False, timeout=10)
    assert begun.status_code == 302
    asked = urlsplit(begun.headers["Location"])
    assert parse_qs(asked.query)["code_challenge_method"] == ["S256"]
    answered = sample.developer.get(f"{asked.path}?{asked.query}")
    assert answered.status_code == 303, answered.text[:300]
    back = sample.browser.get(answered.headers["Location"], timeout=10)
    assert back.status_code == 200, back.text
    assert "Connected." in back.text
    return str(db.session.scalar(select(Installation.public_id)))


def eventually(holds: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 10
    while not holds():
        assert time.monotonic() < deadline, "it did not come to pass"
        time.sleep(0.05)


def test_a_whole_life_from_install_to_erasure(app: Flask, sample: Sample) -> None:
    installation_id = install(sample)
    page = sample.call_api(installation_id)
    assert "answered <strong data-status>200</strong>" in page
    assert "Quayside sandbox" in page
    deliver_due(app)
    assert "installation.installed" in sample.page()

    db.session.rollback()
    sandbox = db.session.scalars(
        select(Organization).where(Organization.sandbox_of_id == sample.partner_id)
    ).one()
    at_customer = f"/organizations/{sandbox.slug}/apps/{installation_id}"
    assert sample.developer.post(f"{at_customer}/pause").status_code == 303
    deliver_due(app)
    assert "state-paused" in sample.page()
    assert "data-status>403<" in sample.call_api(installation_id)
    assert sample.developer.post(f"{at_customer}/resume").status_code == 303
    deliver_due(app)
    assert "data-status>200<" in sample.call_api(installation_id)

    removed = sample.developer.post(f"{at_customer}/uninstall", data={"reason": "testing"})
    assert removed.status_code == 303, removed.text[:500]
    assert "data-status>401<" in sample.call_api(installation_id)
    deliver_due(app)

    def is_confirmed() -> bool:
        db.session.rollback()
        return db.session.scalars(select(ErasureRequest)).one().completed_at is not None

    eventually(is_confirmed)
    assert "erased" in db.session.scalars(select(ErasureRequest)).one().receipt
    assert sample.store.installations() == []
    kept = json.dumps(sample.store.webhooks())
    assert "Quayside sandbox" not in kept, "nothing speaks of the customer any more"
    eventually(lambda: "confirmed" in sample.page())
    states = set(db.session.scalars(select(WebhookDelivery.state)))
    assert [state.value for state in states] == ["delivered"]


def test_an_old_access_token_is_renewed_once_by_many_calls(app: Flask, sample: Sample) -> None:
    installation_id = install(sample)
    with sample.store.begin() as database:
        database.execute("UPDATE installation SET expires_at = 0")
    answers: list[str] = []
    threads = [
        threading.Thread(target=lambda: answers.append(sample.call_api(installation_id)))
        for _ in range(4)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(answers) == 4
    assert all("data-status>200<" in page for page in answers)
    db.session.rollback()
    refreshes = db.session.scalars(
        select(OAuthToken).where(OAuthToken.kind == TokenKind.REFRESH)
    ).all()
    assert len(refreshes) == 2, "the first, and the one that it was exchanged for"
    assert db.session.scalar(select(OAuthGrant.revoked_at)) is None


def signed(sample: Sample, body: bytes, message_id: str, **changes: str) -> requests.Response:
    at = datetime.now(UTC)
    signature = Webhook(sample.webhook_secret).sign(message_id, at, body.decode())
    headers = {
        "Content-Type": "application/json",
        "webhook-id": message_id,
        "webhook-timestamp": str(int(at.timestamp())),
        "webhook-signature": signature,
        **changes,
    }
    return requests.post(f"{sample.url}/webhooks", data=body, headers=headers, timeout=10)


def test_a_webhook_is_taken_once(sample: Sample) -> None:
    body = json.dumps({"type": "webhook.test", "data": {"message": "It works."}}).encode()
    assert signed(sample, body, "evt_1").json() == {"taken": True}
    assert signed(sample, body, "evt_1").json() == {"taken": False}
    assert len(sample.store.webhooks()) == 1


@pytest.mark.parametrize(
    "changes",
    [
        {"webhook-signature": "v1," + "A" * 44},
        {"webhook-signature": "nonsense"},
        {"webhook-signature": ""},
        {"webhook-timestamp": "1"},
        {"webhook-timestamp": "soon"},
        {"webhook-id": "evt_other"},
    ],
)
def test_what_is_not_signed_by_the_marketplace_is_refused(
    sample: Sample, changes: dict[str, str]
) -> None:
    body = json.dumps({"type": "webhook.test", "data": {}}).encode()
    assert signed(sample, body, "evt_1", **changes).status_code == 400
    assert sample.store.webhooks() == []


@pytest.mark.parametrize("body", [b"", b"no json", b"[]", b'{"data": 1}'])
def test_a_signed_body_that_is_no_event_is_refused(sample: Sample, body: bytes) -> None:
    assert signed(sample, body, "evt_1").status_code == 400


def test_an_answer_that_nobody_asked_for_is_refused(sample: Sample, site: str) -> None:
    browser = requests.Session()
    callback = f"{sample.url}/oauth/callback"
    forged = {"code": "x", "state": secrets.token_hex(8), "iss": site}
    assert browser.get(callback, params=forged, timeout=10).status_code == 400
    begun = browser.get(f"{sample.url}/install", allow_redirects=False, timeout=10)
    state = parse_qs(urlsplit(begun.headers["Location"]).query)["state"][0]
    for iss in ({}, {"iss": "https://evil.example"}):
        answer = browser.get(callback, params={"code": "x", "state": state, **iss}, timeout=10)
        assert answer.status_code == 400
    begun = browser.get(f"{sample.url}/install", allow_redirects=False, timeout=10)
    state = parse_qs(urlsplit(begun.headers["Location"]).query)["state"][0]
    params = {"code": "x", "state": state, "iss": site}
    refused = browser.get(callback, params=params, timeout=10)
    assert refused.status_code == 400
    assert "The code was refused" in refused.text
    other = browser.get(f"{sample.url}/install?iss=https://evil.example", timeout=10)
    assert other.status_code == 400
    assert requests.get(f"{sample.url}/status", timeout=10).json() == {"status": "ok"}
    no_token = browser.post(f"{sample.url}/installations/x/call", timeout=10)
    assert no_token.status_code == 400
