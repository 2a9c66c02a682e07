"""Categories with how many findable listings each has."""

from dataclasses import dataclass

from marketplace.catalogue.discovery import queries
from marketplace.catalogue.discovery.remembered import remembered
from marketplace.core.database import db


@dataclass(frozen=True, slots=True)
class CountedCategory:
    """A category as lists of categories show it."""

    id: int
    slug: str
    name: str
    description: str
    icon: str
    listing_count: int


def counted_categories() -> tuple[CountedCategory, ...]:
    """All categories in the operator's order, with the number of their findable listings."""
    counts = remembered(
        "category_counts",
        lambda: {row[0]: row[1] for row in db.session.execute(queries.category_counts())},
    )
    return tuple(
        CountedCategory(
            id=row.id,
            slug=row.slug,
            name=row.name,
            description=row.description,
            icon=row.icon,
            listing_count=counts.get(row.id, 0),
        )
        for row in db.session.scalars(queries.all_categories())
    )
