"""Letters to partners about a decision, and to reviewers about the queue."""

from datetime import timedelta

from flask import current_app

from marketplace.catalogue.models import Listing, ListingVersion, Revision
from marketplace.catalogue.publishing.queries import editors
from marketplace.catalogue.publishing.sections import FIELD_LABELS
from marketplace.catalogue.publishing.waiting import wait_text
from marketplace.catalogue.reviewing import queries
from marketplace.core import clock
from marketplace.core.jobs import Payload, periodic
from marketplace.core.mail import send_mail

DIGEST = "reviewing.digest"


def tell_published(listing: Listing, revision: Revision, *, first: bool) -> None:
    """The listing or its changes are public."""
    what = "is now public" if first else "has its changes published"
    _to_editors(
        listing,
        revision,
        "published",
        f"{listing.name} {what}",
        f"The review of {listing.name} is done: it was approved and is public now.\n\n"
        f"See it: {_url(f'/listings/{listing.slug}')}\n",
    )


def tell_changes_requested(listing: Listing, revision: Revision, body: str) -> None:
    """A reviewer asks for changes; the notes at the fields are in the portal."""
    _to_editors(
        listing,
        revision,
        "changes",
        f"{listing.name}: changes requested",
        f"A reviewer looked at {listing.name} and asks for changes:\n\n{body}\n\n"
        f"Read the notes, edit and submit again: {_portal(listing)}\n",
    )


def tell_reverted(listing: Listing, revision: Revision, fields: list[str], body: str) -> None:
    """A change that was published without a review was taken back."""
    names = ", ".join(FIELD_LABELS.get(name, name) for name in fields)
    _to_editors(
        listing,
        revision,
        "reverted",
        f"{listing.name}: a change was taken back",
        f"A reviewer took back a recent change of {listing.name} ({names}).\n\n{body}\n\n"
        f"Your listing: {_portal(listing)}\n",
    )


def tell_version_removed(listing: Listing, version: ListingVersion, body: str) -> None:
    """A reviewer removed a version; call it while the version is still there."""
    _send(
        listing,
        # The time belongs to the key: an id may be given again once its row is gone.
        f"version:{version.id}:{version.changed_at.isoformat()}:removed",
        f"{listing.name}: version {version.version} was removed",
        f"A reviewer removed version {version.version} of {listing.name}.\n\n{body}\n\n"
        "You can add it again with another text: "
        f"{_url(f'/partner/listings/{listing.slug}/versions')}\n",
    )


def _to_editors(listing: Listing, revision: Revision, kind: str, subject: str, text: str) -> None:
    _send(listing, f"revision:{revision.id}:{revision.lock_version}:{kind}", subject, text)


def _send(listing: Listing, key: str, subject: str, text: str) -> None:
    for user in editors(listing.publisher_id):
        if user.email:
            send_mail(
                user.email,
                subject,
                f"Hello {user.name},\n\n{text}",
                dedupe_key=f"{key}:{user.id}",
            )


@periodic(DIGEST, timedelta(days=1))
def send_digest(_payload: Payload) -> None:
    """Once a day, what waits; nothing when nothing has waited for a day."""
    oldest = queries.oldest_waiting()
    now = clock.now()
    if oldest is None or now - oldest < timedelta(days=1):
        return
    waiting = queries.queue_counts(None)["waiting"]
    for user in queries.reviewers():
        if user.email and user.email_verified:
            send_mail(
                user.email,
                f"{waiting} listing{'s' if waiting != 1 else ''} waiting for review",
                f"Hello {user.name},\n\nThe oldest has waited for {wait_text(now - oldest)}.\n\n"
                f"The queue: {_url('/staff/reviews')}\n",
                dedupe_key=f"review-digest:{now:%Y-%m-%d}:{user.id}",
            )


def _portal(listing: Listing) -> str:
    return _url(f"/partner/listings/{listing.slug}")


def _url(path: str) -> str:
    return f"{current_app.config['PUBLIC_URL']}{path}"
