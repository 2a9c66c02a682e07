"""Collections and what could be in them."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import func, or_, select
from sqlalchemy.orm import selectinload

from marketplace.catalogue.models import Collection, CollectionItem, Listing
from marketplace.catalogue.visibility import findable_listings
from marketplace.core.database import db
from marketplace.identity.models import Organization

MOST_FOUND = 10


def collections_with_counts() -> Sequence[Any]:
    """Rows of (Collection, how many listings it has), in the operator's order."""
    count = func.count(CollectionItem.listing_id).label("listings")
    return db.session.execute(
        select(Collection, count)
        .outerjoin(CollectionItem, CollectionItem.collection_id == Collection.id)
        .group_by(Collection.id)
        .order_by(Collection.position, Collection.id)
    ).all()


def find_collection(collection_id: int) -> Collection | None:
    """The collection with its items, their listings and publishers, or None."""
    return db.session.scalar(
        select(Collection)
        .options(
            selectinload(Collection.items)
            .joinedload(CollectionItem.listing)
            .joinedload(Listing.publisher)
        )
        .where(Collection.id == collection_id)
    )


def find_to_add(text: str) -> Sequence[Listing]:
    """Up to ten findable listings whose name, slug or publisher holds `text`."""
    if not text:
        return ()
    return db.session.scalars(
        findable_listings()
        .where(
            or_(
                Listing.name.icontains(text, autoescape=True),
                Listing.slug.icontains(text, autoescape=True),
                Organization.name.icontains(text, autoescape=True),
            )
        )
        .order_by(Listing.popularity.desc(), Listing.name, Listing.id)
        .limit(MOST_FOUND)
    ).all()


def find_findable(listing_id: int) -> Listing | None:
    """A findable listing, or None."""
    return db.session.scalar(findable_listings().where(Listing.id == listing_id))
