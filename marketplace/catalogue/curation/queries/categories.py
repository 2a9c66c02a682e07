"""Categories, and what uses them."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import func, select

from marketplace.catalogue.models import Category, ListingCategory, Revision
from marketplace.catalogue.models.revision import OPEN_STATES
from marketplace.core.database import db


def ordered_categories() -> Sequence[Category]:
    """All categories in the operator's order."""
    return db.session.scalars(
        select(Category).order_by(Category.position, Category.name, Category.id)
    ).all()


def categories_with_counts() -> Sequence[Any]:
    """Rows of (Category, how many listings it has, hidden ones included), in order."""
    count = func.count(ListingCategory.listing_id).label("listings")
    return db.session.execute(
        select(Category, count)
        .outerjoin(ListingCategory, ListingCategory.category_id == Category.id)
        .group_by(Category.id)
        .order_by(Category.position, Category.name, Category.id)
    ).all()


def find_category(slug: str) -> Category | None:
    """The category of that address, or None."""
    return db.session.scalar(select(Category).where(Category.slug == slug))


def listing_ids_in(category_id: int) -> list[int]:
    """All listings in the category, hidden ones included."""
    return list(
        db.session.scalars(
            select(ListingCategory.listing_id)
            .where(ListingCategory.category_id == category_id)
            .order_by(ListingCategory.listing_id)
        )
    )


def draft_uses(slug: str) -> list[Revision]:
    """Open revisions that name the category. There are few open ones, so all are looked at."""
    rows = db.session.scalars(select(Revision).where(Revision.state.in_(OPEN_STATES)))
    return [
        revision
        for revision in rows
        if slug in (revision.content.get("categories") or ())
        or slug in (revision.base_content.get("categories") or ())
    ]
