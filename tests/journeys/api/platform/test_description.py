"""What programs and people are told of the API."""

import re
from collections.abc import Callable, Iterator
from datetime import date
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient

from marketplace.api.v1 import deprecations
from marketplace.api.v1.deprecations import Deprecation
from marketplace.api.v1.guides import GUIDES
from marketplace.api.v1.platform.document import extend
from marketplace.api.v1.reference import METHODS
from marketplace.installs.scopes import CUSTOMER_SCOPES, PARTNER_SCOPES
from marketplace.installs.webhooks.event_types import EVENT_TYPES
from tests.journeys.api.platform.conftest import Api, Partner

Client = Callable[[str | None], Api]


def operations(document: Any) -> Iterator[tuple[str, str, Any]]:
    for path, item in document["paths"].items():
        for method in METHODS:
            if method in item:
                yield path, method, item[method]


@pytest.fixture
def document(client: FlaskClient) -> Any:
    response = client.get("/api/v1/openapi.json")
    assert response.status_code == 200
    return response.json


def test_every_address_is_described_and_every_description_is_an_address(
    app: Flask, document: Any
) -> None:
    mounted = {
        (rule.rule.replace("<int:", "<").replace("<", "{").replace(">", "}"), method.lower())
        for rule in app.url_map.iter_rules()
        if rule.endpoint.startswith(("platform_api.", "catalogue-api."))
        for method in (rule.methods or set()) - {"HEAD", "OPTIONS"}
    }
    assert {(path, method) for path, method, _operation in operations(document)} == mounted
    names = [operation["operationId"] for _path, _method, operation in operations(document)]
    assert len(names) == len(set(names))


def test_every_type_of_event_is_described_as_a_webhook_with_an_example(document: Any) -> None:
    assert set(document["webhooks"]) == set(EVENT_TYPES)
    for name, item in document["webhooks"].items():
        schema = item["post"]["requestBody"]["content"]["application/json"]["schema"]
        assert schema["properties"]["type"] == {"const": name}
        assert set(schema["example"]["data"]) == set(schema["properties"]["data"]["properties"])
        assert [part["name"] for part in item["post"]["parameters"]] == [
            "webhook-id",
            "webhook-timestamp",
            "webhook-signature",
        ]


def test_every_request_and_every_answer_has_an_example(document: Any) -> None:
    missing = []
    for path, method, operation in operations(document):
        places = [("body", operation.get("requestBody", {}).get("content", {}))]
        places += [
            (status, answer.get("content", {})) for status, answer in operation["responses"].items()
        ]
        missing += [
            (method, path, where)
            for where, content in places
            for part in content.values()
            if not part.get("example")
        ]
    assert missing == []


def test_every_operation_with_a_token_names_its_scope_and_its_refusals(document: Any) -> None:
    schemes = document["components"]["securitySchemes"]
    flows = schemes["oauth2"]["flows"]
    assert set(flows["authorizationCode"]["scopes"]) == set(CUSTOMER_SCOPES)
    assert set(flows["clientCredentials"]["scopes"]) == set(PARTNER_SCOPES)
    assert flows["clientCredentials"]["tokenUrl"] == "http://localhost/oauth/token"
    scopes = set()
    for path, _method, operation in operations(document):
        if operation.get("security"):
            assert {"401", "403", "429", "503"} <= set(operation["responses"]), path
            scopes |= {
                scope for way in operation["security"] for found in way.values() for scope in found
            }
    assert scopes == {*CUSTOMER_SCOPES, *PARTNER_SCOPES}


def test_all_references_lead_somewhere(document: Any) -> None:
    def refs(part: Any) -> Iterator[str]:
        if isinstance(part, dict):
            for name, value in part.items():
                if name == "$ref":
                    yield value
                else:
                    yield from refs(value)
        elif isinstance(part, list):
            for value in part:
                yield from refs(value)

    known = {f"#/components/schemas/{name}" for name in document["components"]["schemas"]}
    assert set(refs(document)) <= known


def test_the_page_shows_methods_bodies_and_scopes(client: FlaskClient, document: Any) -> None:
    page = client.get("/api/v1/docs")
    assert page.status_code == 200
    for path, method, operation in operations(document):
        assert path in page.text
        assert f'id="{operation["operationId"]}"' in page.text
        assert method.upper() in page.text
    for text in (
        "with the scope <code>partner.listings.write</code>",
        'href="#shape-ListingChanges"',
        "Example of a body",
        "members.read",
        "No token is needed.",
    ):
        assert text in page.text, text
    assert "<script>" not in page.text
    assert 'style="' not in page.text


def test_the_changelog_is_a_page(client: FlaskClient) -> None:
    page = client.get("/api/v1/changelog")
    assert page.status_code == 200
    assert "The platform API" in page.text


