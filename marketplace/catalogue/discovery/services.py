"""Searching listings. The engine ranks; what is shown is loaded from the database, which decides
what is visible. Without the engine the database searches, plainly."""

import logging
from collections.abc import Mapping
from dataclasses import replace

from flask import current_app

from marketplace.catalogue.discovery import queries
from marketplace.catalogue.discovery.cards import ListingCard, load_cards, load_in_order
from marketplace.catalogue.discovery.facets import Facet, active_filters, build_facet
from marketplace.catalogue.discovery.parameters import FACETS, FacetRule, ListingSearch
from marketplace.catalogue.discovery.results import ListingResults, NoResultsHelp
from marketplace.catalogue.discovery.spelling import closest
from marketplace.catalogue.indexing.spec import AUDIENCES, LISTINGS
from marketplace.core.database import db
from marketplace.core.metrics import SEARCH_DEGRADED
from search.engine import (
    MAX_WINDOW,
    And,
    Eq,
    Filter,
    Highlight,
    In,
    SearchEngine,
    SearchPage,
    SearchQuery,
    SearchUnavailable,
)

log = logging.getLogger(__name__)

# Index fields whose matches are marked, and what they are on a card.
HIGHLIGHTED = {"name": "name", "summary": "tagline"}
_SHOWN = tuple(rule for rule in FACETS.values() if rule.shown)
_NAMES_FOR_SPELLING = 2_000

Names = Mapping[str, Mapping[str, str]]


def engine() -> SearchEngine:
    """The search engine of this application."""
    found: SearchEngine = current_app.extensions["portico_search"]
    return found


def find(search: ListingSearch, *, highlight: bool = True, facets: bool = True) -> ListingResults:
    """What `search` finds, for pages and the API alike; without `highlight` and `facets`, faster.

    Never raises for what a person may ask; falls back to the database when the engine cannot
    answer (`degraded`). Costs a constant number of queries: the rows, their categories, names
    of categories, and one more where a publisher is a filter or nothing was found.
    """
    try:
        page = engine().search(
            SearchQuery(
                index=LISTINGS.name,
                scope=AUDIENCES,
                text=search.text,
                filters=engine_filter(search),
                facets=tuple(rule.field for rule in _SHOWN) if facets else (),
                sort=search.sort,
                page=search.page,
                per_page=search.per_page,
                highlight=tuple(HIGHLIGHTED) if highlight and search.text else (),
            )
        )
    except SearchUnavailable as error:
        log.warning("search is degraded", extra={"reason": error.reason})
        SEARCH_DEGRADED.inc()
        return _find_plainly(search, facets=facets)
    return _results(search, page, facets=facets)


def engine_filter(search: ListingSearch) -> Filter | None:
    """The filters of a search as the engine takes them: any value within a facet, all facets."""
    parts: list[Filter] = []
    for name, values in search.filters.items():
        field = FACETS[name].field
        if name == "certified":
            parts.append(Eq(field, True))
        else:
            parts.append(In(field, values))
    if not parts:
        return None
    return And(tuple(parts))


def _results(search: ListingSearch, page: SearchPage, *, facets: bool) -> ListingResults:
    ids = [int(hit.id) for hit in page.hits]
    by_id = {
        card.id: card for card in load_cards(queries.CARDS_BY_ID, ids=ids, with_categories=True)
    }
    items = tuple(by_id[int(hit.id)] for hit in page.hits if int(hit.id) in by_id)
    names = facet_names(search) if facets else {}
    counted = tuple(
        build_facet(
            rule,
            ((item.value, item.count) for item in page.facets.get(rule.field, ())),
            search,
            names,
        )
        for rule in (_SHOWN if facets else ())
    )
    total = max(page.total - (len(page.hits) - len(items)), len(items))
    return ListingResults(
        items=items,
        total=total,
        page=search.page,
        per_page=search.per_page,
        facets=counted,
        active=active_filters(search, names),
        highlights={
            int(hit.id): _fitting(by_id[int(hit.id)], hit.highlights)
            for hit in page.hits
            if hit.highlights and int(hit.id) in by_id
        },
        dropped_words=page.dropped,
        corrected=page.corrected,
        did_you_mean=None if total else _did_you_mean(search),
    )


