"""Requests that are sent twice with one key."""

from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import func, select

from marketplace.api.v1.platform import pruning
from marketplace.catalogue.models import Listing, ListingVersion, Revision
from marketplace.core import clock, jobs
from marketplace.core.database import db
from marketplace.core.facts import Fact
from marketplace.installs.models import IdempotentAnswer
from tests.journeys.api.platform.conftest import Api, Partner
from tests.journeys.api.platform.test_tokens import problem

Client = Callable[[str | None], Api]
LISTING = {"name": "Moon Phases", "kind": "app", "category": "productivity"}


def count(model: Any) -> int:
    db.session.rollback()
    return db.session.scalar(select(func.count()).select_from(model)) or 0


def test_the_same_request_again_gets_the_same_answer_and_acts_once(
    partner: Partner, api: Client
) -> None:
    client = api(partner.key())
    before = count(Listing)
    key = {"Idempotency-Key": "5f0c2a4e-8a3d-4f5b-9a77-0d6f3c1b2e4a"}
    first = client.post("/partner/listings", LISTING, headers=key)
    assert first.status_code == 201
    assert "Idempotent-Replayed" not in first.headers
    again = client.post("/partner/listings", LISTING, headers=key)
    assert (again.status_code, again.data) == (201, first.data)
    assert again.headers["Idempotent-Replayed"] == "true"
    for name in ("Location", "ETag", "Content-Type"):
        assert again.headers[name] == first.headers[name]
    assert "RateLimit-Remaining" in again.headers
    # The draft's form of a key is the same key.
    quoted = client.post(
        "/partner/listings", LISTING, headers={"Idempotency-Key": f'"{key["Idempotency-Key"]}"'}
    )
    assert quoted.data == first.data
    assert count(Listing) == before + 1
    other = client.post("/partner/listings", LISTING, headers={"Idempotency-Key": "other"})
    assert other.json["slug"] != first.json["slug"]


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("/partner/listings", {**LISTING, "name": "Sun Phases"}),
        ("/partner/listings?x=1", LISTING),
        ("/listings/{slug}/versions", LISTING),
    ],
)
def test_a_key_is_for_one_request(partner: Partner, api: Client, path: str, body: Any) -> None:
    client = api(partner.key())
    key = {"Idempotency-Key": "one"}
    assert client.post("/partner/listings", LISTING, headers=key).status_code == 201
    response = client.post(path.format(slug=partner.listing.slug), body, headers=key)
    problem(response, 422, "idempotency-key-reused")


def test_keys_of_two_credentials_are_two(partner: Partner, stranger: Partner, api: Client) -> None:
    key = {"Idempotency-Key": "one"}
    mine = api(partner.key()).post("/partner/listings", LISTING, headers=key)
    theirs = api(stranger.key()).post("/partner/listings", LISTING, headers=key)
    assert (mine.status_code, theirs.status_code) == (201, 201)
    assert mine.json["slug"] != theirs.json["slug"]


def test_a_refusal_is_repeated_too_and_leaves_nothing_else(partner: Partner, api: Client) -> None:
    client = api(partner.key())
    key = {"Idempotency-Key": "one"}
    facts, revisions = count(Fact), count(Revision)
    address = f"/partner/listings/{partner.draft.slug}/submission"
    revision = db.session.scalars(
        select(Revision).where(Revision.listing_id == partner.draft.id)
    ).one()
    revision.content = {"name": "Only a name"}
    db.session.commit()
    first = client.post(address, {}, headers=key)
    problem(first, 422, "invalid")
    again = client.post(address, {}, headers=key)
    assert (again.status_code, again.data) == (422, first.data)
    assert again.content_type == "application/problem+json"
    assert again.headers["Idempotent-Replayed"] == "true"
    assert (count(Fact), count(Revision)) == (facts, revisions)


def test_what_stands_before_the_act_is_not_remembered(
    app: Flask, partner: Partner, api: Client
) -> None:
    key = {"Idempotency-Key": "one"}
    problem(
        api(partner.key("partner.events.read")).post("/partner/listings", LISTING, headers=key),
        403,
        "insufficient-scope",
    )
    problem(api("pko_wrong").post("/partner/listings", LISTING, headers=key), 401, "invalid-token")
    assert count(IdempotentAnswer) == 0


@pytest.fixture
def broken(app: Flask, partner: Partner) -> Iterator[None]:
    """The database fails in the middle of adding a version, until it is mended."""
    from sqlalchemy import event

    def fail(_mapper: Any, _connection: Any, _row: Any) -> None:
        raise RuntimeError("the disk is full")

    assert partner
    app.config["PROPAGATE_UNEXPECTED"] = False
    app.config["PROPAGATE_EXCEPTIONS"] = False
    event.listen(ListingVersion, "before_insert", fail)
    yield
    if event.contains(ListingVersion, "before_insert", fail):
        event.remove(ListingVersion, "before_insert", fail)
    app.config["PROPAGATE_UNEXPECTED"] = True
    app.config["PROPAGATE_EXCEPTIONS"] = None


@pytest.mark.usefixtures("broken")
def test_a_failure_of_ours_is_not_remembered(partner: Partner, api: Client) -> None:
    client = api(partner.key())
    key = {"Idempotency-Key": "one"}
    body = {"version": "2.0.0", "changelog": "All new."}
    response = client.post(f"/listings/{partner.listing.slug}/versions", body, headers=key)
    assert response.status_code == 500
    assert response.content_type == "application/problem+json"
    assert count(IdempotentAnswer) == 0


@pytest.mark.parametrize("key", ["", "x" * 256, "é", "a\tb", '""'])
def test_a_key_that_is_none_is_told(partner: Partner, api: Client, key: str) -> None:
    response = api(partner.key()).post(
        "/partner/listings", LISTING, headers={"Idempotency-Key": key}
    )
    problem(response, 400, "bad-request")


def test_answers_are_forgotten_after_a_day(partner: Partner, api: Client) -> None:
    client = api(partner.key())
    key = {"Idempotency-Key": "one"}
    body = {"version": "2.0.0", "changelog": "All new."}
    address = f"/listings/{partner.listing.slug}/versions"
    assert client.post(address, body, headers=key).status_code == 201
    row = db.session.scalars(select(IdempotentAnswer)).one()
    row.created_at = clock.now() - timedelta(hours=24, seconds=1)
    db.session.commit()
    again = client.post(address, body, headers=key)
    # The key is new; the version is not.
    assert again.status_code == 200
    assert "Idempotent-Replayed" not in again.headers
    row = db.session.scalars(select(IdempotentAnswer)).one()
    row.created_at = clock.now() - timedelta(hours=24, seconds=1)
    db.session.commit()
    jobs.enqueue(pruning.KIND, {})
    db.session.commit()
    assert jobs.run_due() >= 1
    assert count(IdempotentAnswer) == 0


def test_a_key_that_another_transaction_holds_is_in_progress(partner: Partner, api: Client) -> None:
    client = api(partner.key())
    key = {"Idempotency-Key": "one"}
    assert client.post("/partner/listings", LISTING, headers=key).status_code == 201
    row = db.session.scalars(select(IdempotentAnswer)).one()
    row.status = None
    db.session.commit()
    response = client.post("/partner/listings", LISTING, headers=key)
    problem(response, 409, "idempotency-in-progress")
    assert response.headers["Retry-After"] == "1"


def test_reading_takes_no_key(partner: Partner, api: Client) -> None:
    client = api(partner.key())
    assert client.get("/me", headers={"Idempotency-Key": "x" * 300}).status_code == 200
    assert count(IdempotentAnswer) == 0
