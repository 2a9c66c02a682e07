"""Row 31, Guide: a visitor downloads a PDF made of the policy."""

import io

from flask import Flask
from flask.testing import FlaskClient
from pypdf import PdfReader

from marketplace.core import clock
from marketplace.core.database import db
from tests.factories.program import make_policy, policy_document


def text_of(client: FlaskClient) -> str:
    response = client.get("/program/guide.pdf")
    assert response.status_code == 200
    assert response.mimetype == "application/pdf"
    reader = PdfReader(io.BytesIO(response.data))
    return " ".join(" ".join(page.extract_text() for page in reader.pages).split())


def test_031_guide(app: Flask, client: FlaskClient) -> None:
    make_policy()
    db.session.commit()
    text = text_of(client)
    assert "Harbor partners" in text
    assert "Points – 100 250" in text
    # Today's threshold, as soon as it is another one.
    document = policy_document()
    document["tiers"][2]["points"] = 275
    make_policy(document, effective_at=clock.now())
    db.session.commit()
    text = text_of(client)
    assert "Points – 100 275" in text
    assert "Points – 100 250" not in text


def test_the_same_policy_gives_the_same_file(app: Flask, client: FlaskClient) -> None:
    make_policy()
    db.session.commit()
    assert client.get("/program/guide.pdf").data == client.get("/program/guide.pdf").data
