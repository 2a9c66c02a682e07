"""The numbers that a listing carries, always counted anew from the rows, under a lock.

Adding and subtracting loses updates when two people act at once, and drifts for ever once it is
wrong. Counting under the lock cannot.
"""

from typing import Any

from sqlalchemy import func, select, update

from marketplace.catalogue.changes import listing_changed
from marketplace.catalogue.engagement import ratings
from marketplace.catalogue.models import Listing, ListingReview, ListingUse, ReviewState
from marketplace.core.database import db


def lock_listing(listing_id: int) -> None:
    """Hold the listing's row until the transaction ends.

    An UPDATE that changes nothing: a row lock on PostgreSQL, the write lock on SQLite.
    """
    _set(listing_id, use_count=Listing.use_count)


def recount_rating(listing_id: int) -> None:
    """Count the listing's published ratings anew and smooth them; have it indexed."""
    lock_listing(listing_id)
    rows = select(
        func.count(ListingReview.id), func.coalesce(func.sum(ListingReview.rating), 0)
    ).where(ListingReview.listing_id == listing_id, ListingReview.state == ReviewState.PUBLISHED)
    count, total = db.session.execute(rows).one()
    _set(listing_id, rating_count=count, rating_sum=int(total))
    smoothed = ratings.smoothed(int(total), count, current_mean())
    _set(listing_id, rating_hundredths=smoothed)
    listing_changed(listing_id)


def recount_uses(listing_id: int) -> None:
    """Count the organizations that use the listing anew; have it indexed."""
    lock_listing(listing_id)
    count = db.session.scalar(
        select(func.count()).select_from(ListingUse).where(ListingUse.listing_id == listing_id)
    )
    _set(listing_id, use_count=count or 0)
    listing_changed(listing_id)


def current_mean() -> int:
    """The catalogue's mean rating in hundredths, as ratings.catalogue_mean rounds it."""
    total, count = db.session.execute(
        select(
            func.coalesce(func.sum(Listing.rating_sum), 0),
            func.coalesce(func.sum(Listing.rating_count), 0),
        )
    ).one()
    return ratings.catalogue_mean(int(total), int(count))


def _set(listing_id: int, **values: Any) -> None:
    # updated_at speaks of the listing itself; being counted does not change it.
    db.session.execute(
        update(Listing)
        .where(Listing.id == listing_id)
        .values(**values, updated_at=Listing.updated_at)
        .execution_options(synchronize_session=False)
    )
    loaded = db.session.identity_map.get(_key(listing_id))
    if loaded is not None:
        db.session.expire(loaded, list(values))


def _key(listing_id: int) -> Any:
    return db.session().identity_key(Listing, listing_id)
