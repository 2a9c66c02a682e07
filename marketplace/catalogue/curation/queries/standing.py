"""Every listing and publisher, for staff."""

from typing import Any

from sqlalchemy import ColumnElement, func, or_, select
from sqlalchemy.orm import contains_eager

from marketplace.catalogue.models import Listing, ListingStatus
from marketplace.catalogue.visibility import is_findable
from marketplace.core.database import db
from marketplace.core.pagination import Page, paginate
from marketplace.identity.models import Organization, OrganizationKind

PER_PAGE = 30
LISTING_FILTERS: dict[str, tuple[str, ColumnElement[bool] | None]] = {
    "all": ("All", None),
    "public": ("Public", is_findable()),
    "certified": ("Certified", Listing.certified_at.is_not(None)),
    "suspended": (
        "Suspended",
        or_(Listing.suspended_at.is_not(None), Organization.suspended_at.is_not(None)),
    ),
    "withdrawn": ("Withdrawn", Listing.status == ListingStatus.WITHDRAWN),
    "unpublished": ("Not published yet", Listing.published_at.is_(None)),
}
PUBLISHER_FILTERS: dict[str, tuple[str, ColumnElement[bool] | None]] = {
    "all": ("All", None),
    "verified": ("Verified", Organization.verified_at.is_not(None)),
    "unverified": ("Not verified", Organization.verified_at.is_(None)),
    "suspended": ("Suspended", Organization.suspended_at.is_not(None)),
}


def page_of_listings(text: str, shown: str, page: int) -> Page[Listing]:
    """One page of listings whose name, slug or publisher holds `text`, by name."""
    query = select(Listing).join(Listing.publisher).options(contains_eager(Listing.publisher))
    if text:
        query = query.where(
            or_(
                Listing.name.icontains(text, autoescape=True),
                Listing.slug.icontains(text, autoescape=True),
                Organization.name.icontains(text, autoescape=True),
            )
        )
    condition = LISTING_FILTERS[shown][1]
    if condition is not None:
        query = query.where(condition)
    return paginate(
        query.order_by(func.lower(Listing.name), Listing.id), page=page, per_page=PER_PAGE
    )


def page_of_publishers(text: str, shown: str, page: int) -> Page[Any]:
    """One page of partners whose name or slug holds `text`, by name."""
    query = select(Organization).where(Organization.kind == OrganizationKind.PARTNER)
    if text:
        query = query.where(
            or_(
                Organization.name.icontains(text, autoescape=True),
                Organization.slug.icontains(text, autoescape=True),
            )
        )
    condition = PUBLISHER_FILTERS[shown][1]
    if condition is not None:
        query = query.where(condition)
    return paginate(
        query.order_by(func.lower(Organization.name), Organization.id),
        page=page,
        per_page=PER_PAGE,
    )


def listing_counts(publisher_ids: list[int]) -> dict[int, int]:
    """How many listings each of these publishers has, drafts included."""
    rows = db.session.execute(
        select(Listing.publisher_id, func.count())
        .where(Listing.publisher_id.in_(publisher_ids))
        .group_by(Listing.publisher_id)
    )
    return {publisher_id: count for publisher_id, count in rows}  # noqa: C416 - dict() does not type-check on rows


def find_listing(slug: str) -> Listing | None:
    """Any listing with its publisher, or None."""
    return db.session.scalar(
        select(Listing)
        .join(Listing.publisher)
        .options(contains_eager(Listing.publisher))
        .where(Listing.slug == slug)
    )


def find_publisher(slug: str) -> Organization | None:
    """Any partner, or None."""
    return db.session.scalar(
        select(Organization).where(
            Organization.slug == slug, Organization.kind == OrganizationKind.PARTNER
        )
    )
