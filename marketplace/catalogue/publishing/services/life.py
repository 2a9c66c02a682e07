"""A published listing's life: beta, active, deprecated, withdrawn; its address; its versions."""

import re
from datetime import date
from typing import Any

from sqlalchemy import delete, update
from sqlalchemy.exc import IntegrityError

from marketplace.catalogue.changes import listing_changed
from marketplace.catalogue.models import Listing, ListingStatus, ListingVersion, SlugRedirect
from marketplace.catalogue.publishing import queries
from marketplace.catalogue.publishing.changelog_links import unknown_hosts
from marketplace.catalogue.publishing.names import close_names, is_close
from marketplace.catalogue.publishing.slugs import slug_problem
from marketplace.catalogue.publishing.version_numbers import (
    MAX_LENGTH,
    parse_version,
    version_key,
)
from marketplace.core import clock
from marketplace.core.database import db
from marketplace.core.errors import ConflictError, InvalidError
from marketplace.core.facts import record_fact
from marketplace.core.permissions import Actor

REASON_LENGTH = 500
CHANGELOG_LENGTH = 10_000
_ADDRESS = re.compile(r"https?://|www\.|\w@\w", re.IGNORECASE)


def mark_beta(listing: Listing, actor: Actor) -> None:
    """Say that it works but may still change. Raises ConflictError for a withdrawn listing."""
    _refuse_unpublished(listing)
    if listing.status is ListingStatus.WITHDRAWN:
        raise ConflictError("The listing is withdrawn. Restore it first.")
    _set_status(listing, ListingStatus.BETA, "listing.marked_beta", actor)


def mark_active(listing: Listing, actor: Actor) -> None:
    """Say that it is ready for everybody. Raises ConflictError for a withdrawn listing."""
    _refuse_unpublished(listing)
    if listing.status is ListingStatus.WITHDRAWN:
        raise ConflictError("The listing is withdrawn. Restore it first.")
    _set_status(listing, ListingStatus.ACTIVE, "listing.marked_active", actor)


def deprecate(listing: Listing, *, reason: str, successor_slug: str, actor: Actor) -> None:
    """Advise against new use, with the reason and, if there is one, the successor.

    Raises InvalidError (fields reason, successor), ConflictError.
    """
    _refuse_unpublished(listing)
    if listing.status is ListingStatus.WITHDRAWN:
        raise ConflictError("The listing is withdrawn. Restore it first.")
    fields = _reason_problem(reason)
    successor = None
    # People paste the address of the page as well as its last part.
    slug = successor_slug.strip().rstrip("/").rpartition("/")[2].lower()
    if slug:
        successor = queries.public_listing(slug)
        if successor is None:
            fields["successor"] = "There is no public listing at this address."
        elif successor.id == listing.id:
            fields["successor"] = "A listing cannot replace itself."
        elif _leads_back(successor, listing):
            fields["successor"] = "That listing names this one as its own successor."
    if fields:
        raise InvalidError(fields)
    _set_status(
        listing,
        ListingStatus.DEPRECATED,
        "listing.deprecated",
        actor,
        reason=_one_line(reason),
        successor=successor,
    )


def withdraw(listing: Listing, *, reason: str, actor: Actor) -> None:
    """Take it out of search and lists; its page stays as a tombstone with the reason.

    Raises InvalidError (field reason), ConflictError.
    """
    _refuse_unpublished(listing)
    fields = _reason_problem(reason)
    if fields:
        raise InvalidError(fields)
    _set_status(
        listing,
        ListingStatus.WITHDRAWN,
        "listing.withdrawn",
        actor,
        reason=_one_line(reason),
        successor=listing.successor,
    )


def restore(listing: Listing, actor: Actor) -> None:
    """Bring a deprecated or withdrawn listing back as active; twice is harmless."""
    _refuse_unpublished(listing)
    _set_status(listing, ListingStatus.ACTIVE, "listing.restored", actor)


