"""What works once, on both databases, however many try at the same time."""

import contextlib
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import event, func, select
from werkzeug.test import TestResponse

from marketplace.core import clock
from marketplace.core.database import db
from marketplace.core.unit_of_work import unit_of_work
from marketplace.installs.credentials import hash_secret
from marketplace.installs.models import (
    AuthorizationCode,
    ClientSecret,
    Installation,
    InstallationEvent,
    OAuthGrant,
    OAuthToken,
    PushedRequest,
    ScopeUse,
)
from marketplace.installs.oauth import issuing
from marketplace.installs.oauth.jobs import prune
from marketplace.installs.oauth.parameters import from_pairs
from marketplace.installs.oauth.pushed import find_kept, keep_for_later, push, take_pushed
from marketplace.installs.oauth.tokens import find_access_token
from marketplace.installs.oauth.usage import note_use
from tests.factories.apps import (
    client_of,
    make_access_token,
    make_app,
    make_client_secret,
    make_grant,
    make_installation,
    make_refresh_token,
)
from tests.factories.listings import make_listing
from tests.factories.people import make_customer
from tests.factories.races import at_once
from tests.journeys.oauth.flow import Partner, challenge_of


@pytest.fixture
def installation(app: Flask) -> Installation:
    """An active installation of a public listing's app."""
    made = make_installation(make_app(make_listing()), make_customer())
    db.session.commit()
    return made


@pytest.fixture
def partner(installation: Installation) -> Partner:
    """The partner whose app is installed."""
    client = client_of(installation.app)
    made = Partner(installation.app, client, make_client_secret(client), installation.app.publisher)
    db.session.commit()
    return made


def statuses(app: Flask, act: Callable[[], int]) -> list[int]:
    """What four who do the same at the same time are answered."""
    db.session.remove()
    answers: list[int] = []
    raised = at_once(app, [lambda: answers.append(act())] * 4)
    assert raised == []
    return sorted(answers)


@contextmanager
def meeting_after(words: str, parties: int) -> Iterator[None]:
    """Let the threads that read a row by a statement with these `words` wait for each other, so
    that all of them have seen it unused before one writes."""
    barrier = threading.Barrier(parties)

    def wait(_connection: Any, _cursor: Any, statement: str, *_rest: Any) -> None:
        if statement.startswith("SELECT") and words in statement:
            # Whoever comes later (a loser that looks again) meets nobody and goes on.
            with contextlib.suppress(threading.BrokenBarrierError):
                barrier.wait(timeout=3)

    event.listen(db.engine, "after_cursor_execute", wait)
    try:
        yield
    finally:
        event.remove(db.engine, "after_cursor_execute", wait)


def test_of_two_who_saw_a_code_unused_one_gets_tokens(
    app: Flask, installation: Installation, partner: Partner
) -> None:
    code = issuing.issue_code(
        partner.client,
        installation,
        user_id=None,
        scopes=("events.write",),
        redirect_uri=partner.redirect_uri,
        code_challenge=challenge_of(partner.verifier),
    )
    answers = exchange_together(
        app,
        partner,
        "FROM oauth_code",
        lambda http, header: partner.exchange(http, code, header=header),
    )
    assert answers == [200, 400]
    assert db.session.scalar(select(func.count()).select_from(OAuthToken)) == 2
    assert db.session.scalars(select(OAuthGrant)).one().revoked_reason == "code_replayed"


def test_of_two_who_saw_a_refresh_token_unused_one_gets_tokens(
    app: Flask, installation: Installation, partner: Partner
) -> None:
    token = make_refresh_token(partner.client, installation=installation)
    answers = exchange_together(
        app,
        partner,
        "FROM oauth_token",
        lambda http, header: partner.refresh(http, token, header=header),
    )
    assert answers == [200, 400]
    assert db.session.scalar(select(func.count()).select_from(OAuthToken)) == 3
    assert db.session.scalars(select(OAuthGrant)).one().revoked_reason == "refresh_replayed"


def exchange_together(
    app: Flask,
    partner: Partner,
    words: str,
    act: Callable[[FlaskClient, dict[str, str]], TestResponse],
) -> list[int]:
    """What two are answered that have both read what is used up."""
    # Noting the secret's use would let the first go on before the second reads.
    db.session.scalars(select(ClientSecret)).one().last_used_at = clock.now()
    db.session.commit()
    header = partner.header
    db.session.remove()
    answers: list[int] = []
    with meeting_after(words, 2):
        raised = at_once(
            app, [lambda: answers.append(act(app.test_client(), header).status_code)] * 2
        )
    assert raised == []
    return sorted(answers)


