"""Finding the listing or publisher that an address names."""

from sqlalchemy import and_, or_, select
from sqlalchemy.orm import contains_eager

from marketplace.catalogue.models import Follow, Listing, ListingUse
from marketplace.catalogue.visibility import findable_listings, is_public, public_listings
from marketplace.core.database import db
from marketplace.identity.models import Organization, OrganizationKind


def find_public_listing(slug: str) -> Listing | None:
    """The listing if its page is public, with its publisher, or None."""
    return db.session.scalar(public_listings().where(Listing.slug == slug))


def find_live_listing(slug: str) -> Listing | None:
    """The listing if it is public and not withdrawn, with its publisher, or None."""
    return db.session.scalar(findable_listings().where(Listing.slug == slug))


def find_listing_in_use(slug: str, organization_id: int | None) -> Listing | None:
    """The listing if it is public or the organization uses it (though it was hidden), or None."""
    return db.session.scalar(
        select(Listing)
        .join(Listing.publisher)
        .outerjoin(
            ListingUse,
            and_(
                ListingUse.listing_id == Listing.id,
                ListingUse.organization_id == organization_id,
            ),
        )
        .options(contains_eager(Listing.publisher))
        .where(
            Listing.slug == slug, or_(is_public(), ListingUse.organization_id == organization_id)
        )
    )


def find_public_publisher(slug: str) -> Organization | None:
    """The publisher if its page is public, or None."""
    return db.session.scalar(
        select(Organization).where(
            Organization.slug == slug,
            Organization.kind == OrganizationKind.PARTNER,
            Organization.suspended_at.is_(None),
        )
    )


def find_listing_to_unfollow(slug: str, user_id: int | None) -> Listing | None:
    """The listing if it is public or the person follows it (though it was hidden), or None."""
    return db.session.scalar(
        select(Listing)
        .join(Listing.publisher)
        .outerjoin(Follow, and_(Follow.listing_id == Listing.id, Follow.user_id == user_id))
        .options(contains_eager(Listing.publisher))
        .where(Listing.slug == slug, or_(is_public(), Follow.id.is_not(None)))
    )


def find_publisher_to_unfollow(slug: str, user_id: int | None) -> Organization | None:
    """The publisher if it is public or the person follows it (though it was hidden), or None."""
    return db.session.scalar(
        select(Organization)
        .outerjoin(Follow, and_(Follow.publisher_id == Organization.id, Follow.user_id == user_id))
        .where(
            Organization.slug == slug,
            Organization.kind == OrganizationKind.PARTNER,
            or_(Organization.suspended_at.is_(None), Follow.id.is_not(None)),
        )
    )
