"""What is in a collection, and in which order."""

from flask import flash, redirect, request, url_for
from flask.typing import ResponseReturnValue

from marketplace.catalogue.curation.queries.collections import find_collection, find_findable
from marketplace.catalogue.curation.services import collections as services
from marketplace.catalogue.curation.views.blueprint import curation
from marketplace.catalogue.curation.views.collections import collection_page
from marketplace.catalogue.models import Collection
from marketplace.core.errors import InvalidError, NotFoundError
from marketplace.core.permissions import current_actor, needs


def _item(collection_id: int, listing_id: int) -> tuple[Collection, int] | None:
    found = find_collection(collection_id)
    if found is None or all(item.listing_id != listing_id for item in found.items):
        return None
    return found, listing_id


@curation.post("/collections/<int:collection_id>/items")
@needs("collections.manage", load=find_collection, name="found")
def add_item(found: Collection) -> ResponseReturnValue:
    """Put a listing at the end."""
    listing = find_findable(request.form.get("listing_id", 0, type=int))
    if listing is None:
        raise NotFoundError("This listing is not public any more.")
    if services.add_item(current_actor(), found, listing):
        flash(f"{listing.name} is in the collection.", "success")
    return _to(found, find=request.form.get("find") or None)


@curation.post("/collections/<int:collection_id>/items/<int:listing_id>/removal")
@needs("collections.manage", load=_item, name="item")
def remove_item(item: tuple[Collection, int]) -> ResponseReturnValue:
    """Take a listing out."""
    found, listing_id = item
    services.remove_item(current_actor(), found, listing_id)
    flash("The listing is out of the collection.", "success")
    return _to(found)


@curation.post("/collections/<int:collection_id>/items/<int:listing_id>/place")
@needs("collections.manage", load=_item, name="item")
def place_item(item: tuple[Collection, int]) -> ResponseReturnValue:
    """Give a listing another place, counted from 1."""
    found, listing_id = item
    place = request.form.get("place", type=int)
    if place is None:
        return collection_page(found, {listing_id: "Enter a place, like 3."}), 422
    services.move_item(current_actor(), found, listing_id, place)
    return _to(found, anchor=listing_id)


@curation.post("/collections/<int:collection_id>/items/<int:listing_id>/blurb")
@needs("collections.manage", load=_item, name="item")
def describe_item(item: tuple[Collection, int]) -> ResponseReturnValue:
    """Say in a line why the listing is in it."""
    found, listing_id = item
    try:
        services.describe_item(current_actor(), found, listing_id, request.form.get("blurb", ""))
    except InvalidError as error:
        return collection_page(found, {listing_id: error.fields["blurb"]}), 422
    flash("Saved.", "success")
    return _to(found, anchor=listing_id)


def _to(
    found: Collection, *, find: str | None = None, anchor: int | None = None
) -> ResponseReturnValue:
    address = url_for(
        "curation.collection",
        collection_id=found.id,
        find=find,
        _anchor=f"item-{anchor}" if anchor else None,
    )
    return redirect(address, code=303)
