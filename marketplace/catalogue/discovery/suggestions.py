"""Suggestions as somebody types: listings, publishers and categories, in a few milliseconds."""

import unicodedata
from dataclasses import dataclass

from flask import url_for
from markupsafe import Markup

from marketplace.catalogue.discovery import queries
from marketplace.catalogue.discovery.cards import load_cards
from marketplace.catalogue.discovery.facets import KIND_LABELS
from marketplace.catalogue.discovery.marking import mark
from marketplace.catalogue.discovery.parameters import ListingSearch
from marketplace.catalogue.discovery.services import engine
from marketplace.catalogue.indexing.spec import AUDIENCES, LISTINGS, PUBLISHERS
from marketplace.core.database import db
from search.engine import Highlight, SearchPage, SearchQuery, SearchUnavailable

LISTINGS_SHOWN = 6
PUBLISHERS_SHOWN = 3
CATEGORIES_SHOWN = 3


@dataclass(frozen=True, slots=True)
class Suggestion:
    """One line of the list."""

    label: str
    href: str
    label_html: Markup | None = None
    note: str = ""
    color: str | None = None
    logo_url: str | None = None
    icon: str = ""


@dataclass(frozen=True, slots=True)
class SuggestionGroup:
    """Suggestions of one sort under a heading."""

    label: str
    items: tuple[Suggestion, ...]


def suggest(text: str) -> tuple[SuggestionGroup, ...]:
    """Suggestions for what was typed so far; groups without any are left out."""
    if not text:
        return ()
    groups = (
        SuggestionGroup("Apps and integrations", _listings(text)),
        SuggestionGroup("Categories", _categories(text)),
        SuggestionGroup("Publishers", _publishers(text)),
    )
    return tuple(group for group in groups if group.items)


def _ask(index: str, text: str, count: int) -> SearchPage | None:
    """The engine's answer, None when it cannot answer."""
    try:
        return engine().search(
            SearchQuery(
                index=index, scope=AUDIENCES, text=text, per_page=count, highlight=("name",)
            )
        )
    except SearchUnavailable:
        return None


def _listings(text: str) -> tuple[Suggestion, ...]:
    page = _ask(LISTINGS.name, text, LISTINGS_SHOWN)
    if page is None:
        query = queries.plain_search(ListingSearch(text=text)).limit(LISTINGS_SHOWN)
        cards = load_cards(query)
        marks: dict[int, Highlight] = {}
    else:
        by_id = {card.id: card for card in load_cards(queries.CARDS_BY_ID, ids=_ids(page))}
        cards = tuple(by_id[number] for number in _ids(page) if number in by_id)
        marks = _marks(page)
    return tuple(
        Suggestion(
            label=card.name,
            label_html=_marked(card.name, marks.get(card.id)),
            href=card.href,
            note=f"{KIND_LABELS.get(card.kind, '')} by {card.publisher.name}".strip(),
            color=card.brand_color,
            logo_url=card.logo_url,
        )
        for card in cards
    )


def _publishers(text: str) -> tuple[Suggestion, ...]:
    page = _ask(PUBLISHERS.name, text, PUBLISHERS_SHOWN)
    if page is None:
        rows = list(db.session.scalars(queries.publishers_like(text, PUBLISHERS_SHOWN)))
        marks: dict[int, Highlight] = {}
    else:
        found = {row.id: row for row in db.session.scalars(queries.publishers_by_id(_ids(page)))}
        rows = [found[number] for number in _ids(page) if number in found]
        marks = _marks(page)
    return tuple(
        Suggestion(
            label=row.name,
            label_html=_marked(row.name, marks.get(row.id)),
            href=url_for("catalogue.publisher", slug=row.slug),
            color=row.brand_color,
            logo_url=url_for("media.show", key=row.logo_key) if row.logo_key else None,
        )
        for row in rows
    )


def _categories(text: str) -> tuple[Suggestion, ...]:
    wanted = _folded(text)
    found = []
    for row in db.session.execute(queries.CATEGORY_NAMES):
        name = _folded(row.name)
        at = 0 if name.startswith(wanted) else name.find(f" {wanted}") + 1
        if at or name.startswith(wanted):
            # Folding may change lengths; then nothing is marked.
            spans = ((at, at + len(wanted)),) if len(name) == len(row.name) else ()
            found.append((row, spans))
    return tuple(
        Suggestion(
            label=row.name,
            label_html=mark(row.name, spans),
            href=url_for("catalogue.category", slug=row.slug),
            icon="layers",
        )
        for row, spans in found[:CATEGORIES_SHOWN]
    )


def _ids(page: SearchPage) -> list[int]:
    return [int(hit.id) for hit in page.hits]


def _marks(page: SearchPage) -> dict[int, Highlight]:
    return {int(hit.id): hit.highlights["name"] for hit in page.hits if "name" in hit.highlights}


def _marked(name: str, found: Highlight | None) -> Markup | None:
    return mark(name, found.spans) if found is not None and found.text == name else None


def _folded(text: str) -> str:
    bare = unicodedata.normalize("NFKD", text.casefold())
    return "".join(character for character in bare if not unicodedata.combining(character))
