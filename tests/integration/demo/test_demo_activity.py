"""What happened lately in the demo: no queue is empty, and nothing happens twice."""

import json
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import func, select

from marketplace.catalogue.models import (
    AbuseCase,
    Appeal,
    AppealState,
    CaseState,
    FlagState,
    Follow,
    Listing,
    ListingReview,
    ReviewFlag,
    Revision,
    RevisionEvent,
    RevisionState,
    SearchQueryStat,
)
from marketplace.catalogue.publishing.queries import decided_since
from marketplace.catalogue.reviewing import queries as reviewing
from marketplace.core import clock
from marketplace.core.database import db
from marketplace.core.facts import Fact, verify_chain
from marketplace.demo.load import FOLDER, load_demo
from marketplace.demo.timeline import HAPPENED, load_timeline
from marketplace.identity.models import Organization, User

PICTURES = ("logo", "screenshots")


def _rows(name: str) -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = json.loads((FOLDER / name).read_text(encoding="utf-8"))
    return rows


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """The demo's own files, without pictures and without what the timeline does not touch."""
    story = (FOLDER / "activity.json").read_text(encoding="utf-8")
    touched = {step.get("listing") for step in json.loads(story)["steps"]}
    lines = []
    for line in (FOLDER / "catalogue.jsonl").read_text(encoding="utf-8").splitlines():
        record = json.loads(line)
        if record["record"] != "listing" or record["slug"] in touched | {"zapier"}:
            kept = {k: v for k, v in record.items() if k not in (*PICTURES, "successor")}
            lines.append(json.dumps(kept))
    (tmp_path / "catalogue.jsonl").write_text("\n".join(lines), encoding="utf-8")
    for name in ("customers.json", "reviews.json", "people.json"):
        rows = [row for row in _rows(name) if row.get("listing") in touched | {None}]
        (tmp_path / name).write_text(json.dumps(rows), encoding="utf-8")
    (tmp_path / "activity.json").write_text(story, encoding="utf-8")
    return tmp_path


def _count(model: Any, *conditions: Any) -> int:
    return db.session.scalar(select(func.count()).select_from(model).where(*conditions)) or 0


def _everything() -> dict[str, int]:
    models = (AbuseCase, Appeal, Follow, Listing, Revision, RevisionEvent, ReviewFlag, Fact)
    return {model.__name__: _count(model) for model in (*models, SearchQueryStat)}


def test_every_queue_of_the_demo_has_something_in_it(app: Flask, folder: Path) -> None:
    load_demo(folder)

    ines = db.session.scalars(select(User).where(User.email.startswith("ines."))).one()
    counts = reviewing.queue_counts(ines.id)
    # Which publications are samples depends on the listings' ids.
    counts.pop("samples")
    assert counts == {
        "waiting": 6,
        "new": 2,
        "changes": 4,
        "held": 1,
        "second": 1,
        "mine": 2,
    }
    assert _count(ReviewFlag, ReviewFlag.state == FlagState.OPEN) == 4
    states = sorted(db.session.scalars(select(AbuseCase.state)))
    assert states == [
        CaseState.DISMISSED,
        CaseState.INVESTIGATING,
        CaseState.OPEN,
        CaseState.SUSPENDED,
    ]
    assert list(db.session.scalars(select(Appeal.state))) == [AppealState.OPEN]
    assert _count(Follow) > 20


def test_tidewater_labs_has_work_to_do(app: Flask, folder: Path) -> None:
    load_demo(folder)

    rows = db.session.execute(
        select(Listing.slug, Revision.state)
        .join(Revision, Revision.listing_id == Listing.id)
        .join(Listing.publisher)
        .where(Organization.slug == "tidewater-labs", Revision.state != RevisionState.PUBLISHED)
        .order_by(Listing.slug)
    )
    assert [tuple(row) for row in rows] == [
        ("address-proof", RevisionState.CHANGES_REQUESTED),
        ("dedupe-desk", RevisionState.DRAFT),
        ("field-steward", RevisionState.SUBMITTED),
    ]


def test_decisions_and_searches_are_spread_over_the_past(app: Flask, folder: Path) -> None:
    before = clock.now()
    load_demo(folder)

    decided = decided_since(before - timedelta(days=90))
    assert len(decided) >= 12
    assert all(submitted < at < before for submitted, at in decided)
    assert min(at for _submitted, at in decided) < before - timedelta(days=50)
    days = db.session.execute(
        select(func.min(SearchQueryStat.day), func.max(SearchQueryStat.day))
    ).one()
    assert (days[1] - days[0]).days >= 28
    assert days[1] < clock.now().date()
    empty = set(
        db.session.scalars(select(SearchQueryStat.query).where(SearchQueryStat.zero_results > 0))
    )
    assert {"sharepoint", "woocommerce"} <= empty


def test_what_happened_once_does_not_happen_again(app: Flask, folder: Path) -> None:
    load_demo(folder)
    once = _everything()

    assert load_timeline(folder / "activity.json") == 0
    # A change of another file loads the catalogue again, on top of what happened.
    (folder / "collections.json").write_text("[]")
    assert load_demo(folder)
    again = _everything()

    assert again.pop("Fact") == once.pop("Fact") + 1, "the fact that the demo was loaded"
    assert again == once
    assert _count(Fact, Fact.kind == HAPPENED) == 1
    assert list(verify_chain()) == []


def test_an_unknown_listing_is_named_and_nothing_happens(app: Flask, folder: Path) -> None:
    file = folder / "activity.json"
    file.unlink()
    load_demo(folder)
    story = {
        "people": [
            {"name": "Ada", "email": "a@b.example", "organization": "quillbright", "role": "owner"}
        ],
        "steps": [
            {"days_ago": 2, "as": "a@b.example", "do": "follow", "listing": "redact"},
            {"days_ago": 1, "as": "a@b.example", "do": "follow", "listing": "gone"},
        ],
        "searches": [],
    }
    file.write_text(json.dumps(story))
    before = _everything()

    with pytest.raises(ValueError, match="there is no listing 'gone'"):
        load_timeline(file)
    assert _everything() == before


def test_the_appeal_is_about_a_listing_that_nobody_can_find(app: Flask, folder: Path) -> None:
    load_demo(folder)

    appeal = db.session.scalars(select(Appeal)).one()
    assert appeal.case.listing.slug == "handover-notes"
    assert appeal.case.listing.suspended_at is not None
    assert appeal.author_id != appeal.case.decided_by_id
    assert _count(ListingReview, ListingReview.listing_id == appeal.case.listing_id) > 0
