"""What a listing's page shows of this area, in a constant number of queries."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import func, select

from marketplace.catalogue.engagement import ratings
from marketplace.catalogue.engagement.queries.reviews import (
    PER_PAGE,
    SORTS,
    flagged_by,
    rating_counts,
    reviews_of,
)
from marketplace.catalogue.models import (
    Follow,
    Listing,
    ListingReview,
    ListingStatus,
    ListingUse,
    ReviewState,
)
from marketplace.core.database import db
from marketplace.core.pagination import MAX_PAGE
from marketplace.core.permissions import Actor


@dataclass(frozen=True)
class ShownReview:
    """A review as one reader sees it, with what this reader may do about it."""

    review: ListingReview
    uses_since: datetime | None
    is_own: bool
    can_flag: bool
    has_flagged: bool
    can_answer: bool


@dataclass(frozen=True)
class MyPart:
    """What the acting person and their active organization have to do with a listing."""

    uses_since: datetime | None = None
    review_id: int | None = None
    review_state: ReviewState | None = None
    follows: bool = False


def listing_panel(
    listing: Listing, actor: Actor, *, page: int = 1, sort: str = "newest"
) -> dict[str, Any]:
    """The reviews section and the actions of a listing's page, as values for its templates.

    `listing` has its publisher loaded. At most four queries, whatever the number of reviews. A
    page beyond the last shows the last; an unknown `sort` is `newest`.
    """
    sort = sort if sort in SORTS else "newest"
    histogram = ratings.histogram(rating_counts(listing.id))
    count = sum(histogram.values())
    pages = max(1, -(-count // PER_PAGE))
    page = min(max(page, 1), pages, MAX_PAGE)
    mine = _my_part(listing, actor)
    withdrawn = listing.status is ListingStatus.WITHDRAWN
    live = listing.is_public and not withdrawn
    return {
        "listing": listing,
        "reviews": _shown(listing, actor, page, sort) if count else [],
        "histogram": histogram,
        "count": count,
        "mean": sum(star * n for star, n in histogram.items()) / count if count else None,
        "page": page,
        "pages": pages,
        "sort": sort,
        "sorts": SORTS,
        "mine": mine,
        "can_follow": actor.is_authenticated and live,
        "can_declare_use": live and actor.can("listing.declare_use", listing),
        "can_write_review": (
            actor.can("review.write", listing)
            and mine.review_state is not ReviewState.REMOVED
            and mine.uses_since is not None
        ),
        "may_review_once_used": live and actor.can("review.write", listing),
        "is_publisher": actor.role_in(listing.publisher_id) is not None,
        "can_report": live,
    }


def _shown(listing: Listing, actor: Actor, page: int, sort: str) -> list[ShownReview]:
    query = reviews_of(listing.id, sort).limit(PER_PAGE).offset((page - 1) * PER_PAGE)
    rows = db.session.execute(query).all()
    flagged = flagged_by(actor.user_id, [review.id for review, _since in rows])
    answers = actor.role_in(listing.publisher_id) in {"owner", "admin", "editor"}
    shown = []
    for review, since in rows:
        own = actor.role_in(review.organization_id) is not None
        shown.append(
            ShownReview(
                review=review,
                uses_since=since,
                is_own=own,
                can_flag=not own and review.id not in flagged,
                has_flagged=review.id in flagged,
                can_answer=answers,
            )
        )
    return shown


def _my_part(listing: Listing, actor: Actor) -> MyPart:
    if not actor.is_authenticated:
        return MyPart()
    organization_id = actor.organization_id
    use = select(ListingUse.since).where(
        ListingUse.listing_id == listing.id, ListingUse.organization_id == organization_id
    )
    own = (
        ListingReview.listing_id == listing.id,
        ListingReview.organization_id == organization_id,
    )
    follow = (
        select(func.count())
        .select_from(Follow)
        .where(Follow.user_id == actor.user_id, Follow.listing_id == listing.id)
    )
    row = db.session.execute(
        select(
            use.scalar_subquery(),
            select(ListingReview.id).where(*own).scalar_subquery(),
            select(ListingReview.state).where(*own).scalar_subquery(),
            follow.scalar_subquery(),
        )
    ).one()
    return MyPart(uses_since=row[0], review_id=row[1], review_state=row[2], follows=bool(row[3]))
