"""Structured data says what is true and nothing more."""

from datetime import UTC, datetime
from typing import Any

import pytest

from marketplace.catalogue.pages import json_ld

CONTENT: dict[str, Any] = {
    "name": "Tide Tables",
    "tagline": "Brings tide forecasts into your schedule",
    "kind": "integration",
    "pricing": {"model": "paid", "summary": "5 a month", "url": ""},
    "languages": ["en", "de"],
}


def application(**changes: Any) -> dict[str, Any]:
    values: dict[str, Any] = {
        "url": "https://market.example/listings/tide-tables",
        "content": CONTENT,
        "publisher_name": "Quayside",
        "publisher_url": "https://market.example/partners/quayside",
        "category": "Productivity",
        "image_url": None,
        "published_at": datetime(2025, 3, 1, tzinfo=UTC),
        "updated_at": datetime(2026, 4, 2, tzinfo=UTC),
        "version": "1.2.0",
        "rating": None,
        "rating_count": 0,
    }
    return json_ld.software_application(**{**values, **changes})


def test_a_listing_is_a_software_application() -> None:
    data = application()
    assert data["@type"] == "SoftwareApplication"
    assert data["softwareVersion"] == "1.2.0"
    assert data["datePublished"] == "2025-03-01"
    assert data["dateModified"] == "2026-04-02"
    assert data["publisher"]["name"] == "Quayside"
    assert "image" not in data


def test_there_is_no_aggregate_rating_without_ratings() -> None:
    assert "aggregateRating" not in application()
    assert "aggregateRating" not in application(rating=4.0, rating_count=0)


def test_ratings_are_stated_with_their_number() -> None:
    rating = application(rating=4.25, rating_count=8)["aggregateRating"]
    assert rating["ratingValue"] == "4.2"
    assert rating["ratingCount"] == 8


@pytest.mark.parametrize(
    ("model", "offered"), [("free", True), ("freemium", True), ("paid", False), ("contact", False)]
)
def test_a_price_is_stated_only_where_it_is_nothing(model: str, offered: bool) -> None:
    data = application(content={**CONTENT, "pricing": {"model": model}})
    assert ("offers" in data) is offered


def test_what_is_sold_here_is_offered_whatever_its_pricing_says_in_words() -> None:
    offers = [{"@type": "Offer", "price": "12.00", "priceCurrency": "EUR"}]
    content = {**CONTENT, "pricing": {"model": "freemium"}}
    assert application(content=content, offers=offers)["offers"] == offers


def test_a_service_is_a_service() -> None:
    data = application(content={**CONTENT, "kind": "service"})
    assert data["@type"] == "Service"
    assert data["provider"]["name"] == "Quayside"
    assert "operatingSystem" not in data


def test_an_incomplete_content_makes_no_error() -> None:
    data = application(content={}, version=None, published_at=None, updated_at=None, category="")
    assert data["name"] == ""
    assert "softwareVersion" not in data


def test_a_trail_counts_from_one() -> None:
    data = json_ld.breadcrumb_list([("Categories", "https://x/c"), ("CRM", "https://x/c/crm")])
    assert [item["position"] for item in data["itemListElement"]] == [1, 2]
