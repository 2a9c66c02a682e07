"""Which listings the public sees: one rule, as a condition for queries.

`Listing.is_public` and `Listing.is_findable` say the same of one listing in memory.
"""

from sqlalchemy import ColumnElement, Select, and_, select
from sqlalchemy.orm import contains_eager

from marketplace.catalogue.models import Listing, ListingStatus
from marketplace.identity.models import Organization


def is_public() -> ColumnElement[bool]:
    """Anybody may see the page (a tombstone included). Needs a join with the publisher."""
    return and_(
        Listing.published_at.is_not(None),
        Listing.suspended_at.is_(None),
        Organization.suspended_at.is_(None),
    )


def is_findable() -> ColumnElement[bool]:
    """Search and lists show it. Needs a join with the publisher."""
    return and_(is_public(), Listing.status != ListingStatus.WITHDRAWN)


def public_listings() -> Select[Listing]:
    """All listings whose page is public, with their publisher loaded."""
    return (
        select(Listing)
        .join(Listing.publisher)
        .options(contains_eager(Listing.publisher))
        .where(is_public())
    )


def findable_listings() -> Select[Listing]:
    """All listings that lists and search show, with their publisher loaded."""
    return public_listings().where(Listing.status != ListingStatus.WITHDRAWN)
