"""Figures of the whole catalogue are read again when something changed, and only then."""

from datetime import timedelta

import pytest
from flask import Flask

from marketplace.catalogue.discovery import remembered as module
from marketplace.catalogue.discovery.categories import counted_categories
from marketplace.catalogue.discovery.remembered import remembered
from marketplace.core import clock
from marketplace.core.database import db
from tests.factories.listings import make_category, make_listing


class Loader:
    """Counts how often it is asked."""

    def __init__(self) -> None:
        self.asked = 0

    def __call__(self) -> int:
        self.asked += 1
        return self.asked


@pytest.fixture
def loader(app: Flask) -> Loader:
    """A loader in an application that remembers nothing yet."""
    app.extensions.pop("portico_remembered", None)
    return Loader()


def test_it_is_read_once_while_nothing_changes(loader: Loader) -> None:
    make_listing()
    assert [remembered("x", loader) for _ in range(3)] == [1, 1, 1]
    assert remembered("y", loader) == 2


@pytest.mark.parametrize("what", ["listing", "publisher"])
def test_a_change_is_seen_at_once(loader: Loader, what: str) -> None:
    listing = make_listing()
    assert remembered("x", loader) == 1
    changed = listing if what == "listing" else listing.publisher
    changed.suspended_at = clock.now()
    db.session.flush()
    assert remembered("x", loader) == 2


def test_it_is_never_older_than_a_minute(loader: Loader, monkeypatch: pytest.MonkeyPatch) -> None:
    assert remembered("x", loader) == 1
    later = module.time.monotonic() + timedelta(seconds=61).total_seconds()
    monkeypatch.setattr(module.time, "monotonic", lambda: later)
    assert remembered("x", loader) == 2


def test_categories_count_what_is_findable_now(app: Flask) -> None:
    crm = make_category("CRM")
    first, _second = make_listing(category=crm), make_listing(category=crm)
    make_listing(category=crm, published=False)
    make_category("Empty")
    assert {row.name: row.listing_count for row in counted_categories()} == {"CRM": 2, "Empty": 0}
    first.suspended_at = clock.now()
    db.session.flush()
    assert {row.name: row.listing_count for row in counted_categories()} == {"CRM": 1, "Empty": 0}
