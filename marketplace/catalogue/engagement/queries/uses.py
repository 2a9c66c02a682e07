"""Which organization uses what."""

from sqlalchemy import Select, select
from sqlalchemy.orm import contains_eager

from marketplace.catalogue.models import Listing, ListingUse
from marketplace.core.database import db
from marketplace.core.pagination import Page, paginate

PER_PAGE = 25


def find_use(listing_id: int, organization_id: int) -> ListingUse | None:
    """The organization's use of the listing, or None."""
    return db.session.get(ListingUse, (listing_id, organization_id))


def uses_of(organization_id: int) -> Select[ListingUse]:
    """What the organization uses, with listing and publisher; the newest first."""
    return (
        select(ListingUse)
        .join(ListingUse.listing)
        .join(Listing.publisher)
        .options(contains_eager(ListingUse.listing).contains_eager(Listing.publisher))
        .where(ListingUse.organization_id == organization_id)
        .order_by(ListingUse.since.desc(), ListingUse.listing_id)
    )


def page_of_uses(organization_id: int, page: int) -> Page[ListingUse]:
    """One page of what the organization uses."""
    return paginate(uses_of(organization_id), page=page, per_page=PER_PAGE)
