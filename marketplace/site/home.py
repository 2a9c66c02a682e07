"""The home page."""

from flask import current_app, make_response, render_template, url_for
from flask.typing import ResponseReturnValue

from marketplace.catalogue.discovery.caching import for_everybody
from marketplace.catalogue.discovery.cards import load_in_order
from marketplace.catalogue.discovery.categories import counted_categories
from marketplace.catalogue.discovery.queries import findable_ids, ordered
from marketplace.catalogue.discovery.remembered import remembered
from marketplace.catalogue.exposure import Placement, listings_shown
from marketplace.catalogue.pages import json_ld, queries
from marketplace.catalogue.pages.listing_page import absolute
from marketplace.catalogue.pages.services import collection_briefs, publisher_cards
from marketplace.core import clock
from marketplace.core.database import db
from marketplace.core.permissions import public
from marketplace.site.blueprint import blueprint

CATEGORIES = 12
TRENDING = 8
NEWEST = 8
COLLECTIONS = 3
PUBLISHERS = 8


@blueprint.get("/")
@public("the front door")
def home() -> ResponseReturnValue:
    """Search first, then ways to look around, in ten queries at most."""
    categories = [row for row in counted_categories() if row.listing_count]
    collections = db.session.scalars(
        queries.live_collections(clock.now()).limit(2 * COLLECTIONS)
    ).all()
    trending = load_in_order(ordered(findable_ids(), "popular").limit(TRENDING))
    newest = load_in_order(ordered(findable_ids(), "newest").limit(NEWEST))
    listings_shown(Placement.HOME, {card.id: card for card in (*trending, *newest)}.values())
    response = make_response(
        render_template(
            "site/home.html",
            categories=categories[:CATEGORIES],
            category_total=len(categories),
            trending=trending,
            newest=newest,
            collections=collection_briefs(collections)[:COLLECTIONS],
            publishers=remembered(
                "featured_publishers",
                lambda: publisher_cards(queries.publishers().limit(PUBLISHERS)),
            ),
            canonical_url=absolute("/"),
            json_ld=[
                json_ld.website(
                    name=current_app.config["SITE_NAME"],
                    url=absolute("/"),
                    search_url=absolute(url_for("search_pages.search")) + "?q={query}",
                )
            ],
        )
    )
    for_everybody(response)
    return response
