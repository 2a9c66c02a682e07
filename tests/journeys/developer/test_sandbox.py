"""The sandbox in the partner portal over HTTP."""

import re
from collections.abc import Callable
from html import unescape

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select

from marketplace.core import clock
from marketplace.core.database import db
from marketplace.core.limits import limiter
from marketplace.identity.models import Organization, Role
from marketplace.installs.models import (
    Environment,
    Installation,
    InstallationState,
    WebhookEndpoint,
    WebhookEvent,
)
from tests.factories.apps import client_of, make_app, make_installation, make_sandbox
from tests.factories.listings import make_listing
from tests.factories.people import (
    make_customer,
    make_member,
    make_organization,
    make_platform,
)
from tests.factories.queries import count_queries

SignIn = Callable[..., FlaskClient]


@pytest.fixture(autouse=True)
def _fresh_limits(app: Flask) -> None:
    limiter.reset()


def fingerprint(page: str) -> str:
    found = re.search(r'name="fingerprint"\s+value="([^"]*)"', page)
    assert found
    return unescape(found[1])


def test_from_no_sandbox_to_an_install_and_back_to_the_beginning(
    app: Flask, sign_in: SignIn
) -> None:
    partner = make_organization("Quayside")
    row = make_app(make_listing(partner, published=False))
    browser = sign_in(make_member(partner, Role.DEVELOPER), partner)
    try_url = f"/partner/apps/{row.public_id}/test/install"
    assert "No sandbox yet" in browser.get("/partner/sandbox").text
    assert browser.get("/partner/sandbox/reset").headers["Location"] == "/partner/sandbox"
    assert browser.get(try_url).headers["Location"] == "/partner/sandbox"
    assert browser.post(try_url).status_code == 404
    for _ in range(2):
        assert browser.post("/partner/sandbox/making").status_code == 303
    sandbox = db.session.scalars(
        select(Organization).where(Organization.sandbox_of_id == partner.id)
    ).one()
    page = browser.get("/partner/sandbox").text
    assert "Quayside sandbox" in page
    assert "Try an install" in page

    consent = browser.get(try_url)
    assert consent.status_code == 200
    assert "Install in the sandbox" in consent.text
    assert "events.write" in consent.text, "the draft's scopes"
    stale = browser.post(try_url, data={"fingerprint": "0"})
    assert stale.status_code == 409
    done = browser.post(try_url, data={"fingerprint": fingerprint(consent.text)})
    assert done.status_code == 200
    installation = db.session.scalars(select(Installation)).one()
    assert installation.environment is Environment.TEST
    assert installation.organization_id == sandbox.id
    link = unescape(done.text)
    assert "https://app.tides.example/install?iss=http" in link
    assert f"installation={installation.public_id}" in link
    assert f"client_id={client_of(row, Environment.TEST).client_id}" in link
    again = browser.post(try_url, data={"fingerprint": fingerprint(consent.text)})
    assert again.status_code == 200, "a double click"
    assert len(db.session.scalars(select(Installation)).all()) == 1
    assert "It is installed" in browser.get(try_url).text
    page = browser.get("/partner/sandbox").text
    assert "installation.installed" in page
    assert "As the customer" in page
    as_customer = f"/organizations/{sandbox.slug}/apps/{installation.public_id}"
    assert browser.get(as_customer).status_code == 200

    asked = browser.get("/partner/sandbox/reset").text
    assert "1 test installations" in asked
    assert browser.post("/partner/sandbox/reset").status_code == 303
    db.session.refresh(installation)
    assert installation.state is InstallationState.UNINSTALLED
    assert db.session.scalars(select(WebhookEvent)).all() == []
    assert "Nothing happened in the sandbox yet." in browser.get("/partner/sandbox").text


