"""Declaring what an organization uses, and the list of it."""

from flask import flash, render_template, request
from flask.typing import ResponseReturnValue

from marketplace.catalogue.engagement.csv_export import csv_response
from marketplace.catalogue.engagement.links import listing_path, listing_url
from marketplace.catalogue.engagement.queries.listings import (
    find_listing_in_use,
    find_live_listing,
)
from marketplace.catalogue.engagement.queries.uses import page_of_uses, uses_of
from marketplace.catalogue.engagement.services import uses
from marketplace.catalogue.engagement.views.blueprints import engagement
from marketplace.catalogue.engagement.views.returning import back_to
from marketplace.catalogue.models import Listing
from marketplace.core.database import db
from marketplace.core.pagination import page_number
from marketplace.core.permissions import current_actor, needs


def _used_by_us(slug: str) -> Listing | None:
    return find_listing_in_use(slug, current_actor().organization_id)


@engagement.post("/listings/<slug>/use")
@needs("listing.declare_use", load=find_live_listing, name="listing", hidden=False)
def declare_use(listing: Listing) -> ResponseReturnValue:
    """The active organization uses this listing."""
    actor = current_actor()
    name = actor.organization.organization_name if actor.organization else ""
    if uses.declare_use(actor, listing):
        flash(f"Noted: {name} uses {listing.name}. You can review it now.", "success")
    return back_to(listing_path(listing.slug))


@engagement.post("/listings/<slug>/use/withdrawal")
@needs("listing.withdraw_use", load=_used_by_us, name="listing", hidden=False)
def withdraw_use(listing: Listing) -> ResponseReturnValue:
    """The active organization does not use this listing any more."""
    actor = current_actor()
    name = actor.organization.organization_name if actor.organization else ""
    if uses.withdraw_use(actor, listing):
        flash(f"Noted: {name} does not use {listing.name} any more.", "success")
    return back_to(listing_path(listing.slug))


@engagement.get("/account/listings")
@needs("uses.read")
def used_listings() -> ResponseReturnValue:
    """What the active organization uses."""
    actor = current_actor()
    organization_id = actor.organization_id or 0
    page = page_of_uses(organization_id, page_number(request.args.get("page")))
    return render_template(
        "engagement/used_listings.html",
        page=page,
        may_change=actor.organization is not None and actor.organization.role in {"owner", "admin"},
    )


@engagement.get("/account/listings.csv")
@needs("uses.read")
def used_listings_csv() -> ResponseReturnValue:
    """The same as a file."""
    found = db.session.scalars(uses_of(current_actor().organization_id or 0))
    return csv_response(
        "listings-we-use.csv",
        ("listing", "publisher", "kind", "status", "since", "address"),
        (
            (
                use.listing.name,
                use.listing.publisher.name,
                use.listing.kind,
                "suspended" if not use.listing.is_public else use.listing.status.value,
                use.since.date(),
                listing_url(use.listing.slug),
            )
            for use in found
        ),
    )
