"""Collections: the list, making, changing, publishing, previewing, deleting."""

from datetime import UTC, datetime

from flask import flash, redirect, render_template, url_for
from flask.typing import ResponseReturnValue

from marketplace.catalogue.curation.forms import CollectionForm
from marketplace.catalogue.curation.queries.collections import (
    collections_with_counts,
    find_collection,
    find_to_add,
)
from marketplace.catalogue.curation.schedule import Showing, showing
from marketplace.catalogue.curation.services import collections as services
from marketplace.catalogue.curation.views.blueprint import asked_text, curation
from marketplace.catalogue.discovery.cards import card_of
from marketplace.catalogue.engagement.views.returning import show_errors
from marketplace.catalogue.models import Collection
from marketplace.catalogue.pages.queries import collection_cards
from marketplace.core import clock
from marketplace.core.database import db
from marketplace.core.errors import InvalidError
from marketplace.core.permissions import current_actor, needs


def stands(collection: Collection) -> Showing:
    """How the collection stands with the public now."""
    return showing(
        is_published=collection.is_published,
        starts_at=collection.starts_at,
        ends_at=collection.ends_at,
        at=clock.now(),
    )


@curation.get("/collections")
@needs("collections.manage")
def collections() -> ResponseReturnValue:
    """All collections."""
    rows = collections_with_counts()
    return render_template(
        "curation/collections.html",
        rows=[(found, count, stands(found)) for found, count in rows],
    )


@curation.get("/collections/new")
@needs("collections.manage")
def new_collection() -> ResponseReturnValue:
    """The form of a new collection."""
    return _form_page(CollectionForm(), None)


@curation.post("/collections")
@needs("collections.manage")
def create_collection() -> ResponseReturnValue:
    """Make a collection; its listings are chosen next."""
    form = CollectionForm()
    if not form.validate():
        return _form_page(form, None), 422
    try:
        made = services.create_collection(current_actor(), _given(form))
    except InvalidError as error:
        show_errors(form, error)
        return _form_page(form, None), 422
    flash("The collection is made. Choose its listings, then publish it.", "success")
    return redirect(url_for("curation.collection", collection_id=made.id), code=303)


@curation.get("/collections/<int:collection_id>")
@needs("collections.manage", load=find_collection, name="found")
def collection(found: Collection) -> ResponseReturnValue:
    """One collection with its listings, to order, add and remove."""
    return collection_page(found)


@curation.get("/collections/<int:collection_id>/edit")
@needs("collections.manage", load=find_collection, name="found")
def edit_collection(found: Collection) -> ResponseReturnValue:
    """The form with its words and times."""
    return _form_page(CollectionForm(obj=found), found)


@curation.post("/collections/<int:collection_id>/edit")
@needs("collections.manage", load=find_collection, name="found")
def change_collection(found: Collection) -> ResponseReturnValue:
    """Change its words and times."""
    form = CollectionForm()
    if not form.validate():
        return _form_page(form, found), 422
    try:
        services.change_collection(current_actor(), found, _given(form))
    except InvalidError as error:
        show_errors(form, error)
        return _form_page(form, found), 422
    flash("Saved.", "success")
    return _to(found)


@curation.post("/collections/<int:collection_id>/publication")
@needs("collections.manage", load=find_collection, name="found")
def publish_collection(found: Collection) -> ResponseReturnValue:
    """Show it, within its times."""
    services.publish_collection(current_actor(), found)
    told = {
        Showing.LIVE: "The collection is live.",
        Showing.SCHEDULED: "The collection is scheduled.",
    }
    flash(told.get(stands(found), "Published, but its time is over."), "success")
    return _to(found)


@curation.post("/collections/<int:collection_id>/publication/withdrawal")
@needs("collections.manage", load=find_collection, name="found")
def unpublish_collection(found: Collection) -> ResponseReturnValue:
    """Hide it."""
    services.unpublish_collection(current_actor(), found)
    flash("The collection is hidden.", "success")
    return _to(found)


@curation.get("/collections/<int:collection_id>/preview")
@needs("collections.manage", load=find_collection, name="found")
def preview_collection(found: Collection) -> ResponseReturnValue:
    """As the public would see it."""
    rows = db.session.execute(collection_cards([found.id])).all()
    return render_template(
        "curation/collection_preview.html",
        found=found,
        cards=[(card_of(row), row.blurb) for row in rows],
        stands=stands(found),
    )


@curation.get("/collections/<int:collection_id>/deletion")
@needs("collections.manage", load=find_collection, name="found")
def collection_deletion(found: Collection) -> ResponseReturnValue:
    """Ask before it is deleted."""
    return render_template("curation/collection_deletion.html", found=found)


@curation.post("/collections/<int:collection_id>/deletion")
@needs("collections.manage", load=find_collection, name="found")
def delete_collection(found: Collection) -> ResponseReturnValue:
    """Delete it."""
    services.delete_collection(current_actor(), found)
    flash("The collection is deleted.", "success")
    return redirect(url_for("curation.collections"), code=303)


def collection_page(found: Collection, wrong: dict[int, str] | None = None) -> str:
    """The page of one collection; `wrong` holds messages at items, by listing."""
    text = asked_text("find")
    inside = {item.listing_id for item in found.items}
    return render_template(
        "curation/collection.html",
        found=found,
        stands=stands(found),
        find=text,
        candidates=[listing for listing in find_to_add(text) if listing.id not in inside],
        wrong=wrong or {},
    )


def _given(form: CollectionForm) -> services.CollectionText:
    return services.CollectionText(
        form.title.data or "",
        form.description.data or "",
        form.position.data or 0,
        _utc(form.starts_at.data),
        _utc(form.ends_at.data),
    )


def _utc(value: datetime | None) -> datetime | None:
    return value.replace(tzinfo=UTC) if value is not None else None


def _to(found: Collection) -> ResponseReturnValue:
    return redirect(url_for("curation.collection", collection_id=found.id), code=303)


def _form_page(form: CollectionForm, found: Collection | None) -> str:
    return render_template("curation/collection_form.html", form=form, found=found, limits=services)
