"""What the catalogue measures of partners: live listings, ratings, how soon reviews are answered.

Each goes by what is so now, so it may be told twice, late or for everything there is.
"""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import func, select
from sqlalchemy.orm import contains_eager

from marketplace.catalogue.models import Listing, ListingReview, ReviewState
from marketplace.catalogue.visibility import is_findable
from marketplace.core.database import db
from marketplace.program.measures import (
    Measure,
    bring_to,
    measure,
    measure_all,
    replace_by,
    row_of,
    sums_by_source,
)

BATCH = 500
SOURCE = "listing"


def measure_listings(listing_ids: Sequence[int]) -> None:
    """Bring the level of listings that the public finds up to date for these listings."""
    for start in range(0, len(listing_ids), BATCH):
        rows = db.session.execute(
            select(
                Listing.id,
                Listing.publisher_id,
                Listing.published_at,
                func.coalesce(Listing.suspended_at, Listing.updated_at),
                is_findable(),
            )
            .join(Listing.publisher)
            .where(Listing.id.in_(listing_ids[start : start + BATCH]))
        )
        found = rows.all()
        levels = sums_by_source(Measure.LISTINGS, SOURCE, [row[0] for row in found])
        for listing_id, publisher_id, published_at, changed_at, is_live in found:
            level = levels.get((publisher_id, str(listing_id)))
            if published_at is not None and level != int(is_live):
                _measure_listing(listing_id, publisher_id, published_at, changed_at, bool(is_live))


def _measure_listing(
    listing_id: int,
    publisher_id: int,
    published_at: datetime,
    changed_at: datetime,
    is_live: bool,
) -> None:
    """One listing whose level is not what it should be. When it is measured for the first time, it
    counts from when it was published, and if it is hidden by then, until it was last changed."""
    source = (SOURCE, listing_id)
    first = measure(
        publisher_id,
        Measure.LISTINGS,
        key=f"listing:{listing_id}:{publisher_id}:0",
        source=source,
        at=published_at,
    )
    if not first or not is_live:
        at = max(changed_at, published_at) if first else None
        bring_to(publisher_id, Measure.LISTINGS, int(is_live), source=source, at=at)


def measure_listings_of(organization_id: int) -> None:
    """All listings of a publisher, when it is hidden or shown again."""
    measure_listings(
        db.session.scalars(
            select(Listing.id).where(Listing.publisher_id == organization_id).order_by(Listing.id)
        ).all()
    )


def measure_review(review: ListingReview) -> None:
    """A review's rating, as it stands: new, edited or removed by staff."""
    _bring_rating_to(review, review.rating * 100 if review.state is ReviewState.PUBLISHED else 0)


def forget_review(review: ListingReview) -> None:
    """A review's rating, when its author deletes it."""
    _bring_rating_to(review, 0)


def _bring_rating_to(review: ListingReview, hundredths: int) -> None:
    """All of a review counts when it was written. So what is taken back leaves every window
    together with what it takes back, and nobody makes an old review a new one by an edit."""
    replace_by(
        review.listing.publisher_id,
        Measure.RATING,
        hundredths,
        source=("review", review.id),
        at=review.created_at,
    )


def measure_answer(review: ListingReview) -> None:
    """How many minutes the publisher took for its first answer."""
    if review.answered_at is not None:
        measure_all([_answer(review, review.answered_at)])


def remeasure() -> int:
    """Measure every listing and review there is; how many there are."""
    seen = last = 0
    while ids := list(
        db.session.scalars(
            select(Listing.id).where(Listing.id > last).order_by(Listing.id).limit(BATCH)
        )
    ):
        measure_listings(ids)
        seen, last = seen + len(ids), ids[-1]
    last = 0
    while True:
        reviews = (
            db.session.scalars(
                select(ListingReview)
                .join(ListingReview.listing)
                .options(contains_eager(ListingReview.listing))
                .where(ListingReview.id > last)
                .order_by(ListingReview.id)
                .limit(BATCH)
            )
            .unique()
            .all()
        )
        if not reviews:
            return seen
        _measure_reviews(reviews)
        seen, last = seen + len(reviews), reviews[-1].id


def _measure_reviews(reviews: Sequence[ListingReview]) -> None:
    """What was never measured in one statement, the rest one by one."""
    known = sums_by_source(Measure.RATING, "review", [review.id for review in reviews])
    rows = []
    for review in reviews:
        publisher_id = review.listing.publisher_id
        level = known.get((publisher_id, str(review.id)))
        if level is not None:
            measure_review(review)
        elif review.state is ReviewState.PUBLISHED:
            rows.append(
                row_of(
                    publisher_id,
                    Measure.RATING,
                    review.rating * 100,
                    key=f"review:{review.id}:{publisher_id}:0",
                    source=("review", review.id),
                    at=review.created_at,
                )
            )
        if review.answered_at is not None:
            rows.append(_answer(review, review.answered_at))
    measure_all(rows)


def _answer(review: ListingReview, answered_at: datetime) -> dict[str, object]:
    seconds = max((answered_at - review.created_at).total_seconds(), 0)
    return row_of(
        review.listing.publisher_id,
        Measure.RESPONSE_MINUTES,
        int(seconds // 60),
        key=f"review:{review.id}",
        source=("review", review.id),
        at=answered_at,
    )
