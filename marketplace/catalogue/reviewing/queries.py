"""What reviewers read: select() only."""

from collections.abc import Iterator
from datetime import datetime, timedelta

from sqlalchemy import ColumnElement, Select, String, and_, cast, func, not_, or_, select
from sqlalchemy.orm import contains_eager, defer, joinedload

from marketplace.catalogue.models import (
    Listing,
    ListingVersion,
    Revision,
    RevisionEvent,
    RevisionState,
)
from marketplace.catalogue.publishing.sensitivity import CLOSE_NAME
from marketplace.catalogue.publishing.states import WAITING
from marketplace.core import clock
from marketplace.core.database import db
from marketplace.identity.models import Membership, Organization, OrganizationKind, Role, User

SHOWS = ("waiting", "new", "changes", "held", "second", "mine", "samples")
DECIDED = (RevisionState.PUBLISHED, RevisionState.CHANGES_REQUESTED)
_BATCH = 500
VERSION_WINDOW = timedelta(days=30)
# A list names the listing and its publisher; it does not need what the listing says.
_LISTED = contains_eager(Revision.listing).options(
    defer(Listing.content), contains_eager(Listing.publisher)
)


def _condition(show: str, user_id: int | None) -> ColumnElement[bool]:
    waiting = Revision.state.in_(WAITING)
    conditions: dict[str, ColumnElement[bool]] = {
        "waiting": waiting,
        "new": and_(waiting, Listing.published_at.is_(None)),
        "changes": and_(waiting, Listing.published_at.is_not(None)),
        "held": and_(waiting, _has_reason(CLOSE_NAME)),
        "second": Revision.state == RevisionState.APPROVED,
        "mine": and_(waiting, Revision.reviewer_id == user_id),
        "samples": and_(
            Revision.sampled,
            Revision.state == RevisionState.PUBLISHED,
            Revision.sample_checked_at.is_(None),
        ),
    }
    return conditions[show]


def _has_reason(reason: str) -> ColumnElement[bool]:
    # A JSON list of plain words, on both databases: its text holds the word in quotes.
    return cast(Revision.review_reasons, String).contains(f'"{reason}"')


def queue(show: str, user_id: int | None) -> Select[Revision]:
    """The revisions of a part of the queue, oldest first, with listing and publisher loaded."""
    order = Revision.published_at if show == "samples" else Revision.submitted_at
    return (
        select(Revision)
        .join(Revision.listing)
        .join(Listing.publisher)
        .options(
            _LISTED,
            joinedload(Revision.reviewer),
            defer(Revision.base_content),
        )
        .where(_condition(show, user_id))
        .order_by(order, Revision.id)
    )


def queue_counts(user_id: int | None) -> dict[str, int]:
    """How many revisions each part of the queue holds (one query)."""
    row = db.session.execute(
        select(*(func.count(Revision.id).filter(_condition(s, user_id)).label(s) for s in SHOWS))
        .select_from(Revision)
        .join(Revision.listing)
        .where(or_(Revision.state.in_(WAITING), Revision.sampled))
    ).one()
    return {show: getattr(row, show) for show in SHOWS}


def places() -> dict[int, int]:
    """The place of each waiting revision in the whole queue, by id."""
    rows = db.session.execute(
        select(
            Revision.id,
            func.row_number().over(order_by=(Revision.submitted_at, Revision.id)).label("place"),
        ).where(Revision.state.in_(WAITING))
    )
    return {row.id: row.place for row in rows}


def oldest_waiting() -> datetime | None:
    """When the revision was submitted that waits longest."""
    return db.session.scalar(
        select(func.min(Revision.submitted_at)).where(Revision.state.in_(WAITING))
    )


def revision_by_id(revision_id: int) -> Revision | None:
    """A revision that was handed in, with its listing and publisher."""
    return db.session.scalar(
        select(Revision)
        .where(
            Revision.id == revision_id,
            not_(Revision.state.in_((RevisionState.DRAFT, RevisionState.DISCARDED))),
        )
        .options(
            joinedload(Revision.listing).joinedload(Listing.publisher),
            joinedload(Revision.submitted_by),
            joinedload(Revision.reviewer),
        )
        .execution_options(populate_existing=True)
    )


