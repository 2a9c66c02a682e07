"""The addresses of the API. Thin: a parameter table, a query, a rendering."""

import re
from collections.abc import Callable, Sequence
from typing import Any, TypeVar

from flask import redirect, request, url_for
from flask.typing import ResponseReturnValue
from flask_smorest import Blueprint
from marshmallow import Schema

from marketplace.api.v1 import queries, rendering, schemas
from marketplace.api.v1.answers import (
    DEGRADED_SECONDS,
    SHARED_SECONDS,
    add_headers,
    answer,
    count_request,
)
from marketplace.api.v1.parameters import (
    LISTING_PARAMETERS,
    PUBLISHER_PARAMETERS,
    check_parameters,
    page_of,
    parse_listing_search,
)
from marketplace.api.v1.search import search_listings
from marketplace.catalogue.models import ListingStatus
from marketplace.core.errors import NotFoundError, PorticoError
from marketplace.core.limits import limiter
from marketplace.core.permissions import public

F = TypeVar("F", bound=Callable[..., Any])


class WithdrawnError(PorticoError):
    """The listing is a tombstone; the detail says why."""

    status = 410
    title = "The listing was withdrawn"


blueprint = Blueprint(
    "catalogue-api",
    "catalogue_api",
    url_prefix="/api/v1",
    description="What the marketplace lists. Read only, for everybody.",
)
limiter.exempt(blueprint)  # it counts by itself, see rate.py
blueprint.before_request(count_request)
blueprint.after_request(add_headers)

_SLUG = re.compile(r"[a-z0-9]+(-[a-z0-9]+)*")
_HEADERS = {
    "ETag": {
        "description": "Send it back as If-None-Match: the answer is 304 while nothing changed.",
        "schema": {"type": "string"},
    },
    "Cache-Control": {
        "description": "For how many seconds the answer may be kept.",
        "schema": {"type": "string"},
    },
    "RateLimit-Limit": {
        "description": "How many requests a client has in each window.",
        "schema": {"type": "integer"},
    },
    "RateLimit-Policy": {
        "description": "The limit and its window in seconds, as 120;w=60.",
        "schema": {"type": "string"},
    },
    "RateLimit-Remaining": {
        "description": "How many requests are left.",
        "schema": {"type": "integer"},
    },
    "RateLimit-Reset": {
        "description": "In how many seconds there are more.",
        "schema": {"type": "integer"},
    },
}
_RETRY = {
    "Retry-After": {
        "description": "In how many seconds to try again.",
        "schema": {"type": "integer"},
    }
}
_PROBLEMS = {
    304: ("What If-None-Match names is still right. No body.", {}),
    404: ("There is no such thing, or it is not public.", {}),
    405: (
        "The address is for reading only.",
        {"Allow": {"description": "What it takes.", "schema": {"type": "string"}}},
    ),
    410: ("The listing was withdrawn; `detail` says why.", {}),
    422: ("A parameter cannot be used; `errors` names it.", {}),
    429: ("Too many requests from this address.", _RETRY),
    503: ("The database does not answer.", _RETRY),
}


def address(
    rule: str,
    schema: type[Schema],
    answers_with: str,
    *problems: int,
    in_path: Sequence[dict[str, Any]] = (),
    **doc: Any,
) -> Callable[[F], F]:
    """Mount a view, and describe what it answers and the problems it may have."""

    def mount(view: F) -> F:
        described: Any = view
        for status in (304, 405, 429, 503, *problems):
            text, headers = _PROBLEMS[status]
            described = blueprint.alt_response(
                status,
                schema=None if status == 304 else schemas.Problem,
                content_type=None if status == 304 else "application/problem+json",
                description=text,
                headers=headers or None,
            )(described)
        described = blueprint.response(200, schema, description=answers_with, headers=_HEADERS)(
            described
        )
        # The description alone is wanted: each of its wrappers would cost every request.
        view._apidoc = blueprint.doc(**doc)(described)._apidoc  # type: ignore[attr-defined]  # flask-smorest's own
        blueprint.add_url_rule(
            rule, endpoint=view.__name__, view_func=view, parameters=list(in_path)
        )
        return view

    return mount