def rename_address(listing: Listing, slug: str, actor: Actor) -> str:
    """Move the listing's page to `slug`; the old address leads there for ever. The old slug.

    Raises InvalidError (field slug): malformed, in use, or once another listing's.
    """
    slug = slug.strip().lower()
    old, listing_id, publisher_id = listing.slug, listing.id, listing.publisher_id
    if slug == old:
        return old
    problem = slug_problem(slug)
    if problem is None and queries.listing_by_slug(slug) is not None:
        problem = "This address is in use. Choose another one."
    redirect = queries.redirect_of(slug)
    if problem is None and redirect is not None and redirect.listing_id != listing_id:
        problem = "This address leads to another listing for ever. Choose another one."
    if problem is None:
        close = close_names(slug.replace("-", " "), queries.names_of_others(publisher_id))
        if close and not is_close(slug.replace("-", " "), listing.name):
            problem = (
                f"This address could be taken for “{close[0].name}” by {close[0].owner}. "
                "Choose one that is closer to your own name."
            )
    if problem is not None:
        raise InvalidError({"slug": problem})
    if redirect is not None:
        db.session.delete(redirect)
        db.session.flush()
    if listing.published_at is not None:
        db.session.add(SlugRedirect(slug=old, listing_id=listing_id))
    listing.slug = slug
    try:
        db.session.flush()
    except IntegrityError as error:
        db.session.rollback()
        raise InvalidError({"slug": "This address was taken just now. Choose another."}) from error
    _record("listing.address_changed", listing, actor, old=old, new=slug)
    if listing.published_at is not None:
        listing_changed(listing_id)
    return old


def add_version(
    listing: Listing, *, version: str, released_on: date | None, changelog: str, actor: Actor
) -> ListingVersion:
    """Tell of a release. Raises InvalidError (fields version, released_on, changelog)."""
    fields: dict[str, str] = {}
    number = parse_version(version)
    known = queries.versions(listing.id)
    if number is None:
        fields["version"] = (
            f"Enter a version such as 1.4.0 or 2.0.0-beta.1, at most {MAX_LENGTH} characters."
        )
    else:
        key = version_key(number)
        for other in known:
            if parse_version(other.version) and version_key(other.version) == key:
                fields["version"] = f"Version {other.version} is there already."
    fields |= _release_problems(listing, released_on, changelog)
    if fields or number is None or released_on is None:
        raise InvalidError(fields)
    at = clock.now()
    row = ListingVersion(
        listing_id=listing.id,
        version=number,
        released_on=released_on,
        changelog=_text(changelog),
        created_by_id=actor.user_id,
        created_at=at,
        changed_at=at,
    )
    listing_id = listing.id
    db.session.add(row)
    try:
        db.session.flush()
    except IntegrityError as error:
        db.session.rollback()
        raise InvalidError({"version": f"Version {number} is there already."}) from error
    _record("listing.version_added", listing, actor, version=number)
    if listing.published_at is not None:
        listing_changed(listing_id)
    return row


def correct_version(
    version: ListingVersion, *, released_on: date | None, changelog: str, actor: Actor
) -> bool:
    """Change a release's day or text; it has to be checked again. False when nothing changes.

    Raises InvalidError (fields released_on, changelog), ConflictError when it is gone.
    """
    listing, number, version_id = version.listing, version.version, version.id
    fields = _release_problems(listing, released_on, changelog, known=version.changelog)
    if fields or released_on is None:
        raise InvalidError(fields)
    text = _text(changelog)
    if (released_on, text) == (version.released_on, version.changelog):
        return False
    before = version.released_on.isoformat()
    found = db.session.scalar(
        update(ListingVersion)
        .where(ListingVersion.id == version_id)
        .values(
            released_on=released_on,
            changelog=text,
            changed_at=clock.now(),
            checked_at=None,
            checked_by_id=None,
        )
        .returning(ListingVersion.id)
    )
    if found is None:
        raise ConflictError(f"Version {number} was removed meanwhile.")
    _record(
        "listing.version_corrected",
        listing,
        actor,
        version=number,
        released_on_before=before,
        released_on=released_on.isoformat(),
    )
    _versions_changed(listing)
    return True


