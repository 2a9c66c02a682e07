"""What the API says of rows, as plain values in the shape of schemas.py."""

from collections.abc import Sequence
from typing import Any

from flask import current_app
from sqlalchemy import Row

from marketplace.catalogue.discovery.cards import ListingCard
from marketplace.catalogue.models import Listing
from marketplace.identity.models import Organization


class Links:
    """Absolute addresses. Made by joining, since a page has dozens of them."""

    def __init__(self) -> None:
        """For the current application; its PUBLIC_URL, never the request's own host."""
        self._base = str(current_app.config["PUBLIC_URL"])

    def listing(self, slug: str) -> str:
        """A listing's page."""
        return f"{self._base}/listings/{slug}"

    def publisher(self, slug: str) -> str:
        """A publisher's page."""
        return f"{self._base}/partners/{slug}"

    def category(self, slug: str) -> str:
        """A category's page."""
        return f"{self._base}/categories/{slug}"

    def media(self, key: str | None) -> str | None:
        """A stored image."""
        return f"{self._base}/media/{key}" if key else None


def listing_item(rows: Sequence[Row[Any]], links: Links) -> dict[str, Any]:
    """A listing in a list, of its rows from queries.listing_rows."""
    row = rows[0]
    return {
        "slug": row.slug,
        "name": row.name,
        "tagline": row.tagline,
        "publisher": {
            "slug": row.publisher_slug,
            "name": row.publisher_name,
            "verified": bool(row.verified),
        },
        "categories": [each.category for each in rows if each.category is not None],
        "kind": row.kind,
        "status": row.status,
        "pricing": row.pricing_model,
        "rating": round(row.rating_sum / row.rating_count, 2) if row.rating_count else None,
        "rating_count": row.rating_count,
        "use_count": row.use_count,
        "certified": bool(row.certified),
        "published_at": _moment(row.published_at),
        "logo_url": links.media(row.logo_key or row.publisher_logo),
        "url": links.listing(row.slug),
    }


def card_item(card: ListingCard, links: Links) -> dict[str, Any]:
    """The same of a card that the plain database search found."""
    return {
        "slug": card.slug,
        "name": card.name,
        "tagline": card.tagline,
        "publisher": {
            "slug": card.publisher.slug,
            "name": card.publisher.name,
            "verified": card.publisher.verified,
        },
        "categories": [category.slug for category in card.categories],
        "kind": card.kind,
        "status": card.status.value,
        "pricing": card.pricing,
        "rating": round(card.rating, 2) if card.rating is not None else None,
        "rating_count": card.rating_count,
        "use_count": card.use_count,
        "certified": card.certified,
        "published_at": _moment(card.published_at),
        "logo_url": links.media(card.logo_key),
        "url": links.listing(card.slug),
    }


_CONTENT = (
    "description",
    "tags",
    "aliases",
    "works_with",
    "data_shared",
    "auth_kinds",
    "scopes",
    "actions",
    "triggers",
    "setup_guide",
    "website_url",
    "support_url",
    "privacy_url",
    "terms_url",
    "documentation_url",
    "support_email",
    "video_url",
    "security",
    "compliance",
    "languages",
    "regions",
)
_LISTS = frozenset(
    {
        "tags",
        "aliases",
        "works_with",
        "data_shared",
        "auth_kinds",
        "scopes",
        "actions",
        "triggers",
        "compliance",
        "languages",
        "regions",
    }
)


def listing_detail(listing: Listing, links: Links) -> dict[str, Any]:
    """Everything public about a listing."""
    content = listing.content
    publisher = listing.publisher
    detail: dict[str, Any] = {
        "slug": listing.slug,
        "name": listing.name,
        "tagline": listing.tagline,
        "publisher": {
            "slug": publisher.slug,
            "name": publisher.name,
            "verified": publisher.verified_at is not None,
        },
        "categories": [link.category.slug for link in listing.category_links],
        "kind": listing.kind,
        "status": listing.status.value,
        "pricing": listing.pricing_model,
        "rating": round(listing.rating, 2) if listing.rating is not None else None,
        "rating_count": listing.rating_count,
        "use_count": listing.use_count,
        "certified": listing.certified_at is not None,
        "published_at": _moment(listing.published_at),
        "logo_url": links.media((content.get("logo") or {}).get("key") or publisher.logo_key),
        "url": links.listing(listing.slug),
        "status_reason": listing.status_reason,
        "successor": _successor(listing, links),
        "updated_at": _moment(listing.content_updated_at or listing.published_at),
        "pricing_details": {
            "summary": (content.get("pricing") or {}).get("summary", ""),
            "url": (content.get("pricing") or {}).get("url", ""),
        },
        "action_count": _count(content, "action_count", "actions"),
        "trigger_count": _count(content, "trigger_count", "triggers"),
        "brand_color": content.get("brand_color"),
        "screenshots": [
            {
                "url": links.media(shot["key"]),
                "width": shot["width"],
                "height": shot["height"],
                "caption": shot.get("caption", ""),
                "alt": shot["alt"],
            }
            for shot in content.get("screenshots") or []
        ],
        "versions": [
            {
                "version": version.version,
                "released_on": version.released_on.isoformat(),
                "changelog": version.changelog,
            }
            for version in listing.versions
        ],
    }
    for name in _CONTENT:
        empty: Any = [] if name in _LISTS else {} if name == "security" else ""
        detail[name] = content.get(name) or empty
    return detail


def category_item(row: Row[Any], links: Links) -> dict[str, Any]:
    """A category."""
    return {
        "slug": row.slug,
        "name": row.name,
        "description": row.description,
        "listing_count": row.listing_count,
        "url": links.category(row.slug),
    }


def publisher_item(publisher: Organization, listing_count: int, links: Links) -> dict[str, Any]:
    """A publisher in a list."""
    return {
        "slug": publisher.slug,
        "name": publisher.name,
        "tagline": publisher.tagline,
        "partner_type": publisher.partner_type,
        "country": publisher.country,
        "website": publisher.website,
        "verified": publisher.verified_at is not None,
        "listing_count": listing_count,
        "logo_url": links.media(publisher.logo_key),
        "url": links.publisher(publisher.slug),
    }


def publisher_detail(publisher: Organization, listing_count: int, links: Links) -> dict[str, Any]:
    """A publisher by itself."""
    return {**publisher_item(publisher, listing_count, links), "about": publisher.about}


def _successor(listing: Listing, links: Links) -> dict[str, str] | None:
    successor = listing.successor
    if successor is None or not successor.is_public:
        return None
    return {
        "slug": successor.slug,
        "name": successor.name,
        "url": links.listing(successor.slug),
    }


def _count(content: dict[str, Any], count: str, items: str) -> int:
    return max(content.get(count) or 0, len(content.get(items) or []))


def _moment(value: Any) -> str | None:
    return value.isoformat(timespec="seconds") if value is not None else None
