"""Making collections and ordering what is in them."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select, update

from marketplace.catalogue.content import clean_text
from marketplace.catalogue.models import Collection, CollectionItem, Listing
from marketplace.catalogue.publishing.slugs import free_slug
from marketplace.core.database import db
from marketplace.core.errors import ConflictError, InvalidError
from marketplace.core.facts import record_fact
from marketplace.core.permissions import Actor

MAX_TITLE = 80
MAX_DESCRIPTION = 2_000
MAX_BLURB = 200
MAX_ITEMS = 60


@dataclass(frozen=True)
class CollectionText:
    """What staff enter. Times are UTC; None is unbounded."""

    title: str
    description: str = ""
    position: int = 0
    starts_at: datetime | None = None
    ends_at: datetime | None = None


def create_collection(actor: Actor, given: CollectionText) -> Collection:
    """A new, unpublished collection. Raises InvalidError at a field."""
    given = _checked(given)
    collection = Collection(slug=free_slug(given.title, _is_taken))
    _fill(collection, given)
    db.session.add(collection)
    db.session.flush()
    _fact("collection.created", collection, actor, title=given.title)
    return collection


def change_collection(actor: Actor, collection: Collection, given: CollectionText) -> None:
    """Change its words and times. Its address stays. Raises InvalidError at a field."""
    _fill(collection, _checked(given))
    _fact("collection.changed", collection, actor)
    db.session.flush()


def publish_collection(actor: Actor, collection: Collection) -> None:
    """Show it, within its times. Raises ConflictError while it is empty."""
    if not collection.items:
        raise ConflictError("Add a listing first: an empty collection helps nobody.")
    if not collection.is_published:
        collection.is_published = True
        _fact("collection.published", collection, actor)
        db.session.flush()


def unpublish_collection(actor: Actor, collection: Collection) -> None:
    """Hide it. Repeating it is harmless."""
    if collection.is_published:
        collection.is_published = False
        _fact("collection.unpublished", collection, actor)
        db.session.flush()


def delete_collection(actor: Actor, collection: Collection) -> None:
    """Delete it; its listings stay where they are."""
    _fact("collection.deleted", collection, actor, title=collection.title)
    db.session.delete(collection)
    db.session.flush()


def add_item(actor: Actor, collection: Collection, listing: Listing) -> bool:
    """Put the listing at the end; whether it was not in it. Raises ConflictError when full."""
    items = _locked_items(collection)
    if any(item.listing_id == listing.id for item in items):
        return False
    if len(items) >= MAX_ITEMS:
        raise ConflictError(f"A collection holds at most {MAX_ITEMS} listings.")
    collection.items.append(CollectionItem(listing_id=listing.id, position=len(items)))
    _fact("collection.item_added", collection, actor, listing_id=listing.id)
    db.session.flush()
    return True


def remove_item(actor: Actor, collection: Collection, listing_id: int) -> bool:
    """Take the listing out; whether it was in it."""
    items = _locked_items(collection)
    found = next((item for item in items if item.listing_id == listing_id), None)
    if found is None:
        return False
    collection.items.remove(found)
    _number([item for item in items if item is not found])
    _fact("collection.item_removed", collection, actor, listing_id=listing_id)
    db.session.flush()
    return True


def move_item(actor: Actor, collection: Collection, listing_id: int, place: int) -> bool:
    """Give the listing that place (from 1; beyond the end is the end); whether it was in it."""
    items = _locked_items(collection)
    found = next((item for item in items if item.listing_id == listing_id), None)
    if found is None:
        return False
    others = [item for item in items if item is not found]
    at = min(max(place, 1), len(items)) - 1
    _number([*others[:at], found, *others[at:]])
    _fact("collection.item_moved", collection, actor, listing_id=listing_id, place=at + 1)
    db.session.flush()
    return True


def describe_item(actor: Actor, collection: Collection, listing_id: int, blurb: str) -> bool:
    """Say in a line why the listing is in it; whether it is. Raises InvalidError when too long."""
    blurb = " ".join(clean_text(blurb).split())
    if len(blurb) > MAX_BLURB:
        raise InvalidError({"blurb": _too_long(MAX_BLURB, blurb)})
    found = next((item for item in collection.items if item.listing_id == listing_id), None)
    if found is None:
        return False
    if found.blurb != blurb:
        found.blurb = blurb
        _fact("collection.item_described", collection, actor, listing_id=listing_id)
        db.session.flush()
    return True


def _locked_items(collection: Collection) -> list[CollectionItem]:
    """The items in order, with the collection held, so that two people do not number at once."""
    db.session.flush()
    db.session.execute(
        update(Collection)
        .where(Collection.id == collection.id)
        .values(position=Collection.position)
        .execution_options(synchronize_session=False)
    )
    db.session.refresh(collection, ["items"])
    return list(collection.items)


def _number(items: list[CollectionItem]) -> None:
    for position, item in enumerate(items):
        item.position = position


def _checked(given: CollectionText) -> CollectionText:
    title = " ".join(clean_text(given.title).split())
    description = clean_text(given.description)
    wrong: dict[str, str] = {}
    if not title:
        wrong["title"] = "Enter a title."
    elif len(title) > MAX_TITLE:
        wrong["title"] = _too_long(MAX_TITLE, title)
    if len(description) > MAX_DESCRIPTION:
        wrong["description"] = _too_long(MAX_DESCRIPTION, description)
    if not 0 <= given.position <= 9_999:
        wrong["position"] = "Enter a number from 0 to 9,999."
    if given.starts_at and given.ends_at and given.ends_at <= given.starts_at:
        wrong["ends_at"] = "It must end after it starts."
    if wrong:
        raise InvalidError(wrong)
    return CollectionText(title, description, given.position, given.starts_at, given.ends_at)


def _fill(collection: Collection, given: CollectionText) -> None:
    collection.title, collection.description = given.title, given.description
    collection.position = given.position
    collection.starts_at, collection.ends_at = given.starts_at, given.ends_at


def _is_taken(slug: str) -> bool:
    return db.session.scalar(select(Collection.id).where(Collection.slug == slug)) is not None


def _too_long(most: int, text: str) -> str:
    return f"Use at most {most:,} characters; this has {len(text):,}."


def _fact(kind: str, collection: Collection, actor: Actor, **data: object) -> None:
    record_fact(
        kind,
        subject=("collection", collection.id),
        actor_user_id=actor.user_id,
        data={"slug": collection.slug, **data},
    )
