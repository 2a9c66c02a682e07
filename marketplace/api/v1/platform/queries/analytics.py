"""Figures by day (UTC)."""

from collections.abc import Mapping
from datetime import date, datetime
from typing import Any

from sqlalchemy import ColumnElement, func, select

from marketplace.catalogue.models import Listing, ListingReview, ReviewState
from marketplace.core.database import db
from marketplace.installs.models import App, Environment, Installation


def active_before(
    partner_id: int, environment: Environment, listing_id: int | None, at: datetime
) -> int:
    """How many installations there were just before a moment; one query."""
    where = _installations(partner_id, environment, listing_id)
    query = (
        select(
            func.count().filter(Installation.installed_at < at)
            - func.count().filter(Installation.uninstalled_at < at)
        )
        .select_from(Installation)
        .join(App, App.id == Installation.app_id)
        .where(*where)
    )
    return db.session.scalar(query) or 0


def installs_by_day(
    partner_id: int,
    environment: Environment,
    listing_id: int | None,
    begin: datetime,
    end: datetime,
    *,
    uninstalled: bool = False,
) -> Mapping[date, int]:
    """How many were installed, or removed, on each day within begin (included) and end (not)."""
    column: Any = Installation.uninstalled_at if uninstalled else Installation.installed_at
    day = _day(column)
    query = (
        select(day, func.count())
        .select_from(Installation)
        .join(App, App.id == Installation.app_id)
        .where(
            *_installations(partner_id, environment, listing_id),
            column >= begin,
            column < end,
        )
        .group_by(day)
    )
    return _by_day(query)


def reviews_by_day(
    partner_id: int, listing_id: int | None, begin: datetime, end: datetime
) -> Mapping[date, int]:
    """How many reviews that are still shown were written on each day."""
    day = _day(ListingReview.created_at)
    query = (
        select(day, func.count())
        .select_from(ListingReview)
        .join(Listing, Listing.id == ListingReview.listing_id)
        .where(
            Listing.publisher_id == partner_id,
            ListingReview.state == ReviewState.PUBLISHED,
            ListingReview.created_at >= begin,
            ListingReview.created_at < end,
        )
        .group_by(day)
    )
    if listing_id is not None:
        query = query.where(Listing.id == listing_id)
    return _by_day(query)


def _installations(
    partner_id: int, environment: Environment, listing_id: int | None
) -> list[ColumnElement[bool]]:
    found = [App.publisher_id == partner_id, Installation.environment == environment]
    if listing_id is not None:
        found.append(Installation.listing_id == listing_id)
    return found


def _day(column: Any) -> ColumnElement[Any]:
    """The day of a moment in UTC, whatever the zone of the database's session is."""
    if db.session.get_bind().dialect.name == "postgresql":
        return func.to_char(func.timezone("UTC", column), "YYYY-MM-DD")
    return func.substr(column, 1, 10)


def _by_day(query: Any) -> Mapping[date, int]:
    return {date.fromisoformat(day): number for day, number in db.session.execute(query)}
