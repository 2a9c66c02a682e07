"""Reviews of a partner's listings."""

from collections.abc import Sequence

from sqlalchemy import Select, select
from sqlalchemy.orm import contains_eager, joinedload

from marketplace.catalogue.models import Listing, ListingReview, ReviewState
from marketplace.core.database import db


def _reviews(partner_id: int) -> Select[ListingReview]:
    return (
        select(ListingReview)
        .join(ListingReview.listing)
        .where(
            Listing.publisher_id == partner_id,
            ListingReview.state == ReviewState.PUBLISHED,
        )
        .options(
            contains_eager(ListingReview.listing).joinedload(Listing.publisher),
            joinedload(ListingReview.organization),
            joinedload(ListingReview.author),
        )
    )


def reviews(
    partner_id: int,
    *,
    listing: str | None,
    answered: bool | None,
    after: int | None,
    limit: int,
) -> Sequence[ListingReview]:
    """Published reviews of the partner's listings, the newest first."""
    query = _reviews(partner_id)
    if listing is not None:
        query = query.where(Listing.slug == listing)
    if answered is not None:
        query = query.where(ListingReview.answer != "" if answered else ListingReview.answer == "")
    if after is not None:
        query = query.where(ListingReview.id < after)
    return db.session.scalars(query.order_by(ListingReview.id.desc()).limit(limit + 1)).all()


def review(partner_id: int, review_id: int) -> ListingReview | None:
    """One of them."""
    return db.session.scalar(_reviews(partner_id).where(ListingReview.id == review_id))