def _unchecked() -> ColumnElement[bool]:
    since = clock.now() - VERSION_WINDOW
    # A version may be older than the listing that it became public with.
    recent = or_(ListingVersion.changed_at >= since, Listing.published_at >= since)
    return and_(ListingVersion.checked_at.is_(None), recent)


def new_versions() -> Select[ListingVersion]:
    """The versions of the last 30 days that nobody checked, oldest first."""
    return (
        select(ListingVersion)
        .join(ListingVersion.listing)
        .join(Listing.publisher)
        .options(
            contains_eager(ListingVersion.listing).options(
                defer(Listing.content), contains_eager(Listing.publisher)
            )
        )
        .where(_unchecked())
        .order_by(ListingVersion.changed_at, ListingVersion.id)
    )


def new_version_count() -> int:
    """How many versions wait to be checked."""
    counted = select(func.count(ListingVersion.id)).join(ListingVersion.listing)
    return db.session.scalar(counted.where(_unchecked())) or 0


def version_by_id(version_id: int) -> ListingVersion | None:
    """A version as it is stored now, with its listing and publisher."""
    return db.session.scalar(
        select(ListingVersion)
        .where(ListingVersion.id == version_id)
        .options(joinedload(ListingVersion.listing).joinedload(Listing.publisher))
        .execution_options(populate_existing=True)
    )


def events(revision_id: int) -> list[RevisionEvent]:
    """All steps and notes of a revision, newest first."""
    return list(
        db.session.scalars(
            select(RevisionEvent)
            .where(RevisionEvent.revision_id == revision_id)
            .options(joinedload(RevisionEvent.author))
            .order_by(RevisionEvent.id.desc())
        )
    )


def reviewers() -> list[User]:
    """The staff who may be given a review, by name."""
    return list(
        db.session.scalars(
            select(User)
            .join(Membership, Membership.user_id == User.id)
            .join(Organization, Organization.id == Membership.organization_id)
            .where(
                Organization.kind == OrganizationKind.PLATFORM,
                Membership.role.in_((Role.OWNER, Role.ADMIN, Role.REVIEWER)),
                User.deactivated_at.is_(None),
            )
            .order_by(User.name, User.id)
        )
    )


def belongs_to(user_id: int, organization_id: int) -> bool:
    """Whether the person is a member of the organization."""
    found = db.session.scalar(
        select(Membership.id).where(
            Membership.user_id == user_id, Membership.organization_id == organization_id
        )
    )
    return found is not None


def decided() -> Select[Revision]:
    """The revisions that were decided, newest decision first."""
    return (
        select(Revision)
        .join(Revision.listing)
        .join(Listing.publisher)
        .options(
            _LISTED,
            joinedload(Revision.reviewer),
            defer(Revision.base_content),
        )
        .where(Revision.decided_at.is_not(None))
        .order_by(Revision.decided_at.desc(), Revision.id.desc())
    )


def history() -> Iterator[Revision]:
    """Every revision that was ever submitted, in batches, oldest first."""
    last = 0
    while True:
        rows = db.session.scalars(
            select(Revision)
            .join(Revision.listing)
            .join(Listing.publisher)
            .options(
                _LISTED,
                joinedload(Revision.reviewer),
                defer(Revision.content),
                defer(Revision.base_content),
            )
            .where(Revision.submitted_at.is_not(None), Revision.id > last)
            .order_by(Revision.id)
            .limit(_BATCH)
        ).all()
        yield from rows
        if len(rows) < _BATCH:
            return
        last = rows[-1].id


def previous_public(revision: Revision) -> Revision | None:
    """The revision that was public before this one."""
    return db.session.scalar(
        select(Revision)
        .where(
            Revision.listing_id == revision.listing_id,
            Revision.state == RevisionState.PUBLISHED,
            Revision.number < revision.number,
        )
        .order_by(Revision.number.desc())
        .limit(1)
    )
