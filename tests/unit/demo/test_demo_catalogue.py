"""The demo catalogue keeps to the file format, refers only to what exists and repeats nothing."""

import json
import re
from collections import Counter
from collections.abc import Iterator
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

import marketplace.demo

FOLDER = Path(marketplace.demo.__file__).parent / "catalogue"
# The newest date in the catalogue: the day on which the demo was written.
WRITTEN_ON = date(2026, 11, 23)

SLUG = re.compile(r"[a-z0-9]+(-[a-z0-9]+)*")
COLOR = re.compile(r"#[0-9a-f]{6}")
URL = re.compile(r"https://[^\s/]+\.[^\s/]+(/\S*)?")
LANGUAGE = re.compile(r"[a-z]{2}(-[A-Z][A-Za-z]{1,3})?")

FIELDS = {
    "category": {"slug", "name", "description", "icon", "position"},
    "publisher": {
        "slug", "name", "tagline", "about", "website", "partner_type", "country", "brand_color",
        "logo", "verified",
    },
    "listing": {
        "slug", "publisher", "kind", "status", "successor", "status_reason", "name", "tagline",
        "description", "categories", "tags", "aliases", "works_with", "data_shared", "auth_kinds",
        "scopes", "actions", "triggers", "action_count", "trigger_count", "pricing", "setup_guide",
        "website_url", "support_url", "privacy_url", "terms_url", "documentation_url",
        "support_email", "video_url", "security", "compliance", "languages", "regions",
        "brand_color", "logo", "screenshots", "versions", "certified", "published_on", "source",
    },
}  # fmt: skip
PARTNER_TYPES = {
    "developer", "agency", "consulting", "technology", "integration", "franchise", "reseller",
    "affiliate", "white_label", "academic", "non_profit", "government",
}  # fmt: skip
CHOICES = {
    "auth_kinds": {"oauth2", "api_key", "basic", "saml", "none"},
    "compliance": {"soc2", "iso27001", "gdpr", "hipaa", "pci_dss", "fedramp", "ccpa"},
    "regions": {"global", "na", "latam", "eu", "uk", "mea", "apac"},
    "security": {
        "encryption_in_transit", "encryption_at_rest", "data_location", "retention",
        "subprocessors", "penetration_test", "incident_contact",
    },
}  # fmt: skip
LONGEST_TEXTS = {"name": 60, "tagline": 120, "description": 20_000, "setup_guide": 20_000}
MOST_ITEMS = {
    "categories": 3, "tags": 12, "aliases": 8, "works_with": 20, "data_shared": 20,
    "actions": 8, "triggers": 5, "versions": 6, "screenshots": 8,
}  # fmt: skip


def read(name: str) -> list[dict[str, Any]]:
    return list(json.loads((FOLDER / name).read_text(encoding="utf-8")))


RECORDS: list[dict[str, Any]] = [
    json.loads(line)
    for line in (FOLDER / "catalogue.jsonl").read_text(encoding="utf-8").splitlines()
]
CATEGORIES = {r["slug"]: r for r in RECORDS if r["record"] == "category"}
PUBLISHERS = {r["slug"]: r for r in RECORDS if r["record"] == "publisher"}
LISTINGS = {r["slug"]: r for r in RECORDS if r["record"] == "listing"}
CUSTOMERS = {c["slug"]: c for c in read("customers.json")}
REVIEWS = read("reviews.json")
USES = {(u["listing"], u["organization"]): u for u in read("uses.json")}


def words(text: str) -> int:
    return len(re.findall(r"[\w'’-]+", text))


def long_sentences(text: str) -> Iterator[str]:
    """Sentences of more than eight words, without punctuation and capitals."""
    for sentence in re.split(r"(?<=[.!?:])\s+|\n+", text):
        bare = re.sub(r"[^\w ]", "", sentence.lower()).strip()
        if len(bare.split()) > 8:
            yield bare


def test_the_catalogue_is_as_large_as_a_buyer_expects() -> None:
    assert len(RECORDS) == len(CATEGORIES) + len(PUBLISHERS) + len(LISTINGS), "a slug is doubled"
    assert 15 <= len(CATEGORIES) <= 18
    assert len(PUBLISHERS) >= 64
    assert len(LISTINGS) >= 165
    kinds = Counter(listing["kind"] for listing in LISTINGS.values())
    assert kinds["integration"] >= 90
    assert kinds["app"] >= 40
    assert kinds["service"] >= 20
    assert kinds["template"] >= 12
    states = Counter(listing["status"] for listing in LISTINGS.values())
    assert states["beta"] == 10
    assert states["deprecated"] == 5
    assert states["withdrawn"] == 2
    assert 50 <= sum(listing["certified"] for listing in LISTINGS.values()) <= 60
    assert {p["partner_type"] for p in PUBLISHERS.values()} == PARTNER_TYPES


