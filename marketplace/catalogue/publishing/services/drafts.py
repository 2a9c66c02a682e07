"""Beginning, saving and discarding drafts, without losing what either of two editors wrote."""

import hashlib
import json
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import update
from sqlalchemy.exc import IntegrityError

from marketplace.catalogue.models import Listing, Revision, RevisionEvent, RevisionState
from marketplace.catalogue.publishing import queries
from marketplace.catalogue.publishing.problems import entered_problems
from marketplace.catalogue.publishing.sensitivity import changed_fields
from marketplace.catalogue.publishing.slugs import free_slug
from marketplace.catalogue.publishing.states import NAMES, Act, after
from marketplace.core import clock
from marketplace.core.database import db
from marketplace.core.errors import ConflictError, InvalidError
from marketplace.core.facts import record_fact
from marketplace.core.permissions import Actor
from marketplace.identity.models import Organization

MOST_TRIES = 5
NAME_LENGTH, TAGLINE_LENGTH = 60, 120


class EditClashError(ConflictError):
    """Somebody else saved other values of the same fields since the form was loaded."""

    title = "Somebody else saved this too"


class InReviewError(ConflictError):
    """The revision is with the reviewers; it must be withdrawn before it can change."""

    title = "This is in review"


@dataclass(frozen=True)
class Saved:
    """What a save came to: the open revision, if there is one, and the fields it changed."""

    revision: Revision | None
    changed: tuple[str, ...]


def working_content(listing: Listing, revision: Revision | None) -> dict[str, Any]:
    """What an editor starts from: the open revision's content, else the published one."""
    return dict(revision.content if revision is not None else listing.content or {})


def fingerprint(content: Mapping[str, Any], fields: Iterable[str]) -> str:
    """A short digest of these fields' values, to find out later whether somebody changed them."""
    values = {name: content[name] for name in sorted(fields) if content.get(name) is not None}
    encoded = json.dumps(values, sort_keys=True, ensure_ascii=False, separators=(",", ":"))
    return hashlib.sha256(encoded.encode("utf-8", "surrogatepass")).hexdigest()[:16]


def create_listing(
    publisher: Organization, *, name: str, kind: str, category: str, actor: Actor
) -> Listing:
    """A new listing as a draft, at an address made of its name.

    Raises InvalidError (fields name, kind, categories).
    """
    content: dict[str, Any] = {"name": name.strip(), "kind": kind, "categories": [category]}
    problems = {
        path.partition(".")[0]: message for path, message in entered_problems(content).items()
    }
    if not name.strip():
        problems["name"] = "Enter the name."
    if category not in {row.slug for row in queries.categories()}:
        problems["categories"] = "Choose a category from the list."
    if problems:
        raise InvalidError(problems)
    listing = Listing(
        slug=free_slug(name, queries.slug_is_taken, publisher.slug),
        publisher_id=publisher.id,
        name=" ".join(name.split()),
        kind=kind,
        content={},
    )
    db.session.add(listing)
    db.session.flush()
    record_fact(
        "listing.created",
        subject=("listing", listing.id),
        actor_user_id=actor.user_id,
        organization_id=publisher.id,
        data={"slug": listing.slug},
    )
    begin_revision(listing, content, actor)
    return listing


def begin_revision(listing: Listing, content: dict[str, Any], actor: Actor) -> Revision:
    """Open a draft of a listing that has none. Raises EditClashError when somebody just did."""
    listing_id = listing.id
    revision = Revision(
        listing_id=listing_id,
        number=queries.next_number(listing_id),
        state=RevisionState.DRAFT,
        content=content,
        base_content=dict(listing.content or {}),
        created_by_id=actor.user_id,
        updated_by_id=actor.user_id,
    )
    db.session.add(revision)
    try:
        db.session.flush()
    except IntegrityError as error:
        # The other one's transaction came first: ours is over, nothing of it may stay.
        db.session.rollback()
        raise EditClashError("Somebody else began a draft at the same moment.") from error
    _keep_in_step(listing, content)
    record_fact(
        "revision.begun",
        subject=("listing", listing_id),
        actor_user_id=actor.user_id,
        organization_id=listing.publisher_id,
        data={"revision": revision.id, "number": revision.number},
    )
    return revision


def save_fields(
    listing: Listing,
    values: Mapping[str, Any],
    *,
    fields: Iterable[str],
    seen: str,
    actor: Actor,
) -> Saved:
    """Save `values` of one section as they were typed, complete or not.

    `seen` is the fingerprint of the section's `fields` when the form was loaded. Saves of other
    fields by other people are kept; other values of the same fields raise EditClashError. While
    reviewers have the revision, InReviewError.
    """
    revision = queries.open_revision(listing.id)
    refuse_in_review(revision)
    stored = working_content(listing, revision)
    changed = changed_fields({name: stored.get(name) for name in values}, values)
    if changed and fingerprint(stored, fields) != seen:
        raise EditClashError("Somebody else saved other values since you opened this form.")
    if not changed:
        return Saved(revision, ())
    return Saved(_store(listing, revision, {**stored, **values}, actor, changed), changed)


