"""Finding a listing in an order, and what the order goes by."""

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import func, select

from marketplace.catalogue.discovery.parameters import PER_PAGE, ListingSearch
from marketplace.catalogue.discovery.services import engine, engine_filter
from marketplace.catalogue.indexing.spec import AUDIENCES, LISTINGS
from marketplace.catalogue.models import (
    Category,
    Follow,
    Listing,
    ListingCategory,
    ListingReview,
    ListingUse,
    ReviewState,
)
from marketplace.catalogue.popularity import RECENT, Signals, bucket, points
from marketplace.core import clock
from marketplace.core.database import db
from marketplace.observability.ranking.reasons import (
    Compared,
    Part,
    TextMatch,
    WayUp,
    median,
    popularity_parts,
    text_match,
    way_up,
)
from search.engine import MAX_PER_PAGE, MAX_WINDOW, SearchQuery

# How many of those before it are explained.
ABOVE = 3


@dataclass(frozen=True)
class Standing:
    """A listing's figures beside the median of the page that it is on (or the first page)."""

    label: str
    own: int
    median: int
    # Hundredths of a star.
    is_rating: bool = False


@dataclass(frozen=True)
class Explanation:
    """Where a listing stands, and why. `position` from 1; None: it is not among the first 1,000,
    or not found at all."""

    position: int | None
    total: int
    page: int
    has_text: bool
    match: TextMatch
    parts: list[Part]
    points: int
    # As the order knows it, and as it is reckoned next.
    popularity: int
    popularity_next: int
    compared: list[Standing]
    above: list[WayUp]
    dropped: tuple[str, ...] = ()
    corrected: str = ""


