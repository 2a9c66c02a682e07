"""Listings for tests. All of it is flushed, nothing committed."""

import itertools
from datetime import timedelta
from typing import Any

from marketplace.catalogue.models import (
    Category,
    Listing,
    ListingCategory,
    Revision,
    RevisionState,
)
from marketplace.core import clock
from marketplace.core.database import db
from marketplace.identity.models import Organization
from tests.factories.people import make_organization

_numbers = itertools.count(1)


def make_category(name: str = "Productivity", **fields: Any) -> Category:
    """A category whose slug is made of its name."""
    category = Category(
        slug=name.lower().replace(" ", "-").replace("&", "and"), name=name, **fields
    )
    db.session.add(category)
    db.session.flush()
    return category


def listing_content(**fields: Any) -> dict[str, Any]:
    """A complete, valid content; `fields` replace parts of it."""
    content: dict[str, Any] = {
        "name": "Tide Tables",
        "tagline": "Brings tide forecasts into your schedule",
        "description": "Tide Tables writes the day's high and low water into the calendar you use.",
        "kind": "integration",
        "categories": ["productivity"],
        "tags": ["calendar", "weather"],
        "works_with": ["Calendar"],
        "data_shared": [
            {"object": "Events", "direction": "write", "purpose": "To add the tides of a day"}
        ],
        "auth_kinds": ["oauth2"],
        "scopes": [{"scope": "events.write", "reason": "To add the tides to your calendar"}],
        "actions": [{"name": "Add tides", "description": "Adds the tides of one day"}],
        "triggers": [],
        "pricing": {"model": "free", "summary": "Free for everyone", "url": ""},
        "website_url": "https://tides.example",
        "support_url": "https://tides.example/support",
        "privacy_url": "https://tides.example/privacy",
        "terms_url": "https://tides.example/terms",
        "languages": ["en"],
        "brand_color": "#1f6f8b",
    }
    return {**content, **fields}


def make_listing(
    publisher: Organization | None = None,
    *,
    published: bool = True,
    category: Category | None = None,
    slug: str | None = None,
    days_old: int = 10,
    listing_fields: dict[str, Any] | None = None,
    **content_fields: Any,
) -> Listing:
    """A listing with its published revision (or, unpublished, with a draft)."""
    publisher = publisher or make_organization()
    content = listing_content(**content_fields)
    slugs = content["categories"]
    known = {row.slug: row for row in db.session.query(Category).filter(Category.slug.in_(slugs))}
    if category is not None:
        known[category.slug] = category
        content["categories"] = [category.slug]
    for name in content["categories"]:
        if name not in known:
            known[name] = make_category(name.replace("-", " ").capitalize())
    at = clock.now() - timedelta(days=days_old)
    listing = Listing(
        slug=slug or f"{content['name'].lower().replace(' ', '-')}-{next(_numbers)}",
        publisher_id=publisher.id,
        name=content["name"],
        tagline=content["tagline"],
        kind=content["kind"],
        pricing_model=content["pricing"]["model"],
        content=content if published else {},
        published_at=at if published else None,
        content_updated_at=at if published else None,
        **(listing_fields or {}),
    )
    db.session.add(listing)
    db.session.flush()
    revision = Revision(
        listing_id=listing.id,
        number=1,
        state=RevisionState.PUBLISHED if published else RevisionState.DRAFT,
        content=content,
        published_at=at if published else None,
    )
    db.session.add(revision)
    db.session.flush()
    if published:
        listing.published_revision_id = revision.id
        for position, name in enumerate(content["categories"]):
            db.session.add(
                ListingCategory(
                    listing_id=listing.id, category_id=known[name].id, position=position
                )
            )
        db.session.flush()
    return listing
