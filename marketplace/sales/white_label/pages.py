"""How a white-label host answers: connected to `program.hosts.guard` by wiring.py."""

from flask import render_template, request
from flask.typing import ResponseReturnValue

from marketplace.catalogue.pages.listing_page import LABELS
from marketplace.core.branding import Brand
from marketplace.sales.plans import texts
from marketplace.sales.plans.queries import plans_of
from marketplace.sales.white_label import queries
from marketplace.sales.white_label.reach import is_reachable, listing_needed, slug_of


def answer_as(brand: Brand) -> ResponseReturnValue | bool | None:
    """A page of the brand's own; None for one that is as everywhere, False for none at all."""
    endpoint = request.endpoint or ""
    if endpoint == "site.home":
        return _home(brand)
    needed = listing_needed(endpoint)
    if not needed:
        return None if is_reachable(endpoint) else False
    listing = queries.offered_listing(brand.organization_id, slug_of(request.view_args))
    if listing is None:
        return False
    is_own = listing.publisher_id == brand.organization_id
    if needed == "own":
        return None if is_own else False
    return render_template(
        "white_label/listing.html",
        listing=listing,
        content=listing.content,
        is_own=is_own,
        plans=plans_of([listing.id], only_active=True) if is_own else [],
        texts=texts,
        brand=brand,
        **LABELS,
    )


def _home(brand: Brand) -> ResponseReturnValue:
    return render_template(
        "white_label/home.html", cards=queries.offered_cards(brand.organization_id), brand=brand
    )
