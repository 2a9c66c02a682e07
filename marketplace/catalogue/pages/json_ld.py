"""Structured data for search engines (schema.org), as plain dicts."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

_CATEGORY = {
    "app": "BusinessApplication",
    "integration": "BusinessApplication",
    "template": "BusinessApplication",
}


def software_application(
    *,
    url: str,
    content: Mapping[str, Any],
    publisher_name: str,
    publisher_url: str,
    category: str,
    image_url: str | None,
    published_at: datetime | None,
    updated_at: datetime | None,
    version: str | None,
    rating: float | None,
    rating_count: int,
    offers: Sequence[Mapping[str, Any]] = (),
) -> dict[str, Any]:
    """A listing as schema.org/SoftwareApplication (a service as schema.org/Service).

    `rating` is a mean from 1 to 5. An AggregateRating is stated only when somebody rated.
    `offers` (schema.org/Offer) are what is sold here. Without any, an offer with a price is stated
    only where the listing is free, since prices in words are no prices.
    """
    is_service = content.get("kind") == "service"
    data: dict[str, Any] = {
        "@context": "https://schema.org",
        "@type": "Service" if is_service else "SoftwareApplication",
        "@id": url,
        "url": url,
        "name": content.get("name", ""),
        "description": content.get("tagline", ""),
    }
    organization = {"@type": "Organization", "name": publisher_name, "url": publisher_url}
    if is_service:
        data["provider"] = organization
        data["serviceType"] = category
    else:
        data["applicationCategory"] = _CATEGORY.get(str(content.get("kind")), "WebApplication")
        data["applicationSubCategory"] = category
        data["operatingSystem"] = "Web"
        data["publisher"] = organization
        if version:
            data["softwareVersion"] = version
        if published_at:
            data["datePublished"] = published_at.date().isoformat()
        if updated_at:
            data["dateModified"] = updated_at.date().isoformat()
        if content.get("languages"):
            data["inLanguage"] = list(content["languages"])
    if image_url:
        data["image"] = image_url
    if offers:
        data["offers"] = list(offers)
    elif (content.get("pricing") or {}).get("model") in ("free", "freemium"):
        data["offers"] = {"@type": "Offer", "price": "0", "priceCurrency": "USD"}
    if rating_count and rating is not None:
        data["aggregateRating"] = {
            "@type": "AggregateRating",
            "ratingValue": f"{rating:.1f}",
            "ratingCount": rating_count,
            "bestRating": "5",
            "worstRating": "1",
        }
    return data


def breadcrumb_list(trail: Sequence[tuple[str, str]]) -> dict[str, Any]:
    """The way up to a page as schema.org/BreadcrumbList, from pairs of name and absolute URL."""
    return {
        "@context": "https://schema.org",
        "@type": "BreadcrumbList",
        "itemListElement": [
            {"@type": "ListItem", "position": position, "name": name, "item": url}
            for position, (name, url) in enumerate(trail, start=1)
        ],
    }


def website(*, name: str, url: str, search_url: str) -> dict[str, Any]:
    """The site as schema.org/WebSite with its search. `search_url` has `{query}` in it."""
    return {
        "@context": "https://schema.org",
        "@type": "WebSite",
        "name": name,
        "url": url,
        "potentialAction": {
            "@type": "SearchAction",
            "target": {"@type": "EntryPoint", "urlTemplate": search_url},
            "query-input": "required name=query",
        },
    }


def organization(
    *, url: str, name: str, description: str, website_url: str, logo_url: str | None
) -> dict[str, Any]:
    """A publisher as schema.org/Organization."""
    data: dict[str, Any] = {
        "@context": "https://schema.org",
        "@type": "Organization",
        "@id": url,
        "name": name,
        "url": website_url or url,
    }
    if description:
        data["description"] = description
    if logo_url:
        data["logo"] = logo_url
    return data
