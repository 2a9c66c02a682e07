"""The reasons for the rank of a partner's listing."""

from flask import render_template, request
from flask.typing import ResponseReturnValue

from marketplace.catalogue.discovery.parameters import ListingSearch
from marketplace.core.errors import NotFoundError
from marketplace.core.limits import limiter
from marketplace.core.permissions import current_actor, needs
from marketplace.observability.access import active_partner
from marketplace.observability.ranking import services
from marketplace.observability.ranking.reasons import FIELDS, NameMatch
from marketplace.observability.ranking.views.blueprints import ranking
from search.engine import SearchUnavailable


@ranking.get("/partner/ranking")
@needs("ranking.read")
@limiter.limit("120 per minute", key_func=lambda: f"user:{current_actor().user_id}")
def index() -> ResponseReturnValue:
    """Where a listing stands for a search or in a category, and why."""
    partner = active_partner()
    listings = services.own_listings(partner.organization_id)
    slug = request.args.get("listing", "")
    listing = next((each for each in listings if each.slug == slug), None)
    if slug and listing is None:
        raise NotFoundError
    listing = listing or (listings[0] if listings else None)
    asked = ListingSearch.parse(request.args)
    categories = services.categories_of(listing.id) if listing else []
    category = request.args.get("category", "" if asked.text else _first(categories))
    category = category if category in {key for key, _name in categories} else ""
    explanation, unavailable = None, False
    if listing is not None:
        try:
            explanation = services.explain(listing, text=asked.text, category=category)
        except SearchUnavailable:
            unavailable = True
    return render_template(
        "ranking/index.html",
        partner=partner,
        listings=listings,
        listing=listing,
        categories=categories,
        category=category,
        category_name=dict(categories).get(category, ""),
        text=asked.text,
        explanation=explanation,
        unavailable=unavailable,
        fields=FIELDS,
        name_match=NameMatch,
    )


def _first(categories: list[tuple[str, str]]) -> str:
    return categories[0][0] if categories else ""