def test_events_are_made_up_and_a_wrong_wish_is_told(app: Flask, sign_in: SignIn) -> None:
    partner = make_organization()
    row = make_app(make_listing(partner))
    make_sandbox(partner)
    browser = sign_in(make_member(partner, Role.DEVELOPER), partner)
    url = "/partner/sandbox/simulations"
    wish = {"app": row.public_id, "types": ["review.posted", "installation.installed"]}
    assert browser.post(url, data=wish).status_code == 303
    assert "2 events are on the way" in browser.get("/partner/sandbox").text
    types = db.session.scalars(select(WebhookEvent.type).order_by(WebhookEvent.id)).all()
    assert types == ["installation.installed", "review.posted"]
    assert "No endpoint listened" in browser.get("/partner/sandbox").text
    endpoint = WebhookEndpoint(
        public_id="we_1",
        organization_id=partner.id,
        environment=Environment.TEST,
        url="https://hooks.tides.example/",
    )
    db.session.add(endpoint)
    db.session.commit()
    assert browser.post(url, data={**wish, "types": ["review.posted"]}).status_code == 303
    newest = db.session.scalars(select(WebhookEvent).order_by(WebhookEvent.id.desc())).first()
    assert newest is not None
    delivery = f"/partner/webhooks/we_1/deliveries/{newest.public_id}"
    assert delivery in browser.get("/partner/sandbox").text
    endpoint.deleted_at = clock.now()
    db.session.commit()
    assert delivery not in browser.get("/partner/sandbox").text
    nothing = browser.post(url, data={"app": row.public_id})
    assert nothing.status_code == 422
    assert "Choose one or more events" in nothing.text
    foreign = browser.post(url, data={**wish, "app": "app_0"})
    assert foreign.status_code == 422
    assert "Choose one of your apps." in foreign.text


def test_people_without_the_role_see_the_sandbox_and_change_nothing(
    app: Flask, sign_in: SignIn
) -> None:
    partner = make_organization()
    row = make_app(make_listing(partner))
    make_sandbox(partner)
    for role in (Role.VIEWER, Role.EDITOR, Role.FINANCE):
        browser = sign_in(make_member(partner, role), partner)
        page = browser.get("/partner/sandbox")
        assert page.status_code == 200
        assert "Send them" not in page.text
        assert "Try an install" not in page.text
        for act in ("making", "reset", "simulations"):
            assert browser.post(f"/partner/sandbox/{act}").status_code == 403
        assert browser.get("/partner/sandbox/reset").status_code == 403
        assert browser.get(f"/partner/apps/{row.public_id}/test/install").status_code == 403


def test_a_sandbox_is_seen_nowhere_else(app: Flask, sign_in: SignIn) -> None:
    partner = make_organization("Quayside")
    listing = make_listing(partner)
    row = make_app(listing)
    owner, rival = make_member(partner), make_organization("Rival")
    browser = sign_in(owner, partner)
    browser.post("/partner/sandbox/making")
    sandbox = db.session.scalars(
        select(Organization).where(Organization.sandbox_of_id == partner.id)
    ).one()
    installation = make_installation(row, sandbox, owner, environment=Environment.TEST)
    platform = make_platform()
    staff = sign_in(make_member(platform, Role.ADMIN), platform)
    db.session.commit()
    customer = sign_in(make_member(make_customer()))
    names = (sandbox.name, sandbox.slug)
    everywhere = {
        browser: ["/", "/account", "/account/organizations", f"/listings/{listing.slug}"],
        customer: [
            "/",
            "/publishers",
            "/sitemap.xml",
            f"/listings/{listing.slug}",
            f"/listings/{listing.slug}/reviews",
            f"/publishers/{partner.slug}",
            "/api/v1/publishers",
        ],
        staff: [
            "/staff",
            "/staff/publishers",
            "/staff/partners",
            "/staff/erasures",
            "/staff/reviews",
        ],
    }
    seen = 0
    for who, urls in everywhere.items():
        for url in urls:
            answer = who.get(url, follow_redirects=True)
            if answer.status_code == 200:
                seen += 1
                assert not any(name in answer.text for name in names), url
    assert seen >= 9
    stranger = sign_in(make_member(rival), rival)
    for person in (customer, stranger, staff):
        for path in ("", "/members", "/apps", f"/apps/{installation.public_id}", "/profile"):
            answer = person.get(f"/organizations/{sandbox.slug}{path}")
            assert answer.status_code in {403, 404}, path
        assert person.get(f"/publishers/{sandbox.slug}").status_code == 404


def test_the_sandbox_page_costs_the_same_however_many_apps_there_are(
    app: Flask, sign_in: SignIn
) -> None:
    partner = make_organization()
    sandbox = make_sandbox(partner)
    browser = sign_in(make_member(partner), partner)

    def add(number: int) -> None:
        row = make_app(make_listing(partner, name=f"Listing {number}"))
        make_installation(row, sandbox, environment=Environment.TEST)
        db.session.commit()

    add(0)
    browser.get("/partner/sandbox")
    few = count_queries(lambda: browser.get("/partner/sandbox"))
    for number in range(1, 8):
        add(number)
    assert count_queries(lambda: browser.get("/partner/sandbox")) == few
