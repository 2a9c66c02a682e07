"""A partner's app and a customer for each test."""

from collections.abc import Callable, Iterator

import pytest
from flask import Flask
from flask.testing import FlaskClient

from marketplace.core.database import db
from marketplace.core.limits import limiter
from tests.journeys.oauth.flow import Customer, Partner, make_partner, make_people

SignIn = Callable[..., FlaskClient]


@pytest.fixture(autouse=True)
def _fresh_limits(app: Flask) -> Iterator[None]:
    """Rate limits count across tests of one process."""
    limiter.reset()
    yield
    limiter.reset()


@pytest.fixture
def partner(app: Flask) -> Partner:
    """A partner with a live client."""
    made = make_partner()
    db.session.commit()
    return made


@pytest.fixture
def customer(partner: Partner, sign_in: SignIn) -> Customer:
    """A customer whose owner is signed in."""
    return make_people(sign_in)
