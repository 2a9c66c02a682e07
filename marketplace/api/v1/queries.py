"""What the API reads. Plain columns, not objects, since speed is the point of these lists."""

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import ColumnElement, Row, String, bindparam, func, select, type_coerce
from sqlalchemy.orm import contains_eager, joinedload, selectinload

from marketplace.catalogue.models import Category, Listing, ListingCategory, SlugRedirect
from marketplace.catalogue.visibility import is_findable, is_public, is_public_partner
from marketplace.core.database import db
from marketplace.identity.models import Organization

# Built once: to build it costs more than to run it. One row per listing and category.
_ITEMS = (
    select(
        Listing.id,
        Listing.slug,
        Listing.name,
        Listing.tagline,
        Listing.kind,
        type_coerce(Listing.status, String).label("status"),
        Listing.pricing_model,
        Listing.logo_key,
        Listing.rating_sum,
        Listing.rating_count,
        Listing.use_count,
        Listing.certified_at.is_not(None).label("certified"),
        Listing.published_at,
        Organization.slug.label("publisher_slug"),
        Organization.name.label("publisher_name"),
        Organization.verified_at.is_not(None).label("verified"),
        Organization.logo_key.label("publisher_logo"),
        Category.slug.label("category"),
    )
    .join(Organization, Organization.id == Listing.publisher_id)
    .outerjoin(ListingCategory, ListingCategory.listing_id == Listing.id)
    .outerjoin(Category, Category.id == ListingCategory.category_id)
    .where(Listing.id.in_(bindparam("ids", expanding=True)), is_findable())
    .order_by(Listing.id, ListingCategory.position)
)


def listing_rows(ids: Sequence[int]) -> Mapping[int, list[Row[Any]]]:
    """The rows of those of these listings that are findable, by id; one for each category.

    On a connection of its own: the session, which keeps track of objects, costs more than the
    query, and nothing is tracked here.
    """
    found: dict[int, list[Any]] = {}
    if ids:
        with db.engine.connect() as connection:
            for row in connection.execute(_ITEMS, {"ids": list(ids)}):
                found.setdefault(row.id, []).append(row)
    return found


def public_listing(slug: str) -> Listing | None:
    """The public listing of that slug with all that its page needs; tombstones included."""
    return db.session.scalar(
        select(Listing)
        .join(Listing.publisher)
        .where(Listing.slug == slug, is_public())
        .options(
            contains_eager(Listing.publisher),
            joinedload(Listing.successor),
            selectinload(Listing.category_links).joinedload(ListingCategory.category),
            selectinload(Listing.versions),
        )
    )


def new_slug_of(slug: str) -> str | None:
    """The slug of the public listing that had this slug before."""
    return db.session.scalar(
        select(Listing.slug)
        .join(SlugRedirect, SlugRedirect.listing_id == Listing.id)
        .join(Listing.publisher)
        .where(SlugRedirect.slug == slug, is_public())
    )


def categories() -> Sequence[Row[Any]]:
    """All categories in the operator's order, each with how many findable listings it has."""
    counts = (
        select(ListingCategory.category_id, func.count().label("listings"))
        .join(Listing, Listing.id == ListingCategory.listing_id)
        .join(Organization, Organization.id == Listing.publisher_id)
        .where(is_findable())
        .group_by(ListingCategory.category_id)
        .subquery()
    )
    return db.session.execute(
        select(
            Category.slug,
            Category.name,
            Category.description,
            func.coalesce(counts.c.listings, 0).label("listing_count"),
        )
        .outerjoin(counts, counts.c.category_id == Category.id)
        .order_by(Category.position, Category.name)
    ).all()


_LISTING_COUNT = (
    select(func.count())
    .select_from(Listing)
    .where(Listing.publisher_id == Organization.id, is_findable())
    .correlate(Organization)
    .scalar_subquery()
)


def publishers(text: str, page: int, per_page: int) -> tuple[Sequence[Row[Any]], int]:
    """A page of the partners whose name holds `text`, by name, and how many there are."""
    conditions = [_is_publisher()]
    if text:
        conditions.append(Organization.name.icontains(text, autoescape=True))
    total = db.session.scalar(select(func.count()).select_from(Organization).where(*conditions))
    rows = db.session.execute(
        select(Organization, _LISTING_COUNT.label("listing_count"))
        .where(*conditions)
        .order_by(func.lower(Organization.name), Organization.id)
        .limit(per_page)
        .offset((page - 1) * per_page)
    ).all()
    return rows, total or 0


def publisher(slug: str) -> Row[Any] | None:
    """The partner of that slug and how many findable listings it has."""
    return db.session.execute(
        select(Organization, _LISTING_COUNT.label("listing_count")).where(
            Organization.slug == slug, _is_publisher()
        )
    ).one_or_none()


def _is_publisher() -> ColumnElement[bool]:
    return is_public_partner()
