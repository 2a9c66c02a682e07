"""Popularity is reckoned hourly, and only what changed is indexed."""

from datetime import timedelta

from flask import Flask
from sqlalchemy import select

from marketplace.catalogue.changes import INDEX_LISTINGS
from marketplace.catalogue.engagement.services import follows, reviews, uses
from marketplace.catalogue.engagement.services.popularity import refresh_popularity
from marketplace.catalogue.engagement.services.reviews import ReviewText
from marketplace.catalogue.models import Listing
from marketplace.core import clock
from marketplace.core.database import db
from marketplace.core.jobs import Job
from tests.factories.acting import actor_for
from tests.factories.listings import make_listing
from tests.factories.people import make_customer, make_member, make_user
from tests.factories.queries import count_queries


def used(listing: Listing, name: str = "Blue Kite", rating: int | None = None) -> None:
    customer = make_customer(name)
    actor = actor_for(make_member(customer), customer)
    uses.declare_use(actor, listing)
    if rating:
        reviews.write_review(actor, listing, ReviewText(rating))


def indexed() -> list[list[int]]:
    jobs = db.session.scalars(select(Job).where(Job.kind == INDEX_LISTINGS).order_by(Job.id))
    return [job.payload["listing_ids"] for job in jobs]


def test_only_what_changed_is_written_and_indexed(app: Flask) -> None:
    quiet, busy = make_listing(), make_listing()
    used(busy)
    follows.follow_listing(actor_for(make_user()), busy)
    updated = busy.updated_at
    assert refresh_popularity() == 1
    db.session.expire_all()
    # One use (4), of late (6); one follow (1), of late (2): 13 points.
    assert (quiet.popularity, busy.popularity) == (0, 15)
    assert busy.updated_at == updated
    assert indexed() == [[busy.id]]
    assert refresh_popularity() == 0
    assert len(indexed()) == 1


def test_what_is_long_ago_counts_less(app: Flask) -> None:
    listing = make_listing()
    used(listing)
    refresh_popularity()
    db.session.expire_all()
    fresh = listing.popularity
    with clock.frozen(clock.now() + timedelta(days=31)):
        assert refresh_popularity() == 1
    db.session.expire_all()
    assert 0 < listing.popularity < fresh


def test_smoothed_ratings_follow_when_the_catalogues_mean_moves(app: Flask) -> None:
    first = make_listing()
    used(first, rating=3)
    refresh_popularity()
    db.session.expire_all()
    before = first.rating_hundredths
    kind = make_listing()
    for number in range(25):
        used(kind, f"Customer {number}", 5)
    refresh_popularity()
    db.session.expire_all()
    # The mean is 4.9 now: (5 * 4.9 + 3) / 6.
    assert (before, first.rating_hundredths) == (383, 458)


def test_the_number_of_queries_does_not_grow_with_the_catalogue(app: Flask) -> None:
    for _ in range(3):
        make_listing()
    few = count_queries(refresh_popularity)
    for _ in range(30):
        make_listing()
    assert count_queries(refresh_popularity) == few
