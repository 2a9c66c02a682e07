"""The catalogue and accreditation: what it may know of listings, and what its decisions do here.

A listing's certification and whether certification keeps it from the public are columns of the
listing, so that no list has to ask; they are brought in step here.
"""

from collections.abc import Sequence
from datetime import timedelta

from flask import current_app
from sqlalchemy import Select, select
from sqlalchemy.orm import joinedload

from marketplace.accreditation.authorizations.reading import listing_ids_ever
from marketplace.accreditation.certification.listings import ListingFacts
from marketplace.accreditation.certification.reading import (
    certified_listing_ids,
    ever_certified_listing_ids,
    hidden_listings,
)
from marketplace.catalogue.changes import listing_changed
from marketplace.catalogue.engagement.queries.people import member_addresses
from marketplace.catalogue.models import Listing
from marketplace.core import clock
from marketplace.core.database import db
from marketplace.core.facts import record_fact
from marketplace.core.jobs import Payload, enqueue, job_handler, periodic
from marketplace.core.mail import send_mail

KEEP = "catalogue.keep_accreditations"
BATCH = 500
_TOLD_ROLES = ("owner", "admin", "editor")


def facts_by_id(ids: Sequence[int]) -> dict[int, ListingFacts]:
    """What accreditation may know of these listings. One query."""
    rows = db.session.scalars(_listings().where(Listing.id.in_(ids)))
    return {row.id: _facts(row) for row in rows}


def facts_of_publisher(organization_id: int) -> list[ListingFacts]:
    """A publisher's listings by name. One query."""
    rows = db.session.scalars(
        _listings().where(Listing.publisher_id == organization_id).order_by(Listing.name)
    )
    return [_facts(row) for row in rows]


def facts_by_slug(slug: str) -> ListingFacts | None:
    """The listing of that address. One query."""
    row = db.session.scalars(_listings().where(Listing.slug == slug)).one_or_none()
    return None if row is None else _facts(row)


def accreditation_moved(organization_id: int, what: str) -> None:
    """An organization gained or lost an accreditation: its listings are brought in step."""
    if what == "authorization":
        db.session.flush()
        for listing_id in listing_ids_ever(organization_id):
            listing_changed(listing_id)
    if what in ("certification", "credential"):
        db.session.flush()
        _bring_in_step(
            db.session.scalars(_listings().where(Listing.publisher_id == organization_id)).all()
        )


def keep_in_step(listing: Listing) -> None:
    """A listing that was published may need a certification first. Flushes."""
    _bring_in_step([listing])


def rules_moved() -> None:
    """What certification asks of listings has changed: all of them are looked at, in a job."""
    enqueue(KEEP, {}, dedupe_key=KEEP)


@periodic("catalogue.keep_accreditations_hourly", every=timedelta(hours=1))
def _hourly(_payload: Payload) -> None:
    """Credentials of people run out without a word; look at every listing."""
    rules_moved()


@job_handler(KEEP, lease=timedelta(minutes=15))
def _keep_all(payload: Payload) -> None:
    """A batch of listings by id, and a job for the next."""
    after = int(payload.get("after", 0))
    rows = db.session.scalars(
        _listings()
        .where(Listing.id > after, Listing.published_at.is_not(None))
        .order_by(Listing.id)
        .limit(BATCH)
    ).all()
    _bring_in_step(rows)
    if len(rows) == BATCH:
        enqueue(KEEP, {"after": rows[-1].id})


def _bring_in_step(rows: Sequence[Listing]) -> None:
    ids = [row.id for row in rows]
    certified, ever = certified_listing_ids(ids), ever_certified_listing_ids(ids)
    hidden = hidden_listings([_facts(row) for row in rows])
    now = clock.now()
    for row in rows:
        before = (row.certified_at is not None, row.unlisted_at is not None)
        # What was certified by an import has no certification here, and stays as it is.
        if row.id in certified and row.certified_at is None:
            row.certified_at = now
        elif row.id in ever and row.id not in certified:
            row.certified_at = None
        reason = hidden.get(row.id)
        if reason is None:
            row.unlisted_at, row.unlisted_reason = None, None
        else:
            row.unlisted_at, row.unlisted_reason = row.unlisted_at or now, reason
        after = (row.certified_at is not None, row.unlisted_at is not None)
        if before != after:
            db.session.flush()
            listing_changed(row.id)
        if before[1] != after[1]:
            _tell(row)


def _tell(row: Listing) -> None:
    is_hidden = row.unlisted_at is not None
    record_fact(
        "listing.unlisted" if is_hidden else "listing.listed_again",
        subject=("listing", row.id),
        organization_id=row.publisher_id,
    )
    subject = f"{row.name} is {'not in the directory' if is_hidden else 'in the directory again'}"
    text = (
        f"{row.unlisted_reason}\n\nNobody finds it until then. Who has it keeps it."
        if is_hidden
        else "It has all that it needs."
    )
    address = f"{current_app.config['PUBLIC_URL']}/partner/listings/{row.slug}"
    for to in member_addresses(row.publisher_id, _TOLD_ROLES):
        send_mail(to, subject, f"{text}\n\n{address}\n")


def _listings() -> Select[Listing]:
    return select(Listing).options(joinedload(Listing.publisher))


def _facts(row: Listing) -> ListingFacts:
    return ListingFacts(
        id=row.id,
        organization_id=row.publisher_id,
        name=row.name,
        slug=row.slug,
        kind=row.kind,
        is_published=row.published_at is not None,
        is_public=row.is_public,
        tagline=row.tagline,
    )
