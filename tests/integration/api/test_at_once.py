"""Two requests at the same moment, on both databases."""

import threading
import time
from collections.abc import Iterator
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import func, select, text, update

from marketplace.api.v1.rate import RateLimit
from marketplace.catalogue.models import Listing, ListingVersion, Revision
from marketplace.core.database import db
from marketplace.installs.models import ApiCall, IdempotentAnswer, WebhookEvent
from marketplace.installs.webhooks import feed_order
from marketplace.installs.webhooks.events import emit
from tests.factories.races import at_once
from tests.journeys.api.platform.conftest import Api, Partner, make_partner

LISTING = {"name": "Moon Phases", "kind": "app", "category": "productivity"}


@pytest.fixture
def partner(app: Flask) -> Iterator[Partner]:
    before = app.extensions["portico_token_limit"]
    app.extensions["portico_token_limit"] = RateLimit("100000 per minute")
    yield make_partner()
    app.extensions["portico_token_limit"] = before


def count(model: Any) -> int:
    db.session.rollback()
    return db.session.scalar(select(func.count()).select_from(model)) or 0


def send_at_once(app: Flask, token: str, times: int, *args: Any, **options: Any) -> list[Any]:
    answers: list[Any] = []

    def send() -> None:
        answers.append(Api(app.test_client(), token).send(*args, **options))

    assert at_once(app, [send] * times) == []
    return answers


def test_one_key_acts_once_and_everybody_gets_its_answer(app: Flask, partner: Partner) -> None:
    token, before = partner.key(), count(Listing)
    answers = send_at_once(
        app,
        token,
        5,
        "POST",
        "/partner/listings",
        json=LISTING,
        headers={"Idempotency-Key": "one"},
    )
    assert {answer.status_code for answer in answers} == {201}
    assert len({answer.data for answer in answers}) == 1
    replayed = [answer.headers.get("Idempotent-Replayed") for answer in answers]
    assert sorted(map(str, replayed)) == ["None", "true", "true", "true", "true"]
    assert count(Listing) == before + 1
    assert count(IdempotentAnswer) == 1


def test_two_builds_tell_of_one_version(app: Flask, partner: Partner) -> None:
    body = {"version": "2.0.0", "changelog": "All new."}
    address = f"/listings/{partner.listing.slug}/versions"
    token = partner.key()
    answers = send_at_once(app, token, 4, "POST", address, json=body)
    assert sorted(answer.status_code for answer in answers) == [200, 200, 200, 201]
    keyed = {"version": "2.1.0", "changelog": "Newer."}
    found = []

    def send(number: int) -> None:
        headers = {"Idempotency-Key": f"build-{number}"}
        client = Api(app.test_client(), token)
        found.append(client.post(address, keyed, headers=headers))

    assert at_once(app, [lambda n=n: send(n) for n in range(4)]) == []  # type: ignore[misc]  # bound at once
    assert sorted(answer.status_code for answer in found) == [200, 200, 200, 201]
    assert count(ListingVersion) == 3
    assert count(IdempotentAnswer) == 4


def test_of_two_changes_to_what_both_read_one_wins(app: Flask, partner: Partner) -> None:
    token = partner.key()
    address = f"/partner/listings/{partner.listing.slug}"
    for _round in range(2):
        # The first round begins a draft, the second changes one.
        etag = Api(app.test_client(), token).get(address).headers["ETag"]
        answers = []

        def change(number: int, etag: str = etag, answers: list[Any] = answers) -> None:
            client = Api(app.test_client(), token)
            body = {"tags": [f"{etag[1:5]} {number}"]}
            answers.append(client.patch(address, body, headers={"If-Match": etag}))

        assert at_once(app, [lambda n=n: change(n) for n in range(4)]) == []  # type: ignore[misc]  # bound at once
        assert sorted(answer.status_code for answer in answers) == [200, 412, 412, 412]
    assert count(Revision) == 3


