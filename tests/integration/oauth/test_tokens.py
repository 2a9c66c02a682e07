"""What a token stands for, and what ends it."""

from collections.abc import Callable
from datetime import timedelta

import pytest
from flask import Flask

from marketplace.core import clock
from marketplace.core.database import db
from marketplace.installs.grants import revoke_grant, revoke_installation_grants
from marketplace.installs.models import Environment, Installation, InstallationState, OAuthGrant
from marketplace.installs.oauth.tokens import find_access_token, find_refresh_token
from tests.factories.apps import (
    client_of,
    make_access_token,
    make_app,
    make_installation,
    make_refresh_token,
)
from tests.factories.listings import make_listing
from tests.factories.people import make_customer
from tests.factories.queries import count_queries


@pytest.fixture
def installation(app: Flask) -> Installation:
    """An active installation of a public listing's app."""
    return make_installation(make_app(make_listing()), make_customer(), scopes=("events.write",))


def token_of(installation: Installation) -> str:
    """A live access token of the installation."""
    client = client_of(installation.app, installation.environment)
    token = make_access_token(client, installation=installation)
    db.session.commit()
    return token


def test_a_token_tells_what_it_is_for_in_one_query(installation: Installation) -> None:
    token = token_of(installation)
    db.session.rollback()
    assert count_queries(lambda: find_access_token(token)) == 1
    live = find_access_token(token)
    assert live is not None
    assert live.scopes == {"events.write"}
    assert live.installation_public_id == installation.public_id
    assert live.organization_id == installation.organization_id
    assert live.publisher_id == installation.app.publisher_id
    assert live.environment is Environment.LIVE
    assert live.installation_state is InstallationState.ACTIVE
    assert live.is_usable


def test_a_token_without_an_installation_speaks_for_the_publisher(app: Flask) -> None:
    partner_app = make_app(make_listing())
    token = make_access_token(client_of(partner_app, Environment.TEST), "partner.listings.read")
    live = find_access_token(token)
    assert live is not None
    assert live.organization_id is None
    assert live.installation_id is None
    assert live.installation_state is None
    assert live.environment is Environment.TEST
    assert live.is_usable


ENDS: dict[str, Callable[[Installation], object]] = {
    "the grant is revoked": lambda i: revoke_grant(db.session.query(OAuthGrant).one().id, "test"),
    "the installation's grants are revoked": lambda i: revoke_installation_grants(i.id, "test"),
    "the installation is removed": lambda i: setattr(i, "state", InstallationState.UNINSTALLED),
    "the client is disabled": lambda i: setattr(client_of(i.app), "disabled_at", clock.now()),
    "the app is archived": lambda i: setattr(i.app, "archived_at", clock.now()),
}


@pytest.mark.parametrize("what", ENDS)
def test_a_token_is_dead_once(installation: Installation, what: str) -> None:
    token = token_of(installation)
    ENDS[what](installation)
    db.session.flush()
    assert find_access_token(token) is None


def test_a_token_lives_an_hour(installation: Installation) -> None:
    token, issued_at = token_of(installation), clock.now()
    with clock.frozen(issued_at + timedelta(minutes=59)):
        assert find_access_token(token) is not None
    with clock.frozen(issued_at + timedelta(minutes=60)):
        assert find_access_token(token) is None


SUSPENSIONS: dict[str, Callable[[Installation], object]] = {
    "listing": lambda i: setattr(i.listing, "suspended_at", clock.now()),
    "publisher": lambda i: setattr(i.app.publisher, "suspended_at", clock.now()),
    "customer": lambda i: setattr(i.organization, "suspended_at", clock.now()),
    "pause": lambda i: setattr(i, "state", InstallationState.PAUSED),
}


@pytest.mark.parametrize("what", SUSPENSIONS)
def test_a_token_is_known_but_not_usable_under_a(installation: Installation, what: str) -> None:
    token = token_of(installation)
    SUSPENSIONS[what](installation)
    db.session.flush()
    live = find_access_token(token)
    assert live is not None
    assert not live.is_usable


def test_kinds_of_tokens_are_not_taken_for_each_other(installation: Installation) -> None:
    client = client_of(installation.app)
    access = make_access_token(client, installation=installation)
    refresh = make_refresh_token(client, installation=installation)
    assert find_access_token(refresh) is None
    assert find_refresh_token(access) is None
    assert find_refresh_token(refresh) is not None


@pytest.mark.parametrize("garbage", ["", "pat_", "pat_" + "x" * 10_000, "pat_\ud800", "Bearer x"])
def test_garbage_is_no_token(app: Flask, garbage: str) -> None:
    assert find_access_token(garbage) is None
