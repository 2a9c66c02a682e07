"""The one place where approved content becomes public."""

from collections.abc import Mapping
from datetime import datetime

from sqlalchemy import select

from marketplace.catalogue.changes import listing_changed
from marketplace.catalogue.content import ListingContent
from marketplace.catalogue.models import Category, Listing, ListingCategory
from marketplace.core import clock
from marketplace.core.database import db
from marketplace.core.errors import InvalidError


def categories_by_slug(slugs: tuple[str, ...]) -> Mapping[str, Category]:
    """The categories of these slugs. Raises InvalidError when one does not exist."""
    rows = db.session.scalars(select(Category).where(Category.slug.in_(slugs)))
    found = {row.slug: row for row in rows}
    for slug in slugs:
        if slug not in found:
            raise InvalidError({"categories": f"There is no category {slug}."})
    return found


def apply_content(
    listing: Listing,
    content: ListingContent,
    *,
    at: datetime | None = None,
    categories: Mapping[str, Category] | None = None,
    announce: bool = True,
) -> None:
    """Make `content` what the listing says in public, and have it indexed after the commit.

    An import that applies many hands over the `categories` it has loaded, flushes and announces
    all of them together (`announce=False`, then changes.listings_changed). Sets the listing's
    columns, its categories and, the first time, `published_at`. Flushes.
    Raises InvalidError for a category that does not exist.
    """
    at = at or clock.now()
    if categories is None or not set(content.categories) <= set(categories):
        categories = categories_by_slug(content.categories)
    listing.name = content.name
    listing.tagline = content.tagline
    listing.kind = content.kind
    listing.pricing_model = content.pricing.model
    listing.logo_key = content.logo.key if content.logo else None
    listing.brand_color = content.brand_color
    listing.content = content.to_json()
    listing.content_updated_at = at
    if listing.published_at is None:
        listing.published_at = at
    wanted = [categories[slug].id for slug in content.categories]
    if [link.category_id for link in listing.category_links] != wanted:
        if listing.category_links:
            listing.category_links.clear()
            db.session.flush()
        for position, category_id in enumerate(wanted):
            listing.category_links.append(
                ListingCategory(category_id=category_id, position=position)
            )
    db.session.add(listing)
    if announce:
        db.session.flush()
        listing_changed(listing.id)