_SLUG_PARAMETER = {
    "name": "slug",
    "in": "path",
    "required": True,
    "description": "The slug.",
    "schema": {
        "type": "string",
        "pattern": "^[a-z0-9]+(-[a-z0-9]+)*$",
        "maxLength": 80,
    },
}


@address(
    "/listings",
    schemas.ListingPage,
    "A page of listings.",
    422,
    operationId="findListings",
    summary="Find listings",
    description="Searches what the marketplace lists, filters and counts it. Filters of "
    "different names must all hold; of several values of one, any.",
    tags=["Listings"],
    parameters=[parameter.documented() for parameter in LISTING_PARAMETERS],
)
@public("the public catalogue")
def listings() -> ResponseReturnValue:
    """Search listings."""
    body = search_listings(parse_listing_search(request.args))
    return answer(body, seconds=DEGRADED_SECONDS if body["degraded"] else SHARED_SECONDS)


@address(
    "/listings/<slug>",
    schemas.ListingDetail,
    "The listing.",
    404,
    410,
    in_path=[_SLUG_PARAMETER],
    operationId="getListing",
    summary="Read a listing",
    description="Everything public about one listing. An old slug redirects (301) to the new one.",
    tags=["Listings"],
)
@public("the public catalogue")
def listing(slug: str) -> ResponseReturnValue:
    """A listing."""
    _check_slug(slug)
    found = queries.public_listing(slug)
    if found is None:
        moved = queries.new_slug_of(slug)
        if moved is not None:
            return redirect(url_for("catalogue-api.listing", slug=moved), code=301)
        raise NotFoundError("There is no listing of this slug.")
    if found.status is ListingStatus.WITHDRAWN:
        raise WithdrawnError(found.status_reason)
    return answer(rendering.listing_detail(found, rendering.Links()))


@address(
    "/categories",
    schemas.CategoryList,
    "All categories.",
    operationId="listCategories",
    summary="List categories",
    description="All categories in the order of the marketplace.",
    tags=["Categories"],
)
@public("the public catalogue")
def categories() -> ResponseReturnValue:
    """All categories."""
    links = rendering.Links()
    items = [rendering.category_item(row, links) for row in queries.categories()]
    return answer({"items": items, "total": len(items)})


@address(
    "/publishers",
    schemas.PublisherPage,
    "A page of publishers.",
    422,
    operationId="listPublishers",
    summary="List publishers",
    description="Partners by name, optionally only those whose name holds some words.",
    tags=["Publishers"],
    parameters=[parameter.documented() for parameter in PUBLISHER_PARAMETERS],
)
@public("the public catalogue")
def publishers() -> ResponseReturnValue:
    """Publishers by name."""
    check_parameters(request.args, PUBLISHER_PARAMETERS)
    page, per_page = page_of(request.args)
    text = " ".join(request.args.get("q", "").replace("\x00", "").split())
    rows, total = queries.publishers(text, page, per_page)
    links = rendering.Links()
    items = [rendering.publisher_item(row[0], row.listing_count, links) for row in rows]
    return answer({"items": items, "total": total, "page": page, "per_page": per_page})


@address(
    "/publishers/<slug>",
    schemas.PublisherDetail,
    "The publisher.",
    404,
    in_path=[_SLUG_PARAMETER],
    operationId="getPublisher",
    summary="Read a publisher",
    description="One partner. Its listings are found by /listings?publisher=<slug>.",
    tags=["Publishers"],
)
@public("the public catalogue")
def publisher(slug: str) -> ResponseReturnValue:
    """A publisher."""
    _check_slug(slug)
    row = queries.publisher(slug)
    if row is None:
        raise NotFoundError("There is no publisher of this slug.")
    links = rendering.Links()
    return answer(rendering.publisher_detail(row[0], row.listing_count, links))


def _check_slug(slug: str) -> None:
    if len(slug) > 80 or not _SLUG.fullmatch(slug):
        raise NotFoundError("There is nothing of this slug.")
