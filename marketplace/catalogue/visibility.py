"""Which listings and partners the public sees: one rule each, as a condition for queries.

`Listing.is_public` and `Listing.is_findable` say the same of one listing in memory.
"""

from sqlalchemy import ColumnElement, Select, and_, not_, or_, select
from sqlalchemy.orm import aliased, contains_eager

from marketplace.accreditation.seats.reading import is_lab_of_seat
from marketplace.catalogue.models import Listing, ListingStatus
from marketplace.identity.models import Organization, OrganizationKind


def is_public() -> ColumnElement[bool]:
    """Anybody may see the page (a tombstone included). Needs a join with the publisher."""
    return and_(
        Listing.published_at.is_not(None),
        Listing.suspended_at.is_(None),
        Listing.unlisted_at.is_(None),
        Organization.suspended_at.is_(None),
    )


def is_findable() -> ColumnElement[bool]:
    """Search and lists show it. Needs a join with the publisher."""
    return and_(is_public(), Listing.status != ListingStatus.WITHDRAWN)


def is_public_partner() -> ColumnElement[bool]:
    """The organization has a page as a partner. A student's lab has none until it has published
    something."""
    own = aliased(Listing)
    published = select(own.id).where(
        own.publisher_id == Organization.id, own.published_at.is_not(None)
    )
    return and_(
        Organization.kind == OrganizationKind.PARTNER,
        Organization.suspended_at.is_(None),
        or_(not_(is_lab_of_seat(Organization.id)), published.exists()),
    )


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
