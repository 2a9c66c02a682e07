"""The API as a client meets it."""

import json
from collections.abc import Callable, Iterator
from typing import Any
from urllib.parse import urlencode

import pytest
from flask import Flask, url_for
from flask.testing import FlaskClient
from sqlalchemy import event

from marketplace.api.v1.rate import RateLimit
from marketplace.api.v1.rendering import Links
from marketplace.catalogue.models import Listing, ListingStatus, SlugRedirect
from marketplace.core import clock
from marketplace.core.database import db
from search.engine import SearchUnavailable
from tests.factories.listings import make_listing
from tests.factories.people import make_customer

pytestmark = pytest.mark.usefixtures("catalogue")


def ask(client: FlaskClient, path: str = "/listings", **args: Any) -> Any:
    response = client.get(f"/api/v1{path}?{urlencode(args, doseq=True)}")
    assert response.status_code == 200, response.text
    assert response.content_type == "application/json"
    return response.json


def slugs(body: Any) -> list[str]:
    return [item["slug"] for item in body["items"]]


def test_a_page_of_listings_has_the_promised_shape(client: FlaskClient) -> None:
    body = ask(client, q="tide tables", category="data", pricing="free")
    assert set(body) == {"items", "total", "page", "per_page", "facets", "degraded"}
    assert (body["total"], body["page"], body["per_page"], body["degraded"]) == (1, 1, 20, False)
    (item,) = body["items"]
    assert item["slug"] == "tides"
    assert item["publisher"] == {"slug": "quayside", "name": "Quayside", "verified": True}
    assert item["categories"] == ["weather", "data"]
    assert (item["kind"], item["rating"], item["rating_count"]) == ("integration", 4.5, 2)
    assert item["url"] == "http://localhost/listings/tides"
    # The chosen category does not narrow its own counts.
    assert {"value": "weather", "count": 2} in body["facets"]["category"]


@pytest.mark.parametrize(
    ("args", "expected"),
    [
        ({}, ["tides", "moons", "lamps"]),
        ({"category": "weather"}, ["tides", "moons"]),
        ({"category": ["weather", "data"]}, ["tides", "moons", "lamps"]),
        ({"category": "weather,data"}, ["tides", "moons", "lamps"]),
        ({"category": "unheard-of"}, []),
        ({"kind": "app"}, ["moons"]),
        ({"auth": "api_key,none"}, ["moons", "lamps"]),
        ({"pricing": "paid"}, ["lamps"]),
        ({"publisher": "lantern"}, ["lamps"]),
        ({"rating": "4"}, ["tides"]),
        ({"kind": "app", "publisher": "lantern"}, []),
        ({"sort": "newest"}, ["lamps", "moons", "tides"]),
        ({"sort": "name"}, ["lamps", "moons", "tides"]),
        ({"sort": "rating"}, ["tides", "moons", "lamps"]),
        ({"sort": "newest", "per_page": 2}, ["lamps", "moons"]),
        ({"sort": "newest", "per_page": 2, "page": 2}, ["tides"]),
        ({"page": 500}, []),
        (
            dict.fromkeys(("q", "category", "kind", "auth", "sort", "page", "per_page"), ""),
            ["tides", "moons", "lamps"],
        ),
    ],
)
def test_filters_sorts_and_pages(
    client: FlaskClient, args: dict[str, Any], expected: list[str]
) -> None:
    assert slugs(ask(client, **args)) == expected


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ("sort=bogus", "sort"),
        ("sort=name&sort=newest", "sort"),
        ("kind=bogus", "kind"),
        ("auth=oauth2,bogus", "auth"),
        ("category=No+Slug", "category"),
        ("category=,", "category"),
        ("rating=9", "rating"),
        ("certified=maybe", "certified"),
        ("language=!", "language"),
        ("works_with=" + "x" * 61, "works_with"),
        ("page=0", "page"),
        ("page=-1", "page"),
        ("page=1.5", "page"),
        ("page=10001", "page"),
        ("page=" + "9" * 5_000, "page"),
        ("per_page=0", "per_page"),
        ("per_page=101", "per_page"),
        ("&".join(f"category=c{n}" for n in range(11)), "category"),
    ],
)
def test_a_parameter_that_cannot_be_used_is_a_problem_that_names_it(
    client: FlaskClient, query: str, field: str
) -> None:
    response = client.get(f"/api/v1/listings?{query}")
    assert response.status_code == 422
    assert response.content_type == "application/problem+json"
    assert response.json is not None
    assert response.json["status"] == 422
    assert [error["field"] for error in response.json["errors"]] == [field]


