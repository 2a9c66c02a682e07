"""What cards and badges on other sites say of listings; wiring.py hands this to accreditation."""

from collections.abc import Sequence

from sqlalchemy import select
from sqlalchemy.orm import joinedload

from marketplace.accreditation.embeds.cards import ListedRow, ListingSource
from marketplace.catalogue.models import Listing, ListingStatus
from marketplace.core.database import db

_MOST = 100


def find(slug: str) -> ListedRow | None:
    """The listing of an address that the public has seen; a withdrawn one is not live."""
    listing = db.session.scalar(
        select(Listing)
        .where(Listing.slug == slug[:80].replace("\x00", ""), Listing.published_at.is_not(None))
        .options(joinedload(Listing.publisher))
    )
    if listing is None or not listing.is_public:
        return None
    return _row(listing)


def published_by(organization_id: int) -> Sequence[ListedRow]:
    """What an organization has published and not withdrawn, by name."""
    rows = db.session.scalars(
        select(Listing)
        .where(
            Listing.publisher_id == organization_id,
            Listing.published_at.is_not(None),
            Listing.suspended_at.is_(None),
            Listing.status != ListingStatus.WITHDRAWN,
        )
        .options(joinedload(Listing.publisher))
        .order_by(Listing.name, Listing.id)
        .limit(_MOST)
    )
    return [_row(listing) for listing in rows]


def _row(listing: Listing) -> ListedRow:
    return ListedRow(
        id=listing.id,
        slug=listing.slug,
        name=listing.name,
        tagline=listing.tagline,
        publisher=listing.publisher.name,
        is_live=listing.status is not ListingStatus.WITHDRAWN,
        rating_hundredths=listing.rating_hundredths,
        rating_count=listing.rating_count,
        color=listing.brand_color,
        logo_key=listing.logo_key,
    )


LISTINGS = ListingSource(find=find, published_by=published_by)
