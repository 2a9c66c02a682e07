"""Selects of the public pages."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Select, and_, func, or_, select
from sqlalchemy.orm import contains_eager, joinedload, selectinload

from marketplace.catalogue.discovery.queries import cards, findable_ids, is_public_publisher
from marketplace.catalogue.models import (
    Category,
    CategoryRedirect,
    Collection,
    CollectionItem,
    Listing,
    ListingCategory,
    ListingStatus,
    SlugRedirect,
)
from marketplace.catalogue.visibility import is_findable, is_public, public_listings
from marketplace.identity.models import Organization


def public_listing(slug: str) -> Select[*tuple[Any, ...]]:
    """The public listing of that address with all that its page shows."""
    return (
        public_listings()
        .where(Listing.slug == slug)
        .options(
            selectinload(Listing.category_links).joinedload(ListingCategory.category),
            selectinload(Listing.versions),
            joinedload(Listing.successor).joinedload(Listing.publisher),
        )
    )


def moved_to(slug: str) -> Select[str]:
    """The address that replaced `slug`, if its listing is public."""
    return (
        select(Listing.slug)
        .join(SlugRedirect, SlugRedirect.listing_id == Listing.id)
        .join(Organization, Organization.id == Listing.publisher_id)
        .where(SlugRedirect.slug == slug, is_public())
    )


def neighbours(ids: Sequence[int]) -> Select[*tuple[Any, ...]]:
    """The cards of these listings as far as they are findable, with what they work with."""
    return (
        cards()
        .add_columns(
            Listing.content["works_with"].label("works_with"),
            Listing.content["tags"].label("tags"),
        )
        .where(Listing.id.in_(ids))
    )


def category(slug: str) -> Select[Category]:
    """The category of that address."""
    return select(Category).where(Category.slug == slug)


def category_moved_to(slug: str) -> Select[str]:
    """The address of the category that took the listings of the one at `slug`."""
    return (
        select(Category.slug)
        .join(CategoryRedirect, CategoryRedirect.category_id == Category.id)
        .where(CategoryRedirect.slug == slug)
    )


def is_live(at: datetime) -> ColumnElement[bool]:
    """The collection is shown at that moment."""
    return and_(
        Collection.is_published.is_(True),
        or_(Collection.starts_at.is_(None), Collection.starts_at <= at),
        or_(Collection.ends_at.is_(None), Collection.ends_at > at),
    )


def live_collections(at: datetime) -> Select[Collection]:
    """The collections that are shown, in the operator's order."""
    return select(Collection).where(is_live(at)).order_by(Collection.position, Collection.id)


def live_collection(slug: str, at: datetime) -> Select[Collection]:
    """The collection of that address, if it is shown."""
    return select(Collection).where(Collection.slug == slug, is_live(at))


def collection_items(collection_ids: Sequence[int]) -> Select[int, int, str]:
    """Collection, listing and blurb of what is in these collections, in order."""
    return (
        select(CollectionItem.collection_id, CollectionItem.listing_id, CollectionItem.blurb)
        .where(CollectionItem.collection_id.in_(collection_ids))
        .order_by(CollectionItem.collection_id, CollectionItem.position, CollectionItem.listing_id)
    )


def collection_cards(collection_ids: Sequence[int]) -> Select[*tuple[Any, ...]]:
    """The findable listings of these collections in their order, with blurbs."""
    return (
        cards()
        .add_columns(
            CollectionItem.collection_id.label("collection_id"),
            CollectionItem.blurb.label("blurb"),
        )
        .join(CollectionItem, CollectionItem.listing_id == Listing.id)
        .where(CollectionItem.collection_id.in_(collection_ids))
        .order_by(CollectionItem.collection_id, CollectionItem.position, Listing.id)
    )


def _listing_counts() -> Any:
    """Figures by publisher of what would be findable if the publisher is public."""
    return (
        select(
            Listing.publisher_id,
            func.count().label("listings"),
            func.sum(Listing.popularity).label("popularity"),
        )
        .where(Listing.published_at.is_not(None), Listing.suspended_at.is_(None))
        .where(Listing.unlisted_at.is_(None))
        .where(Listing.status != ListingStatus.WITHDRAWN)
        .group_by(Listing.publisher_id)
        .subquery()
    )


def publishers(
    *, text: str = "", partner_type: str = "", country: str = "", category: str = "", sort: str = ""
) -> Select[*tuple[Any, ...]]:
    """Partners with a page, and how many findable listings each has. A partner is in the
    directory when it is verified or has a listing."""
    counts = _listing_counts()
    listings = func.coalesce(counts.c.listings, 0)
    query = (
        select(Organization, listings.label("listing_count"))
        .outerjoin(counts, counts.c.publisher_id == Organization.id)
        .where(is_public_publisher(), or_(Organization.verified_at.is_not(None), listings > 0))
    )
    if text:
        query = query.where(
            or_(
                Organization.name.icontains(text, autoescape=True),
                Organization.tagline.icontains(text, autoescape=True),
            )
        )
    if partner_type:
        query = query.where(Organization.partner_type == partner_type)
    if country:
        query = query.where(Organization.country == country)
    if category:
        query = query.where(
            Organization.id.in_(
                select(Listing.publisher_id)
                .join(ListingCategory, ListingCategory.listing_id == Listing.id)
                .join(Category, Category.id == ListingCategory.category_id)
                .where(Listing.id.in_(findable_ids()), Category.slug == category)
            )
        )
    if sort == "name":
        return query.order_by(func.lower(Organization.name), Organization.id)
    if sort == "newest":
        return query.order_by(Organization.created_at.desc(), Organization.id.desc())
    return query.order_by(
        func.coalesce(counts.c.popularity, 0).desc(), listings.desc(), Organization.id
    )


def publisher_countries() -> Select[*tuple[Any, ...]]:
    """The countries that public partners are in, each once."""
    return (
        select(Organization.country)
        .where(is_public_publisher(), Organization.country.is_not(None))
        .distinct()
    )


def publisher(slug: str) -> Select[Organization]:
    """The public partner of that address."""
    return select(Organization).where(Organization.slug == slug, is_public_publisher())


def publisher_figures(publisher_id: int) -> Select[int, int, int, int]:
    """Listings, ratings and uses of a publisher's findable listings, as one row."""
    return (
        select(
            func.count().label("listings"),
            func.coalesce(func.sum(Listing.rating_sum), 0).label("rating_sum"),
            func.coalesce(func.sum(Listing.rating_count), 0).label("rating_count"),
            func.coalesce(func.sum(Listing.use_count), 0).label("uses"),
        )
        .select_from(Listing)
        .join(Organization, Organization.id == Listing.publisher_id)
        .where(is_findable(), Listing.publisher_id == publisher_id)
    )


def compared(slugs: Sequence[str]) -> Select[Listing]:
    """These listings, as far as they are findable, with publisher and categories."""
    return (
        select(Listing)
        .join(Listing.publisher)
        .options(
            contains_eager(Listing.publisher),
            selectinload(Listing.category_links).joinedload(ListingCategory.category),
            selectinload(Listing.versions),
        )
        .where(is_findable(), Listing.slug.in_(slugs))
    )


def categories_by_slug(slugs: Sequence[str]) -> Select[Category]:
    """The categories of these slugs."""
    return select(Category).where(Category.slug.in_(slugs))