@pytest.mark.parametrize(
    "text",
    [
        "x" * 10_000,
        "\x00\x07",
        "🦔" * 300,
        "!!!???",
        "' OR 1=1 --",
        'kind = "app" AND',
        '"',
        "-",
        "\u202etxet",
    ],
)
def test_any_words_give_an_answer(client: FlaskClient, text: str) -> None:
    assert ask(client, q=text)["page"] == 1


def test_an_old_answer_is_confirmed_without_a_body(client: FlaskClient) -> None:
    first = client.get("/api/v1/listings?q=tide")
    assert first.headers["Cache-Control"] == "public, max-age=30"
    again = client.get("/api/v1/listings?q=tide", headers={"If-None-Match": first.headers["ETag"]})
    assert (again.status_code, again.data) == (304, b"")
    assert again.headers["ETag"] == first.headers["ETag"]
    other = client.get("/api/v1/listings?q=moon", headers={"If-None-Match": first.headers["ETag"]})
    assert other.status_code == 200


def test_what_the_database_hides_is_not_told_although_the_index_still_has_it(
    client: FlaskClient, catalogue: dict[str, Listing]
) -> None:
    catalogue["tides"].suspended_at = clock.now()
    db.session.commit()
    body = ask(client)
    assert slugs(body) == ["moons", "lamps"]
    assert body["total"] == 2


class AwayEngine:
    name = "away"

    def search(self, _query: object) -> object:
        raise SearchUnavailable("it is away")


@pytest.fixture
def _engine_away(app: Flask, catalogue: dict[str, Listing]) -> Iterator[None]:
    assert catalogue
    engine = app.extensions["portico_search"]
    app.extensions["portico_search"] = AwayEngine()
    yield
    app.extensions["portico_search"] = engine


@pytest.mark.usefixtures("_engine_away")
def test_without_the_engine_the_database_answers_and_says_so(client: FlaskClient) -> None:
    body = ask(client, q="tide tables", category="weather")
    assert slugs(body) == ["tides"]
    assert body["degraded"] is True
    assert body["items"][0]["publisher"]["slug"] == "quayside"
    assert body["facets"]["kind"] == [{"value": "integration", "count": 1}]


def test_one_listing_has_all_that_is_public(client: FlaskClient) -> None:
    body = ask(client, "/listings/tides")
    assert body["name"] == "Tide Tables"
    assert body["scopes"] == [
        {"scope": "events.write", "reason": "To add the tides to your calendar"}
    ]
    assert body["successor"] is None
    assert body["action_count"] == 1


def test_an_old_slug_leads_to_the_new_one(
    client: FlaskClient, catalogue: dict[str, Listing]
) -> None:
    db.session.add(SlugRedirect(slug="old-tides", listing_id=catalogue["tides"].id))
    db.session.commit()
    response = client.get("/api/v1/listings/old-tides")
    assert response.status_code == 301
    assert response.headers["Location"] == "/api/v1/listings/tides"


@pytest.mark.parametrize(
    ("change", "status"),
    [
        ({"suspended_at": clock.now()}, 404),
        ({"published_at": None}, 404),
        ({"status": ListingStatus.WITHDRAWN, "status_reason": "The service ended."}, 410),
        ({"status": ListingStatus.DEPRECATED}, 200),
    ],
)
def test_what_is_not_public_is_not_there(
    client: FlaskClient, catalogue: dict[str, Listing], change: dict[str, Any], status: int
) -> None:
    for name, value in change.items():
        setattr(catalogue["tides"], name, value)
    db.session.commit()
    response = client.get("/api/v1/listings/tides")
    assert response.status_code == status
    if status == 410:
        assert response.json is not None
        assert response.json["detail"] == "The service ended."


def test_categories_count_their_listings(client: FlaskClient) -> None:
    body = ask(client, "/categories")
    assert {item["slug"]: item["listing_count"] for item in body["items"]} == {
        "data": 2,
        "weather": 2,
    }
    assert body["total"] == 2


