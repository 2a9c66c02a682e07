"""An import among links that lead nowhere, and beside another import of the same file."""

import json
import threading
from pathlib import Path

import pytest
from flask import Flask
from sqlalchemy import func, select

from marketplace.catalogue.exchange.services import import_catalogue
from marketplace.catalogue.exchange.services.apply_listings import ListingBatch
from marketplace.catalogue.exchange.services.report import Outcome
from marketplace.catalogue.models import Listing, Revision
from marketplace.core.database import db


def write(folder: Path, **fields: str) -> Path:
    records = [
        {"record": "category", "slug": "weather", "name": "Weather"},
        {"record": "publisher", "slug": "harbour", "name": "Harbour"},
        {
            "record": "listing",
            "slug": "tides",
            "publisher": "harbour",
            "kind": "integration",
            "name": "Tides",
            "tagline": "Tells the tides of four thousand ports",
            "description": "Writes the day's high and low water into the calendar you use.",
            "categories": ["weather"],
            **fields,
        },
    ]
    path = folder / "catalogue.jsonl"
    path.write_text("\n".join(json.dumps(record) for record in records), encoding="utf-8")
    return path


@pytest.mark.usefixtures("app")
@pytest.mark.parametrize("logo", ["loop.png", "loop.png/logo.png", "n" * 290 + ".png"])
def test_a_path_that_cannot_be_followed_costs_the_image_and_nothing_else(
    tmp_path: Path, logo: str
) -> None:
    (tmp_path / "loop.png").symlink_to("loop.png")
    report = import_catalogue(write(tmp_path, logo=logo))
    assert report.total(Outcome.CREATED) == 3
    assert [(problem.line, problem.field) for problem in report.problems] == [(3, "logo")]


def test_what_another_import_adds_after_the_comparison_is_compared_again(
    app: Flask, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = write(tmp_path)
    plan = ListingBatch.plan
    others: list[threading.Thread] = []

    def other_import() -> None:
        with app.app_context():
            import_catalogue(path)
            db.session.remove()

    def plan_and_be_late(batch: ListingBatch) -> None:
        plan(batch)
        if not others:
            others.append(threading.Thread(target=other_import))
            others[0].start()
            others[0].join()

    monkeypatch.setattr(ListingBatch, "plan", plan_and_be_late)
    report = import_catalogue(path)
    assert report.count("listing", Outcome.UNCHANGED) == 1
    assert db.session.scalar(select(func.count()).select_from(Listing)) == 1
    assert db.session.scalar(select(func.count()).select_from(Revision)) == 1
