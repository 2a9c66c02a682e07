"""What no view of the API sees is refused like everything else: with a code."""

from collections.abc import Callable

import pytest
from flask.testing import FlaskClient

from tests.journeys.api.platform.conftest import Api, Partner

Client = Callable[[str | None], Api]


@pytest.mark.parametrize("path", ["/nothing", "", "/", "/partner/nothing", "/listings/a/b/c"])
def test_an_address_that_there_is_not(client: FlaskClient, path: str) -> None:
    answer = client.get(f"/api/v1{path}")
    assert answer.status_code == 404
    assert answer.content_type == "application/problem+json"
    assert answer.json["code"] == "not-found"
    assert "page" not in answer.json["detail"]


@pytest.mark.parametrize(
    ("method", "path", "allowed"),
    [
        ("DELETE", "/partner/listings", "GET, HEAD, OPTIONS, POST"),
        ("POST", "/listings", "GET, HEAD, OPTIONS"),
        ("PUT", "/openapi.json", "GET, HEAD, OPTIONS"),
    ],
)
def test_a_method_that_there_is_not(
    client: FlaskClient, method: str, path: str, allowed: str
) -> None:
    answer = client.open(f"/api/v1{path}", method=method)
    assert answer.status_code == 405
    assert answer.content_type == "application/problem+json"
    assert answer.json["code"] == "method-not-allowed"
    assert answer.headers["Allow"] == allowed


@pytest.mark.parametrize("size", [600_000, 17_000_000])
def test_a_body_that_is_too_large(partner: Partner, api: Client, size: int) -> None:
    answer = api(partner.key()).send(
        "POST",
        "/partner/listings",
        data=b'{"name": "' + b"x" * size + b'"}',
        content_type="application/json",
    )
    assert answer.status_code == 413
    assert answer.json["code"] == "too-large"
    assert answer.json["detail"] == "The body is larger than 512 KB."
