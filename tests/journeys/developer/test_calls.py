"""The log of API calls over HTTP."""

import re
from collections.abc import Callable
from datetime import timedelta
from html import unescape

import pytest
from flask import Flask
from flask.testing import FlaskClient

from marketplace.core import clock
from marketplace.core.database import db
from marketplace.identity.models import Organization, Role
from marketplace.installs.models import ApiCall, App, Environment
from tests.factories.apps import make_app
from tests.factories.listings import make_listing
from tests.factories.people import make_customer, make_member, make_organization
from tests.factories.queries import count_queries

SignIn = Callable[..., FlaskClient]


def make_call(partner: Organization, number: int, app: App | None = None, **fields: object) -> None:
    values: dict[str, object] = {
        "organization_id": partner.id,
        "environment": Environment.LIVE,
        "app_id": app.id if app else None,
        "credential": "key …a1b2",
        "method": "GET",
        "path": f"/api/v1/things/{number:03}",
        "status": 200,
        "duration_ms": 12,
        "request_id": f"request-{number:06}",
        "created_at": clock.now() - timedelta(minutes=1000 - number),
    }
    db.session.add(ApiCall(**{**values, **fields}))
    db.session.flush()


def paths(page: str) -> list[str]:
    return re.findall(r"/api/v1/things/(\d+)", page.split("<tbody")[-1])


def link(page: str, rel: str) -> str:
    found = re.search(rf'rel="{rel}"\s+href="([^"]+)"', page)
    assert found
    return unescape(found[1])


def test_calls_are_paged_by_place_in_both_directions(app: Flask, sign_in: SignIn) -> None:
    partner = make_organization()
    for number in range(120):
        make_call(partner, number)
    browser = sign_in(make_member(partner, Role.VIEWER), partner)
    first = browser.get("/partner/api-calls").text
    assert paths(first) == [f"{n:03}" for n in range(119, 69, -1)]
    assert 'rel="prev"' not in first
    second = browser.get(link(first, "next")).text
    assert paths(second) == [f"{n:03}" for n in range(69, 19, -1)]
    # New calls do not move the pages.
    make_call(partner, 120)
    db.session.commit()
    third = browser.get(link(second, "next")).text
    assert paths(third) == [f"{n:03}" for n in range(19, -1, -1)]
    assert 'rel="next"' not in third
    assert paths(browser.get(link(third, "prev")).text) == paths(second)
    assert paths(browser.get(link(second, "prev")).text) == paths(first)


def test_calls_are_filtered(app: Flask, sign_in: SignIn) -> None:
    partner = make_organization()
    row = make_app(make_listing(partner))
    make_call(partner, 1, row)
    make_call(partner, 2, method="POST", status=422, problem="invalid")
    make_call(partner, 3, status=503)
    make_call(partner, 4, environment=Environment.TEST)
    browser = sign_in(make_member(partner, Role.VIEWER), partner)

    def shown(query: str) -> list[str]:
        answer = browser.get(f"/partner/api-calls?{query}")
        assert answer.status_code == 200
        return paths(answer.text)

    assert shown("") == ["003", "002", "001"]
    assert shown("environment=test") == ["004"]
    assert shown(f"app={row.public_id}") == ["001"]
    assert shown("status=4") == ["002"]
    assert shown("status=5") == ["003"]
    assert shown("method=post") == ["002"]
    assert shown("q=things/003") == ["003"]
    assert shown("q=%25") == [], "a per cent sign is itself"
    nonsense = "environment=x&app=app_x&status=9&method=BREW&q=%00&older=x&newer=y~z"
    assert shown(nonsense) == ["003", "002", "001"]
    assert shown("older=0001-01-01T00:00:00%2B23:59~x") == ["003", "002", "001"]
    assert "Nothing fits" in browser.get("/partner/api-calls?q=nothing").text


def test_a_call_is_found_by_its_request_id_by_its_own_organization_only(
    app: Flask, sign_in: SignIn
) -> None:
    partner, rival = make_organization(), make_organization("Rival")
    make_call(partner, 7, status=403, problem="scope-missing")
    browser = sign_in(make_member(partner, Role.FINANCE), partner)
    page = browser.get("/partner/api-calls/request-000007").text
    assert "scope-missing" in page
    assert "key …a1b2" in page
    other = sign_in(make_member(rival), rival)
    assert other.get("/partner/api-calls/request-000007").status_code == 404
    assert "No call yet" in other.get("/partner/api-calls").text
    assert browser.get("/partner/api-calls/request-999999").status_code == 404
    assert browser.get("/partner/api-calls/%00").status_code == 404
    buyer = sign_in(make_member(make_customer()))
    assert buyer.get("/partner/api-calls/request-000007").status_code == 403


def test_the_filtered_calls_are_a_file(app: Flask, sign_in: SignIn) -> None:
    partner = make_organization()
    make_call(partner, 1, path="=cmd()")
    make_call(partner, 2, status=500)
    browser = sign_in(make_member(partner), partner)
    file = browser.get("/partner/api-calls.csv?status=2")
    assert file.mimetype == "text/csv"
    lines = file.text.strip().split("\r\n")
    assert len(lines) == 2
    assert "'=cmd()" in lines[1]


@pytest.mark.parametrize("url", ["/partner/api-calls", "/partner/apps", "/partner/keys"])
def test_a_page_costs_the_same_however_much_is_on_it(app: Flask, sign_in: SignIn, url: str) -> None:
    from tests.factories.apps import make_key

    partner = make_organization()
    make_call(partner, 0, make_app(make_listing(partner)))
    make_key(partner, "partner.listings.read", user=make_member(partner))
    browser = sign_in(make_member(partner), partner)
    browser.get(url)
    few = count_queries(lambda: browser.get(url))
    for number in range(1, 20):
        row = make_app(make_listing(partner, name=f"Listing {number}"))
        make_call(partner, number, row)
        make_key(partner, "partner.listings.read", user=make_member(partner))
    db.session.commit()
    assert count_queries(lambda: browser.get(url)) == few
