"""What import and export read, in batches."""

from collections.abc import Iterable, Iterator, Sequence

from sqlalchemy import Select, func, select
from sqlalchemy.orm import contains_eager, joinedload, selectinload

from marketplace.catalogue.models import (
    Asset,
    Category,
    Listing,
    ListingCategory,
    Revision,
    SlugRedirect,
)
from marketplace.core.database import db
from marketplace.identity.models import Organization, OrganizationKind

BATCH = 500


def chunks(values: Iterable[str], size: int = BATCH) -> Iterator[list[str]]:
    """The values in lists of at most `size`: databases bound the length of an IN list."""
    chunk: list[str] = []
    for value in values:
        chunk.append(value)
        if len(chunk) == size:
            yield chunk
            chunk = []
    if chunk:
        yield chunk


def all_categories() -> dict[str, Category]:
    """Every category by slug."""
    return {row.slug: row for row in db.session.scalars(select(Category))}


def organizations_of(slugs: Iterable[str]) -> dict[str, Organization]:
    """The organizations of these slugs, of any kind."""
    found: dict[str, Organization] = {}
    for chunk in chunks(slugs):
        rows = db.session.scalars(select(Organization).where(Organization.slug.in_(chunk)))
        found |= {row.slug: row for row in rows}
    return found


def slugs_of_others(slugs: Iterable[str]) -> set[str]:
    """Which of these slugs belong to organizations that are no partners."""
    return {
        slug
        for slug, organization in organizations_of(slugs).items()
        if organization.kind is not OrganizationKind.PARTNER
    }


def partner_ids(slugs: Iterable[str]) -> dict[str, int]:
    """The ids of the partners of these slugs."""
    found: dict[str, int] = {}
    for chunk in chunks(slugs):
        rows = db.session.execute(
            select(Organization.slug, Organization.id).where(
                Organization.slug.in_(chunk), Organization.kind == OrganizationKind.PARTNER
            )
        )
        found |= {row.slug: row.id for row in rows}
    return found


def listings_of(slugs: Sequence[str]) -> dict[str, Listing]:
    """The listings of these slugs, old ones included, by the slug that was asked for.

    Loads the publisher, the published revision, the successor, categories and versions.
    """
    redirects = db.session.execute(
        select(SlugRedirect.slug, SlugRedirect.listing_id).where(SlugRedirect.slug.in_(slugs))
    ).all()
    moved = {row.slug: row.listing_id for row in redirects}
    rows = db.session.scalars(
        select(Listing)
        .where(Listing.slug.in_(slugs) | Listing.id.in_(list(moved.values())))
        .options(
            joinedload(Listing.publisher),
            joinedload(Listing.successor),
            selectinload(Listing.category_links).joinedload(ListingCategory.category),
            selectinload(Listing.versions),
        )
    ).all()
    by_id = {row.id: row for row in rows}
    found = {row.slug: row for row in rows if row.slug in set(slugs)}
    for slug, listing_id in moved.items():
        found.setdefault(slug, by_id[listing_id])
    return found


def imported_revisions(revision_ids: Iterable[int]) -> set[int]:
    """Which of these published revisions an import made."""
    ids = list(revision_ids)
    if not ids:
        return set()
    rows = db.session.execute(
        select(Revision.id, Revision.review_reasons).where(Revision.id.in_(ids))
    )
    return {revision_id for revision_id, reasons in rows if "imported" in reasons}


def last_revision_numbers(listing_ids: Iterable[int]) -> dict[int, int]:
    """The highest revision number of each of these listings."""
    ids = list(listing_ids)
    if not ids:
        return {}
    rows = db.session.execute(
        select(Revision.listing_id, func.max(Revision.number).label("last"))
        .where(Revision.listing_id.in_(ids))
        .group_by(Revision.listing_id)
    )
    return {row.listing_id: row.last for row in rows}


def slugs_by_source(sources: Iterable[str]) -> dict[str, str]:
    """The slug of the listing that was imported from each of these sources."""
    found: dict[str, str] = {}
    for chunk in chunks(sources):
        rows = db.session.execute(
            select(Listing.source, Listing.slug).where(Listing.source.in_(chunk))
        )
        found |= {source: slug for source, slug in rows if source is not None}
    return found


def sources_by_slug(slugs: Iterable[str]) -> dict[str, str | None]:
    """The slugs among these that are in use, with the source of their listing."""
    found: dict[str, str | None] = {}
    for chunk in chunks(slugs):
        rows = db.session.execute(
            select(Listing.slug, Listing.source).where(Listing.slug.in_(chunk))
        )
        found |= {row.slug: row.source for row in rows}
        moved = db.session.scalars(select(SlugRedirect.slug).where(SlugRedirect.slug.in_(chunk)))
        for slug in moved:
            found.setdefault(slug, None)
    return found


def listing_ids_of(slugs: Iterable[str]) -> dict[str, int]:
    """The ids of the listings of these slugs."""
    found: dict[str, int] = {}
    for chunk in chunks(slugs):
        rows = db.session.execute(select(Listing.slug, Listing.id).where(Listing.slug.in_(chunk)))
        found |= {row.slug: row.id for row in rows}
    return found


def assets_known(organization_ids: Iterable[int], keys: Iterable[str]) -> set[tuple[int, str]]:
    """Which of these images each of these organizations has already."""
    wanted = list(keys)
    if not wanted:
        return set()
    rows = db.session.execute(
        select(Asset.organization_id, Asset.key).where(
            Asset.organization_id.in_(list(organization_ids)), Asset.key.in_(wanted)
        )
    )
    return {(organization_id, key) for organization_id, key in rows}


def exported_partners() -> Select[Organization]:
    """The partners that an export has."""
    return (
        select(Organization)
        .where(Organization.kind == OrganizationKind.PARTNER, Organization.suspended_at.is_(None))
        .order_by(Organization.slug)
    )


def exported_listings(after: str, limit: int) -> Sequence[Listing]:
    """The next listings that an export has, in the order of their slugs."""
    return db.session.scalars(
        select(Listing)
        .join(Listing.publisher)
        .where(
            Listing.published_at.is_not(None),
            Listing.suspended_at.is_(None),
            Listing.unlisted_at.is_(None),
            Organization.suspended_at.is_(None),
            Listing.slug > after,
        )
        .options(
            contains_eager(Listing.publisher),
            joinedload(Listing.successor),
            selectinload(Listing.category_links).joinedload(ListingCategory.category),
            selectinload(Listing.versions),
        )
        .order_by(Listing.slug)
        .limit(limit)
    ).all()