def test_every_category_and_publisher_has_listings() -> None:
    assert {c for listing in LISTINGS.values() for c in listing["categories"]} == set(CATEGORIES)
    assert {listing["publisher"] for listing in LISTINGS.values()} == set(PUBLISHERS)


@pytest.mark.parametrize("record", RECORDS, ids=lambda r: f"{r['record']}-{r['slug']}")
def test_a_record_keeps_to_the_format(record: dict[str, Any]) -> None:
    assert set(record) - {"record"} <= FIELDS[record["record"]]
    assert SLUG.fullmatch(record["slug"])
    assert len(record["slug"]) <= 60
    if record["record"] == "category":
        assert len(record["name"]) <= 60
        assert 0 < len(record["description"]) <= 200
    if record["record"] == "publisher":
        assert len(record["name"]) <= 80
        assert 0 < len(record["tagline"]) <= 120
        assert 0 < len(record["about"]) <= 4_000
        assert record["partner_type"] in PARTNER_TYPES
        assert re.fullmatch(r"[A-Z]{2}", record["country"])
        assert URL.fullmatch(record["website"])
    if record["record"] != "category":
        assert COLOR.fullmatch(record["brand_color"])
        assert (FOLDER / record["logo"]).is_file()


@pytest.mark.parametrize("listing", LISTINGS.values(), ids=LISTINGS)
def test_a_listing_is_complete_and_within_its_limits(listing: dict[str, Any]) -> None:
    for field, most in LONGEST_TEXTS.items():
        assert 0 < len(listing[field]) <= most, field
    for field, most in MOST_ITEMS.items():
        assert len(listing.get(field, [])) <= most, field
    for field, allowed in CHOICES.items():
        assert set(listing.get(field, [])) <= allowed, field
    assert len(listing["tagline"]) >= 10
    assert 120 <= words(listing["description"]) <= 350
    assert re.search(r"^(#|- |\d\. |\|)", listing["description"], re.MULTILINE)
    assert re.search(r"^1\. .+", listing["setup_guide"], re.MULTILINE)
    assert len(listing["tags"]) >= 3
    assert all(len(tag) <= 30 for tag in listing["tags"])
    assert listing["pricing"]["model"] in {"free", "freemium", "paid", "contact"}
    assert listing["pricing"]["summary"]
    assert all(LANGUAGE.fullmatch(language) for language in listing["languages"])
    assert all(scope["scope"] and scope["reason"] for scope in listing.get("scopes", []))
    assert all(
        shared["direction"] in {"read", "write", "two_way"} and shared["object"]
        for shared in listing.get("data_shared", [])
    )
    assert all(len(answer) <= 500 for answer in listing.get("security", {}).values())
    for field in listing:
        if field.endswith("_url"):
            assert URL.fullmatch(listing[field]), field
    if listing["kind"] in {"app", "integration"}:
        assert len(listing["actions"]) >= 2
        assert listing["scopes"]
        assert listing["data_shared"]


@pytest.mark.parametrize("listing", LISTINGS.values(), ids=LISTINGS)
def test_a_listing_refers_only_to_what_exists(listing: dict[str, Any]) -> None:
    assert listing["publisher"] in PUBLISHERS
    assert set(listing["categories"]) <= set(CATEGORIES)
    if listing["status"] == "deprecated":
        assert LISTINGS[listing["successor"]]["status"] == "active"
    if listing["status"] == "withdrawn":
        assert listing["status_reason"]
    for screenshot in listing.get("screenshots", []):
        assert screenshot["caption"]
        assert screenshot["alt"]
        assert (FOLDER / screenshot["file"]).is_file()


@pytest.mark.parametrize("listing", LISTINGS.values(), ids=LISTINGS)
def test_versions_go_back_from_the_newest_to_publication(listing: dict[str, Any]) -> None:
    published = date.fromisoformat(listing["published_on"])
    released = [date.fromisoformat(v["released_on"]) for v in listing.get("versions", [])]
    assert date(2023, 1, 1) <= published <= WRITTEN_ON
    assert released == sorted(released, reverse=True)
    assert all(published <= day <= WRITTEN_ON for day in released)
    assert all(version["changelog"] for version in listing.get("versions", []))


def test_names_taglines_and_sentences_are_not_repeated() -> None:
    for field in ("name", "tagline"):
        counted = Counter(listing[field].casefold() for listing in LISTINGS.values())
        assert [text for text, times in counted.items() if times > 1] == []
    seen: dict[str, str] = {}
    for slug, listing in LISTINGS.items():
        for sentence in set(long_sentences(listing["description"])):
            assert sentence not in seen, f"{slug} and {seen[sentence]}: {sentence}"
            seen[sentence] = slug


