"""Reviews: of a listing, of a publisher's listings, and those that were flagged."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import Select, and_, exists, func, select
from sqlalchemy.orm import contains_eager, joinedload

from marketplace.catalogue.models import (
    FlagState,
    Listing,
    ListingReview,
    ListingUse,
    ReviewFlag,
    ReviewState,
)
from marketplace.catalogue.visibility import is_public
from marketplace.core.database import db
from marketplace.core.pagination import Page, paginate

PER_PAGE = 10
SORTS = {
    "newest": "Newest first",
    "highest": "Highest rating",
    "lowest": "Lowest rating",
}
_ORDERS: dict[str, Sequence[Any]] = {
    "newest": (ListingReview.created_at.desc(), ListingReview.id.desc()),
    "highest": (ListingReview.rating.desc(), ListingReview.created_at.desc(), ListingReview.id),
    "lowest": (ListingReview.rating, ListingReview.created_at.desc(), ListingReview.id),
}


def own_review(listing_id: int, organization_id: int) -> ListingReview | None:
    """The organization's review of the listing, whatever its state, or None."""
    return db.session.scalar(
        select(ListingReview).where(
            ListingReview.listing_id == listing_id,
            ListingReview.organization_id == organization_id,
        )
    )


def find_review(slug: str, review_id: int) -> ListingReview | None:
    """A published review on a public listing, with listing and publisher, or None."""
    return db.session.scalar(
        _with_listing()
        .where(Listing.slug == slug, ListingReview.id == review_id, is_public())
        .where(ListingReview.state == ReviewState.PUBLISHED)
    )


def find_any_review(review_id: int) -> ListingReview | None:
    """Any review, for staff, with listing, publisher and author, or None."""
    return db.session.scalar(
        _with_listing()
        .options(joinedload(ListingReview.author))
        .where(ListingReview.id == review_id)
    )


def _with_listing() -> Select[ListingReview]:
    return (
        select(ListingReview)
        .join(ListingReview.listing)
        .join(Listing.publisher)
        .options(
            contains_eager(ListingReview.listing).contains_eager(Listing.publisher),
            joinedload(ListingReview.organization),
        )
    )


def reviews_of(listing_id: int, sort: str) -> Select[ListingReview, Any]:
    """The listing's published reviews with their organization, and since when it uses it."""
    return (
        select(ListingReview, ListingUse.since)
        .outerjoin(
            ListingUse,
            and_(
                ListingUse.listing_id == ListingReview.listing_id,
                ListingUse.organization_id == ListingReview.organization_id,
            ),
        )
        .options(joinedload(ListingReview.organization))
        .where(
            ListingReview.listing_id == listing_id,
            ListingReview.state == ReviewState.PUBLISHED,
        )
        .order_by(*_ORDERS[sort])
    )


def rating_counts(listing_id: int) -> dict[int, int]:
    """How many published reviews gave each number of stars (only those given)."""
    rows = db.session.execute(
        select(ListingReview.rating, func.count())
        .where(
            ListingReview.listing_id == listing_id,
            ListingReview.state == ReviewState.PUBLISHED,
        )
        .group_by(ListingReview.rating)
    )
    return {rating: count for rating, count in rows}  # noqa: C416 - dict() does not type-check on rows


def received_reviews(organization_id: int, *, unanswered: bool) -> Select[ListingReview]:
    """Published reviews of the publisher's listings, the newest first."""
    query = _with_listing().where(
        Listing.publisher_id == organization_id, ListingReview.state == ReviewState.PUBLISHED
    )
    if unanswered:
        query = query.where(ListingReview.answer == "")
    return query.order_by(ListingReview.created_at.desc(), ListingReview.id.desc())


def page_of_received_reviews(
    organization_id: int, *, unanswered: bool, page: int
) -> Page[ListingReview]:
    """One page of the reviews that a publisher received."""
    query = received_reviews(organization_id, unanswered=unanswered)
    return paginate(query, page=page, per_page=PER_PAGE)


def page_of_written_reviews(organization_id: int, page: int) -> Page[ListingReview]:
    """One page of the reviews that an organization wrote, removed ones included."""
    query = _with_listing().where(ListingReview.organization_id == organization_id)
    return paginate(
        query.order_by(ListingReview.created_at.desc(), ListingReview.id.desc()),
        page=page,
        per_page=PER_PAGE,
    )


def flagged_reviews(state: FlagState, page: int) -> Page[ListingReview]:
    """Reviews that have flags in `state`; those with the oldest flag first."""
    has_flag = exists().where(ReviewFlag.review_id == ListingReview.id, ReviewFlag.state == state)
    oldest = (
        select(func.min(ReviewFlag.created_at))
        .where(ReviewFlag.review_id == ListingReview.id, ReviewFlag.state == state)
        .scalar_subquery()
    )
    query = _with_listing().options(joinedload(ListingReview.author)).where(has_flag)
    return paginate(query.order_by(oldest, ListingReview.id), page=page, per_page=PER_PAGE)


def flags_of(review_ids: Sequence[int], state: FlagState) -> dict[int, list[ReviewFlag]]:
    """The flags of these reviews in `state`, by review, oldest first, with who flagged."""
    rows = db.session.scalars(
        select(ReviewFlag)
        .options(joinedload(ReviewFlag.user))
        .where(ReviewFlag.review_id.in_(review_ids), ReviewFlag.state == state)
        .order_by(ReviewFlag.created_at, ReviewFlag.id)
    )
    found: dict[int, list[ReviewFlag]] = {review_id: [] for review_id in review_ids}
    for flag in rows:
        found[flag.review_id].append(flag)
    return found


def flagged_by(user_id: int | None, review_ids: Sequence[int]) -> set[int]:
    """Which of these reviews the person has flagged."""
    if user_id is None or not review_ids:
        return set()
    rows = select(ReviewFlag.review_id).where(
        ReviewFlag.user_id == user_id, ReviewFlag.review_id.in_(review_ids)
    )
    return set(db.session.scalars(rows))
