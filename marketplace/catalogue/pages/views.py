"""The public pages of the catalogue."""

from typing import Any

from flask import Blueprint, abort, make_response, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from marketplace.catalogue.discovery import queries as discovery_queries
from marketplace.catalogue.discovery.caching import for_everybody
from marketplace.catalogue.discovery.cards import ListingCard
from marketplace.catalogue.discovery.categories import counted_categories
from marketplace.catalogue.discovery.facets import country_label
from marketplace.catalogue.discovery.parameters import SORTS, ListingSearch
from marketplace.catalogue.discovery.services import find
from marketplace.catalogue.engagement.queries.follows import follows_publisher
from marketplace.catalogue.exposure import Placement, listing_opened, listings_shown
from marketplace.catalogue.models import Listing, ListingStatus
from marketplace.catalogue.pages import json_ld, queries
from marketplace.catalogue.pages.comparison import MOST, compare_all
from marketplace.catalogue.pages.contributions import partner_contributions
from marketplace.catalogue.pages.directory import SORTS as DIRECTORY_SORTS
from marketplace.catalogue.pages.directory import DirectorySearch, offered_types, type_labels
from marketplace.catalogue.pages.listing_page import LABELS, absolute, host_of, page_context
from marketplace.catalogue.pages.services import (
    as_compared,
    collection_briefs,
    compared_listings,
    page_of_cards,
    page_of_publishers,
)
from marketplace.core import clock
from marketplace.core.database import db
from marketplace.core.pagination import page_number
from marketplace.core.permissions import current_actor, public

blueprint = Blueprint("catalogue", __name__)
PER_PAGE = 24

# Orders of a list that nobody searched: there is no best match.
LIST_SORTS = {name: label for name, label in SORTS.items() if name != "relevance"}


@blueprint.get("/listings/<slug>")
@public("listings are for everybody; what is not public is not found")
def listing(slug: str) -> ResponseReturnValue:
    """A listing; 301 from an address it had before, 410 with an explanation when withdrawn."""
    found = db.session.scalar(queries.public_listing(slug))
    if found is None:
        moved = db.session.scalar(queries.moved_to(slug))
        if moved is None or moved == slug:
            abort(404)
        return redirect(url_for("catalogue.listing", slug=moved), 301)
    context = page_context(
        found,
        current_actor(),
        review_page=page_number(request.args.get("page")),
        review_sort=request.args.get("sort", "newest"),
    )
    if found.status is ListingStatus.WITHDRAWN:
        return make_response(render_template("catalogue/withdrawn.html", **context), 410)
    listing_opened(found)
    listings_shown(Placement.SIMILAR, context["similar"])
    response = make_response(render_template("catalogue/listing.html", **context))
    for_everybody(response)
    return response


@blueprint.get("/categories")
@public("the catalogue is for everybody")
def categories() -> ResponseReturnValue:
    """All categories."""
    response = make_response(
        render_template(
            "catalogue/categories.html", categories=counted_categories(), **_canonical()
        )
    )
    for_everybody(response)
    return response


@blueprint.get("/categories/<slug>")
@public("the catalogue is for everybody")
def category(slug: str) -> ResponseReturnValue:
    """A category: what it is, and its listings; 301 from one that was merged into it."""
    found = db.session.scalar(queries.category(slug))
    if found is None:
        moved = db.session.scalar(queries.category_moved_to(slug))
        if moved is None:
            abort(404)
        return redirect(url_for("catalogue.category", slug=moved), 301)
    sort = _sort()
    asked = ListingSearch(
        filters={"category": (slug,)},
        sort=sort,
        page=page_number(request.args.get("page")),
        per_page=PER_PAGE,
    )
    page = find(asked, highlight=False, facets=False)
    if not page.items and page.page > page.pages:
        page = find(asked.at_page(page.pages), highlight=False, facets=False)
    listings_shown(Placement.CATEGORY, page.items)
    others = [row for row in counted_categories() if row.listing_count and row.slug != slug]
    response = make_response(
        render_template(
            "catalogue/category.html",
            category=found,
            page=page,
            sort=sort,
            sorts=list(LIST_SORTS.items()),
            others=others[:8],
            json_ld=[
                json_ld.breadcrumb_list(
                    [
                        ("Categories", absolute(url_for("catalogue.categories"))),
                        (found.name, absolute(url_for("catalogue.category", slug=slug))),
                    ]
                )
            ],
            **_canonical(slug=slug),
            **_paging(slug=slug),
        )
    )
    for_everybody(response)
    return response


@blueprint.get("/collections")
@public("the catalogue is for everybody")
def collections() -> ResponseReturnValue:
    """The collections that are shown now."""
    rows = db.session.scalars(queries.live_collections(clock.now())).all()
    response = make_response(
        render_template(
            "catalogue/collections.html", collections=collection_briefs(rows), **_canonical()
        )
    )
    for_everybody(response)
    return response


@blueprint.get("/collections/<slug>")
@public("the catalogue is for everybody; a collection is shown in its time only")
def collection(slug: str) -> ResponseReturnValue:
    """A collection."""
    found = db.session.scalar(queries.live_collection(slug, clock.now()))
    if found is None:
        abort(404)
    briefs = collection_briefs([found])
    listings_shown(Placement.COLLECTION, briefs[0].listings if briefs else ())
    response = make_response(
        render_template(
            "catalogue/collection.html",
            collection=found,
            listings=briefs[0].listings if briefs else (),
            blurbs=briefs[0].blurbs if briefs else {},
            **_canonical(slug=slug),
        )
    )
    for_everybody(response)
    return response