def test_the_index_names_the_apis(client: FlaskClient) -> None:
    response = client.get("/apis.json")
    assert response.content_type == "application/json"
    body = response.json
    assert body is not None
    assert body["specificationVersion"] == "0.19"
    for api in body["apis"]:
        assert set(api) >= {"aid", "name", "description", "humanURL", "baseURL", "properties"}
        kinds = {each["type"] for each in api["properties"]}
        assert {"OpenAPI", "Documentation", "ChangeLog"} <= kinds
        for each in api["properties"]:
            path = each["url"].removeprefix("http://localhost")
            assert client.get(path).status_code in {200, 302}, each
    assert response.headers["Access-Control-Allow-Origin"] == "*"


def test_a_client_without_a_token_finds_the_authorization_server(
    client: FlaskClient,
) -> None:
    refused = client.get("/api/v1/me")
    header = refused.headers["WWW-Authenticate"]
    address = header.partition('resource_metadata="http://localhost')[2].rstrip('"')
    body = client.get(address).json
    assert body is not None
    assert body["resource"] == "http://localhost/api/v1"
    assert body["authorization_servers"] == ["http://localhost"]
    assert set(body["scopes_supported"]) == {*CUSTOMER_SCOPES, *PARTNER_SCOPES}


@pytest.fixture
def deprecated(monkeypatch: pytest.MonkeyPatch) -> None:
    entries = {
        "platform_api.me": Deprecation(date(2026, 12, 1), date(2027, 12, 1)),
        "platform_api.partner_events": Deprecation(date(2026, 12, 1), parameter="type"),
        "catalogue-api.categories": Deprecation(date(2026, 12, 1)),
    }
    for name, entry in entries.items():
        monkeypatch.setitem(deprecations.DEPRECATED, name, entry)


def test_nothing_is_deprecated_now(partner: Partner, api: Client) -> None:
    assert deprecations.DEPRECATED == {}
    assert "Deprecation" not in api(partner.key()).get("/me").headers


@pytest.mark.usefixtures("deprecated")
def test_what_goes_away_says_so_in_its_answers(
    partner: Partner, api: Client, client: FlaskClient
) -> None:
    key = api(partner.key())
    response = key.get("/me")
    assert response.headers["Deprecation"] == "@1796083200"
    assert response.headers["Sunset"] == "Wed, 01 Dec 2027 00:00:00 GMT"
    assert any('rel="deprecation"' in link for link in response.headers.getlist("Link"))
    assert "Deprecation" not in key.get("/events").headers
    warned = key.get("/events?type=webhook.test")
    assert "Deprecation" in warned.headers
    assert "Sunset" not in warned.headers
    assert "Deprecation" in client.get("/api/v1/categories").headers
    assert "Deprecation" not in client.get("/api/v1/publishers").headers


@pytest.mark.usefixtures("deprecated")
def test_what_goes_away_says_so_in_the_description() -> None:
    document: dict[str, Any] = {"paths": {}, "tags": [], "components": {"schemas": {}}}
    document["components"]["schemas"]["FieldProblem"] = {"type": "object"}
    extend(document, "http://localhost")
    assert document["paths"]["/api/v1/me"]["get"]["deprecated"] is True
    events = document["paths"]["/api/v1/events"]["get"]
    assert "deprecated" not in events
    marks = {each["name"]: each.get("deprecated") for each in events["parameters"]}
    assert marks == {"after": None, "limit": None, "type": True}


def test_the_reference_leads_to_everything_a_developer_needs(client: FlaskClient) -> None:
    page = client.get("/api/v1/docs").text
    for href in (
        "/api/v1/guides/quick-start",
        "/api/v1/guides/oauth",
        "/api/v1/guides/api",
        "/api/v1/guides/webhooks",
        "/partner/developers",
        "/.well-known/oauth-authorization-server",
        "/api/v1/changelog",
        "#tokens",
    ):
        assert f'href="{href}"' in page, href
    assert 'href="/api/v1/guides/quick-start"' in client.get("/").text


@pytest.mark.parametrize("name", list(GUIDES))
def test_each_guide_is_a_page_whose_links_lead_somewhere(client: FlaskClient, name: str) -> None:
    page = client.get(f"/api/v1/guides/{name}")
    assert page.status_code == 200
    text = page.text.split('class="prose"')[1].split("</section>")[0]
    assert "<table>" in text or name == "quick-start"
    assert "marketplace.example" not in text
    for href in re.findall(r'<a href="([^"]+)"', text):
        assert href.startswith(("https://", "/api/v1/guides/")), href
        if href.startswith("/"):
            assert client.get(href).status_code == 200, href


def test_there_is_no_other_guide(client: FlaskClient) -> None:
    for name in ("operations", "..%2FREADME", "API", "api.md"):
        assert client.get(f"/api/v1/guides/{name}").status_code == 404
