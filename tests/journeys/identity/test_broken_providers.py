"""Providers that are gone, slow, endless or speak nonsense: a page, never an error of ours."""

import json
import socket
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager
from urllib.parse import parse_qsl, urlsplit

import pytest
from flask import Flask
from werkzeug.wrappers import Request, Response

from marketplace.config import OidcProvider
from marketplace.core.limits import limiter
from marketplace.demo.oidc_provider import Provider, make_provider_server, serving
from marketplace.identity import provider_http
from marketplace.identity.providers import setup_providers
from tests.journeys.identity.conftest import ADA, Journey, start, use


def test_a_provider_that_is_gone_is_a_page_and_another_try(app: Flask, journey: Journey) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))  # bound, not listening: connections are refused
        use_address(app, f"http://127.0.0.1:{taken.getsockname()[1]}")
        response = journey.client.get("/auth/acme/login")
    assert response.status_code == 503
    assert "Acme does not answer" in response.text
    assert response.headers["Retry-After"] == "30"


def test_a_provider_that_goes_away_between_the_steps_is_a_page(
    app: Flask, journey: Journey
) -> None:
    running, context = start("acme")
    use(app, running)
    with context:
        back = journey.choose(journey.begin(), ADA)
    response = journey.client.get(back)
    assert response.status_code == 503
    assert "Acme does not answer" in response.text
    assert journey.client.get("/account").status_code == 302


