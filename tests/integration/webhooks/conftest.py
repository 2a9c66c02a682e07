"""A partner whose endpoint is a server of the test's own."""

from collections.abc import Callable, Iterator
from datetime import timedelta

import pytest
from flask import Flask

from marketplace.core import clock
from marketplace.core.database import db
from marketplace.identity.models import Organization
from marketplace.installs.webhooks.dispatcher import deliver_due
from tests.factories.answering import AnsweringServer, answering
from tests.factories.people import make_organization


@pytest.fixture
def hooks() -> Iterator[AnsweringServer]:
    """A server that answers as told."""
    with answering() as server:
        yield server


@pytest.fixture
def partner(app: Flask) -> Organization:
    """A partner."""
    found = make_organization("Quayside")
    db.session.commit()
    return found


@pytest.fixture
def deliver(app: Flask) -> Callable[[], int]:
    """`deliver()` commits, and sends everything that is due now; how many requests were made."""

    def run() -> int:
        db.session.commit()
        sent = deliver_due(app, threads=8)
        db.session.expire_all()
        db.session.rollback()
        return sent

    return run


@pytest.fixture
def later() -> Iterator[Callable[..., None]]:
    """`later(hours=1)` moves the clock for the rest of the test."""
    moved = timedelta()

    def move(**by: float) -> None:
        nonlocal moved
        moved += timedelta(**by)
        clock.shift(timedelta(**by))

    yield move
    clock.shift(-moved)
