"""Making, ordering, merging and deleting categories."""

from sqlalchemy import func, select, update
from sqlalchemy.orm import selectinload

from marketplace.catalogue.changes import listings_changed
from marketplace.catalogue.content import clean_text
from marketplace.catalogue.curation.icons import CATEGORY_ICONS
from marketplace.catalogue.curation.queries.categories import (
    draft_uses,
    listing_ids_in,
    ordered_categories,
)
from marketplace.catalogue.models import (
    Category,
    CategoryRedirect,
    Listing,
    ListingCategory,
    Revision,
    RevisionState,
)
from marketplace.catalogue.publishing.slugs import free_slug
from marketplace.core.database import db
from marketplace.core.errors import ConflictError, InvalidError
from marketplace.core.facts import record_fact
from marketplace.core.permissions import Actor

MAX_NAME = 60
MAX_DESCRIPTION = 200
MAX_SLUG = 60


def create_category(actor: Actor, name: str, description: str, icon: str) -> Category:
    """A new category at the end. Its address is made of its name and stays. Raises InvalidError."""
    name, description = _checked(name, description, icon, None)
    last = db.session.scalar(select(func.max(Category.position)))
    category = Category(
        slug=free_slug(name[:MAX_SLUG], _is_taken),
        name=name,
        description=description,
        icon=icon,
        position=0 if last is None else last + 1,
    )
    db.session.add(category)
    db.session.flush()
    _fact("category.created", category, actor)
    return category


def change_category(
    actor: Actor, category: Category, name: str, description: str, icon: str
) -> None:
    """Change its words and icon; its listings are indexed again when its name changes.

    Raises InvalidError at a field.
    """
    name, description = _checked(name, description, icon, category.id)
    renamed = name != category.name
    category.name, category.description, category.icon = name, description, icon
    _fact("category.changed", category, actor)
    db.session.flush()
    if renamed:
        listings_changed(listing_ids_in(category.id))


def move_category(actor: Actor, category: Category, place: int) -> None:
    """Give the category that place (from 1; beyond the end is the end)."""
    others = [found for found in ordered_categories() if found.id != category.id]
    at = min(max(place, 1), len(others) + 1) - 1
    for position, found in enumerate([*others[:at], category, *others[at:]]):
        found.position = position
    _fact("category.moved", category, actor, place=at + 1)
    db.session.flush()


def delete_category(actor: Actor, category: Category) -> None:
    """Delete a category that nothing uses. Raises ConflictError when something does."""
    listings, drafts = len(listing_ids_in(category.id)), len(draft_uses(category.slug))
    if listings or drafts:
        raise ConflictError(
            f"{category.name} has {listings} listings and {drafts} drafts. Merge it into another "
            "category instead."
        )
    _fact("category.deleted", category, actor)
    db.session.delete(category)
    db.session.flush()


def merge_category(actor: Actor, category: Category, into: Category) -> int:
    """Move everything of `category` into `into` and delete it; how many listings moved.

    What listings and open drafts say follows. Raises InvalidError when both are the same.
    """
    if category.id == into.id:
        raise InvalidError({"into": "Choose another category."})
    moved = listing_ids_in(category.id)
    listings = db.session.scalars(
        select(Listing).options(selectinload(Listing.category_links)).where(Listing.id.in_(moved))
    )
    for listing in listings.all():
        _replace_link(listing, category, into)
        listing.content = _with_category(listing.content, category.slug, into.slug)
    for revision in draft_uses(category.slug):
        revision.content = _with_category(revision.content, category.slug, into.slug)
        revision.base_content = _with_category(revision.base_content, category.slug, into.slug)
    # What was published stays as it was written, but a new draft begins from it.
    _replace_in_published(moved, category, into)
    _fact("category.merged", category, actor, into=into.slug, listings=len(moved))
    _leave_redirect(category, into)
    db.session.flush()
    db.session.delete(category)
    db.session.flush()
    listings_changed(moved)
    return len(moved)


def _leave_redirect(category: Category, into: Category) -> None:
    """Its address, and those that led to it, lead to `into`."""
    db.session.execute(
        update(CategoryRedirect)
        .where(CategoryRedirect.category_id == category.id)
        .values(category_id=into.id)
    )
    known = db.session.get(CategoryRedirect, category.slug)
    if known is None:
        db.session.add(CategoryRedirect(slug=category.slug, category_id=into.id))
    else:
        known.category_id = into.id


def _replace_link(listing: Listing, category: Category, into: Category) -> None:
    links = {link.category_id: link for link in listing.category_links}
    old = links[category.id]
    position = old.position
    listing.category_links.remove(old)
    # The row has to be gone before another of the same listing takes its place.
    db.session.flush()
    if into.id not in links:
        listing.category_links.append(ListingCategory(category_id=into.id, position=position))
    elif links[into.id].position > position:
        links[into.id].position = position
    remaining = sorted(listing.category_links, key=lambda link: link.position)
    for number, link in enumerate(remaining):
        link.position = number


def _replace_in_published(listing_ids: list[int], category: Category, into: Category) -> None:
    published = db.session.scalars(
        select(Revision)
        .join(Listing, Listing.published_revision_id == Revision.id)
        .where(Listing.id.in_(listing_ids), Revision.state == RevisionState.PUBLISHED)
    )
    for revision in published:
        revision.content = _with_category(revision.content, category.slug, into.slug)


def _with_category(content: dict[str, object], old: str, new: str) -> dict[str, object]:
    """A copy of `content` in which category `old` is `new`, once."""
    slugs = content.get("categories")
    if not isinstance(slugs, list) or old not in slugs:
        return content
    replaced = dict.fromkeys(new if slug == old else slug for slug in slugs)
    return {**content, "categories": list(replaced)}


def _checked(name: str, description: str, icon: str, own_id: int | None) -> tuple[str, str]:
    name = " ".join(clean_text(name).split())
    description = " ".join(clean_text(description).split())
    wrong: dict[str, str] = {}
    if len(name) < 2:
        wrong["name"] = "Use at least 2 characters."
    elif len(name) > MAX_NAME:
        wrong["name"] = f"Use at most {MAX_NAME} characters; this has {len(name):,}."
    elif _name_is_taken(name, own_id):
        wrong["name"] = "There is a category of that name."
    if len(description) > MAX_DESCRIPTION:
        wrong["description"] = (
            f"Use at most {MAX_DESCRIPTION} characters; this has {len(description):,}."
        )
    if icon not in CATEGORY_ICONS:
        wrong["icon"] = "Choose an icon of the list."
    if wrong:
        raise InvalidError(wrong)
    return name, description


def _name_is_taken(name: str, own_id: int | None) -> bool:
    query = select(Category.id).where(func.lower(Category.name) == name.lower())
    if own_id is not None:
        query = query.where(Category.id != own_id)
    return db.session.scalar(query) is not None


def _is_taken(slug: str) -> bool:
    return (
        len(slug) > MAX_SLUG
        or db.session.scalar(select(Category.id).where(Category.slug == slug)) is not None
        or db.session.get(CategoryRedirect, slug) is not None
    )


def _fact(kind: str, category: Category, actor: Actor, **data: object) -> None:
    record_fact(
        kind,
        subject=("category", category.id),
        actor_user_id=actor.user_id,
        data={"slug": category.slug, **data},
    )
