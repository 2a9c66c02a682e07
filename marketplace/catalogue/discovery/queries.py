"""Selects of listings for lists, and the plain database search."""

import json
from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Select,
    String,
    and_,
    bindparam,
    case,
    cast,
    false,
    func,
    or_,
    select,
)

from marketplace.accreditation.authorizations.reading import listings_at
from marketplace.catalogue.discovery.parameters import ListingSearch
from marketplace.catalogue.models import Category, Listing, ListingCategory, ListingStatus
from marketplace.catalogue.visibility import is_findable, is_public_partner
from marketplace.identity.models import Organization

_CARD = (
    Listing.id,
    Listing.slug,
    Listing.name,
    Listing.tagline,
    Listing.kind,
    Listing.status,
    Listing.pricing_model,
    Listing.rating_sum,
    Listing.rating_count,
    Listing.use_count,
    Listing.certified_at,
    Listing.published_at,
    Listing.brand_color,
    Listing.logo_key,
    Listing.publisher_id,
    Organization.slug.label("publisher_slug"),
    Organization.name.label("publisher_name"),
    Organization.verified_at,
    Organization.brand_color.label("publisher_color"),
    Organization.logo_key.label("publisher_logo"),
)


def cards() -> Select[*tuple[Any, ...]]:
    """Everything that a card shows, of all findable listings, in no order."""
    return (
        select(*_CARD)
        .join(Organization, Organization.id == Listing.publisher_id)
        .where(is_findable())
    )


# Built once: every search runs these, and building them takes as long as running them.
CARDS_BY_ID: Select[*tuple[Any, ...]] = cards().where(
    Listing.id.in_(bindparam("ids", expanding=True))
)
"""The cards of the listings `ids`, as far as they are findable, in no order."""

CATEGORIES_OF: Select[int, str, str] = (
    select(ListingCategory.listing_id, Category.slug, Category.name)
    .join(Category, Category.id == ListingCategory.category_id)
    .where(ListingCategory.listing_id.in_(bindparam("ids", expanding=True)))
    .order_by(ListingCategory.listing_id, ListingCategory.position)
)
"""Slug and name of the categories of the listings `ids`, the main one first."""

CATEGORY_NAMES: Select[str, str] = select(Category.slug, Category.name).order_by(
    Category.position, Category.name
)
"""Slug and name of all categories."""


def findable_ids(*conditions: ColumnElement[bool]) -> Select[int]:
    """The ids of findable listings, in no order.

    Says the same as `is_findable` without a join: a sorted list is then read from the index of
    its order, and a count from the index of what is public.
    """
    suspended = select(Organization.id).where(Organization.suspended_at.is_not(None))
    return select(Listing.id).where(
        Listing.published_at.is_not(None),
        Listing.suspended_at.is_(None),
        Listing.unlisted_at.is_(None),
        Listing.status != ListingStatus.WITHDRAWN,
        Listing.publisher_id.not_in(suspended),
        *conditions,
    )


def in_category(category_id: int) -> ColumnElement[bool]:
    """The listing is in the category."""
    return Listing.id.in_(
        select(ListingCategory.listing_id).where(ListingCategory.category_id == category_id)
    )


def in_categories(slugs: Sequence[str]) -> ColumnElement[bool]:
    """The listing is in one of the categories."""
    return Listing.id.in_(
        select(ListingCategory.listing_id)
        .join(Category, Category.id == ListingCategory.category_id)
        .where(Category.slug.in_(slugs))
    )


def ordered(query: Select[*tuple[Any, ...]], sort: str) -> Select[*tuple[Any, ...]]:
    """The query in one of the orders of lists, always with the id as the last word."""
    return query.order_by(*_order(sort))


def _order(sort: str) -> tuple[Any, ...]:
    if sort == "rating":
        return (
            Listing.rating_hundredths.desc(),
            Listing.rating_count.desc(),
            Listing.popularity.desc(),
            Listing.id,
        )
    if sort == "newest":
        return (Listing.published_at.desc(), Listing.id.desc())
    if sort == "name":
        return (func.lower(Listing.name), Listing.id)
    return (Listing.popularity.desc(), Listing.id)


LAST_CHANGES: Select[datetime, datetime] = select(
    select(func.max(Listing.updated_at)).scalar_subquery(),
    select(func.max(Organization.updated_at)).scalar_subquery(),
)
"""When a listing and when an organization changed last."""


def category_counts() -> Select[int, int]:
    """Category ids and how many findable listings each has; none for a category without."""
    return (
        select(ListingCategory.category_id, func.count())
        .where(ListingCategory.listing_id.in_(findable_ids()))
        .group_by(ListingCategory.category_id)
    )


def all_categories() -> Select[Category]:
    """All categories in the operator's order."""
    return select(Category).order_by(Category.position, Category.name)


def publisher_names(slugs: Sequence[str]) -> Select[str, str]:
    """Slug and name of these publishers, as far as they are public."""
    return select(Organization.slug, Organization.name).where(
        Organization.slug.in_(slugs), is_public_publisher()
    )


