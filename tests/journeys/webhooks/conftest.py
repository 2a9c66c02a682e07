"""A partner with people of every role, and its endpoint."""

import html
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import pytest
from flask import Flask
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from marketplace.core.database import db
from marketplace.core.limits import limiter
from marketplace.identity.models import Organization, Role, User
from marketplace.installs.webhooks.dispatcher import deliver_due
from tests.factories.answering import AnsweringServer, answering
from tests.factories.people import make_member, make_organization

SignIn = Callable[..., FlaskClient]


def text_of(response: TestResponse) -> str:
    plain = re.sub(r"<[^>]+>", " ", response.get_data(as_text=True))
    return " ".join(html.unescape(plain).split())


def hidden(response: TestResponse, name: str) -> str:
    field = re.search(rf'<input[^>]*name="{name}"[^>]*>', response.get_data(as_text=True))
    assert field is not None
    value = re.search(r'value="([^"]*)"', field[0])
    return html.unescape(value[1]) if value else ""


@dataclass(frozen=True)
class Quayside:
    """The partner and its people."""

    organization: Organization
    people: dict[Role, User]


@pytest.fixture(autouse=True)
def nothing_was_counted(app: Flask) -> Iterator[None]:
    """Each test begins with all that the limits allow."""
    limiter.reset()
    yield
    limiter.reset()


@pytest.fixture
def quayside(app: Flask) -> Quayside:
    organization = make_organization("Quayside")
    roles = (Role.OWNER, Role.ADMIN, Role.DEVELOPER, Role.EDITOR, Role.FINANCE, Role.VIEWER)
    people = {role: make_member(organization, role) for role in roles}
    db.session.commit()
    return Quayside(organization, people)


@pytest.fixture
def developer(quayside: Quayside, sign_in: SignIn) -> FlaskClient:
    return sign_in(quayside.people[Role.DEVELOPER], quayside.organization)


@pytest.fixture
def hooks() -> Iterator[AnsweringServer]:
    with answering() as server:
        yield server


@pytest.fixture
def deliver(app: Flask) -> Callable[[], int]:
    def run() -> int:
        db.session.commit()
        return deliver_due(app, threads=4)

    return run