def test_a_provider_that_never_answers_is_given_up(
    app: Flask, journey: Journey, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(provider_http, "READ_SECONDS", 0.2)
    with socket.socket() as silent:
        silent.bind(("127.0.0.1", 0))
        silent.listen()
        use_address(app, f"http://127.0.0.1:{silent.getsockname()[1]}")
        assert journey.client.get("/auth/acme/login").status_code == 503


def test_a_provider_that_drips_is_given_up(
    app: Flask, journey: Journey, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(provider_http, "WHOLE_ANSWER_SECONDS", 0.3)
    done = threading.Event()

    def drip(_request: Request) -> Response:
        def spaces() -> Iterator[bytes]:
            while not done.wait(0.05):
                yield b" "

        return Response(spaces(), mimetype="application/json")

    with answering(app, drip):
        try:
            assert journey.client.get("/auth/acme/login").status_code == 503
        finally:
            done.set()


DISCOVERIES: dict[str, Callable[[str], tuple[bytes, int]]] = {
    "not JSON": lambda _issuer: (b"<html>", 200),
    "a list": lambda _issuer: (b"[]", 200),
    "empty": lambda _issuer: (b"{}", 200),
    "of another issuer": lambda issuer: (
        json.dumps(document("https://evil.example")).encode(),
        200,
    ),
    "not found": lambda _issuer: (b"", 404),
    "without end": lambda _issuer: (b" " * (provider_http.MAX_BYTES + 1), 200),
    "with plain http to elsewhere": lambda issuer: (
        json.dumps({**document(issuer), "token_endpoint": "http://evil.example/token"}).encode(),
        200,
    ),
    "with a script as endpoint": lambda issuer: (
        json.dumps({**document(issuer), "authorization_endpoint": "javascript:x"}).encode(),
        200,
    ),
}


def document(issuer: str) -> dict[str, str]:
    """The least that a discovery document has."""
    return {
        "issuer": issuer,
        "authorization_endpoint": f"{issuer}/authorize",
        "token_endpoint": f"{issuer}/token",
        "jwks_uri": f"{issuer}/keys",
    }


@pytest.mark.parametrize("kind", DISCOVERIES)
def test_a_discovery_document_that_cannot_be_used_is_a_page(
    app: Flask, journey: Journey, kind: str
) -> None:
    def answer(request: Request) -> Response:
        body, status = DISCOVERIES[kind](request.host_url.rstrip("/"))
        return Response(body, status, mimetype="application/json")

    with answering(app, answer):
        response = journey.client.get("/auth/acme/login")
    assert response.status_code in {400, 503}
    assert "Try again with Acme" in response.text


def test_redirects_of_a_provider_are_not_followed(app: Flask, journey: Journey) -> None:
    followed = []

    def answer(request: Request) -> Response:
        if request.path == "/elsewhere":
            followed.append(request.path)
        return Response(status=302, headers={"Location": "/elsewhere"})

    with answering(app, answer):
        assert journey.client.get("/auth/acme/login").status_code == 503
    assert followed == []


@pytest.mark.parametrize(
    ("body", "status"),
    [
        (b"not json", 200),
        (b"[]", 200),
        (b'"text"', 200),
        (b"{}", 200),
        (b'{"id_token": 7, "access_token": null}', 200),
        (b'{"error": "invalid_grant", "error_description": "<script>"}', 400),
        (b"", 401),
        (b"oops", 500),
        (b"\xff\xfe", 200),
    ],
)
def test_a_token_answer_that_cannot_be_used_is_a_page(
    app: Flask, journey: Journey, body: bytes, status: int
) -> None:
    def answer(request: Request) -> Response:
        issuer = request.host_url.rstrip("/")
        if request.path == "/token":
            return Response(body, status, mimetype="application/json")
        return Response(json.dumps(document(issuer)), mimetype="application/json")

    with answering(app, answer):
        location = journey.begin()
        state = location.split("state=")[1].split("&")[0]
        response = journey.client.get(f"/auth/acme/callback?state={state}&code=abc")
    assert response.status_code in {400, 503}
    assert "Try again with Acme" in response.text
    assert "<script>" not in response.text.split("<main")[1]


def test_discovery_is_kept_for_an_hour_and_then_fetched_again(
    app: Flask, journey: Journey, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = []

    def answer(request: Request) -> Response:
        asked.append(request.path)
        return Response(json.dumps(document(request.host_url.rstrip("/"))))

    with answering(app, answer):
        journey.begin()
        journey.begin()
        assert len(asked) == 1
        monkeypatch.setattr("marketplace.identity.oidc.KEEP_SECONDS", -1.0)
        journey.begin()
    assert len(asked) == 2


def use_address(app: Flask, issuer: str) -> None:
    """Configure the site with a provider at that address."""
    provider = OidcProvider(
        name="acme", label="Acme", issuer=issuer, client_id="portico", client_secret="s"
    )
    settings = app.extensions["portico_settings"]
    setup_providers(app, settings.model_copy(update={"oidc_providers": (provider,)}))


def answering(app: Flask, answer: Callable[[Request], Response]) -> AbstractContextManager[None]:
    """A server on loopback that answers as told, configured as the provider."""
    server = make_provider_server("127.0.0.1", 0, Request.application(answer))  # type: ignore[arg-type]  # any WSGI application will do
    use_address(app, f"http://127.0.0.1:{server.server_port}")
    return serving(server)


ODD_VALUES: tuple[object, ...] = (
    None,
    True,
    7,
    -1.5,
    "",
    "\x00",
    "https://[",
    "https://a:99999999/",
    "https://" + "a" * 300,
    "x" * 5000,
    [],
    [[], {}],
    {},
    {"kid": {}},
)


def test_no_value_in_discovery_makes_an_error_of_ours(app: Flask, journey: Journey) -> None:
    spoilt: dict[str, object] = {}

    def answer(request: Request) -> Response:
        body = {**document(request.host_url.rstrip("/")), **spoilt}
        return Response(json.dumps(body), mimetype="application/json")

    others = (
        "userinfo_endpoint",
        "token_endpoint_auth_methods_supported",
        "id_token_signing_alg_values_supported",
        "authorization_response_iss_parameter_supported",
    )
    server = make_provider_server("127.0.0.1", 0, Request.application(answer))  # type: ignore[arg-type]  # any WSGI application will do
    with serving(server):
        for key in (*document(""), *others):
            for value in ODD_VALUES:
                spoilt.clear()
                spoilt[key] = value
                limiter.reset()
                use_address(app, f"http://127.0.0.1:{server.server_port}")
                begun = journey.client.get("/auth/acme/login")
                assert begun.status_code in {302, 400, 503}, (key, value)
                if begun.status_code == 302:
                    state = begun.location.split("state=")[1].split("&")[0]
                    back = journey.client.get(f"/auth/acme/callback?state={state}&code=abc")
                    assert back.status_code in {400, 503}, (key, value)


def test_no_value_in_a_token_answer_or_userinfo_makes_an_error_of_ours(
    app: Flask, journey: Journey
) -> None:
    spoilt: dict[str, dict[str, object]] = {}

    class Odd(Provider):
        def userinfo(self, access_token: str) -> dict[str, object] | None:
            return {**(super().userinfo(access_token) or {}), **spoilt.get("userinfo", {})}

        def exchange(self, form: Mapping[str, str]) -> dict[str, object] | None:
            return {**(super().exchange(form) or {}), **spoilt.get("token", {})}

    names = {
        "userinfo": ("sub", "name", "email", "email_verified"),
        "token": ("id_token", "access_token", "token_type", "expires_in", "error"),
    }
    running, context = start("acme", Odd)
    use(app, running)
    with context:
        for part, keys in names.items():
            for key in keys:
                for value in (None, 7, "", [[], {}], {"kid": {}}):
                    spoilt.clear()
                    limiter.reset()
                    query = dict(parse_qsl(urlsplit(journey.begin()).query))
                    code = running.provider.issue_code(query, ADA.subject)
                    given = {"state": query["state"], "iss": running.provider.issuer, "code": code}
                    spoilt[part] = {key: value}
                    answer = journey.client.get("/auth/acme/callback", query_string=given)
                    assert answer.status_code in {302, 400, 503}, (part, key, value)


def test_an_answer_of_nothing_but_brackets_is_a_page(app: Flask, journey: Journey) -> None:
    def answer(request: Request) -> Response:
        if request.path == "/token" or ("openid" in request.path and not clean):
            return Response(b"[" * 200_000, mimetype="application/json")
        return Response(json.dumps(document(request.host_url.rstrip("/"))))

    clean: list[bool] = []
    with answering(app, answer):
        assert journey.client.get("/auth/acme/login").status_code == 400
    clean.append(True)
    with answering(app, answer):
        state = journey.begin().split("state=")[1].split("&")[0]
        back = journey.client.get(f"/auth/acme/callback?state={state}&code=abc")
    assert back.status_code == 400