def test_a_code_is_exchanged_once_and_its_replay_ends_the_family(
    app: Flask, installation: Installation, partner: Partner
) -> None:
    code = issuing.issue_code(
        partner.client,
        installation,
        user_id=None,
        scopes=("events.write",),
        redirect_uri=partner.redirect_uri,
        code_challenge=challenge_of(partner.verifier),
    )
    db.session.commit()
    header = partner.header
    assert statuses(
        app, lambda: partner.exchange(app.test_client(), code, header=header).status_code
    ) == [200, 400, 400, 400]
    assert db.session.scalar(select(func.count()).select_from(OAuthToken)) == 2
    assert db.session.scalars(select(OAuthGrant)).one().revoked_reason == "code_replayed"
    kinds = db.session.scalars(select(InstallationEvent.kind)).all()
    assert list(kinds) == ["connected"]


def test_a_refresh_token_is_exchanged_once_and_its_replay_ends_the_family(
    app: Flask, installation: Installation, partner: Partner
) -> None:
    token = make_refresh_token(partner.client, installation=installation)
    db.session.commit()
    header = partner.header
    assert statuses(
        app, lambda: partner.refresh(app.test_client(), token, header=header).status_code
    ) == [200, 400, 400, 400]
    assert db.session.scalar(select(func.count()).select_from(OAuthToken)) == 3
    assert db.session.scalars(select(OAuthGrant)).one().revoked_reason == "refresh_replayed"


def test_a_pushed_request_is_taken_once(app: Flask, partner: Partner) -> None:
    uri = push(partner.client, from_pairs([("a", "1"), ("b", "2")]))
    db.session.commit()
    client_id = partner.client.id

    def take() -> int:
        with unit_of_work() as session:
            client = session.get_one(type(partner.client), client_id)
            return int(take_pushed(uri, client) is not None)

    assert statuses(app, take) == [0, 0, 0, 1]


def test_a_handle_and_a_request_uri_are_not_taken_for_each_other(partner: Partner) -> None:
    parameters = from_pairs([("state", "x")])
    uri, handle = push(partner.client, parameters), keep_for_later(partner.client, parameters)
    assert find_kept(handle) == parameters
    assert find_kept(uri) is None
    assert take_pushed(handle, partner.client) is None
    assert take_pushed(f"continue:{handle}", partner.client) is None
    assert take_pushed(uri, partner.client) == parameters


def test_a_use_is_noted_once_by_many(app: Flask, installation: Installation) -> None:
    token = make_access_token(client_of(installation.app), installation=installation)
    db.session.commit()
    live = find_access_token(token)
    assert live is not None

    def note() -> int:
        with unit_of_work():
            note_use(live, "events.write", "organization.read")
        return 0

    assert statuses(app, note) == [0, 0, 0, 0]
    assert sorted(db.session.scalars(select(ScopeUse.scope))) == [
        "events.write",
        "organization.read",
    ]


def test_what_is_over_is_forgotten_and_what_is_needed_stays(
    app: Flask, installation: Installation, partner: Partner
) -> None:
    at = clock.now()
    old, client = at - timedelta(days=100), partner.client
    empty = make_grant(client, installation, created_at=old)
    for life in (timedelta(seconds=60), timedelta(days=-2)):
        db.session.add(
            AuthorizationCode(
                code_hash=hash_secret(str(life)),
                grant_id=make_grant(client, installation).id,
                redirect_uri="x",
                scope="",
                code_challenge="x",
                expires_at=at + life,
            )
        )
    used = make_refresh_token(client, installation=installation, used_at=at)
    live = make_access_token(client, installation=installation)
    dead = make_access_token(client, installation=installation, expires_at=at - timedelta(days=8))
    fresh = keep_for_later(client, from_pairs([]))
    db.session.commit()
    with clock.frozen(at - timedelta(hours=2)):
        keep_for_later(client, from_pairs([]))
        db.session.commit()
    empty_id = empty.id
    prune({})
    db.session.commit()
    hashes = set(db.session.scalars(select(OAuthToken.token_hash)))
    assert hashes == {hash_secret(used), hash_secret(live)}
    assert hash_secret(dead) not in hashes
    assert db.session.scalar(select(func.count()).select_from(AuthorizationCode)) == 1
    assert db.session.scalar(select(func.count()).select_from(PushedRequest)) == 1
    assert find_kept(fresh) is not None
    assert db.session.get(OAuthGrant, empty_id) is None
    assert db.session.scalar(select(func.count()).select_from(OAuthGrant)) == 5
