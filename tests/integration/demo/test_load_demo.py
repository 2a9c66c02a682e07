"""Loading the demo: whole, again without a change, and on after an interruption."""

import json
from pathlib import Path

import pytest
from flask import Flask
from sqlalchemy import func, select

from marketplace.catalogue.indexing.spec import AUDIENCES, LISTINGS
from marketplace.catalogue.models import (
    Collection,
    IntegrationRequest,
    Listing,
    ListingReview,
    ListingUse,
    RequestVote,
    SynonymGroup,
)
from marketplace.core.database import db
from marketplace.demo import activity
from marketplace.demo.load import DemoFilesError, load_demo
from marketplace.identity.models import Identity, Membership, Organization
from search.engine import SearchQuery


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    listing = {
        "record": "listing",
        "publisher": "harbour",
        "kind": "integration",
        "tagline": "Tells the tides of four thousand ports",
        "description": "Writes the day's high and low water into the calendar you use.",
        "categories": ["weather"],
    }
    lines = [
        {"record": "category", "slug": "weather", "name": "Weather"},
        {"record": "publisher", "slug": "harbour", "name": "Harbour Works"},
        {**listing, "slug": "tides", "name": "Tides"},
        {**listing, "slug": "moons", "name": "Moons"},
    ]
    files: dict[str, object] = {
        "customers.json": [
            {"slug": "blue-kite", "name": "Blue Kite", "website": "", "country": "NO"},
            {"slug": "red-oak", "name": "Red Oak", "website": "", "country": "DE"},
        ],
        "uses.json": [
            {"listing": "tides", "organization": "blue-kite", "since": "2026-01-01"},
            {"listing": "tides", "organization": "red-oak", "since": "2026-02-01"},
            {"listing": "gone", "organization": "red-oak", "since": "2026-02-01"},
        ],
        "reviews.json": [
            {
                "listing": "tides",
                "organization": "blue-kite",
                "author": "Ada Okafor",
                "rating": 5,
                "title": "Right to the minute",
                "body": "We plan our trips by it.",
                "posted_on": "2026-03-01",
                "answer": "Thank you",
                "answered_on": "2026-03-02",
            }
        ],
        "collections.json": [
            {
                "slug": "start-here",
                "title": "Start here",
                "description": "First steps",
                "position": 1,
                "listings": ["moons", {"slug": "tides", "blurb": "By the hour"}, "gone"],
            }
        ],
        "requests.json": [
            {"name": "Star charts", "details": "At night", "votes": 40, "status": "open"},
            {"name": "Tides", "details": "", "votes": 1, "status": "listed", "listing": "tides"},
        ],
        "synonyms.json": [{"terms": ["tides", "water level"]}],
        "people.json": [
            {
                "subject": "ada",
                "name": "Ada Okafor",
                "email": "ada@harbor.example",
                "organization": "harbour",
                "role": "owner",
            },
            {
                "subject": "kim",
                "name": "Kim Sato",
                "email": "kim@harbor.example",
                "organization": "Harbor",
                "role": "reviewer",
            },
        ],
    }
    (tmp_path / "catalogue.jsonl").write_text("\n".join(json.dumps(line) for line in lines))
    for name, rows in files.items():
        (tmp_path / name).write_text(json.dumps(rows))
    return tmp_path


def counts() -> dict[str, int]:
    return {
        model.__name__: db.session.scalar(select(func.count()).select_from(model)) or 0
        for model in (
            Listing,
            Organization,
            Membership,
            Identity,
            ListingUse,
            ListingReview,
            Collection,
            IntegrationRequest,
            RequestVote,
            SynonymGroup,
        )
    }


EXPECTED = {
    "Listing": 2,
    "Organization": 4,
    "Membership": 4,
    "Identity": 2,
    "ListingUse": 2,
    "ListingReview": 1,
    "Collection": 1,
    "IntegrationRequest": 2,
    "RequestVote": 3,
    "SynonymGroup": 1,
}


def test_everything_is_loaded_and_found(app: Flask, folder: Path) -> None:
    assert load_demo(folder)
    assert counts() == EXPECTED
    tides = db.session.scalars(select(Listing).where(Listing.slug == "tides")).one()
    assert (tides.use_count, tides.rating_count, tides.rating_sum) == (2, 1, 5)
    assert 400 < tides.rating_hundredths < 500
    items = db.session.scalars(select(Collection)).one().items
    assert [(item.listing.slug, item.blurb) for item in items] == [
        ("moons", ""),
        ("tides", "By the hour"),
    ]
    page = app.extensions["portico_search"].search(
        SearchQuery(index=LISTINGS.name, scope=AUDIENCES, text="water level", words_drop=False)
    )
    assert str(tides.id) in page.ids


@pytest.mark.usefixtures("app")
def test_loading_again_changes_nothing_and_says_so(folder: Path) -> None:
    load_demo(folder)
    assert load_demo(folder) is False
    assert counts() == EXPECTED
    # A changed file is loaded; what is there stays.
    (folder / "synonyms.json").write_text(json.dumps([{"terms": ["tide", "sea level"]}]))
    assert load_demo(folder) is True
    assert counts() == {**EXPECTED, "SynonymGroup": 2}


@pytest.mark.usefixtures("app")
def test_an_interrupted_load_goes_on(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def stop() -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(activity, "count_everything", stop)
    with pytest.raises(KeyboardInterrupt):
        load_demo(folder)
    monkeypatch.undo()
    assert counts()["Listing"] == 2
    assert counts()["ListingReview"] == 0
    assert load_demo(folder) is True
    assert counts() == EXPECTED


@pytest.mark.usefixtures("app")
def test_a_file_that_cannot_be_used_is_named(folder: Path) -> None:
    (folder / "uses.json").write_text("{")
    with pytest.raises(DemoFilesError, match=r"uses\.json cannot be used"):
        load_demo(folder)


def test_only_a_demo_is_filled_unless_forced(app: Flask, folder: Path) -> None:
    refused = app.test_cli_runner().invoke(args=["demo", "load", "--folder", str(folder)])
    assert refused.exit_code == 1
    assert "not a demo" in refused.output
    assert counts()["Listing"] == 0
    forced = app.test_cli_runner().invoke(args=["demo", "load", "--force", "--folder", str(folder)])
    assert forced.exit_code == 0, forced.output
    assert counts() == EXPECTED
