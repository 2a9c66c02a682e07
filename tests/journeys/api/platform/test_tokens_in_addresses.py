"""A token in an address is refused, and kept nowhere: not in the log, the table or the pages."""

import logging
import re
from collections.abc import Callable
from typing import Any
from urllib.parse import quote, unquote

import pytest
from flask import Flask
from sqlalchemy import select

from marketplace.api.v1.platform.recording import Recorder
from marketplace.core.database import db
from marketplace.core.logging import redact_text
from marketplace.installs.credentials import PREFIXES, new_secret
from marketplace.installs.models import ApiCall
from tests.journeys.api.platform.conftest import Api, Partner

Client = Callable[[str | None], Api]


def every_letter(text: str) -> str:
    """The text with each letter percent-encoded."""
    return "".join(f"%{ord(letter):02X}" for letter in text)


PLACES: dict[str, Callable[[str], str]] = {
    "in the path": lambda token: f"/partner/listings/{token}",
    "in a path that there is not": lambda token: f"/nothing/{token}/here",
    "at the end of a word in the path": lambda token: f"/listings/tide{token}/versions",
    "as a value": lambda token: f"/partner/listings?state={token}",
    "as a value that the API knows": lambda token: f"/events?after={token}",
    "within a value": lambda token: f"/partner/listings?key=Bearer%20x{token}y",
    "as a bare name": lambda token: f"/partner/listings?{token}",
    "as a name": lambda token: f"/partner/listings?{token}=1&limit=2",
    "as an encoded name": lambda token: f"/partner/listings?{every_letter(token)}",
    "as a name encoded twice": lambda token: f"/partner/listings?{quote(every_letter(token))}",
    "as an encoded value": lambda token: f"/events?after={quote(every_letter(token))}",
    "in an encoded path": lambda token: f"/partner/listings/{quote(every_letter(token))}",
    "in the catalogue": lambda token: f"/listings?q={token}",
}


def all_decodings(text: str) -> str:
    for _time in range(6):
        text = unquote(text)
    return text


@pytest.mark.parametrize("place", PLACES)
def test_it_is_refused_and_appears_nowhere(
    app: Flask,
    partner: Partner,
    api: Client,
    sign_in: Any,
    caplog: pytest.LogCaptureFixture,
    place: str,
) -> None:
    caplog.set_level(logging.INFO)
    recorder: Recorder = app.extensions["portico_recorder"]
    key = partner.key()
    answer = api(key).get(PLACES[place](key))
    assert answer.status_code == 400, answer.text
    assert answer.content_type == "application/problem+json"
    assert answer.json["code"] == "token-in-address"
    api(key).get("/me")
    assert recorder.flush() == 1
    db.session.rollback()
    kept = [repr(vars(call)) for call in db.session.scalars(select(ApiCall))]
    viewer = sign_in(partner.owner, partner.organization)
    kept += [viewer.get(f"/partner/api-calls{end}").text for end in ("", ".csv")]
    kept += [redact_text(f"{record.__dict__}") for record in caplog.records]
    assert any("/api/v1/me" in text for text in kept)
    assert not any(key in all_decodings(text) for text in kept)
    assert key not in all_decodings(answer.text)


@pytest.mark.parametrize("kind", sorted(set(PREFIXES) - {"client_live", "client_test"}))
def test_each_kind_of_secret_is_one(partner: Partner, api: Client, kind: str) -> None:
    secret = new_secret(kind)
    answer = api(partner.key()).get(f"/me?x={secret}")
    # A pushed request is no secret of its holder: it is of no use without the client.
    assert answer.status_code == (200 if kind == "pushed_request" else 400)


def test_ids_and_cursors_are_none(partner: Partner, api: Client) -> None:
    client = api(partner.key())
    for path in (
        f"/partner/installations/{partner.installation.public_id}",
        "/partner/listings?limit=1&x=pat_short",
        "/me?client_id=pcl_0123456789012345678901234567890",
    ):
        assert client.get(path).status_code in {200, 422}, path
    # The unluckiest cursor there can be.
    answer = client.get("/events?after=pat_456789012345678901")
    assert (answer.status_code, answer.json["code"]) == (422, "invalid")


def test_a_part_of_a_token_is_masked_where_the_address_is_kept(
    app: Flask, partner: Partner, api: Client
) -> None:
    recorder: Recorder = app.extensions["portico_recorder"]
    client = api(partner.key())
    client.get("/partner/listings/pat_0123456789abcdefg?pko_0123456789abcdefg&limit=3")
    recorder.flush()
    db.session.rollback()
    path = db.session.scalars(select(ApiCall.path)).one()
    assert path == "/api/v1/partner/listings/pat_***?pko_***=***&limit=***"


def test_a_token_as_the_request_id_is_not_kept(partner: Partner, api: Client) -> None:
    key = partner.key()
    answer = api(key).get("/me", headers={"X-Request-ID": key})
    assert re.fullmatch("[0-9a-f]{32}", answer.headers["X-Request-ID"])
    for given in ("abcdefg", "a" * 65, "ünïcödé-1", "with space"):
        answer = api(key).get("/me", headers={"X-Request-ID": given.encode().decode("latin-1")})
        assert re.fullmatch("[0-9a-f]{32}", answer.headers["X-Request-ID"]), given
    answer = api(key).get("/me", headers={"X-Request-ID": "My_own-1"})
    assert answer.headers["X-Request-ID"] == "My_own-1"
