"""What the portal reads: select() only."""

from collections.abc import Iterable
from datetime import datetime

from sqlalchemy import Row, Select, and_, exists, func, or_, select
from sqlalchemy.orm import defer, joinedload

from marketplace.catalogue.models import (
    Category,
    Listing,
    ListingReview,
    ListingStatus,
    ListingVersion,
    ReviewState,
    Revision,
    RevisionEvent,
    RevisionState,
    SlugRedirect,
)
from marketplace.catalogue.models.revision import OPEN_STATES
from marketplace.catalogue.publishing.names import NamedThing
from marketplace.catalogue.publishing.states import WAITING
from marketplace.catalogue.visibility import public_listings
from marketplace.core.database import db
from marketplace.identity.models import Membership, Organization, Role, User

MOST_DECISIONS = 5_000
FILTERS = ("all", "published", "open", "unpublished", "withdrawn")


def listing_by_slug(slug: str) -> Listing | None:
    """The listing with its publisher, whoever may see it."""
    return db.session.scalar(
        select(Listing).where(Listing.slug == slug).options(joinedload(Listing.publisher))
    )


def open_revision(listing_id: int) -> Revision | None:
    """The listing's one open revision, freshly read."""
    return db.session.scalar(
        select(Revision)
        .where(Revision.listing_id == listing_id, Revision.state.in_(OPEN_STATES))
        .execution_options(populate_existing=True)
    )


def last_discarded(listing_id: int) -> Revision | None:
    """The revision that was discarded last."""
    return db.session.scalar(
        select(Revision)
        .where(Revision.listing_id == listing_id, Revision.state == RevisionState.DISCARDED)
        .order_by(Revision.number.desc())
        .limit(1)
    )


def next_number(listing_id: int) -> int:
    """The number of the listing's next revision."""
    last = db.session.scalar(
        select(func.max(Revision.number)).where(Revision.listing_id == listing_id)
    )
    return (last or 0) + 1


def was_sent_back(revision_id: int) -> bool:
    """Whether a reviewer ever asked for changes to this revision."""
    return bool(
        db.session.scalar(
            select(
                exists().where(
                    RevisionEvent.revision_id == revision_id,
                    RevisionEvent.kind == "changes_requested",
                )
            )
        )
    )


def own_listings(publisher_id: int, *, text: str = "", show: str = "all") -> Select[Listing]:
    """A publisher's listings by name; those whose only draft was discarded are left out."""
    has_open = exists().where(Revision.listing_id == Listing.id, Revision.state.in_(OPEN_STATES))
    query = (
        select(Listing)
        .options(defer(Listing.content))
        .where(
            Listing.publisher_id == publisher_id, or_(Listing.published_at.is_not(None), has_open)
        )
    )
    if text:
        query = query.where(Listing.name.icontains(text, autoescape=True))
    if show == "published":
        query = query.where(
            Listing.published_at.is_not(None), Listing.status != ListingStatus.WITHDRAWN
        )
    elif show == "open":
        query = query.where(has_open)
    elif show == "unpublished":
        query = query.where(Listing.published_at.is_(None))
    elif show == "withdrawn":
        query = query.where(Listing.status == ListingStatus.WITHDRAWN)
    return query.order_by(func.lower(Listing.name), Listing.id)


def open_revisions(listing_ids: Iterable[int]) -> dict[int, Revision]:
    """The open revisions of these listings, by listing."""
    ids = list(listing_ids)
    if not ids:
        return {}
    rows = db.session.scalars(
        select(Revision)
        .options(defer(Revision.base_content))
        .where(Revision.listing_id.in_(ids), Revision.state.in_(OPEN_STATES))
    )
    return {row.listing_id: row for row in rows}


def queue_positions(publisher_id: int) -> dict[int, int]:
    """The place in the reviewers' queue of each waiting revision of a publisher, by revision."""
    queue = (
        select(
            Revision.id.label("id"),
            Revision.listing_id.label("listing_id"),
            func.row_number().over(order_by=(Revision.submitted_at, Revision.id)).label("place"),
        )
        .where(Revision.state.in_(WAITING))
        .subquery()
    )
    rows = db.session.execute(
        select(queue.c.id, queue.c.place)
        .join(Listing, Listing.id == queue.c.listing_id)
        .where(Listing.publisher_id == publisher_id)
    )
    return {row.id: row.place for row in rows}


def decided_since(since: datetime) -> list[tuple[datetime, datetime]]:
    """(submitted, decided) of the reviews that ended since then; the newest 5,000."""
    rows = db.session.execute(
        select(Revision.submitted_at, Revision.decided_at)
        .where(Revision.decided_at >= since, Revision.submitted_at.is_not(None))
        .order_by(Revision.decided_at.desc())
        .limit(MOST_DECISIONS)
    )
    return [(row.submitted_at, row.decided_at) for row in rows]


