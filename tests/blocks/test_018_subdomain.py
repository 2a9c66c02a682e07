"""Row 18, Subdomain: the operator maps a host, and the program's portal answers there."""

from collections.abc import Callable

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select

from marketplace.core.database import db
from marketplace.identity.models import Role
from marketplace.program.hosts.models import MappedHost
from tests.factories.people import make_member, make_organization, make_platform
from tests.factories.program import make_policy

SignIn = Callable[..., FlaskClient]


def test_018_subdomain(app: Flask, client: FlaskClient, sign_in: SignIn) -> None:
    make_policy()
    manager = make_member(make_platform(), Role.PROGRAM_MANAGER)
    staff = sign_in(manager)
    unknown = {"Host": "partners.harbor.example"}
    assert client.get("/", headers=unknown).status_code == 404
    mapped = staff.post(
        "/staff/hosts", data={"host": "https://Partners.Harbor.example/", "kind": "program"}
    )
    assert mapped.status_code == 303
    # The program's portal answers there, and nowhere else.
    home = client.get("/", headers=unknown)
    assert home.status_code == 200
    assert "Harbor partners" in home.text
    assert client.get("/join", headers=unknown).status_code == 200
    assert client.get("/", headers={"Host": "other.harbor.example"}).status_code == 404
    # It answers no more once it is removed.
    host = db.session.scalars(select(MappedHost)).one()
    assert staff.post(f"/staff/hosts/{host.public_id}/remove").status_code == 303
    assert client.get("/", headers=unknown).status_code == 404


@pytest.mark.parametrize(
    "header",
    [
        "evil.example",
        "localhost.evil.example",
        "localhost@evil.example",
        "evil.example:80",
        "localhost, evil.example",
        "-bad-.example",
        "[::1",
        "[2001:db8::1]",
        "10.0.0.1",
        "a" * 300,
        "bücher.example",
        "local\\host",
        "localhost/",
    ],
)
@pytest.mark.parametrize("method", ["GET", "POST"])
def test_a_host_that_is_not_ours_gets_404(
    app: Flask, client: FlaskClient, header: str, method: str
) -> None:
    response = client.open("/", method=method, environ_overrides={"HTTP_HOST": header})
    assert response.status_code in {400, 404}
    assert app.config["SITE_NAME"] not in response.text
    assert client.get("/healthz", environ_overrides={"HTTP_HOST": "10.0.0.1"}).status_code == 200


@pytest.mark.parametrize("header", ["localhost", "LOCALHOST", "localhost.", "localhost:8000"])
def test_our_own_host_answers_in_every_spelling(
    app: Flask, client: FlaskClient, header: str
) -> None:
    assert client.get("/auth/login", environ_overrides={"HTTP_HOST": header}).status_code == 200


@pytest.mark.parametrize(
    ("typed", "words"),
    [
        ("", "Enter a host"),
        ("localhost", "Enter a host"),
        ("10.0.0.1", "not the number"),
        ("a.example:8443", "without a port"),
        ("host.local", "cannot be reached"),
        ("a_b.example", "Enter a host"),
        ("x" * 10_000, "Enter a host"),
        ("a\x00.example", "Enter a host"),
    ],
)
def test_what_is_no_host_is_told(app: Flask, sign_in: SignIn, typed: str, words: str) -> None:
    staff = sign_in(make_member(make_platform(), Role.OWNER))
    refused = staff.post("/staff/hosts", data={"host": typed, "kind": "program"})
    assert refused.status_code == 422
    assert words in refused.text


def test_a_name_is_mapped_once(app: Flask, client: FlaskClient, sign_in: SignIn) -> None:
    make_policy()
    staff = sign_in(make_member(make_platform(), Role.OWNER))
    first = {"host": "bücher.example", "kind": "program"}
    assert staff.post("/staff/hosts", data=first).status_code == 303
    again = staff.post("/staff/hosts", data={"host": "XN--BCHER-KVA.example.", "kind": "program"})
    assert again.status_code == 422
    assert "mapped already" in again.text
    assert client.get("/", headers={"Host": "xn--bcher-kva.example:443"}).status_code == 200
    assert client.get("/hosts/known?domain=xn--bcher-kva.example").status_code == 200
    assert client.get("/hosts/known?domain=evil.example").status_code == 404


def test_a_session_of_one_host_is_worth_nothing_on_another(app: Flask, sign_in: SignIn) -> None:
    make_policy()
    staff = sign_in(make_member(make_platform(), Role.OWNER))
    staff.post("/staff/hosts", data={"host": "partners.harbor.example", "kind": "program"})
    partner = make_organization()
    browser = sign_in(make_member(partner), partner)
    assert browser.get("/partner").status_code == 200
    cookie = browser.get_cookie("portico_session")
    assert cookie is not None
    elsewhere = app.test_client()
    elsewhere.set_cookie("portico_session", cookie.value, domain="partners.harbor.example")
    there = elsewhere.get("/partner", base_url="http://partners.harbor.example")
    assert there.status_code == 302
    assert "/auth/login" in there.location
