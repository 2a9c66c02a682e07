"""What happens in the catalogue, told to the partner whose listing it is.

Connected in wiring.py; runs in the transaction of what happened.
"""

from typing import Any

from sqlalchemy import select

from marketplace.catalogue.models import Listing, ListingReview
from marketplace.core.database import db
from marketplace.installs.models import App
from marketplace.installs.webhooks.events import emit


def tell_review_posted(review: ListingReview) -> None:
    """A customer reviewed a listing. Its words are public already."""
    listing = db.session.get_one(Listing, review.listing_id)
    emit(
        "review.posted",
        organization_id=listing.publisher_id,
        app=_app_of(listing),
        ordering_key=f"listing_{listing.id}",
        data={
            "listing": _brief(listing),
            "review": {
                "id": review.id,
                "rating": review.rating,
                "title": review.title,
                "body": review.body,
                "author": review.author_name,
            },
        },
    )


def tell_listing_decided(listing: Listing, approved: bool, note: str) -> None:
    """A submitted revision was published, or sent back with the reviewer's words."""
    emit(
        "listing.approved" if approved else "listing.rejected",
        organization_id=listing.publisher_id,
        app=_app_of(listing),
        ordering_key=f"listing_{listing.id}",
        data={"listing": _brief(listing), "note": note},
    )


def _brief(listing: Listing) -> dict[str, Any]:
    return {"slug": listing.slug, "name": listing.name}


def _app_of(listing: Listing) -> App | None:
    return db.session.scalar(
        select(App).where(App.listing_id == listing.id, App.archived_at.is_(None))
    )