def remove_version(version: ListingVersion, actor: Actor) -> bool:
    """Take a release off the listing. False when it is gone already."""
    listing, number = version.listing, version.version
    if not delete_version(version):
        return False
    _record("listing.version_removed", listing, actor, version=number, by="publisher")
    return True


def delete_version(version: ListingVersion) -> bool:
    """Delete the row and have the listing indexed again; the caller records why.

    False when another request deleted it meanwhile.
    """
    listing = version.listing
    found = db.session.scalar(
        delete(ListingVersion).where(ListingVersion.id == version.id).returning(ListingVersion.id)
    )
    if found is None:
        return False
    _versions_changed(listing)
    return True


def _set_status(
    listing: Listing,
    status: ListingStatus,
    kind: str,
    actor: Actor,
    *,
    reason: str = "",
    successor: Listing | None = None,
) -> None:
    successor_id = successor.id if successor is not None else None
    before = (listing.status, listing.status_reason, listing.successor_id)
    if before == (status, reason, successor_id):
        return
    listing.status = status
    listing.status_reason = reason
    listing.successor_id = successor_id
    db.session.flush()
    _record(kind, listing, actor, before=before[0].value, successor=successor_id)
    listing_changed(listing.id)


def _refuse_unpublished(listing: Listing) -> None:
    if listing.published_at is None:
        raise ConflictError("The listing is not public yet.")


def _reason_problem(reason: str) -> dict[str, str]:
    text = _one_line(reason)
    if len(text) < 10:
        return {"reason": "Give a reason of at least 10 characters; customers read it."}
    if len(text) > REASON_LENGTH:
        return {"reason": f"Use at most {REASON_LENGTH} characters; this has {len(text):,}."}
    # The reason is public at once, without a review.
    if _ADDRESS.search(text):
        return {"reason": "Leave out links and e-mail addresses; name a successor instead."}
    return {}


def _release_problems(
    listing: Listing, released_on: date | None, changelog: str, *, known: str = ""
) -> dict[str, str]:
    """What is wrong with a release's day and text; `known` is the text that is public already."""
    fields: dict[str, str] = {}
    if released_on is None:
        fields["released_on"] = "Enter the day of the release."
    elif released_on > clock.now().date():
        fields["released_on"] = "A release cannot be in the future."
    elif released_on.year < 1990:
        fields["released_on"] = "Enter a year from 1990 on."
    if len(changelog) > CHANGELOG_LENGTH:
        fields["changelog"] = (
            f"Use at most {CHANGELOG_LENGTH:,} characters; this has {len(changelog):,}."
        )
    elif _text(changelog) != known and (strange := unknown_hosts(changelog, listing.content or {})):
        fields["changelog"] = (
            f"Leave out links to {', '.join(strange)[:300]}: a changelog is public at once, so it "
            "links only where the approved listing does. Add the link to the listing first."
        )
    return fields


def _text(changelog: str) -> str:
    return changelog.replace("\r\n", "\n").strip()


def _versions_changed(listing: Listing) -> None:
    db.session.expire(listing, ["versions"])
    if listing.published_at is not None:
        listing_changed(listing.id)


def _leads_back(successor: Listing, listing: Listing) -> bool:
    seen: set[int] = set()
    current: Listing | None = successor
    while current is not None and current.id not in seen:
        if current.id == listing.id:
            return True
        seen.add(current.id)
        current = current.successor
    return False


def _one_line(text: str) -> str:
    return " ".join(text.split())


def _record(kind: str, listing: Listing, actor: Actor, **data: Any) -> None:
    record_fact(
        kind,
        subject=("listing", listing.id),
        actor_user_id=actor.user_id,
        organization_id=listing.publisher_id,
        data=data,
    )
