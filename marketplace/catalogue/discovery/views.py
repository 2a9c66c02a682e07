"""The search page and the suggestions."""

import re
from urllib.parse import parse_qs, urlencode, urlsplit

from flask import Blueprint, make_response, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_wtf.csrf import CSRFProtect

from marketplace.catalogue.curation import search_log
from marketplace.catalogue.discovery import services
from marketplace.catalogue.discovery.caching import for_everybody
from marketplace.catalogue.discovery.facets import Facet
from marketplace.catalogue.discovery.marking import marked_card
from marketplace.catalogue.discovery.parameters import SORTS, ListingSearch
from marketplace.catalogue.discovery.results import ListingResults
from marketplace.catalogue.discovery.suggestions import suggest
from marketplace.catalogue.exposure import Placement, listings_shown
from marketplace.core.errors import ForbiddenError
from marketplace.core.limits import limiter
from marketplace.core.permissions import public

blueprint = Blueprint("search_pages", __name__)

_ELEMENT_ID = re.compile(r"[A-Za-z][A-Za-z0-9-]{0,40}")
# Facets that stand open; the others open when somebody wants them or has chosen in them.
_OPEN_FACETS = {"category", "kind", "pricing", "rating", "certified"}


def search_url(search: ListingSearch) -> str:
    """The address of a search."""
    args = search.args()
    path = url_for("search_pages.search")
    return f"{path}?{urlencode(args, doseq=True)}" if args else path


@blueprint.get("/search")
@public("the catalogue is for everybody")
def search() -> ResponseReturnValue:
    """Search and browse, as a page or (for htmx) its changing part."""
    asked = ListingSearch.parse(request.args)
    results = services.find(asked)
    if not results.items and asked.page > results.pages:
        return redirect(search_url(asked.at_page(results.pages)))
    if not _is_typing():
        listings_shown(Placement.SEARCH, results.items)
    is_part = request.headers.get("HX-Target") == "search-page"
    page = render_template(
        "search/_page.html" if is_part else "search/search.html", **_context(asked, results)
    )
    response = make_response(page)
    if is_part:
        response.headers[_history_header(asked)] = search_url(asked)
    response.vary.update(("HX-Request", "HX-Target"))
    for_everybody(response)
    if asked.text and asked.page == 1 and not _is_typing():
        search_log.record_search(asked.text, results.total)
    return response


def _context(asked: ListingSearch, results: ListingResults) -> dict[str, object]:
    nothing = not results.items
    return {
        "search": asked,
        "results": results,
        "cards": [marked_card(card, results.highlights.get(card.id)) for card in results.items],
        "facets": [_facet_context(facet) for facet in results.facets if facet.values],
        "filters": [
            {"label": chip.label, "href": search_url(chip.search)} for chip in results.active
        ],
        "clear_href": search_url(asked.unfiltered()),
        "sorts": _sorts(asked),
        "hidden_fields": [
            (name, value)
            for name, values in asked.args().items()
            if name not in ("q", "page", "sort")
            for value in values
        ],
        "page_url": lambda number: search_url(asked.at_page(number)),
        "help": services.help_without_results(asked) if nothing else None,
        "spelling_href": search_url(asked.with_text(results.did_you_mean or "")),
        "search_query": asked.text,
    }


def _facet_context(facet: Facet) -> dict[str, object]:
    return {
        "name": facet.name,
        "label": facet.label,
        "single": facet.single,
        "collapsed": facet.name not in _OPEN_FACETS
        and not any(choice.selected for choice in facet.values),
        "choices": [
            {
                "value": choice.value,
                "label": choice.label,
                "count": choice.count,
                "selected": choice.selected,
                "href": search_url(choice.search),
            }
            for choice in facet.values
        ],
    }


def _sorts(asked: ListingSearch) -> list[tuple[str, str]]:
    """Orders to choose from. Without words the best match is the most popular."""
    if asked.text:
        return list(SORTS.items())
    return [
        ("relevance", SORTS["popular"]),
        *((name, label) for name, label in SORTS.items() if name not in ("relevance", "popular")),
    ]


def _is_typing() -> bool:
    """Whether the page was asked for between two keystrokes (search-page.js says so)."""
    return request.headers.get("Portico-Typing") == "1"


def _history_header(asked: ListingSearch) -> str:
    """While somebody types on, the address is replaced: a step back leaves the word, not a letter
    of it. Other words and every other change are a step of their own."""
    if not _is_typing():
        return "HX-Push-Url"
    before = parse_qs(urlsplit(request.headers.get("HX-Current-URL", "")).query).get("q", [""])[0]
    goes_on = asked.text.startswith(before) or before.startswith(asked.text)
    return "HX-Replace-Url" if goes_on else "HX-Push-Url"


@blueprint.get("/search/suggestions")
@public("the catalogue is for everybody")
def suggestions() -> ResponseReturnValue:
    """The list under a search field."""
    asked = ListingSearch.parse(request.args)
    box = request.args.get("box", "search")
    if _ELEMENT_ID.fullmatch(box) is None:
        box = "search"
    page = render_template(
        "search/_suggestions.html",
        groups=suggest(asked.text),
        text=asked.text,
        box=box,
        all_href=search_url(ListingSearch(text=asked.text)) if asked.text else None,
    )
    response = make_response(page)
    response.headers["Cache-Control"] = "public, max-age=60"
    response.headers["X-Robots-Tag"] = "noindex"
    return response


@blueprint.post("/search/log")
@public("counts searches and clicks, without anything about the person")
@limiter.limit("120 per minute")
def record() -> ResponseReturnValue:
    """Count a search that was typed and left standing (`total`), or a click on a result
    (`position`). Sent by search-page.js; nothing is lost to the person when it fails."""
    if request.headers.get("Sec-Fetch-Site", "same-origin") != "same-origin":
        raise ForbiddenError
    asked = ListingSearch.parse(request.form)
    position = request.form.get("position", type=int)
    total = request.form.get("total", type=int)
    if asked.text and total is not None:
        search_log.record_search(asked.text, max(total, 0))
    if asked.text and position is not None and 1 <= position <= 1_000:
        search_log.record_click(asked.text, position)
    return "", 204


def exempt_from_csrf(csrf: CSRFProtect) -> None:
    """The log takes reports of pages that have no token, because they are cached for everybody."""
    csrf.exempt(record)