def test_publishers_are_listed_by_name_and_found_by_a_part_of_it(client: FlaskClient) -> None:
    make_customer("Blue Kite")
    db.session.commit()
    assert slugs(ask(client, "/publishers")) == ["lantern", "quayside"]
    assert slugs(ask(client, "/publishers", q="QUAY")) == ["quayside"]
    assert slugs(ask(client, "/publishers", q="%")) == []
    page = ask(client, "/publishers", per_page=1, page=2)
    assert (slugs(page), page["total"]) == (["quayside"], 2)
    one = ask(client, "/publishers/quayside")
    assert (one["name"], one["listing_count"], one["verified"]) == ("Quayside", 2, True)


@pytest.mark.parametrize(
    "path",
    ["/listings/nothing", "/listings/UPPER", "/publishers/nobody", "/publishers/%00", "/nowhere"],
)
def test_what_does_not_exist_is_a_problem_document(client: FlaskClient, path: str) -> None:
    response = client.get(f"/api/v1{path}")
    assert response.status_code == 404
    assert response.content_type == "application/problem+json"


@pytest.mark.parametrize("method", ["POST", "PUT", "PATCH", "DELETE"])
def test_other_methods_are_told_what_is_allowed(client: FlaskClient, method: str) -> None:
    response = client.open("/api/v1/listings", method=method)
    assert response.status_code == 405
    assert response.headers["Allow"] == "GET, HEAD, OPTIONS"
    assert response.content_type == "application/problem+json"


def test_head_answers_without_a_body_and_pages_elsewhere_may_read(client: FlaskClient) -> None:
    response = client.head("/api/v1/listings")
    assert (response.status_code, response.data) == (200, b"")
    assert response.headers["Access-Control-Allow-Origin"] == "*"
    assert "Set-Cookie" not in response.headers
    preflight = client.options("/api/v1/listings")
    assert preflight.headers["Access-Control-Allow-Methods"] == "GET, HEAD, OPTIONS"


def test_too_many_requests_are_told_when_to_come_again(app: Flask, client: FlaskClient) -> None:
    app.extensions["portico_api_limit"] = RateLimit("2 per minute")
    first = client.get("/api/v1/categories")
    assert (first.headers["RateLimit-Limit"], first.headers["RateLimit-Remaining"]) == ("2", "1")
    assert client.get("/api/v1/listings").status_code == 200
    refused = client.get("/api/v1/listings")
    assert refused.status_code == 429
    assert refused.content_type == "application/problem+json"
    assert 1 <= int(refused.headers["Retry-After"]) <= 120
    assert refused.headers["RateLimit-Remaining"] == "0"
    # Reading what the API is costs nothing.
    assert client.get("/api/v1/openapi.json").status_code == 200


def test_a_page_costs_the_same_queries_for_3_listings_and_for_30(
    client: FlaskClient, index: Callable[[], None]
) -> None:
    def statements(path: str) -> int:
        found: list[str] = []

        def note(_c: Any, _cursor: Any, statement: str, *_rest: Any) -> None:
            found.append(statement)

        event.listen(db.engine, "before_cursor_execute", note)
        assert client.get(path).status_code == 200
        event.remove(db.engine, "before_cursor_execute", note)
        return len(found)

    paths = ["/api/v1/listings?per_page=100", "/api/v1/publishers", "/api/v1/categories"]
    few = [statements(path) for path in paths]
    for _ in range(27):
        make_listing()
    index()
    assert [statements(path) for path in paths] == few
    assert few[0] == 1


def test_addresses_are_those_of_the_pages(app: Flask) -> None:
    links = Links()
    with app.test_request_context():
        assert links.listing("a") == url_for("catalogue.listing", slug="a", _external=True)
        assert links.publisher("a") == url_for("catalogue.publisher", slug="a", _external=True)
        assert links.category("a") == url_for("catalogue.category", slug="a", _external=True)
        assert links.media("aa/b.png") == url_for("media.show", key="aa/b.png", _external=True)


def test_the_description_has_an_example_for_every_answer_and_a_page(client: FlaskClient) -> None:
    response = client.get("/api/v1/openapi.json")
    document = json.loads(response.data)
    assert document["openapi"].startswith("3.1")
    anonymous = {
        path
        for path, item in document["paths"].items()
        if "get" in item and not item["get"].get("security")
    }
    assert anonymous == {
        "/api/v1/listings",
        "/api/v1/listings/{slug}",
        "/api/v1/categories",
        "/api/v1/publishers",
        "/api/v1/publishers/{slug}",
    }
    page = client.get("/api/v1/docs")
    assert page.status_code == 200
    for path in document["paths"]:
        assert path in page.text
    assert "<script>" not in page.text
    assert 'style="' not in page.text
