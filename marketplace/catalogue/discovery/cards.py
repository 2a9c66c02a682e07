"""What a list shows of a listing: a small value, loaded without the whole content."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from flask import url_for
from markupsafe import Markup
from sqlalchemy import Select

from marketplace.catalogue.discovery import queries
from marketplace.catalogue.models import ListingStatus
from marketplace.core.database import db


@dataclass(frozen=True, slots=True)
class PublisherBrief:
    """A publisher as far as a card names it."""

    id: int
    slug: str
    name: str
    verified: bool


@dataclass(frozen=True, slots=True)
class CategoryBrief:
    """A category as far as a card names it."""

    slug: str
    name: str


@dataclass(frozen=True, slots=True)
class ListingCard:
    """A listing in a list. `rating` is the mean of its ratings (1 to 5), None without any.

    `name_html` and `tagline_html` carry the matches of a search as safe markup.
    """

    id: int
    slug: str
    name: str
    tagline: str
    kind: str
    status: ListingStatus
    pricing: str
    publisher: PublisherBrief
    categories: tuple[CategoryBrief, ...]
    rating: float | None
    rating_count: int
    use_count: int
    certified: bool
    published_at: datetime
    brand_color: str | None
    logo_key: str | None
    name_html: Markup | None = None
    tagline_html: Markup | None = None

    @property
    def logo_url(self) -> str | None:
        """The address of its logo, or of its publisher's."""
        return url_for("media.show", key=self.logo_key) if self.logo_key else None

    @property
    def href(self) -> str:
        """The address of its page."""
        return url_for("catalogue.listing", slug=self.slug)


def load_cards(
    query: Select[*tuple[Any, ...]],
    *,
    ids: Sequence[int] | None = None,
    with_categories: bool = False,
) -> tuple[ListingCard, ...]:
    """The cards of a query made by `queries.cards()`: one database query, two with categories.
    `ids` are those of `queries.CARDS_BY_ID`; without any, nothing is asked."""
    if ids is not None and not ids:
        return ()
    rows = db.session.execute(query, None if ids is None else {"ids": ids}).all()
    categories: Mapping[int, Sequence[CategoryBrief]] = {}
    if with_categories and rows:
        categories = _categories([row.id for row in rows])
    return tuple(card_of(row, tuple(categories.get(row.id, ()))) for row in rows)


def load_in_order(
    ids_query: Select[int], *, with_categories: bool = False
) -> tuple[ListingCard, ...]:
    """The cards of the listings that a query of ids names, in its order: one database query more
    than load_cards. A sort over ids carries no columns along."""
    ids = list(db.session.scalars(ids_query))
    found = load_cards(queries.CARDS_BY_ID, ids=ids, with_categories=with_categories)
    by_id = {card.id: card for card in found}
    return tuple(by_id[number] for number in ids if number in by_id)


def _categories(ids: Sequence[int]) -> dict[int, list[CategoryBrief]]:
    found: dict[int, list[CategoryBrief]] = {}
    for row in db.session.execute(queries.CATEGORIES_OF, {"ids": ids}):
        found.setdefault(row.listing_id, []).append(CategoryBrief(row.slug, row.name))
    return found


def card_of(row: Any, categories: tuple[CategoryBrief, ...] = ()) -> ListingCard:
    """The card of one row of a query made by `queries.cards()`, perhaps with more columns."""
    return ListingCard(
        id=row.id,
        slug=row.slug,
        name=row.name,
        tagline=row.tagline,
        kind=row.kind,
        status=row.status,
        pricing=row.pricing_model,
        publisher=PublisherBrief(
            row.publisher_id, row.publisher_slug, row.publisher_name, row.verified_at is not None
        ),
        categories=categories,
        rating=row.rating_sum / row.rating_count if row.rating_count else None,
        rating_count=row.rating_count,
        use_count=row.use_count,
        certified=row.certified_at is not None,
        published_at=row.published_at,
        brand_color=row.brand_color or row.publisher_color,
        logo_key=row.logo_key or row.publisher_logo,
    )
