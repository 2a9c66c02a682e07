"""What an export says of each row: records in the catalogue's format, without empty fields.

The order of the fields is that of docs/catalogue-format.md, and never changes: two exports of
the same catalogue are the same bytes.
"""

from datetime import UTC
from pathlib import PurePosixPath
from typing import Any

from marketplace.catalogue.models import Category, Listing
from marketplace.identity.models import Organization

_TEXT_FIELDS = ("name", "tagline", "description")
_CONTENT_FIELDS = (
    "tags",
    "aliases",
    "works_with",
    "data_shared",
    "auth_kinds",
    "scopes",
    "actions",
    "triggers",
    "action_count",
    "trigger_count",
    "pricing",
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
    "brand_color",
)


def category_record(category: Category) -> dict[str, Any]:
    """A category's line."""
    return _slim(
        {
            "record": "category",
            "slug": category.slug,
            "name": category.name,
            "description": category.description,
            "icon": category.icon,
            "position": category.position,
        }
    )


def publisher_record(publisher: Organization, logo: str | None) -> dict[str, Any]:
    """A publisher's line; `logo` is the path of the exported file."""
    return _slim(
        {
            "record": "publisher",
            "slug": publisher.slug,
            "name": publisher.name,
            "tagline": publisher.tagline,
            "about": publisher.about,
            "website": publisher.website,
            "partner_type": publisher.partner_type or "technology",
            "country": publisher.country,
            "brand_color": publisher.brand_color,
            "logo": logo,
            "verified": True if publisher.verified_at else None,
        }
    )


def listing_record(
    listing: Listing, logo: str | None, screenshots: list[str | None]
) -> dict[str, Any]:
    """A published listing's line; `logo` and `screenshots` are paths of exported files."""
    content = listing.content
    published_at = listing.published_at
    record: dict[str, Any] = {
        "record": "listing",
        "slug": listing.slug,
        "publisher": listing.publisher.slug,
        "kind": listing.kind,
        "status": listing.status.value if listing.status.value != "active" else None,
        "successor": listing.successor.slug if listing.successor else None,
        "status_reason": listing.status_reason,
        **{name: content.get(name) for name in _TEXT_FIELDS},
        "categories": [link.category.slug for link in listing.category_links],
        **{name: content.get(name) for name in _CONTENT_FIELDS},
        "logo": logo,
        "screenshots": [
            {"file": path, "caption": shot.get("caption"), "alt": shot["alt"]}
            for path, shot in zip(screenshots, content.get("screenshots") or [], strict=True)
            if path is not None
        ],
        "versions": [
            {
                "version": version.version,
                "released_on": version.released_on.isoformat(),
                "changelog": version.changelog,
            }
            for version in sorted(listing.versions, key=lambda v: (v.released_on, v.version))
        ],
        "certified": True if listing.certified_at else None,
        "published_on": published_at.astimezone(UTC).date().isoformat() if published_at else None,
        "source": listing.source,
    }
    return _slim(record)


def logo_path(kind: str, slug: str, key: str) -> str:
    """Where the logo of a publisher or listing goes."""
    return f"media/{kind}/{slug}/logo{PurePosixPath(key).suffix}"


def screenshot_path(slug: str, number: int, key: str) -> str:
    """Where a listing's screenshot goes."""
    return f"media/listings/{slug}/{number}{PurePosixPath(key).suffix}"


def _slim(record: dict[str, Any]) -> dict[str, Any]:
    """`record` without empty texts, lists and objects, at every level; 0 and false stay."""
    slim = {name: _slim_part(part) for name, part in record.items()}
    return {name: part for name, part in slim.items() if part not in (None, "", [], {})}


def _slim_part(value: Any) -> Any:
    if isinstance(value, dict):
        return _slim(value)
    if isinstance(value, list | tuple):
        return [_slim_part(part) for part in value]
    return value