@blueprint.get("/partners")
@public("the directory of partners is for everybody")
def publishers() -> ResponseReturnValue:
    """The directory of partners."""
    asked = DirectorySearch.parse(request.args)
    page = page_of_publishers(
        queries.publishers(
            text=asked.text,
            partner_type=asked.partner_type,
            country=asked.country,
            category=asked.category,
            sort=asked.sort,
        ),
        page=asked.page,
        per_page=PER_PAGE,
    )
    countries = sorted(
        ((code, country_label(code)) for code in db.session.scalars(queries.publisher_countries())),
        key=lambda pair: pair[1],
    )
    names = {row.slug: row.name for row in db.session.execute(discovery_queries.CATEGORY_NAMES)}
    response = make_response(
        render_template(
            "catalogue/publishers.html",
            asked=asked,
            page=page,
            types=list(offered_types().items()),
            countries=countries,
            categories=list(names.items()),
            sorts=list(DIRECTORY_SORTS.items()),
            filters=_directory_filters(asked, names),
            page_url=lambda number: url_for("catalogue.publishers", **asked.args(page=number)),
            type_labels=type_labels(),
            **LABELS,
            **_canonical(),
        )
    )
    for_everybody(response)
    return response


def _directory_filters(asked: DirectorySearch, names: dict[str, str]) -> list[dict[str, str]]:
    chips = (
        ("text", f"“{asked.text}”" if asked.text else ""),
        ("partner_type", type_labels().get(asked.partner_type, "")),
        ("country", country_label(asked.country) if asked.country else ""),
        ("category", names.get(asked.category, asked.category)),
    )
    return [
        {"label": label, "href": url_for("catalogue.publishers", **asked.args(**{name: ""}))}
        for name, label in chips
        if label
    ]


@blueprint.get("/partners/<slug>")
@public("pages of partners are for everybody; a suspended one is not found")
def publisher(slug: str) -> ResponseReturnValue:
    """A partner and its listings."""
    found = db.session.scalar(queries.publisher(slug))
    if found is None:
        abort(404)
    sort = _sort()
    query = discovery_queries.findable_ids(Listing.publisher_id == found.id)
    page = page_of_cards(
        discovery_queries.ordered(query, sort),
        page=page_number(request.args.get("page")),
        per_page=PER_PAGE,
    )
    listings_shown(Placement.PARTNER, page.items)
    url = absolute(url_for("catalogue.publisher", slug=slug))
    logo = url_for("media.show", key=found.logo_key) if found.logo_key else None
    response = make_response(
        render_template(
            "catalogue/publisher.html",
            publisher=found,
            logo_url=logo,
            figures=db.session.execute(queries.publisher_figures(found.id)).one(),
            follows=follows_publisher(current_actor().user_id, found.id),
            page=page,
            sort=sort,
            sorts=list(LIST_SORTS.items()),
            type_labels=type_labels(),
            host_of=host_of,
            **partner_contributions(found, current_actor()),
            json_ld=[
                json_ld.organization(
                    url=url,
                    name=found.name,
                    description=found.tagline,
                    website_url=found.website,
                    logo_url=absolute(logo) if logo else None,
                )
            ],
            **LABELS,
            **_canonical(slug=slug),
            **_paging(slug=slug),
        )
    )
    for_everybody(response)
    return response


@blueprint.get("/compare")
@public("the catalogue is for everybody")
def compare() -> ResponseReturnValue:
    """Up to four listings side by side; the address holds the choice."""
    asked = list(dict.fromkeys(slug[:80] for slug in request.args.getlist("l") if slug))
    listings = compared_listings(asked[: 2 * MOST])[:MOST]
    chosen = [row.slug for row in listings]
    text = " ".join(request.args.get("q", "")[:80].split())
    found: tuple[ListingCard, ...] = ()
    if text and len(chosen) < MOST:
        found = find(ListingSearch(text=text, per_page=6), highlight=False, facets=False).items
    response = make_response(
        render_template(
            "catalogue/compare.html",
            listings=listings,
            rows=compare_all([as_compared(row) for row in listings]),
            chosen=chosen,
            missing=len(asked) - len(chosen),
            text=text,
            found=[card for card in found if card.slug not in chosen],
            most=MOST,
            **LABELS,
        )
    )
    for_everybody(response)
    return response


def _sort() -> str:
    sort = request.args.get("sort", "popular")
    return sort if sort in LIST_SORTS else "popular"


def _canonical(**values: Any) -> dict[str, Any]:
    """The page's own address; the second page of a list is a page of its own."""
    number = page_number(request.args.get("page"))
    if number > 1:
        values["page"] = number
    return {"canonical_url": absolute(url_for(str(request.endpoint), **values))}


def _paging(**values: Any) -> dict[str, Any]:
    """A function that gives the address of another page of this list."""
    sort = _sort()
    if sort != "popular":
        values["sort"] = sort

    def page_url(number: int) -> str:
        if number > 1:
            return url_for(str(request.endpoint), **values, page=number)
        return url_for(str(request.endpoint), **values)

    return {"page_url": page_url}
