"""From impression to churn: counted in the database, for one publisher or the whole site."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any

from sqlalchemy import ColumnElement, Select, func, select

from billing.models import Order, OrderKind, OrderLine, OrderState
from marketplace.catalogue.exposure import Placement
from marketplace.catalogue.models import Listing
from marketplace.core.database import db
from marketplace.identity.models import Organization
from marketplace.installs.models import Environment, Installation
from marketplace.observability.analytics.models import ExposureCount, ExposureKind
from marketplace.observability.moments import as_moments, ten_minutes
from marketplace.observability.periods import Period, series

STAGES = ("impressions", "views", "installs", "paid", "churned")
# What makes a customer one that pays; a change of plan or a fee does not.
_SALES = (OrderKind.PURCHASE, OrderKind.RENEWAL, OrderKind.RESALE)
MOST_LISTINGS = 200


@dataclass(frozen=True)
class Scope:
    """What is counted. `organization_id` None: everybody's; the other two narrow it down.

    A placement narrows impressions and views alone: nobody is followed beyond a page.
    """

    organization_id: int | None
    listing_id: int | None = None
    placement: Placement | None = None


@dataclass
class Counts:
    """How many of each stage."""

    impressions: int = 0
    views: int = 0
    installs: int = 0
    paid: int = 0
    churned: int = 0

    def share(self, stage: str, of: str) -> float | None:
        """A stage in percent of another, None of nothing."""
        whole: int = getattr(self, of)
        part: int = getattr(self, stage)
        return 100 * part / whole if whole else None


@dataclass(frozen=True)
class Funnel:
    """Counts of a period: in all, by day (as the period's days), by placement and by listing."""

    total: Counts
    by_day: dict[str, list[int]]
    by_placement: dict[Placement, Counts]
    by_listing: dict[int, Counts]
    listings: dict[int, tuple[str, str]] = field(default_factory=dict)

    def daily(self, days: Sequence[date]) -> list[tuple[date, list[int]]]:
        """Each day with the counts of all stages."""
        return [(day, [self.by_day[s][n] for s in STAGES]) for n, day in enumerate(days)]


def funnel_of(scope: Scope, period: Period) -> Funnel:
    """The whole funnel of a period: nine queries, whatever there is."""
    begin, end = period.begin, period.end
    total = Counts()
    by_day = {stage: [0] * period.length for stage in STAGES}
    by_placement = {each: Counts() for each in Placement}
    by_listing: dict[int, Counts] = {}
    kinds = {ExposureKind.IMPRESSION: "impressions", ExposureKind.VIEW: "views"}

    where = _exposures(scope, begin, end)
    rows = db.session.execute(
        select(ExposureCount.kind, ExposureCount.slot, func.sum(ExposureCount.count))
        .where(*where)
        .group_by(ExposureCount.kind, ExposureCount.slot)
    ).all()
    for kind, stage in kinds.items():
        moments = [(slot, int(count)) for each, slot, count in rows if each is kind]
        by_day[stage] = series(period, moments)
        setattr(total, stage, sum(by_day[stage]))
    for placement, kind, count in db.session.execute(
        select(ExposureCount.placement, ExposureCount.kind, func.sum(ExposureCount.count))
        .where(*where)
        .group_by(ExposureCount.placement, ExposureCount.kind)
    ):
        setattr(by_placement[placement], kinds[kind], int(count))
    for listing_id, kind, count in db.session.execute(
        select(ExposureCount.listing_id, ExposureCount.kind, func.sum(ExposureCount.count))
        .where(*where)
        .group_by(ExposureCount.listing_id, ExposureCount.kind)
    ):
        setattr(by_listing.setdefault(listing_id, Counts()), kinds[kind], int(count))

    for stage, (moment, listing, query) in _events(scope, begin, end).items():
        # One query gives both: by time and by listing.
        slot = ten_minutes(moment)
        found = db.session.execute(
            query.with_only_columns(slot, func.count(), listing).group_by(slot, listing)
        ).all()
        by_day[stage] = series(period, as_moments((row[0], row[1]) for row in found))
        setattr(total, stage, sum(int(row[1]) for row in found))
        for _slot, count, listing_id in found:
            counts = by_listing.setdefault(listing_id, Counts())
            setattr(counts, stage, getattr(counts, stage) + count)
    best = sorted(by_listing, key=lambda each: _order(by_listing[each], each))[:MOST_LISTINGS]
    return Funnel(
        total=total,
        by_day=by_day,
        by_placement=by_placement,
        by_listing={each: by_listing[each] for each in best},
        listings=names_of(best),
    )


def _order(counts: Counts, listing_id: int) -> tuple[int, ...]:
    return (-counts.views, -counts.installs, -counts.impressions, listing_id)


def _exposures(scope: Scope, begin: datetime, end: datetime) -> list[ColumnElement[bool]]:
    where = [ExposureCount.slot >= begin, ExposureCount.slot < end]
    if scope.organization_id is not None:
        where.append(ExposureCount.organization_id == scope.organization_id)
    if scope.listing_id is not None:
        where.append(ExposureCount.listing_id == scope.listing_id)
    if scope.placement is not None:
        where.append(ExposureCount.placement == scope.placement)
    return where


def _events(
    scope: Scope, begin: datetime, end: datetime
) -> Mapping[str, tuple[Any, Any, Select[Any]]]:
    """For each later stage its moment, its listing, and the rows of it."""
    first = first_payments(scope).subquery()
    return {
        "installs": (
            Installation.installed_at,
            Installation.listing_id,
            installations(scope).where(
                Installation.installed_at >= begin, Installation.installed_at < end
            ),
        ),
        "paid": (
            first.c.at,
            first.c.listing_id,
            select(first.c.at).where(first.c.at >= begin, first.c.at < end),
        ),
        "churned": (
            Installation.uninstalled_at,
            Installation.listing_id,
            installations(scope).where(
                Installation.uninstalled_at >= begin, Installation.uninstalled_at < end
            ),
        ),
    }


def installations(scope: Scope) -> Select[Any]:
    """Installations in live environments, without the publisher's own and its sandbox's."""
    query = (
        select(Installation.id)
        .join(Listing, Listing.id == Installation.listing_id)
        .join(Organization, Organization.id == Installation.organization_id)
        .where(
            Installation.environment == Environment.LIVE,
            Installation.organization_id != Listing.publisher_id,
            Organization.sandbox_of_id.is_(None),
        )
    )
    if scope.organization_id is not None:
        query = query.where(Listing.publisher_id == scope.organization_id)
    if scope.listing_id is not None:
        query = query.where(Listing.id == scope.listing_id)
    return query


def first_payments(scope: Scope) -> Any:
    """When each customer paid for a listing for the first time: organization, listing, at."""
    query: Any = (
        select(
            Order.organization_id.label("organization_id"),
            OrderLine.listing_id.label("listing_id"),
            func.min(Order.paid_at).label("at"),
        )
        .join(OrderLine, OrderLine.order_id == Order.id)
        .where(
            Order.state == OrderState.PAID,
            Order.kind.in_(_SALES),
            OrderLine.net_amount > 0,
            OrderLine.listing_id.is_not(None),
            OrderLine.publisher_id != Order.organization_id,
        )
        .group_by(Order.organization_id, OrderLine.listing_id)
    )
    if scope.organization_id is not None:
        query = query.where(OrderLine.publisher_id == scope.organization_id)
    if scope.listing_id is not None:
        query = query.where(OrderLine.listing_id == scope.listing_id)
    return query


def names_of(listing_ids: Sequence[int]) -> dict[int, tuple[str, str]]:
    """Name and slug of listings by their ids. One query."""
    rows = db.session.execute(
        select(Listing.id, Listing.name, Listing.slug).where(Listing.id.in_(listing_ids))
    )
    return {each: (name, slug) for each, name, slug in rows}


def listings_of(organization_id: int) -> list[tuple[int, str, str]]:
    """Id, name and slug of the listings of a publisher that were published. One query."""
    rows = db.session.execute(
        select(Listing.id, Listing.name, Listing.slug)
        .where(Listing.publisher_id == organization_id, Listing.published_at.is_not(None))
        .order_by(func.lower(Listing.name), Listing.id)
        .limit(MOST_LISTINGS)
    )
    return [(each, name, slug) for each, name, slug in rows]


def find_listing(slug: str, organization_id: int | None) -> Listing | None:
    """A listing by its slug, of that publisher when one is named."""
    query = select(Listing).where(Listing.slug == slug)
    if organization_id is not None:
        query = query.where(Listing.publisher_id == organization_id)
    return db.session.scalar(query)
