"""Everything that a listing's page shows; also the page of a draft, as the public would see it."""

import re
from collections.abc import Mapping, Sequence
from typing import Any
from urllib.parse import urlsplit

from flask import url_for
from markupsafe import Markup

from marketplace.catalogue.content import SECURITY_QUESTIONS, ListingContent
from marketplace.catalogue.discovery import facets
from marketplace.catalogue.discovery.cards import ListingCard, card_of
from marketplace.catalogue.discovery.services import popular_in_categories
from marketplace.catalogue.engagement.queries.panel import listing_panel
from marketplace.catalogue.models import Category, Listing, ListingStatus
from marketplace.catalogue.pages import json_ld, queries
from marketplace.catalogue.pages.contributions import contributions
from marketplace.catalogue.pages.similar import Candidate, most_similar
from marketplace.core.branding import site_address
from marketplace.core.database import db
from marketplace.core.markdown import render_markdown
from marketplace.core.permissions import ANONYMOUS, Actor

SIMILAR = 4
_CONSIDERED = 40


def prose(source: str) -> Markup:
    """Markdown below a heading of the second level: its own headings begin at the third, whatever
    level their author began with, so that the outline of the page has no gap."""
    html = render_markdown(source)
    levels = {int(level) for level in re.findall(r"<h([3-6])", html)}
    if not levels or 3 in levels:
        return html
    by = min(levels) - 3
    moved = re.sub(r"<(/?)h([3-6])>", lambda m: f"<{m[1]}h{int(m[2]) - by}>", html)
    return Markup(moved)  # noqa: S704 - sanitised HTML whose headings were renamed


COMPLIANCE_LABELS = {
    "soc2": "SOC 2",
    "iso27001": "ISO 27001",
    "gdpr": "GDPR",
    "hipaa": "HIPAA",
    "pci_dss": "PCI DSS",
    "fedramp": "FedRAMP",
    "ccpa": "CCPA",
}
REGION_LABELS = {
    "global": "Worldwide",
    "na": "North America",
    "latam": "Latin America",
    "eu": "European Union",
    "uk": "United Kingdom",
    "mea": "Middle East and Africa",
    "apac": "Asia and Pacific",
}
LABELS: Mapping[str, Any] = {
    "auth_labels": facets.AUTH_LABELS,
    "pricing_labels": facets.PRICING_LABELS,
    "kind_labels": facets.KIND_LABELS,
    "compliance_labels": COMPLIANCE_LABELS,
    "region_labels": REGION_LABELS,
    "security_questions": SECURITY_QUESTIONS,
    "language_label": facets.language_label,
    "prose": prose,
    "country_label": facets.country_label,
}


def absolute(path: str) -> str:
    """`path` (beginning with a slash) at the address of the site that was asked for."""
    return f"{site_address()}{path}"


def host_of(url: str) -> str:
    """The host of a web address without `www.`, as a link's text."""
    return (urlsplit(url).hostname or "").removeprefix("www.")


def page_context(
    listing: Listing, actor: Actor, *, review_page: int = 1, review_sort: str = "newest"
) -> dict[str, Any]:
    """The context of `catalogue/listing.html` for a public listing.

    `listing` was loaded by `queries.public_listing`. One query for similar listings, and those
    of the engagement panel, whatever the listing holds.
    """
    categories = [link.category for link in listing.category_links]
    content = listing.content
    url = absolute(url_for("catalogue.listing", slug=listing.slug))
    version = listing.versions[0].version if listing.versions else None
    logo = _logo_url(content, listing)
    trail = [("Categories", absolute(url_for("catalogue.categories")))]
    if categories:
        trail.append(
            (
                categories[0].name,
                absolute(url_for("catalogue.category", slug=categories[0].slug)),
            )
        )
    trail.append((listing.name, url))
    contributed = contributions(listing, actor)
    return {
        **_shared(listing, content, categories),
        "engagement": listing_panel(listing, actor, page=review_page, sort=review_sort),
        "similar": _similar(listing, categories),
        **contributed,
        "preview": False,
        "canonical_url": url,
        "json_ld": []
        if listing.status is ListingStatus.WITHDRAWN
        else [
            json_ld.software_application(
                url=url,
                content=content,
                publisher_name=listing.publisher.name,
                publisher_url=absolute(url_for("catalogue.publisher", slug=listing.publisher.slug)),
                category=categories[0].name if categories else "",
                image_url=absolute(logo) if logo else None,
                published_at=listing.published_at,
                updated_at=listing.content_updated_at,
                version=version,
                rating=listing.rating,
                rating_count=listing.rating_count,
                offers=contributed.get("offers", ()),
            ),
            json_ld.breadcrumb_list(trail),
        ],
    }


