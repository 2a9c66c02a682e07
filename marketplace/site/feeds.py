"""The Atom feed of new listings."""

from feedgen.feed import FeedGenerator
from flask import Response, abort, current_app, request, url_for
from flask.typing import ResponseReturnValue

from marketplace.catalogue.discovery import queries as discovery_queries
from marketplace.catalogue.discovery.cards import load_in_order
from marketplace.catalogue.pages.listing_page import absolute
from marketplace.catalogue.pages.queries import category
from marketplace.core import clock
from marketplace.core.database import db
from marketplace.core.permissions import public
from marketplace.site.blueprint import blueprint

ENTRIES = 30


@blueprint.get("/feed.atom")
@public("feed readers read it")
def feed() -> ResponseReturnValue:
    """The newest listings, of one category with `?category=<slug>`."""
    site = current_app.config["SITE_NAME"]
    query = discovery_queries.findable_ids()
    slug = request.args.get("category", "")
    title = f"New on {site}"
    if slug:
        found = db.session.scalar(category(slug))
        if found is None:
            abort(404)
        query = query.where(discovery_queries.in_category(found.id))
        title = f"New in {found.name} on {site}"
    own_url = absolute(url_for("site.feed", category=slug or None))
    cards = load_in_order(
        discovery_queries.ordered(query, "newest").limit(ENTRIES), with_categories=True
    )
    generator = FeedGenerator()
    generator.id(own_url)
    generator.title(title)
    generator.link(href=own_url, rel="self", type="application/atom+xml")
    generator.link(href=absolute("/"), rel="alternate", type="text/html")
    generator.author(name=site)
    # A feed without entries is as old as its reading; the format asks for a moment.
    generator.updated(cards[0].published_at if cards else clock.now())
    for card in cards:
        url = absolute(card.href)
        entry = generator.add_entry(order="append")
        entry.id(url)
        entry.title(card.name)
        entry.link(href=url, rel="alternate", type="text/html")
        entry.author(name=card.publisher.name)
        entry.summary(card.tagline)
        entry.published(card.published_at)
        entry.updated(card.published_at)
        for part in card.categories:
            entry.category(term=part.slug, label=part.name)
    response = Response(generator.atom_str(pretty=True), mimetype="application/atom+xml")
    response.headers["Cache-Control"] = "public, max-age=300"
    response.add_etag()
    response.make_conditional(request)
    return response
