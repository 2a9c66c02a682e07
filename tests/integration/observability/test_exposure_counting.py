"""Counting who saw what, on both databases."""

from datetime import UTC, date, datetime, timedelta

from flask import Flask
from sqlalchemy import func, select

from marketplace.catalogue.exposure import Placement
from marketplace.core import clock
from marketplace.core.database import db
from marketplace.observability.analytics.jobs import close_days, measure_views
from marketplace.observability.analytics.models import (
    ExposureCount,
    ExposureKind,
    Sighting,
    VisitorSalt,
)
from marketplace.observability.analytics.queries import Scope, funnel_of
from marketplace.observability.analytics.recorder import recorder
from marketplace.observability.analytics.storing import MOST_LISTINGS_A_DAY, Seen, store
from marketplace.observability.analytics.visits import Browser
from marketplace.observability.dashboard.tiles import TILES, figures
from marketplace.observability.periods import Period, zone_of
from marketplace.program.measures import Measure, Measurement, measure
from tests.factories.apps import make_app, make_installation
from tests.factories.exposure import FIREFOX, make_sightings
from tests.factories.listings import make_listing
from tests.factories.people import make_customer, make_organization
from tests.factories.races import at_once

DAY = datetime(2026, 11, 20, 10, 40, tzinfo=UTC)


def _seen(number: int, listing_id: int = 1, **fields: object) -> Seen:
    values = {
        "at": DAY,
        "kind": ExposureKind.VIEW,
        "placement": Placement.SEARCH,
        "listing_id": listing_id,
        "organization_id": 7,
        "browser": Browser(f"192.0.2.{number}", FIREFOX),
    }
    return Seen(**{**values, **fields})  # type: ignore[arg-type]  # one of each field


def _total() -> int:
    db.session.rollback()
    return int(db.session.scalar(select(func.coalesce(func.sum(ExposureCount.count), 0))) or 0)


def test_a_visitor_counts_once_a_day_whatever_led_to_the_page(app: Flask) -> None:
    with db.engine.begin() as connection:
        assert store(connection, [_seen(1), _seen(1, placement=Placement.HOME), _seen(2)]) == 2
        assert store(connection, [_seen(1, placement=Placement.CATEGORY)]) == 0
        assert store(connection, [_seen(1, at=DAY + timedelta(days=1))]) == 1
        shown = ExposureKind.IMPRESSION
        places = (Placement.SEARCH, Placement.HOME, Placement.HOME)
        assert store(connection, [_seen(1, kind=shown, placement=each) for each in places]) == 2
    assert _total() == 5
    slots = set(db.session.scalars(select(ExposureCount.slot)))
    assert slots == {DAY.replace(minute=30), DAY.replace(minute=30) + timedelta(days=1)}


def test_processes_that_count_at_once_count_nobody_twice(app: Flask) -> None:
    def count() -> None:
        with db.engine.begin() as connection:
            store(
                connection, [_seen(number, listing) for number in range(20) for listing in (1, 2)]
            )

    for error in at_once(app, [count] * 4):
        # SQLite has one writer, and may let the others wait in vain; nothing is half counted.
        assert "locked" in str(error)
    count()
    assert _total() == 40
    assert db.session.scalar(select(func.count()).select_from(VisitorSalt)) == 1


def test_whoever_opens_everything_is_no_reader(app: Flask) -> None:
    many = [_seen(1, listing_id=each) for each in range(1, MOST_LISTINGS_A_DAY + 30)]
    with db.engine.begin() as connection:
        assert store(connection, many[:150]) == 150
        assert store(connection, many) == MOST_LISTINGS_A_DAY - 150
        assert store(connection, [_seen(2)]) == 1


def test_a_flush_without_the_database_loses_nothing_that_is_counted_twice(app: Flask) -> None:
    found = recorder()
    found.add([_seen(1), _seen(2)])
    assert found.flush() == 2
    assert found.flush() == 0
    found.add([_seen(1)])
    assert found.flush() == 0


def test_a_day_that_is_over_is_measured_once(app: Flask) -> None:
    with db.engine.begin() as connection:
        store(connection, [_seen(1), _seen(2), _seen(3, placement=Placement.HOME)])
        store(connection, [_seen(9, kind=ExposureKind.IMPRESSION)])
    with clock.frozen(DAY):
        close_days({})
        db.session.commit()
        assert db.session.scalar(select(func.count()).select_from(Measurement)) == 0
    with clock.frozen(datetime(2026, 11, 21, 0, 9, tzinfo=UTC)):
        # Others may still hold sightings of yesterday.
        close_days({})
        db.session.commit()
        assert db.session.scalar(select(func.count()).select_from(Measurement)) == 0
    with clock.frozen(datetime(2026, 11, 21, 0, 10, tzinfo=UTC)):
        close_days({})
        close_days({})
        db.session.commit()
    rows = db.session.execute(
        select(Measurement.source_id, Measurement.amount, Measurement.counts_at).where(
            Measurement.organization_id == 7, Measurement.measure == Measure.VIEWS.value
        )
    ).all()
    assert {(source, amount) for source, amount, _at in rows} == {("search", 2), ("home", 1)}
    assert {at.date() for _source, _amount, at in rows} == {date(2026, 11, 20)}
    assert measure_views(date(2026, 11, 20)) == 0
    assert db.session.scalar(select(func.count()).select_from(Sighting)) == 0


def test_figures_are_the_same_on_both_databases(app: Flask) -> None:
    partner = make_organization()
    listing = make_listing(partner)
    make_sightings(listing, 4, at=DAY)
    app_row = make_app(listing)
    # In Kathmandu (5:45 ahead) a day begins at 18:15 UTC.
    for minute in (14, 15):
        make_installation(
            app_row, make_customer(), installed_at=datetime(2026, 11, 19, 18, minute, tzinfo=UTC)
        )
    measure(
        partner.id, Measure.NET_REVENUE, -5, key="x", source=("order", 1), at=DAY, currency="EUR"
    )
    measure(partner.id, Measure.CERTIFIED_PEOPLE, 1, key="y", source=("c", 1), at=DAY)
    db.session.flush()
    period = Period(date(2026, 11, 20), date(2026, 11, 20), zone_of("Asia/Kathmandu"))
    found = {figure.tile.key: figure for figure in figures(TILES, partner.id, period)}
    assert (found["installs"].value, found["installs"].before) == (1, 1)
    assert found["views"].value == 4
    assert (found["net_revenue"].value, found["net_revenue"].currency) == (-5, "EUR")
    assert (found["certified_people"].value, found["certified_people"].before) == (1, 0)
    assert found["installs"].by_day == [1]
    funnel = funnel_of(Scope(partner.id), period)
    assert (funnel.total.installs, funnel.total.views) == (1, 4)
    assert sum(funnel.by_day["installs"]) == 1