def review_counts(publisher_id: int, since: datetime) -> dict[int, int]:
    """How many reviews each of a publisher's listings got since then."""
    rows = db.session.execute(
        select(ListingReview.listing_id, func.count())
        .join(Listing, Listing.id == ListingReview.listing_id)
        .where(
            Listing.publisher_id == publisher_id,
            ListingReview.created_at >= since,
            ListingReview.state == ReviewState.PUBLISHED,
        )
        .group_by(ListingReview.listing_id)
    )
    return {row[0]: row[1] for row in rows}


def totals(publisher_id: int) -> Row[int, int, int, int]:
    """(published, with open revision, waiting for review, sent back) of a publisher's listings."""
    joined = (
        select(
            func.count(Listing.id.distinct()).filter(
                Listing.published_at.is_not(None), Listing.status != ListingStatus.WITHDRAWN
            ),
            func.count(Revision.id),
            func.count(Revision.id).filter(Revision.state.in_(WAITING)),
            func.count(Revision.id).filter(Revision.state == RevisionState.CHANGES_REQUESTED),
        )
        .select_from(Listing)
        .outerjoin(
            Revision,
            and_(Revision.listing_id == Listing.id, Revision.state.in_(OPEN_STATES)),
        )
        .where(Listing.publisher_id == publisher_id)
    )
    return db.session.execute(joined).one()


def partner_events(listing_id: int, limit: int = 40) -> list[RevisionEvent]:
    """The steps and notes of a listing's reviews that its publisher may read, newest first."""
    return list(
        db.session.scalars(
            select(RevisionEvent)
            .join(RevisionEvent.revision)
            .where(Revision.listing_id == listing_id, RevisionEvent.for_partner)
            .options(joinedload(RevisionEvent.author), joinedload(RevisionEvent.revision))
            .order_by(RevisionEvent.id.desc())
            .limit(limit)
        )
    )


def categories() -> list[Category]:
    """All categories in their order."""
    return list(db.session.scalars(select(Category).order_by(Category.position, Category.name)))


def names_of_others(publisher_id: int) -> list[NamedThing]:
    """The names that other publishers and their public listings go by."""
    listings = db.session.execute(
        select(Listing.name, Organization.name)
        .join(Listing.publisher)
        .where(Listing.publisher_id != publisher_id, Listing.published_at.is_not(None))
        .order_by(Listing.popularity.desc(), Listing.id)
    )
    publishers = db.session.execute(
        select(Organization.name)
        .where(
            Organization.id != publisher_id,
            exists().where(
                Listing.publisher_id == Organization.id, Listing.published_at.is_not(None)
            ),
        )
        .order_by(Organization.id)
    )
    found = [NamedThing(name, owner) for name, owner in listings]
    return found + [NamedThing(name, name, "publisher") for (name,) in publishers]


def slug_is_taken(slug: str) -> bool:
    """Whether a listing has this address, or had it once."""
    return bool(
        db.session.scalar(
            select(
                or_(
                    exists().where(Listing.slug == slug),
                    exists().where(SlugRedirect.slug == slug),
                )
            )
        )
    )


def redirect_of(slug: str) -> SlugRedirect | None:
    """The old address, if it is one."""
    return db.session.get(SlugRedirect, slug)


def old_addresses(listing_id: int) -> list[SlugRedirect]:
    """The addresses that a listing had, newest first."""
    return list(
        db.session.scalars(
            select(SlugRedirect)
            .where(SlugRedirect.listing_id == listing_id)
            .order_by(SlugRedirect.created_at.desc(), SlugRedirect.slug)
        )
    )


def versions(listing_id: int) -> list[ListingVersion]:
    """All versions, newest first."""
    return list(
        db.session.scalars(
            select(ListingVersion)
            .where(ListingVersion.listing_id == listing_id)
            .order_by(ListingVersion.released_on.desc(), ListingVersion.id.desc())
        )
    )


def version_of(listing_id: int, version_id: int) -> ListingVersion | None:
    """A version by its id, if it is the listing's."""
    return db.session.scalar(
        select(ListingVersion).where(
            ListingVersion.id == version_id, ListingVersion.listing_id == listing_id
        )
    )


def public_listing(slug: str) -> Listing | None:
    """A listing that anybody can find, to be named as a successor."""
    return db.session.scalar(
        public_listings().where(Listing.slug == slug, Listing.status != ListingStatus.WITHDRAWN)
    )


def editors(organization_id: int) -> list[User]:
    """The people who write an organization's listings and can be reached by mail."""
    return list(
        db.session.scalars(
            select(User)
            .join(Membership, Membership.user_id == User.id)
            .where(
                Membership.organization_id == organization_id,
                Membership.role.in_((Role.OWNER, Role.ADMIN, Role.EDITOR)),
                User.email.is_not(None),
                User.email_verified.is_(True),
                User.deactivated_at.is_(None),
            )
            .order_by(User.id)
        )
    )