def test_pictures_have_their_size_and_are_all_different_and_used() -> None:
    used = {record["logo"] for record in RECORDS if "logo" in record}
    for listing in LISTINGS.values():
        used |= {screenshot["file"] for screenshot in listing.get("screenshots", [])}
    stored = {path.relative_to(FOLDER).as_posix() for path in FOLDER.rglob("*.png")}
    assert stored == used
    contents = set()
    for name in sorted(stored):
        path = FOLDER / name
        is_logo = name.startswith("logos/")
        with Image.open(path) as picture:
            assert picture.size == ((256, 256) if is_logo else (1280, 800)), name
        assert path.stat().st_size <= (6_144 if is_logo else 25_600), name
        contents.add(path.read_bytes())
    assert len(contents) == len(stored)
    assert sum(path.stat().st_size for path in FOLDER.rglob("*") if path.is_file()) < 4_000_000


def test_reviews_are_by_customers_that_used_the_listing_before() -> None:
    assert len(REVIEWS) >= 400
    assert len({review["organization"] for review in REVIEWS}) >= 60
    assert len({(r["listing"], r["organization"]) for r in REVIEWS}) == len(REVIEWS)
    assert len({review["body"] for review in REVIEWS}) == len(REVIEWS)
    for review in REVIEWS:
        assert review["rating"] in {1, 2, 3, 4, 5}
        assert 0 < len(review["title"]) <= 100
        assert review["author"]
        use = USES[review["listing"], review["organization"]]
        posted = date.fromisoformat(review["posted_on"])
        assert date.fromisoformat(use["since"]) <= posted <= WRITTEN_ON
        assert ("answer" in review) == ("answered_on" in review)
        if "answer" in review:
            assert posted <= date.fromisoformat(review["answered_on"]) <= WRITTEN_ON


def test_reviews_are_believable_in_length_and_rating() -> None:
    mean = sum(review["rating"] for review in REVIEWS) / len(REVIEWS)
    assert 4.0 <= mean <= 4.4
    assert {review["rating"] for review in REVIEWS} == {1, 2, 3, 4, 5}
    assert sum(20 <= words(review["body"]) <= 90 for review in REVIEWS) >= len(REVIEWS) / 2


def test_uses_name_listings_and_customers_and_vary_in_number() -> None:
    for listing, organization in USES:
        assert listing in LISTINGS
        assert organization in CUSTOMERS
    for use in USES.values():
        published = LISTINGS[use["listing"]]["published_on"]
        assert published <= use["since"] <= WRITTEN_ON.isoformat()
    popularity = Counter(listing for listing, _ in USES)
    assert sum(times >= 50 for times in popularity.values()) >= 3
    assert sum(times <= 3 for times in popularity.values()) >= 40


def test_customers_are_invented_organizations_of_their_own() -> None:
    assert not set(CUSTOMERS) & set(PUBLISHERS)
    for customer in CUSTOMERS.values():
        assert SLUG.fullmatch(customer["slug"])
        assert customer["website"] == f"https://{customer['slug']}.example"
        assert re.fullmatch(r"[A-Z]{2}", customer["country"])


def test_collections_are_in_order_and_show_listings_that_can_be_installed() -> None:
    collections = read("collections.json")
    assert len(collections) == 8
    assert [c["position"] for c in collections] == list(range(1, 9))
    for collection in collections:
        slugs = [item["slug"] for item in collection["listings"]]
        assert len(slugs) == len(set(slugs)) >= 6
        assert {LISTINGS[slug]["status"] for slug in slugs} <= {"active", "beta"}
        assert all(len(item.get("blurb", "")) <= 200 for item in collection["listings"])
        if "ends_on" in collection:
            assert collection["starts_on"] < collection["ends_on"]


def test_requests_are_distinct_and_name_the_listing_that_fulfilled_them() -> None:
    requests = read("requests.json")
    assert len(requests) == 20
    assert len({request["name"].casefold() for request in requests}) == 20
    assert {r["status"] for r in requests} == {"open", "planned", "building", "listed"}
    for request in requests:
        assert request["votes"] > 0
        assert ("listing" in request) == (request["status"] == "listed")
        assert request.get("listing", "slack") in LISTINGS


def test_no_synonym_stands_in_two_groups() -> None:
    terms = [term for group in read("synonyms.json") for term in group["terms"]]
    assert len(terms) == len(set(terms))
    assert all(term == term.lower() for term in terms)


def test_the_people_of_the_demo_cover_every_role_and_belong_somewhere() -> None:
    people = read("people.json")
    assert len({p["subject"] for p in people}) == len({p["email"] for p in people}) == len(people)
    for person in people:
        assert person["email"].endswith(".example")
        assert person["organization"] in {"Harbor", *CUSTOMERS, *PUBLISHERS}
    staff = {p["role"] for p in people if p["organization"] == "Harbor"}
    assert staff == {"reviewer", "finance", "program_manager", "support", "admin"}
    partners = {(p["organization"], p["role"]) for p in people if p["organization"] in PUBLISHERS}
    assert {("tidewater-labs", "owner"), ("tidewater-labs", "editor")} <= partners
    assert sum(role == "owner" for _, role in partners) >= 2
