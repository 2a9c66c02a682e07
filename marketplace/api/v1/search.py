"""Searching listings for the API: what discovery does for the pages, without what only people
need (labels, marks, spelling), so that an answer takes hardly longer than the search itself."""

import logging
from typing import Any

from marketplace.api.v1 import queries
from marketplace.api.v1.rendering import Links, card_item, listing_item
from marketplace.catalogue.discovery import services as discovery
from marketplace.catalogue.discovery.parameters import FACETS, ListingSearch
from marketplace.catalogue.indexing.spec import AUDIENCES, LISTINGS
from search.engine import SearchPage, SearchQuery, SearchUnavailable

log = logging.getLogger(__name__)

_SHOWN = tuple((name, rule) for name, rule in FACETS.items() if rule.shown)
_FIELDS = tuple(rule.field for _name, rule in _SHOWN)
MOST_VALUES = 100
"""Values of a facet that are told; a large catalogue has thousands of products to work with."""


def search_listings(search: ListingSearch) -> dict[str, Any]:
    """A page of listings with facets. The engine ranks, one query to the database loads what
    is visible; without the engine the database answers alone (`degraded`)."""
    try:
        page = discovery.engine().search(
            SearchQuery(
                index=LISTINGS.name,
                scope=AUDIENCES,
                text=search.text,
                filters=discovery.engine_filter(search),
                facets=_FIELDS,
                sort=search.sort,
                page=search.page,
                per_page=search.per_page,
            )
        )
    except SearchUnavailable as error:
        log.warning("search is degraded", extra={"reason": error.reason})
        return _degraded(search)
    return _body(search, page)


def _body(search: ListingSearch, page: SearchPage) -> dict[str, Any]:
    rows = queries.listing_rows([int(hit.id) for hit in page.hits])
    links = Links()
    items = [listing_item(rows[int(hit.id)], links) for hit in page.hits if int(hit.id) in rows]
    return {
        "items": items,
        # What the index still has and the database hides is not counted on this page.
        "total": max(page.total - (len(page.hits) - len(items)), len(items)),
        "page": search.page,
        "per_page": search.per_page,
        "facets": {
            name: [
                {"value": each.value, "count": each.count}
                for each in page.facets.get(rule.field, ())[:MOST_VALUES]
                if not rule.vocabulary or each.value in rule.vocabulary
            ]
            for name, rule in _SHOWN
        },
        "degraded": False,
    }


def _degraded(search: ListingSearch) -> dict[str, Any]:
    found = discovery.find(search, highlight=False)
    links = Links()
    return {
        "items": [card_item(card, links) for card in found.items],
        "total": found.total,
        "page": search.page,
        "per_page": search.per_page,
        "facets": {
            facet.name: [{"value": each.value, "count": each.count} for each in facet.values]
            for facet in found.facets
        },
        "degraded": found.degraded,
    }