def test_the_feed_waits_for_an_event_that_is_on_its_way(
    app: Flask, partner: Partner, database_kind: str
) -> None:
    if database_kind == "sqlite":
        pytest.skip("SQLite has one writer at a time: numbers and commits are in one order")
    token = partner.key()
    client = Api(app.test_client(), token)
    first = client.ask("/events")
    begun, may_end = threading.Event(), threading.Event()

    def slow() -> None:
        with app.app_context():
            emit("webhook.test", organization_id=partner.organization.id, data={"number": 1})
            begun.set()
            may_end.wait(20)
            db.session.commit()
            db.session.remove()

    thread = threading.Thread(target=slow)
    thread.start()
    assert begun.wait(10)
    # A later number is committed first.
    emit("webhook.test", organization_id=partner.organization.id, data={"number": 2})
    db.session.commit()
    following = first["next"].removeprefix("http://localhost/api/v1")
    meanwhile = client.ask(following)
    may_end.set()
    thread.join()
    after = client.ask(meanwhile["next"].removeprefix("http://localhost/api/v1"))
    seen = [event["data"]["number"] for event in meanwhile["items"] + after["items"]]
    assert seen == [1, 2]


def test_what_is_long_past_is_read_while_others_write(
    app: Flask, partner: Partner, database_kind: str
) -> None:
    if database_kind == "sqlite":
        pytest.skip("SQLite has no locks of this kind")
    old = text("UPDATE webhook_event SET created_at = created_at - interval '3 minutes'")
    db.session.execute(old)
    emit("webhook.test", organization_id=partner.organization.id, data={})
    db.session.commit()
    with db.engine.connect() as other:
        key = partner.organization.id
        other.execute(select(func.pg_advisory_xact_lock_shared(feed_order._LOCKS, key)))
        started = time.monotonic()
        page = Api(app.test_client(), partner.key()).ask("/events")
        assert time.monotonic() - started < 5
        assert [event["id"] for event in page["items"]] == partner.events[:1]
        other.rollback()
    assert len(Api(app.test_client(), partner.key()).ask("/events")["items"]) == 2
    assert count(WebhookEvent) == 3


def test_a_key_that_is_held_too_long_is_in_progress(
    app: Flask, partner: Partner, database_kind: str
) -> None:
    if database_kind == "sqlite":
        pytest.skip("SQLite makes the whole writer wait")
    token = partner.key()
    client = Api(app.test_client(), token)
    headers = {"Idempotency-Key": "one"}
    assert client.post("/partner/listings", LISTING, headers=headers).status_code == 201
    row = db.session.scalars(select(IdempotentAnswer)).one()
    owner = row.owner
    db.session.rollback()
    with db.engine.connect() as other:
        # Somebody else is inserting the same key, and is not done.
        other.execute(
            update(IdempotentAnswer).where(IdempotentAnswer.owner == owner).values(key="two")
        )
        started = time.monotonic()
        response = client.post("/partner/listings", LISTING, headers={"Idempotency-Key": "two"})
        assert response.status_code == 409
        assert response.json is not None
        assert response.json["code"] == "idempotency-in-progress"
        assert 3 < time.monotonic() - started < 10
        other.rollback()


def test_calls_are_recorded_on_both_databases(app: Flask, partner: Partner) -> None:
    Api(app.test_client(), partner.token()).get("/installation/members")
    Api(app.test_client(), partner.key()).get("/partner/analytics")
    Api(app.test_client(), partner.key(user=partner.owner)).get("/me")
    Api(app.test_client(), partner.key()).get("/partner/listings/a%00b%0d%0ac?x=%00")
    assert app.extensions["portico_recorder"].flush() == 4
    assert app.extensions["portico_recorder"].flush() == 0
    assert count(ApiCall) == 4
    db.session.refresh(partner.installation)
    assert partner.installation.last_used_at is not None
