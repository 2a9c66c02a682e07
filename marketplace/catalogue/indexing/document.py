"""The search documents of a listing and of a publisher: whole, from the database, pure."""

import re
import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from marketplace.catalogue.content import DIRECTIONS
from marketplace.catalogue.indexing.spec import AUDIENCES
from marketplace.catalogue.models import Listing
from marketplace.identity.models import Organization

DESCRIPTION_CHARACTERS = 4_000
RATING_BANDS = (4, 3, 2, 1)

# A search index needs words, not exact rendering: this is some fifty times faster than
# rendering the Markdown, and a rebuild does it for every listing.
_NOISE = re.compile(
    r"<[^<>]{0,500}>"  # HTML
    r"|`+"
    r"|^\s{0,3}(?:#{1,6}|>|[-*+]|\d{1,3}[.)])\s+"  # heads, quotes, lists
    r"|^\s*[-|: ]{3,}$"  # rules of tables
    r"|[`*_~|]+(?=\s|$)|(?<![^\s(])[`*_~|]+"  # emphasis and code at the edges of words
    r"|(?<=[\w)])[`*]+",
    re.MULTILINE,
)
_IMAGE = re.compile(r"!\[[^\]\[]{0,300}\]\([^()\s]{0,1000}\)")
_LINK = re.compile(r"\[([^\]\[]{0,300})\]\([^()\s]{0,1000}(?:\s+\"[^\"]{0,200}\")?\)")


def listing_document(listing: Listing, authorizations: Sequence[str] = ()) -> dict[str, Any]:
    """The document of a listing; its publisher and categories should be loaded.

    `authorizations` are the levels at which authorities have authorized it now.

    Sent whole always. What it must not say (an unpublished or suspended listing) is not sent
    at all: see services.
    """
    content = listing.content
    categories = [link.category for link in listing.category_links]
    document: dict[str, Any] = {
        "id": str(listing.id),
        "slug": listing.slug,
        "name": listing.name,
        "aliases": _texts(content.get("aliases")),
        "publisher": listing.publisher.name,
        "publisher_slug": listing.publisher.slug,
        "summary": listing.tagline,
        "categories": [category.name for category in categories],
        "category": [category.slug for category in categories],
        "tags": _texts(content.get("tags")),
        "works_with": _texts(content.get("works_with")),
        "description": _description(content),
        "kind": listing.kind,
        "auth": _texts(content.get("auth_kinds")),
        "pricing": listing.pricing_model,
        "direction": _directions(content.get("data_shared")),
        "rating_band": rating_bands(listing.rating_count, listing.rating_hundredths),
        "certified": listing.certified_at is not None,
        "authorization": list(authorizations),
        "language": _texts(content.get("languages")),
        "status": listing.status.value,
        "popularity": listing.popularity,
        "name_sort": sort_key(listing.name),
        "audiences": list(AUDIENCES),
    }
    if listing.published_at is not None:
        document["published_at"] = int(listing.published_at.timestamp())
    if listing.rating_count:
        document["rating"] = listing.rating_hundredths
    return document


def publisher_document(publisher: Organization, listing_count: int) -> dict[str, Any]:
    """The document of a partner with `listing_count` findable listings."""
    document: dict[str, Any] = {
        "id": str(publisher.id),
        "slug": publisher.slug,
        "name": publisher.name,
        "summary": publisher.tagline,
        "partner_type": publisher.partner_type or "",
        "popularity": magnitude(listing_count),
        "name_sort": sort_key(publisher.name),
        "audiences": list(AUDIENCES),
    }
    if publisher.country:
        document["country"] = publisher.country
    return document


def magnitude(count: int) -> int:
    """The order of magnitude of a count, base 2: 0, 1, 2-3, 4-7 … are 0, 1, 2, 3 …

    What breaks ties should be coarse: a publisher is not indexed anew for every listing.
    """
    return max(count, 0).bit_length()


def rating_bands(count: int, hundredths: int) -> list[str]:
    """The bands "n and up" that a smoothed rating is in, as facet values; none without any."""
    if not count:
        return []
    return [str(band) for band in RATING_BANDS if hundredths >= band * 100]


def sort_key(name: str) -> str:
    """A name as an alphabetical list orders it: no case, no accents, letters before signs."""
    bare = "".join(
        character
        for character in unicodedata.normalize("NFKD", name.casefold())
        if not unicodedata.combining(character)
    )
    return re.sub(r"^\W+", "", bare).strip() or bare


def index_text(markdown: str) -> str:
    """The words of a Markdown text, in one line."""
    text = _LINK.sub(r"\1", _IMAGE.sub("", markdown))
    return " ".join(_NOISE.sub(" ", text).split())


def _description(content: Mapping[str, Any]) -> str:
    text = index_text(str(content.get("description") or ""))[:DESCRIPTION_CHARACTERS]
    names = [
        str(operation.get("name", ""))
        for part in ("actions", "triggers")
        for operation in content.get(part) or ()
    ]
    return f"{text} {'. '.join(names)}".strip() if names else text


def _texts(values: Iterable[Any] | None) -> list[str]:
    return [str(value) for value in values or ()]


def _directions(parts: Iterable[Mapping[str, Any]] | None) -> list[str]:
    found = {part.get("direction") for part in parts or ()}
    return [direction for direction in DIRECTIONS if direction in found]
