"""Garbage, and secrets where they must not be. All refused, nothing changed."""

import logging
import re
from collections.abc import Iterator
from typing import Any
from urllib.parse import parse_qsl, quote, urlsplit

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import text

from marketplace.core.database import Base, db
from marketplace.core.logging import redact_text
from tests.factories.apps import make_installation
from tests.journeys.oauth.attacks import (
    nothing_changes,
    refused,
)
from tests.journeys.oauth.conftest import SignIn
from tests.journeys.oauth.flow import (
    SCOPES,
    Customer,
    Partner,
    answer_in,
    hidden_fields,
    make_people,
    make_verifier,
)


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
            "scope": "partner.listings.read",
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


def test_nothing_is_answered_over_plain_http(
    app: Flask, client: FlaskClient, partner: Partner, customer: Customer
) -> None:
    before = app.config["PUBLIC_URL"]
    app.config["PUBLIC_URL"] = "http://market.example"
    try:
        with nothing_changes():
            answer = client.post("/oauth/token", data={"grant_type": "x"}, headers=partner.header)
            refused(answer, "insecure_transport")
            sent = answer_in(customer.browser.get(partner.address()))
            assert sent["error"] == "insecure_transport"
    finally:
        app.config["PUBLIC_URL"] = before


@pytest.mark.parametrize(
    ("method", "path", "status", "allowed"),
    [
        ("GET", "/oauth/token", 405, "OPTIONS, POST"),
        ("PUT", "/oauth/introspect", 405, "OPTIONS, POST"),
        ("DELETE", "/oauth/revoke", 405, "OPTIONS, POST"),
        ("GET", "/oauth/par", 405, "OPTIONS, POST"),
        ("POST", "/.well-known/oauth-authorization-server", 405, "GET, HEAD, OPTIONS"),
        ("POST", "/oauth/tokens", 404, None),
        ("POST", "/oauth/token/x", 404, None),
        ("GET", "/oauth/userinfo", 404, None),
    ],
)
def test_a_wrong_address_or_method_is_told_to_programs_too(
    client: FlaskClient, method: str, path: str, status: int, allowed: str | None
) -> None:
    answer = client.open(path, method=method, headers={"Accept": "text/html,*/*"})
    assert answer.status_code == status
    assert answer.content_type == "application/json"
    assert answer.json["error"] == "invalid_request"
    assert answer.json["error_description"]
    assert answer.headers.get("Allow") == allowed
    assert answer.headers["Access-Control-Allow-Origin"] == "*"
    assert answer.headers["Cache-Control"] == "no-store"


def test_people_see_a_page_where_there_is_none_for_them(client: FlaskClient) -> None:
    for path in ("/oauth/authorize/nothing", "/oauthorize"):
        answer = client.get(path)
        assert (answer.status_code, answer.mimetype) == (404, "text/html")
