"""Reckoning popularity and smoothed ratings anew, and indexing what changed."""

from collections.abc import Iterator
from datetime import datetime
from typing import Any

from sqlalchemy import func, select, update

from marketplace.catalogue import popularity
from marketplace.catalogue.changes import listings_changed
from marketplace.catalogue.engagement import ratings
from marketplace.catalogue.engagement.services.counters import current_mean
from marketplace.catalogue.models import (
    Follow,
    Listing,
    ListingReview,
    ListingUse,
    ReviewState,
)
from marketplace.core import clock
from marketplace.core.database import db

BATCH = 2_000


def refresh_popularity() -> int:
    """Bring popularity and smoothed rating of every listing up to date; how many changed.

    The smoothed rating moves here when the catalogue's mean has moved by a tenth. Only what
    changed is written and indexed: five queries a batch of listings.
    """
    since = clock.now() - popularity.RECENT
    mean = current_mean()
    changed: list[int] = []
    for rows in _batches():
        ids = [row.id for row in rows]
        follows, new_follows = _counts(Follow.listing_id, Follow.created_at, ids, since)
        _uses, new_uses = _counts(ListingUse.listing_id, ListingUse.since, ids, since)
        new_reviews = _recent_reviews(ids, since)
        writes = []
        for row in rows:
            bucket = popularity.bucket(
                popularity.Signals(
                    uses=row.use_count,
                    ratings=row.rating_count,
                    follows=follows.get(row.id, 0),
                    recent_uses=new_uses.get(row.id, 0),
                    recent_reviews=new_reviews.get(row.id, 0),
                    recent_follows=new_follows.get(row.id, 0),
                )
            )
            smoothed = ratings.smoothed(row.rating_sum, row.rating_count, mean)
            if (bucket, smoothed) != (row.popularity, row.rating_hundredths):
                writes.append((row, bucket, smoothed))
        for row, bucket, smoothed in writes:
            _write(row, bucket, smoothed)
        touched = [row.id for row, _bucket, _smoothed in writes]
        listings_changed(touched)
        changed += touched
    return len(changed)


def _batches() -> Iterator[list[Any]]:
    last = 0
    while True:
        rows = list(
            db.session.execute(
                select(
                    Listing.id,
                    Listing.popularity,
                    Listing.use_count,
                    Listing.rating_count,
                    Listing.rating_sum,
                    Listing.rating_hundredths,
                )
                .where(Listing.id > last, Listing.published_at.is_not(None))
                .order_by(Listing.id)
                .limit(BATCH)
            )
        )
        if not rows:
            return
        last = rows[-1].id
        yield rows


def _counts(
    key: Any, moment: Any, ids: list[int], since: datetime
) -> tuple[dict[int, int], dict[int, int]]:
    """Rows by listing, in all and since then."""
    recent = func.count().filter(moment >= since)
    rows = db.session.execute(
        select(key, func.count(), recent).where(key.between(ids[0], ids[-1])).group_by(key)
    ).all()
    return {row[0]: row[1] for row in rows}, {row[0]: row[2] for row in rows}


def _recent_reviews(ids: list[int], since: datetime) -> dict[int, int]:
    rows = db.session.execute(
        select(ListingReview.listing_id, func.count())
        .where(
            ListingReview.listing_id.between(ids[0], ids[-1]),
            ListingReview.created_at >= since,
            ListingReview.state == ReviewState.PUBLISHED,
        )
        .group_by(ListingReview.listing_id)
    )
    return {row[0]: row[1] for row in rows}


def _write(row: Any, bucket: int, smoothed: int) -> None:
    # A rating that was recounted since it was read has smoothed itself; it is left as it is.
    db.session.execute(
        update(Listing)
        .where(Listing.id == row.id)
        .values(popularity=bucket, updated_at=Listing.updated_at)
        .execution_options(synchronize_session=False)
    )
    if smoothed != row.rating_hundredths:
        db.session.execute(
            update(Listing)
            .where(
                Listing.id == row.id,
                Listing.rating_sum == row.rating_sum,
                Listing.rating_count == row.rating_count,
            )
            .values(rating_hundredths=smoothed, updated_at=Listing.updated_at)
            .execution_options(synchronize_session=False)
        )