def _fitting(card: ListingCard, found: Mapping[str, Highlight]) -> dict[str, Highlight]:
    """The highlights whose text is still what the listing says."""
    return {
        attribute: found[field]
        for field, attribute in HIGHLIGHTED.items()
        if field in found and found[field].text == getattr(card, attribute)
    }


def facet_names(search: ListingSearch) -> Names:
    """Labels of facet values that the database knows: categories, and chosen publishers."""
    categories = {row.slug: row.name for row in db.session.execute(queries.CATEGORY_NAMES)}
    names: dict[str, Mapping[str, str]] = {"category": categories}
    chosen = search.chosen("publisher")
    if chosen:
        rows = db.session.execute(queries.publisher_names(chosen))
        names["publisher"] = {row.slug: row.name for row in rows}
    return names


def _did_you_mean(search: ListingSearch) -> str | None:
    if not search.text:
        return None
    names = list(db.session.scalars(queries.popular_names(_NAMES_FOR_SPELLING)))
    names += _names_that_begin_alike(search.text)
    names += [row.name for row in db.session.execute(queries.CATEGORY_NAMES)]
    return closest(search.text, names)


def _names_that_begin_alike(text: str) -> list[str]:
    """Names that the engine finds for the beginning of the text: a large catalogue has more
    names than can be compared."""
    begin = text.split()[0][:3]
    try:
        page = engine().search(
            SearchQuery(index=LISTINGS.name, scope=AUDIENCES, text=begin, per_page=50)
        )
    except SearchUnavailable:
        # The popular names are suggestion enough.
        return []
    return [card.name for card in load_cards(queries.CARDS_BY_ID, ids=[int(i) for i in page.ids])]


def popular_in_categories(slugs: tuple[str, ...], count: int) -> list[int]:
    """Ids of the most popular listings in these categories, best first; the engine's, so the
    database has still to say which of them are visible."""
    search = ListingSearch(filters={"category": slugs}, sort="popular", per_page=count)
    try:
        page = engine().search(
            SearchQuery(
                index=LISTINGS.name,
                scope=AUDIENCES,
                filters=engine_filter(search),
                sort=search.sort,
                per_page=count,
            )
        )
    except SearchUnavailable:
        near = queries.findable_ids(queries.in_categories(slugs))
        return list(db.session.scalars(queries.ordered(near, "popular").limit(count)))
    return [int(number) for number in page.ids]


def help_without_results(search: ListingSearch) -> NoResultsHelp:
    """What to offer where `search` found nothing."""
    without = 0
    if search.is_filtered and search.text:
        without = find(
            replace(search.unfiltered(), per_page=1), highlight=False, facets=False
        ).total
    category_slugs = search.chosen("category")
    near = (queries.in_categories(category_slugs),) if category_slugs else ()
    popular = load_in_order(queries.ordered(queries.findable_ids(*near), "popular").limit(4))
    return NoResultsHelp(without_filters=without, popular=popular)


# Degraded: the database alone.


def _find_plainly(search: ListingSearch, *, facets: bool) -> ListingResults:
    total = db.session.scalar(queries.plain_total(search)) or 0
    names = facet_names(search) if facets else {}
    items: tuple[ListingCard, ...] = ()
    if (search.page - 1) * search.per_page < min(total, MAX_WINDOW):
        offset = (search.page - 1) * search.per_page
        rows = queries.plain_search(search).limit(search.per_page).offset(offset)
        items = load_cards(rows, with_categories=True)
    return ListingResults(
        items=items,
        total=total,
        page=search.page,
        per_page=search.per_page,
        facets=tuple(_plain_facet(rule, search, names) for rule in (_SHOWN if facets else ())),
        active=active_filters(search, names),
        degraded=True,
    )


def _plain_facet(rule: FacetRule, search: ListingSearch, names: Names) -> Facet:
    query = queries.plain_counts(search, rule.name)
    counts = [] if query is None else [(row[0], row[1]) for row in db.session.execute(query)]
    return build_facet(rule, counts, search, names)