def preview_context(
    listing: Listing, content: Mapping[str, Any] | ListingContent
) -> dict[str, Any]:
    """The context of `catalogue/listing.html` for a draft: as the public would see it, with
    whatever is missing left out. `content` may be incomplete or hold values of a wrong form."""
    given = content.to_json() if isinstance(content, ListingContent) else content
    told = _tolerable(given)
    wanted = [str(slug) for slug in told.get("categories", [])][:3]
    rows = db.session.scalars(queries.categories_by_slug(wanted)) if wanted else ()
    by_slug = {row.slug: row for row in rows}
    return {
        **_shared(listing, told, [by_slug[slug] for slug in wanted if slug in by_slug]),
        "engagement": listing_panel(listing, ANONYMOUS) if listing.id else None,
        "similar": (),
        "preview": True,
        "canonical_url": absolute(url_for("catalogue.listing", slug=listing.slug)),
        "json_ld": [],
    }


def _shared(
    listing: Listing, content: Mapping[str, Any], categories: Sequence[Category]
) -> dict[str, Any]:
    return {
        **LABELS,
        "listing": listing,
        "content": content,
        "name": content.get("name") or listing.name,
        "categories": categories,
        "logo_url": _logo_url(content, listing),
        "brand_color": content.get("brand_color") or listing.publisher.brand_color,
        "screenshots": [
            shot for shot in content.get("screenshots") or () if isinstance(shot, Mapping)
        ],
        "host_of": host_of,
        "sections": _sections(listing, content),
    }


def _sections(listing: Listing, content: Mapping[str, Any]) -> list[tuple[str, str]]:
    """The parts of the page that there are, as pairs of anchor and title."""
    access = content.get("scopes") or content.get("data_shared") or content.get("auth_kinds")
    operations = content.get("actions") or content.get("triggers")
    counted = content.get("action_count") or content.get("trigger_count")
    security = content.get("security") or content.get("compliance")
    parts = (
        ("overview", "Overview", True),
        ("access", "Data and permissions", access),
        ("operations", "Actions and triggers", operations or counted),
        ("pricing", "Pricing", True),
        ("setup", "Setup", content.get("setup_guide")),
        ("versions", "Versions", listing.versions),
        ("security", "Security", security),
        ("reviews", "Reviews", True),
    )
    return [(anchor, title) for anchor, title, there in parts if there]


def _logo_url(content: Mapping[str, Any], listing: Listing) -> str | None:
    logo = content.get("logo")
    key = logo.get("key") if isinstance(logo, Mapping) else None
    key = key or listing.publisher.logo_key
    return url_for("media.show", key=key) if key else None


def _similar(listing: Listing, categories: Sequence[Category]) -> tuple[ListingCard, ...]:
    if not categories:
        return ()
    slugs = tuple(category.slug for category in categories)
    near = [n for n in popular_in_categories(slugs, _CONSIDERED + 1) if n != listing.id]
    rows = {row.id: row for row in db.session.execute(queries.neighbours(near))}
    chosen = most_similar(
        listing.content.get("works_with") or (),
        listing.content.get("tags") or (),
        listing.publisher_id,
        [
            Candidate(
                number,
                rows[number].publisher_id,
                tuple(rows[number].works_with or ()),
                tuple(rows[number].tags or ()),
            )
            for number in near
            if number in rows
        ],
        SIMILAR,
    )
    return tuple(card_of(rows[number]) for number in chosen)


_LISTS_OF_OBJECTS = ("data_shared", "scopes", "actions", "triggers", "screenshots")
_LISTS_OF_TEXT = (
    "categories",
    "tags",
    "aliases",
    "works_with",
    "auth_kinds",
    "compliance",
    "languages",
    "regions",
)
_OBJECTS = ("pricing", "security", "logo")


def _tolerable(content: Mapping[str, Any]) -> dict[str, Any]:
    """A draft's content with what has the wrong form left out, so that a page can be made of it."""
    told: dict[str, Any] = {}
    for key, value in content.items():
        if key in _LISTS_OF_OBJECTS:
            told[key] = [part for part in value or () if isinstance(part, Mapping)]
        elif key in _LISTS_OF_TEXT:
            told[key] = [part for part in value or () if isinstance(part, str) and part]
        elif key in _OBJECTS:
            told[key] = value if isinstance(value, Mapping) else {}
        elif value is not None:
            told[key] = value
    return told
