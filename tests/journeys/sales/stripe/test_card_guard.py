"""A card number that somebody types into a form of ours goes nowhere."""

import logging
from io import BytesIO, StringIO

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import func, select

from marketplace.catalogue.models import IntegrationRequest
from marketplace.core.database import db
from marketplace.core.logging import configure_logging
from tests.conftest import SignIn
from tests.factories.people import make_customer, make_member, make_organization

CARD = "4242 4242 4242 4242"


def test_a_form_with_a_card_number_is_refused_and_nothing_is_kept(
    app: Flask, sign_in: SignIn
) -> None:
    organization = make_customer()
    person = make_member(organization)
    db.session.commit()
    browser = sign_in(person, organization)
    answer = browser.post("/requests", data={"name": "Harbor pay", "details": f"My card: {CARD}"})
    assert answer.status_code == 422
    assert "This looks like a card number" in answer.text
    assert "4242" not in answer.text
    assert db.session.scalar(select(func.count()).select_from(IntegrationRequest)) == 0


def test_a_search_with_a_card_number_is_refused(client: FlaskClient) -> None:
    answer = client.get("/search", query_string={"q": CARD})
    assert answer.status_code == 422
    assert "4242" not in answer.text


def test_an_address_with_a_card_number_is_refused(client: FlaskClient) -> None:
    answer = client.get(f"/listings/{CARD.replace(' ', '')}")
    assert answer.status_code == 422
    assert "4242" not in answer.text


def test_an_upload_of_text_with_a_card_number_is_refused_by_its_line(
    app: Flask, sign_in: SignIn
) -> None:
    browser = sign_in(make_member(make_organization()))
    for name, is_refused in (("leads.csv", True), ("logo.png", False)):
        content = f"name,email\nAda,ada@bluekite.example\n{CARD},x@kite.example\n".encode()
        answer = browser.post(
            "/partner/leads/import",
            data={"file": (BytesIO(content), name)},
            content_type="multipart/form-data",
        )
        assert ("Line 3 holds what looks like a card number" in answer.text) is is_refused
    assert "4242" not in answer.text


def test_a_program_gets_a_problem_document_that_names_the_field(client: FlaskClient) -> None:
    answer = client.post(
        "/api/v1/listings", json={"note": {"text": CARD}}, headers={"Accept": "application/json"}
    )
    assert answer.status_code == 422
    assert answer.content_type == "application/problem+json"
    assert answer.json["errors"][0]["field"] == "note.text"
    assert "4242" not in answer.text


def test_ordinary_numbers_pass(client: FlaskClient) -> None:
    assert client.get("/search", query_string={"q": "1234567812345678"}).status_code == 200


def test_logs_mask_what_looks_like_a_card_number(monkeypatch: pytest.MonkeyPatch) -> None:
    written = StringIO()
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    monkeypatch.setattr("sys.stderr", written)
    try:
        configure_logging("json")
        logging.getLogger("test").warning("paid", extra={"note": f"with {CARD}"})
        logging.getLogger("test").warning("paid with %s", CARD)
    finally:
        root.handlers[:] = handlers
        root.setLevel(level)
    assert "4242 4242" not in written.getvalue()
    assert "•••• •••• •••• 4242" in written.getvalue().encode().decode("unicode_escape") or (
        "\\u2022" in written.getvalue()
    )