def is_public_publisher() -> ColumnElement[bool]:
    """The organization has a page as a partner."""
    return is_public_partner()


def publishers_by_id(ids: Sequence[int]) -> Select[Organization]:
    """These organizations, as far as they are public partners."""
    return select(Organization).where(Organization.id.in_(ids), is_public_publisher())


def publishers_like(text: str, limit: int) -> Select[Organization]:
    """Public partners whose name holds `text`, those that begin with it first."""
    return (
        select(Organization)
        .where(is_public_publisher(), Organization.name.icontains(text, autoescape=True))
        .order_by(
            Organization.name.istartswith(text, autoescape=True).desc(),
            func.lower(Organization.name),
            Organization.id,
        )
        .limit(limit)
    )


def popular_names(limit: int) -> Select[str]:
    """Names of the most popular findable listings."""
    return (
        select(Listing.name)
        .join(Organization, Organization.id == Listing.publisher_id)
        .where(is_findable())
        .order_by(*_order("popular"))
        .limit(limit)
    )


# The plain database search: what answers when the engine cannot.


def plain_search(search: ListingSearch) -> Select[*tuple[Any, ...]]:
    """The cards that a plain search of the database finds, ordered."""
    query = cards().where(*_text_conditions(search.text), *_filter_conditions(search))
    if search.sort == "relevance" and search.text:
        name = func.lower(Listing.name)
        rank = case(
            (name == search.text.lower(), 0),
            (Listing.name.istartswith(search.text, autoescape=True), 1),
            (Listing.name.icontains(search.text, autoescape=True), 2),
            else_=3,
        )
        return query.order_by(rank, *_order("popular"))
    return ordered(query, search.sort)


def plain_total(search: ListingSearch) -> Select[int]:
    """How many listings a plain search finds."""
    return (
        select(func.count())
        .select_from(Listing)
        .join(Organization, Organization.id == Listing.publisher_id)
        .where(is_findable(), *_text_conditions(search.text), *_filter_conditions(search))
    )


def plain_counts(search: ListingSearch, facet: str) -> Select[Any, int] | None:
    """Values of a facet and their counts, without regard to the facet's own choice; None for
    a facet that has no column of its own."""
    column: Any
    if facet == "category":
        column = Category.slug
    elif facet == "kind":
        column = Listing.kind
    elif facet == "pricing":
        column = Listing.pricing_model
    elif facet == "certified":
        column = case((Listing.certified_at.is_not(None), "true"), else_="false")
    else:
        return None
    query = select(column, func.count().label("listings")).select_from(Listing)
    query = query.join(Organization, Organization.id == Listing.publisher_id)
    if facet == "category":
        query = query.join(ListingCategory, ListingCategory.listing_id == Listing.id)
        query = query.join(Category, Category.id == ListingCategory.category_id)
    return (
        query.where(
            is_findable(), *_text_conditions(search.text), *_filter_conditions(search, but=facet)
        )
        .group_by(column)
        .order_by(func.count().desc(), column)
    )


def _text_conditions(text: str) -> list[ColumnElement[bool]]:
    """Every word stands in the name, the tagline or the publisher's name; `-word` in none."""
    conditions: list[ColumnElement[bool]] = []
    for word in text.replace('"', " ").split():
        wanted = word.lstrip("-") if word.startswith("-") else word
        if not wanted:
            continue
        found = or_(
            Listing.name.icontains(wanted, autoescape=True),
            Listing.tagline.icontains(wanted, autoescape=True),
            Organization.name.icontains(wanted, autoescape=True),
        )
        conditions.append(found if wanted == word else ~found)
    return conditions


def _filter_conditions(search: ListingSearch, but: str = "") -> list[ColumnElement[bool]]:
    conditions = []
    for name, values in search.filters.items():
        if name != but:
            conditions.append(_filter_condition(name, values))
    return conditions


def _filter_condition(name: str, values: tuple[str, ...]) -> ColumnElement[bool]:
    if name == "category":
        return in_categories(values)
    if name == "kind":
        return Listing.kind.in_(values)
    if name == "pricing":
        return Listing.pricing_model.in_(values)
    if name == "publisher":
        return Organization.slug.in_(values)
    if name == "certified":
        return Listing.certified_at.is_not(None)
    if name == "authorization":
        return Listing.id.in_(listings_at(values))
    if name == "rating":
        return and_(Listing.rating_count > 0, Listing.rating_hundredths >= 100 * int(values[0]))
    return or_(*(_holds(name, value) for value in values), false())


def _holds(name: str, value: str) -> ColumnElement[bool]:
    """A list in the content holds the value: told by its JSON text, which both databases have."""
    quoted = json.dumps(value)
    if name == "direction":
        text = cast(Listing.content["data_shared"], String)
        return or_(
            text.contains(f'"direction": {quoted}', autoescape=True),
            text.contains(f'"direction":{quoted}', autoescape=True),
        )
    key = {"auth": "auth_kinds", "works_with": "works_with", "language": "languages"}[name]
    return cast(Listing.content[key], String).contains(quoted, autoescape=True)
