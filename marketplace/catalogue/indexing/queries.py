"""What the index is built from, in batches of a constant number of queries."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime

from sqlalchemy import Row, func, select
from sqlalchemy.orm import selectinload

from marketplace.catalogue.changes import INDEX_LISTING, INDEX_LISTINGS, INDEX_PUBLISHER
from marketplace.catalogue.models import Listing, ListingCategory, SynonymGroup
from marketplace.catalogue.visibility import findable_listings, is_findable, is_public_partner
from marketplace.core.database import db
from marketplace.core.jobs import Job, JobState
from marketplace.identity.models import Organization

BATCH = 500
_WITH_CATEGORIES = selectinload(Listing.category_links).joinedload(ListingCategory.category)


def findable_by_id(listing_ids: Sequence[int]) -> Sequence[Listing]:
    """Those of these listings that search shows, as the database has them now."""
    return db.session.scalars(
        findable_listings()
        .where(Listing.id.in_(listing_ids))
        .options(_WITH_CATEGORIES)
        .execution_options(populate_existing=True)
    ).all()


def all_findable() -> Iterator[Listing]:
    """Every listing that search shows, by id; three queries a batch."""
    last = 0
    while True:
        rows = db.session.scalars(
            findable_listings()
            .where(Listing.id > last)
            .options(_WITH_CATEGORIES)
            .order_by(Listing.id)
            .limit(BATCH)
        ).all()
        yield from rows
        if len(rows) < BATCH:
            return
        last = rows[-1].id


def publishers_by_id(organization_ids: Sequence[int]) -> Sequence[Organization]:
    """Those of these organizations that are partners in good standing, as they are now."""
    return db.session.scalars(
        select(Organization)
        .where(Organization.id.in_(organization_ids), is_public_partner())
        .execution_options(populate_existing=True)
    ).all()


def all_publishers() -> Iterator[Organization]:
    """Every partner in good standing, by id."""
    last = 0
    while True:
        rows = db.session.scalars(
            select(Organization)
            .where(is_public_partner(), Organization.id > last)
            .order_by(Organization.id)
            .limit(BATCH)
        ).all()
        yield from rows
        if len(rows) < BATCH:
            return
        last = rows[-1].id


def listing_counts(organization_ids: Sequence[int]) -> Mapping[int, int]:
    """How many findable listings each of these publishers has; none where it has none."""
    rows = db.session.execute(
        select(Listing.publisher_id, func.count().label("listings"))
        .join(Listing.publisher)
        .where(Listing.publisher_id.in_(organization_ids), is_findable())
        .group_by(Listing.publisher_id)
    )
    return {row.publisher_id: row.listings for row in rows}


def listing_ids_of(organization_id: int) -> list[int]:
    """The ids of all listings of a publisher, of any state."""
    return list(
        db.session.scalars(
            select(Listing.id).where(Listing.publisher_id == organization_id).order_by(Listing.id)
        )
    )


def publisher_ids_of(listing_ids: Sequence[int]) -> list[int]:
    """The ids of the publishers of these listings."""
    return list(
        db.session.scalars(
            select(Listing.publisher_id).where(Listing.id.in_(listing_ids)).distinct()
        )
    )


def findable_names() -> Sequence[Row[int, str]]:
    """Id and name of every listing that search shows."""
    return db.session.execute(
        select(Listing.id, Listing.name).join(Listing.publisher).where(is_findable())
    ).all()


def synonym_groups() -> list[list[str]]:
    """The operator's synonyms."""
    return list(db.session.scalars(select(SynonymGroup.terms).order_by(SynonymGroup.id)))


def waiting_changes() -> tuple[set[int], set[int]]:
    """The ids of listings and of publishers whose indexing waits or is under way."""
    listings: set[int] = set()
    publishers: set[int] = set()
    rows = db.session.execute(
        select(Job.kind, Job.payload).where(
            Job.kind.in_(_INDEXING), Job.state.in_((JobState.READY, JobState.RUNNING))
        )
    )
    for row in rows:
        if row.kind == INDEX_LISTING:
            listings.add(int(row.payload["listing_id"]))
        elif row.kind == INDEX_LISTINGS:
            listings.update(int(each) for each in row.payload["listing_ids"])
        else:
            publishers.add(int(row.payload["organization_id"]))
    return listings, publishers


def was_indexed_since(since: datetime) -> bool:
    """Whether any change was written to an index since then. Which one is not kept."""
    found = db.session.scalar(
        select(Job.id).where(Job.kind.in_(_INDEXING), Job.finished_at >= since).limit(1)
    )
    return found is not None


_INDEXING = (INDEX_LISTING, INDEX_LISTINGS, INDEX_PUBLISHER)
