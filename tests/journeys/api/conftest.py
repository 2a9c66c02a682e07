"""A small catalogue to ask for, and a limit that only its own tests meet."""

from collections.abc import Callable, Iterator

import pytest
from flask import Flask

from marketplace.api.v1.rate import RateLimit
from marketplace.catalogue.indexing import services
from marketplace.catalogue.indexing.spec import SPECS
from marketplace.catalogue.models import Listing
from marketplace.core.database import db
from tests.factories.listings import make_category, make_listing
from tests.factories.people import make_organization


@pytest.fixture(autouse=True)
def _wide_limit(app: Flask) -> Iterator[None]:
    before = app.extensions["portico_api_limit"]
    app.extensions["portico_api_limit"] = RateLimit("100000 per minute")
    yield
    app.extensions["portico_api_limit"] = before


@pytest.fixture
def index(app: Flask) -> Callable[[], None]:
    """`index()` commits and builds the search indexes."""

    def build() -> None:
        db.session.commit()
        for spec in SPECS:
            services.rebuild(spec)

    return build


@pytest.fixture
def catalogue(index: Callable[[], None]) -> dict[str, Listing]:
    """Three listings of two publishers, indexed."""
    weather = make_category("Weather")
    data = make_category("Data")
    quayside = make_organization("Quayside", slug="quayside")
    lantern = make_organization("Lantern", slug="lantern", verified_at=None)
    listings = {
        "tides": make_listing(
            quayside,
            slug="tides",
            name="Tide Tables",
            categories=["weather", "data"],
            listing_fields={
                "rating_count": 2,
                "rating_sum": 9,
                "rating_hundredths": 420,
                "use_count": 7,
                "popularity": 9,
            },
        ),
        "moons": make_listing(
            quayside,
            category=weather,
            slug="moons",
            name="Moon Phases",
            kind="app",
            auth_kinds=["api_key"],
            days_old=3,
        ),
        "lamps": make_listing(
            lantern,
            category=data,
            slug="lamps",
            name="Lamp Switch",
            description="Turns lamps on and off at dusk and dawn, by itself.",
            tagline="Turns lamps on and off at dusk",
            pricing={"model": "paid", "summary": "5 a month", "url": ""},
            auth_kinds=["none"],
            days_old=1,
        ),
    }
    index()
    return listings
