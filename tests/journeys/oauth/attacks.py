"""What the attacks share: nothing changes, and refusals have their form."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select
from werkzeug.test import TestResponse

from marketplace.core.database import db
from marketplace.installs.models import (
    OAuthGrant,
)
from tests.factories.races import at_once
from tests.journeys.oauth.flow import (
    ISSUER,
    answer_in,
    counts,
)


@contextmanager
def nothing_changes() -> Iterator[None]:
    """No installation, grant, code or token comes or goes within the block, nor is one revoked."""

    def state() -> tuple[dict[str, int], list[Any]]:
        db.session.expire_all()
        grants = db.session.execute(select(OAuthGrant.id, OAuthGrant.revoked_at)).all()
        return counts(), [tuple(row) for row in grants]

    before = state()
    yield
    assert state() == before


def refused(response: TestResponse, error: str, status: int = 400) -> None:
    """An OAuth error, as JSON that no cache keeps."""
    assert response.status_code == status, response.text
    assert response.json["error"] == error, response.json
    assert response.headers["Cache-Control"] == "no-store"


def refused_by_redirect(response: TestResponse, error: str, state: str | None) -> None:
    """An OAuth error that reaches the app, with who says so."""
    answer = answer_in(response)
    assert answer["error"] == error, answer
    assert answer["iss"] == ISSUER
    assert answer.get("state") == state
    assert "code" not in answer


def exchange_at_once(
    app: Flask, acts: list[Callable[[FlaskClient], TestResponse]]
) -> list[TestResponse]:
    """Do all of it at the same time, each as a program of its own."""
    answers: list[TestResponse] = []
    raised = at_once(app, [lambda act=act: answers.append(act(app.test_client())) for act in acts])
    assert raised == []
    return answers
