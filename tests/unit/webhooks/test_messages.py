"""Event types, signatures, and what the log shows."""

import ast
import base64
import json
from datetime import UTC, datetime

import pytest
from standardwebhooks.webhooks import Webhook, WebhookVerificationError

from marketplace.config import ROOT
from marketplace.core import clock
from marketplace.installs.webhooks.event_types import CHOOSABLE, EVENT_TYPES
from marketplace.installs.webhooks.signing import (
    body_of,
    headers_of,
    new_signing_secret,
    shown_body,
    shown_request_headers,
    shown_response_headers,
)

AT = datetime(2026, 11, 23, 18, 40, 12, 345678, tzinfo=UTC)


@pytest.mark.parametrize("name", EVENT_TYPES)
def test_each_type_has_words_and_an_example_that_is_a_json_object(name: str) -> None:
    kind = EVENT_TYPES[name]
    assert kind.name == name
    assert kind.title
    assert kind.description.endswith(".")
    assert isinstance(json.loads(json.dumps(kind.example)), dict)
    assert len(name) <= 60


def test_half_a_character_in_the_data_keeps_no_event_from_being_sent() -> None:
    body = body_of("review.posted", AT, {"title": "a\ud800b"})
    assert json.loads(body)["data"] == {"title": "a?b"}
    assert headers_of("evt_1", body, [new_signing_secret()], at=AT)


def test_a_test_event_cannot_be_chosen() -> None:
    assert {kind.name for kind in CHOOSABLE} == set(EVENT_TYPES) - {"webhook.test"}


def test_every_type_that_the_code_emits_is_described() -> None:
    emitted = set()
    for path in sorted((ROOT / "marketplace").rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Call) and ast.unparse(node.func) == "emit" and node.args:
                emitted |= {
                    part.value
                    for part in ast.walk(node.args[0])
                    if isinstance(part, ast.Constant) and "." in str(part.value)[1:-1]
                }
    assert {"review.posted", "listing.approved", "data.erasure_requested"} <= emitted
    assert emitted <= set(EVENT_TYPES)


def test_a_signature_is_what_the_standard_says() -> None:
    secret = new_signing_secret()
    assert len(base64.b64decode(secret.removeprefix("whsec_"), validate=True)) == 32
    now = clock.now()
    body = body_of("review.posted", AT, {"review": {"title": "Grüße"}})
    headers = headers_of("evt_1", body, [secret], at=now)
    assert headers["webhook-id"] == "evt_1"
    assert headers["webhook-timestamp"] == str(int(now.timestamp()))
    assert headers["User-Agent"].startswith("Portico")
    assert Webhook(secret).verify(body, headers) == json.loads(body)
    with pytest.raises(WebhookVerificationError):
        Webhook(secret).verify(body + b" ", headers)
    with pytest.raises(WebhookVerificationError):
        Webhook(new_signing_secret()).verify(body, headers)


def test_while_a_secret_is_exchanged_both_verify() -> None:
    old, new = new_signing_secret(), new_signing_secret()
    body = body_of("review.posted", AT, {})
    headers = headers_of("evt_1", body, [new, old], at=clock.now())
    assert Webhook(old).verify(body, headers) == Webhook(new).verify(body, headers)
    assert len(headers["webhook-signature"].split(" ")) == 2


def test_the_body_is_compact_and_the_same_at_every_try() -> None:
    body = body_of("webhook.test", AT, {"b": 1, "a": "ü"})
    expected = (
        '{"type":"webhook.test","timestamp":"2026-11-23T18:40:12.345Z","data":{"b":1,"a":"ü"}}'
    )
    assert body == expected.encode()
    assert body_of("webhook.test", AT, {"b": 1, "a": "ü"}) == body


def test_the_log_shows_no_signature_no_cookie_and_no_secret() -> None:
    secret = new_signing_secret()
    headers = headers_of("evt_1", b"{}", [secret, secret], at=AT)
    shown = shown_request_headers(headers)
    assert shown["webhook-signature"] == "v1,*** v1,***"
    assert headers["webhook-signature"].split()[0] not in str(shown)
    answer = shown_response_headers(
        {
            "set-cookie": "session=1",
            "set-cookie2": "session=1",
            "www-authenticate": "Bearer abc",
            "x-api-key": "abc",
            "location": "https://ada:pw@hooks.tides.example/?token=abc",
            "x-nul": "a\x00b",
            "x-long": "x" * 9_000,
        }
    )
    assert set(answer) == {"location", "x-nul", "x-long"}
    assert "pw" not in answer["location"]
    assert "abc" not in answer["location"]
    assert answer["x-nul"] == "ab"
    assert len(answer["x-long"]) == 300
    assert len(shown_response_headers({f"x-{n}": "1" for n in range(90)})) == 40


def test_the_log_shows_the_begin_of_an_answer_whatever_it_is_made_of() -> None:
    assert shown_body(b"\xff\x00ok token=abc") == "\ufffdok token=***"
    assert len(shown_body(b"x" * 100_000)) == 4_096
    assert "Bearer ***" in shown_body(b"Authorization: Bearer abc.def")
