"""What search engines read: robots.txt and the sitemap, in parts of 10,000 addresses."""

from collections.abc import Iterator
from datetime import datetime
from typing import Any
from xml.sax.saxutils import escape

from flask import Response, abort, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy import Select, func, select

from marketplace.catalogue.discovery.categories import counted_categories
from marketplace.catalogue.discovery.queries import findable_ids, is_public_publisher
from marketplace.catalogue.models import Listing
from marketplace.catalogue.pages.listing_page import absolute
from marketplace.catalogue.pages.queries import live_collections
from marketplace.core import clock
from marketplace.core.database import db
from marketplace.core.permissions import public
from marketplace.identity.models import Organization
from marketplace.site.blueprint import blueprint

URLS_A_PART = 10_000
_NAMESPACE = "http://www.sitemaps.org/schemas/sitemap/0.9"
_PRIVATE = ("/account", "/auth/", "/organizations/", "/partner/", "/staff", "/search/suggestions")


@blueprint.get("/robots.txt")
@public("programs read it before anything else")
def robots() -> ResponseReturnValue:
    """What programs may read."""
    lines = ["User-agent: *"]
    lines += [f"Disallow: {path}" for path in _PRIVATE]
    # Filtered searches are without number; the categories say the same.
    lines += ["Disallow: /search?*", "Disallow: /compare?*", "Allow: /", ""]
    lines.append(f"Sitemap: {absolute('/sitemap.xml')}")
    response = Response("\n".join(lines) + "\n", mimetype="text/plain")
    response.headers["Cache-Control"] = "public, max-age=3600"
    return response


def _listings() -> Select[str, datetime | None]:
    return (
        select(Listing.slug, Listing.content_updated_at)
        .where(Listing.id.in_(findable_ids()))
        .order_by(Listing.id)
    )


def _publisher_ids() -> Select[int]:
    with_listings = findable_ids().with_only_columns(Listing.publisher_id)
    return select(Organization.id).where(is_public_publisher(), Organization.id.in_(with_listings))


def _publishers() -> Select[str, datetime]:
    return (
        select(Organization.slug, Organization.updated_at)
        .where(Organization.id.in_(_publisher_ids()))
        .order_by(Organization.id)
    )


_SECTIONS = {
    "listings": (findable_ids, _listings, "catalogue.listing"),
    "publishers": (_publisher_ids, _publishers, "catalogue.publisher"),
}


@blueprint.get("/sitemap.xml")
@public("search engines read it")
def sitemap() -> ResponseReturnValue:
    """The index of all parts."""
    parts = [absolute(url_for("site.sitemap_pages"))]
    for name, (counted, _rows, _endpoint) in _SECTIONS.items():
        count = db.session.scalar(select(func.count()).select_from(counted().subquery())) or 0
        parts += [
            absolute(url_for("site.sitemap_part", section=name, number=number))
            for number in range(1, -(-count // URLS_A_PART) + 1)
        ]
    body = "".join(f"<sitemap><loc>{escape(url)}</loc></sitemap>" for url in parts)
    return _xml([f'<sitemapindex xmlns="{_NAMESPACE}">', body, "</sitemapindex>"])


@blueprint.get("/sitemaps/pages.xml")
@public("search engines read it")
def sitemap_pages() -> ResponseReturnValue:
    """Pages that are few: the entrances, categories and collections."""
    entrances = ("site.home", "search_pages.search", "catalogue.categories")
    urls: list[tuple[str, datetime | None]] = [
        (url_for(endpoint), None)
        for endpoint in (
            *entrances,
            "catalogue.collections",
            "catalogue.publishers",
            "program.overview",
        )
    ]
    urls += [
        (url_for("catalogue.category", slug=row.slug), None)
        for row in counted_categories()
        if row.listing_count
    ]
    urls += [
        (url_for("catalogue.collection", slug=row.slug), row.updated_at)
        for row in db.session.scalars(live_collections(clock.now()))
    ]
    return _xml(_url_set(urls))


@blueprint.get("/sitemaps/<section>-<int:number>.xml")
@public("search engines read it")
def sitemap_part(section: str, number: int) -> ResponseReturnValue:
    """At most 10,000 addresses of listings or publishers."""
    if section not in _SECTIONS or not 1 <= number <= 1_000:
        abort(404)
    _counted, query, endpoint = _SECTIONS[section]
    rows = db.session.execute(query().limit(URLS_A_PART).offset((number - 1) * URLS_A_PART)).all()
    if not rows:
        abort(404)
    # One address is built, the others differ by their slug only.
    before, after = url_for(endpoint, slug="SLUG").split("SLUG")
    return _xml(_url_set((f"{before}{slug}{after}", at) for slug, at in rows))


def _url_set(urls: Any) -> Iterator[str]:
    yield f'<urlset xmlns="{_NAMESPACE}">'
    for path, changed_at in urls:
        changed = f"<lastmod>{changed_at.date().isoformat()}</lastmod>" if changed_at else ""
        yield f"<url><loc>{escape(absolute(path))}</loc>{changed}</url>\n"
    yield "</urlset>"


def _xml(parts: Any) -> Response:
    # Joined here: the rows are read, and a stream would outlive the request's transaction.
    body = '<?xml version="1.0" encoding="UTF-8"?>\n' + "".join(parts)
    response = Response(body, mimetype="application/xml")
    response.headers["Cache-Control"] = "public, max-age=3600"
    return response