def explain(listing: Listing, *, text: str, category: str) -> Explanation:
    """The reasons for a listing's rank in a search, a category, or among everything.

    Asks the engine at most twelve times and the database six times, whatever there is. Raises
    SearchUnavailable when the engine does not answer.
    """
    asked = ListingSearch(text=text, filters={"category": (category,)} if category else {})
    ids: list[int] = []
    found = None
    for number in range(1, MAX_WINDOW // MAX_PER_PAGE + 1):
        found = engine().search(_query(asked, number, MAX_PER_PAGE))
        ids += [int(each) for each in found.ids]
        if listing.id in ids or len(found.hits) < MAX_PER_PAGE:
            break
    total = found.total if found else 0
    position = ids.index(listing.id) + 1 if listing.id in ids else None
    page = (position - 1) // PER_PAGE + 1 if position else 1
    beside = ids[(page - 1) * PER_PAGE : page * PER_PAGE]
    before = ids[max(0, (position or 0) - 1 - ABOVE) : (position or 1) - 1]
    matches = _matches(asked, page, before, listing.id)
    rows = _listings({*beside, *before, listing.id})
    signals = signals_of([*rows])
    own_signals = signals.get(listing.id, Signals())
    own = _compared(rows.get(listing.id, listing), matches, text)
    return Explanation(
        position=position,
        total=total,
        page=page,
        has_text=bool(text),
        match=own.match,
        parts=popularity_parts(own_signals),
        points=points(own_signals),
        popularity=listing.popularity,
        popularity_next=bucket(own_signals),
        compared=_beside(listing, [rows[each] for each in beside if each in rows], signals),
        above=[
            way_up(
                own, _compared(rows[each], matches, text), points(own_signals), has_text=bool(text)
            )
            for each in reversed(before)
            if each in rows
        ],
        dropped=found.dropped if found else (),
        corrected=found.corrected if found else "",
    )


def _query(
    asked: ListingSearch, page: int, per_page: int, highlight: tuple[str, ...] = ()
) -> SearchQuery:
    return SearchQuery(
        index=LISTINGS.name,
        scope=AUDIENCES,
        text=asked.text,
        filters=engine_filter(asked),
        # The order of the page itself: a category's is the popularity.
        sort="relevance" if asked.text else "popular",
        page=page,
        per_page=per_page,
        highlight=highlight,
    )


def _matches(
    asked: ListingSearch, page: int, before: Sequence[int], own_id: int
) -> dict[int, tuple[str, ...]]:
    """The fields in which words of the search were found, by listing: the engine's own marks."""
    if not asked.text:
        return {}
    wanted = {*before, own_id}
    found: dict[int, tuple[str, ...]] = {}
    for number in {page, max(1, page - 1)}:
        for hit in engine().search(_query(asked, number, PER_PAGE, LISTINGS.searchable)).hits:
            if int(hit.id) in wanted:
                found[int(hit.id)] = tuple(hit.highlights)
    return found


def _compared(listing: Listing, matches: dict[int, tuple[str, ...]], text: str) -> Compared:
    names = [listing.name, *(str(each) for each in listing.content.get("aliases") or ())]
    match = text_match(text, names, matches.get(listing.id, ()))
    return Compared(listing.id, listing.name, listing.popularity, match)


def _listings(ids: set[int]) -> dict[int, Listing]:
    rows = db.session.scalars(select(Listing).where(Listing.id.in_(ids)))
    return {row.id: row for row in rows}


def _beside(
    listing: Listing, page: Sequence[Listing], signals: dict[int, Signals]
) -> list[Standing]:
    def of(name: str) -> tuple[int, int]:
        values = [getattr(signals.get(row.id, Signals()), name) for row in page]
        return getattr(signals.get(listing.id, Signals()), name), median(values)

    return [
        Standing("Popularity", listing.popularity, median([row.popularity for row in page])),
        Standing("Organizations that use it", *of("uses")),
        Standing("New uses within 30 days", *of("recent_uses")),
        Standing("Ratings", *of("ratings")),
        Standing(
            "Smoothed rating",
            listing.rating_hundredths,
            median([row.rating_hundredths for row in page]),
            is_rating=True,
        ),
        Standing("Followers", *of("follows")),
    ]


def signals_of(ids: Sequence[int]) -> dict[int, Signals]:
    """What people did with listings, as the popularity counts it: four queries."""
    since = clock.now() - RECENT
    found: dict[int, dict[str, int]] = {each: {} for each in ids}
    for each, uses, ratings in db.session.execute(
        select(Listing.id, Listing.use_count, Listing.rating_count).where(Listing.id.in_(ids))
    ):
        found[each] = {"uses": uses, "ratings": ratings}
    for followed, count, recent in db.session.execute(
        select(Follow.listing_id, func.count(), func.count().filter(Follow.created_at >= since))
        .where(Follow.listing_id.in_(ids))
        .group_by(Follow.listing_id)
    ):
        if followed is not None:
            found[followed] |= {"follows": count, "recent_follows": recent}
    for each, count in db.session.execute(
        select(ListingUse.listing_id, func.count())
        .where(ListingUse.listing_id.in_(ids), ListingUse.since >= since)
        .group_by(ListingUse.listing_id)
    ):
        found[each]["recent_uses"] = count
    for each, count in db.session.execute(
        select(ListingReview.listing_id, func.count())
        .where(
            ListingReview.listing_id.in_(ids),
            ListingReview.created_at >= since,
            ListingReview.state == ReviewState.PUBLISHED,
        )
        .group_by(ListingReview.listing_id)
    ):
        found[each]["recent_reviews"] = count
    return {each: Signals(**counts) for each, counts in found.items()}


def own_listings(organization_id: int) -> list[Listing]:
    """The published listings of a publisher, by name. One query."""
    return list(
        db.session.scalars(
            select(Listing)
            .where(Listing.publisher_id == organization_id, Listing.published_at.is_not(None))
            .order_by(func.lower(Listing.name), Listing.id)
            .limit(200)
        )
    )


def categories_of(listing_id: int) -> list[tuple[str, str]]:
    """Slug and name of a listing's categories, the main one first. One query."""
    rows = db.session.execute(
        select(Category.slug, Category.name)
        .join(ListingCategory, ListingCategory.category_id == Category.id)
        .where(ListingCategory.listing_id == listing_id)
        .order_by(ListingCategory.position)
    )
    return [(slug, name) for slug, name in rows]