def change_draft(
    listing: Listing, change: Callable[[dict[str, Any]], dict[str, Any]], actor: Actor
) -> Saved:
    """Apply `change` to the draft's content, whatever others save at the same time.

    For acts that mean the same on top of any content, such as adding a screenshot. `change`
    gets a copy and returns the new content; it may raise. Raises InReviewError.
    """
    for _try in range(MOST_TRIES):
        revision = queries.open_revision(listing.id)
        refuse_in_review(revision)
        stored = working_content(listing, revision)
        content = change(dict(stored))
        changed = changed_fields(stored, content)
        if not changed:
            return Saved(revision, ())
        try:
            return Saved(_store(listing, revision, content, actor, changed), changed)
        except EditClashError:
            if revision is None:
                raise
    raise EditClashError("Others are saving this listing all the time. Try again.")


def advance(revision: Revision, expected: int, **values: Any) -> None:
    """Change a revision's columns if it is still at `expected` (its lock_version); refreshes it.

    Raises ConflictError when somebody else changed it first. The check is the UPDATE itself, so
    it holds on both databases without a lock.
    """
    result = db.session.execute(
        update(Revision)
        .where(Revision.id == revision.id, Revision.lock_version == expected)
        .values(lock_version=expected + 1, updated_at=clock.now(), **values)
        .execution_options(synchronize_session=False)
    )
    if getattr(result, "rowcount", 0) != 1:
        raise ConflictError(
            "Somebody else changed this at the same moment. Load the page again.",
            code="revision-changed",
        )
    db.session.refresh(revision)


def add_event(
    revision: Revision,
    kind: str,
    actor: Actor,
    body: str = "",
    *,
    for_partner: bool = True,
    field_notes: dict[str, Any] | None = None,
) -> None:
    """Add a step or a note to the revision's history."""
    db.session.add(
        RevisionEvent(
            revision_id=revision.id,
            kind=kind,
            author_id=actor.user_id,
            body=body,
            for_partner=for_partner,
            field_notes=field_notes or {},
        )
    )
    db.session.flush()


def discard(listing: Listing, revision: Revision, actor: Actor) -> None:
    """Give a draft up; its content is kept and can be taken up again. Twice is harmless."""
    if revision.state is RevisionState.DISCARDED:
        return
    state = after(revision.state, Act.DISCARD)
    advance(revision, revision.lock_version, state=state, updated_by_id=actor.user_id)
    add_event(revision, "discarded", actor)
    record_fact(
        "revision.discarded",
        subject=("listing", listing.id),
        actor_user_id=actor.user_id,
        organization_id=listing.publisher_id,
        data={"revision": revision.id},
    )


def take_up_again(listing: Listing, actor: Actor) -> Revision:
    """Open a new draft with the content of the one that was discarded last.

    Raises ConflictError when there is an open one or none was discarded.
    """
    if queries.open_revision(listing.id) is not None:
        raise ConflictError("There is an open draft already.")
    discarded = queries.last_discarded(listing.id)
    if discarded is None:
        raise ConflictError("No draft of this listing was discarded.")
    return begin_revision(listing, dict(discarded.content), actor)


def refuse_in_review(revision: Revision | None) -> None:
    """Raise InReviewError unless the publisher may change the revision now."""
    if revision is not None and not revision.is_editable:
        raise InReviewError(
            f"This revision is {NAMES[revision.state]}, so it cannot be changed. Withdraw the "
            "submission first, then edit and submit it again."
        )


def _store(
    listing: Listing,
    revision: Revision | None,
    content: dict[str, Any],
    actor: Actor,
    changed: tuple[str, ...],
) -> Revision:
    if revision is None:
        revision = begin_revision(listing, content, actor)
    else:
        try:
            advance(revision, revision.lock_version, content=content, updated_by_id=actor.user_id)
        except ConflictError as error:
            raise EditClashError("Somebody else saved at the same moment.") from error
        _keep_in_step(listing, content)
    record_fact(
        "revision.saved",
        subject=("listing", listing.id),
        actor_user_id=actor.user_id,
        organization_id=listing.publisher_id,
        data={"revision": revision.id, "fields": list(changed)},
    )
    return revision


def _keep_in_step(listing: Listing, content: Mapping[str, Any]) -> None:
    # Before the first publication the columns serve lists in the portal alone.
    if listing.published_at is None:
        listing.name = " ".join(str(content.get("name") or listing.name).split())[:NAME_LENGTH]
        listing.tagline = str(content.get("tagline") or "")[:TAGLINE_LENGTH]
        db.session.flush()
