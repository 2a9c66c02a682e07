"""Categories: the list, making, changing, ordering, merging, deleting."""

from flask import flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from marketplace.catalogue.curation.forms import CategoryForm, MergeForm
from marketplace.catalogue.curation.queries.categories import (
    categories_with_counts,
    draft_uses,
    find_category,
    listing_ids_in,
    ordered_categories,
)
from marketplace.catalogue.curation.services import categories as services
from marketplace.catalogue.curation.views.blueprint import curation
from marketplace.catalogue.engagement.views.returning import show_errors
from marketplace.catalogue.models import Category
from marketplace.core.errors import InvalidError
from marketplace.core.permissions import current_actor, needs


@curation.get("/categories")
@needs("categories.manage")
def categories() -> ResponseReturnValue:
    """All categories in order."""
    return render_template("curation/categories.html", rows=categories_with_counts())


@curation.get("/categories/new")
@needs("categories.manage")
def new_category() -> ResponseReturnValue:
    """The form of a new category."""
    return _form_page(CategoryForm(), None)


@curation.post("/categories")
@needs("categories.manage")
def create_category() -> ResponseReturnValue:
    """Make a category."""
    form = CategoryForm()
    try:
        made = services.create_category(current_actor(), *_given(form))
    except InvalidError as error:
        show_errors(form, error)
        return _form_page(form, None), 422
    flash(f"{made.name} is made.", "success")
    return redirect(url_for("curation.categories"), code=303)


@curation.get("/categories/<slug>")
@needs("categories.manage", load=find_category, name="category")
def edit_category(category: Category) -> ResponseReturnValue:
    """The form with its words and icon."""
    return _form_page(CategoryForm(obj=category), category)


@curation.post("/categories/<slug>")
@needs("categories.manage", load=find_category, name="category")
def change_category(category: Category) -> ResponseReturnValue:
    """Change its words and icon."""
    form = CategoryForm()
    try:
        services.change_category(current_actor(), category, *_given(form))
    except InvalidError as error:
        show_errors(form, error)
        return _form_page(form, category), 422
    flash("Saved.", "success")
    return redirect(url_for("curation.categories"), code=303)


@curation.post("/categories/<slug>/place")
@needs("categories.manage", load=find_category, name="category")
def place_category(category: Category) -> ResponseReturnValue:
    """Give it another place, counted from 1."""
    place = request.form.get("place", type=int)
    if place is None:
        flash("Enter a place, like 3.", "danger")
    else:
        services.move_category(current_actor(), category, place)
    address = url_for("curation.categories", _anchor=f"category-{category.slug}")
    return redirect(address, code=303)


@curation.get("/categories/<slug>/deletion")
@needs("categories.manage", load=find_category, name="category")
def category_deletion(category: Category) -> ResponseReturnValue:
    """Ask before it is deleted; offer the merge when something uses it."""
    return _deletion_page(category, MergeForm())


@curation.post("/categories/<slug>/deletion")
@needs("categories.manage", load=find_category, name="category")
def delete_category(category: Category) -> ResponseReturnValue:
    """Delete a category that nothing uses."""
    services.delete_category(current_actor(), category)
    flash(f"{category.name} is deleted.", "success")
    return redirect(url_for("curation.categories"), code=303)


@curation.post("/categories/<slug>/merger")
@needs("categories.manage", load=find_category, name="category")
def merge_category(category: Category) -> ResponseReturnValue:
    """Move everything into another category and delete this one."""
    form = MergeForm()
    into = find_category(form.into.data or "")
    if into is None:
        form.into.errors = ["Choose a category."]
        return _deletion_page(category, form), 422
    try:
        moved = services.merge_category(current_actor(), category, into)
    except InvalidError as error:
        show_errors(form, error)
        return _deletion_page(category, form), 422
    flash(f"{moved} listings moved into {into.name}.", "success")
    return redirect(url_for("curation.categories"), code=303)


def _given(form: CategoryForm) -> tuple[str, str, str]:
    return form.name.data or "", form.description.data or "", form.icon.data or ""


def _form_page(form: CategoryForm, category: Category | None) -> str:
    return render_template(
        "curation/category_form.html", form=form, category=category, limits=services
    )


def _deletion_page(category: Category, form: MergeForm) -> str:
    form.into.choices = {
        found.slug: found.name for found in ordered_categories() if found.id != category.id
    }
    return render_template(
        "curation/category_deletion.html",
        category=category,
        form=form,
        listings=len(listing_ids_in(category.id)),
        drafts=len(draft_uses(category.slug)),
    )
