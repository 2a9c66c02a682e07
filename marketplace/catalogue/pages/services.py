"""What the pages load: collections with their cards, a publisher's listings, a comparison."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from flask import url_for
from sqlalchemy import Select, func, select

from marketplace.catalogue.discovery.cards import ListingCard, load_cards, load_in_order
from marketplace.catalogue.discovery.queries import CARDS_BY_ID
from marketplace.catalogue.models import Collection, Listing
from marketplace.catalogue.pages import queries
from marketplace.catalogue.pages.comparison import Compared
from marketplace.core.database import db
from marketplace.core.pagination import Page
from marketplace.identity.models import Organization


@dataclass(frozen=True, slots=True)
class CollectionBrief:
    """A collection on a card, with its listings in order; `blurbs` by listing id."""

    slug: str
    title: str
    summary: str
    listings: tuple[ListingCard, ...]
    blurbs: dict[int, str]

    @property
    def listing_count(self) -> int:
        """How many of its listings are shown."""
        return len(self.listings)


def collection_briefs(collections: Sequence[Collection]) -> tuple[CollectionBrief, ...]:
    """The collections with their findable listings, in two queries; empty ones are left out."""
    if not collections:
        return ()
    query = queries.collection_items([collection.id for collection in collections])
    rows = db.session.execute(query).all()
    cards = load_cards(CARDS_BY_ID, ids=list({row.listing_id for row in rows}))
    by_id = {card.id: card for card in cards}
    listings: dict[int, list[ListingCard]] = {}
    blurbs: dict[int, dict[int, str]] = {}
    for row in rows:
        if row.listing_id in by_id:
            listings.setdefault(row.collection_id, []).append(by_id[row.listing_id])
            if row.blurb:
                blurbs.setdefault(row.collection_id, {})[row.listing_id] = row.blurb
    return tuple(
        CollectionBrief(
            slug=collection.slug,
            title=collection.title,
            summary=collection.description,
            listings=tuple(listings[collection.id]),
            blurbs=blurbs.get(collection.id, {}),
        )
        for collection in collections
        if collection.id in listings
    )


@dataclass(frozen=True, slots=True)
class PublisherCard:
    """A partner in a list."""

    slug: str
    name: str
    tagline: str
    brand_color: str | None
    logo_key: str | None
    verified: bool
    country: str | None
    partner_type: str | None
    listing_count: int

    @property
    def logo_url(self) -> str | None:
        """The address of its logo."""
        return url_for("media.show", key=self.logo_key) if self.logo_key else None


def publisher_cards(query: Select[*tuple[Any, ...]]) -> tuple[PublisherCard, ...]:
    """The cards of a query made by `queries.publishers()`."""
    return tuple(_publisher_card(row[0], row[1]) for row in db.session.execute(query))


def _publisher_card(publisher: Organization, count: int) -> PublisherCard:
    return PublisherCard(
        slug=publisher.slug,
        name=publisher.name,
        tagline=publisher.tagline,
        brand_color=publisher.brand_color,
        logo_key=publisher.logo_key,
        verified=publisher.verified_at is not None,
        country=publisher.country,
        partner_type=publisher.partner_type,
        listing_count=count,
    )


def page_of_cards(ids_query: Select[int], *, page: int, per_page: int) -> Page[ListingCard]:
    """One page of an ordered query of listing ids; a page past the end is the last."""
    total = _total(ids_query)
    page = min(page, max(1, -(-total // per_page)))
    items = load_in_order(ids_query.limit(per_page).offset((page - 1) * per_page))
    return Page(items=items, total=total, page=page, per_page=per_page)


def page_of_publishers(
    query: Select[*tuple[Any, ...]], *, page: int, per_page: int
) -> Page[PublisherCard]:
    """One page of a query made by `queries.publishers()`; a page past the end is the last."""
    total = _total(query)
    page = min(page, max(1, -(-total // per_page)))
    rows = query.limit(per_page).offset((page - 1) * per_page)
    return Page(items=publisher_cards(rows), total=total, page=page, per_page=per_page)


def _total(query: Select[*tuple[Any, ...]]) -> int:
    # Only one column is counted; those of a card would be made for nothing.
    ids = query.with_only_columns(query.selected_columns[0]).order_by(None)
    return db.session.scalar(select(func.count()).select_from(ids.subquery())) or 0


def compared_listings(slugs: Sequence[str]) -> list[Listing]:
    """The findable listings among `slugs`, in that order."""
    found = {row.slug: row for row in db.session.scalars(queries.compared(slugs))}
    return [found[slug] for slug in slugs if slug in found]


def as_compared(listing: Listing) -> Compared:
    """What a comparison needs of a listing."""
    return Compared(
        kind=listing.kind,
        pricing_model=listing.pricing_model,
        certified=listing.certified_at is not None,
        rating=listing.rating,
        rating_count=listing.rating_count,
        use_count=listing.use_count,
        categories=tuple(link.category.name for link in listing.category_links),
        latest_version=listing.versions[0].version if listing.versions else "",
        content=listing.content,
    )
