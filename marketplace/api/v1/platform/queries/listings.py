"""A partner's own listings."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import Row, and_, or_, select
from sqlalchemy.orm import defer, joinedload

from marketplace.catalogue.models import Listing, ListingVersion, Revision
from marketplace.catalogue.models.revision import OPEN_STATES
from marketplace.core.database import db
from marketplace.identity.models import Organization


def publisher(organization_id: int) -> Organization:
    """The partner of that number, which exists."""
    return db.session.get_one(Organization, organization_id)


def own_listing(partner_id: int, slug: str) -> Listing | None:
    """The partner's listing of that slug with its publisher."""
    return db.session.scalar(
        select(Listing)
        .where(Listing.slug == slug, Listing.publisher_id == partner_id)
        .options(joinedload(Listing.publisher))
    )


def own_listings(
    partner_id: int, *, after: int | None, limit: int
) -> Sequence[Row[Listing, Revision]]:
    """The partner's listings with their open revisions (or None), the oldest first; those whose
    only draft was discarded are left out."""
    query: Any = (
        select(Listing, Revision)
        .outerjoin(
            Revision, and_(Revision.listing_id == Listing.id, Revision.state.in_(OPEN_STATES))
        )
        .where(
            Listing.publisher_id == partner_id,
            or_(Listing.published_at.is_not(None), Revision.id.is_not(None)),
        )
        .options(defer(Listing.content), defer(Revision.content), defer(Revision.base_content))
    )
    if after is not None:
        query = query.where(Listing.id > after)
    rows: Sequence[Any] = db.session.execute(query.order_by(Listing.id).limit(limit + 1)).all()
    return rows


def versions(listing_id: int, *, after: int | None, limit: int) -> Sequence[ListingVersion]:
    """A listing's versions, the last told first."""
    query = select(ListingVersion).where(ListingVersion.listing_id == listing_id)
    if after is not None:
        query = query.where(ListingVersion.id < after)
    return db.session.scalars(query.order_by(ListingVersion.id.desc()).limit(limit + 1)).all()
