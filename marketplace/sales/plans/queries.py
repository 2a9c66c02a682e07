"""Reading plans, discounts and taxes. select() only."""

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import func, or_, select
from sqlalchemy.orm import joinedload, selectinload

from billing.models import (
    Discount,
    DiscountUse,
    Entitlement,
    EntitlementState,
    Plan,
    PlanState,
    Price,
    PromotionCode,
    TaxRate,
)
from billing.quoting import prices_in_force
from marketplace.catalogue.models import Listing
from marketplace.core import clock
from marketplace.core.database import db
from marketplace.core.errors import SignInRequiredError
from marketplace.core.pagination import Page, paginate
from marketplace.core.permissions import current_actor

PER_PAGE = 20


@dataclass(frozen=True)
class PlanRow:
    """A plan as lists show it, with how many organizations have it."""

    plan: Plan
    prices: dict[str, Price]
    upcoming: tuple[Price, ...]
    holders: int


@dataclass(frozen=True)
class ListingPlans:
    """A listing and its plans, in their order."""

    listing: Listing
    plans: tuple[PlanRow, ...]


def find_listing(slug: str) -> Listing | None:
    """The listing of an address; whose it is, the rule says."""
    _must_be_signed_in()
    return db.session.scalar(
        select(Listing).where(Listing.slug == slug).options(joinedload(Listing.publisher))
    )


def find_plan(plan_id: str) -> Plan | None:
    """The plan of a public id, with its prices."""
    _must_be_signed_in()
    return db.session.scalar(
        select(Plan).where(Plan.public_id == plan_id).options(selectinload(Plan.prices))
    )


def listing_of(plan: Plan) -> Listing:
    """The listing that a plan is of."""
    return db.session.scalars(
        select(Listing).where(Listing.id == plan.listing_id).options(joinedload(Listing.publisher))
    ).one()


def page_of_listing_plans(publisher_id: int, page: int) -> Page[ListingPlans]:
    """A publisher's listings with their plans. Five queries, however many there are."""
    listings = paginate(
        select(Listing).where(Listing.publisher_id == publisher_id).order_by(Listing.name),
        page=page,
        per_page=PER_PAGE,
    )
    plans = plans_of([listing.id for listing in listings.items])
    rows = [
        ListingPlans(listing, tuple(row for row in plans if row.plan.listing_id == listing.id))
        for listing in listings.items
    ]
    return Page(rows, listings.total, listings.page, listings.per_page)


def plans_of(listing_ids: Sequence[int], *, only_active: bool = False) -> list[PlanRow]:
    """The plans of listings in their order. Three queries."""
    if not listing_ids:
        return []
    query = (
        select(Plan)
        .where(Plan.listing_id.in_(listing_ids))
        .options(selectinload(Plan.prices))
        .order_by(Plan.state == PlanState.ARCHIVED, Plan.position, Plan.id)
    )
    if only_active:
        query = query.where(Plan.state == PlanState.ACTIVE)
    plans = db.session.scalars(query).all()
    holders = {
        plan_id: int(count)
        for plan_id, count in db.session.execute(
            select(Entitlement.plan_id, func.count())
            .where(
                Entitlement.listing_id.in_(listing_ids),
                Entitlement.state != EntitlementState.ENDED,
            )
            .group_by(Entitlement.plan_id)
        )
    }
    return [row_of(plan, holders.get(plan.id, 0)) for plan in plans]


def row_of(plan: Plan, holders: int = 0) -> PlanRow:
    """A plan with its prices in force and those to come."""
    now = clock.now()
    return PlanRow(
        plan,
        prices_in_force(plan, now),
        tuple(price for price in plan.prices if price.effective_from > now),
        holders,
    )


def holders_of(plan: Plan) -> int:
    """How many organizations have the plan now."""
    return (
        db.session.scalar(
            select(func.count())
            .select_from(Entitlement)
            .where(Entitlement.plan_id == plan.id, Entitlement.state != EntitlementState.ENDED)
        )
        or 0
    )


def plan_codes(listing_id: int) -> set[str]:
    """The codes that a listing's plans have."""
    return set(db.session.scalars(select(Plan.code).where(Plan.listing_id == listing_id)))


def next_position(listing_id: int) -> int:
    """Behind a listing's last plan."""
    last = db.session.scalar(select(func.max(Plan.position)).where(Plan.listing_id == listing_id))
    return (last or 0) + 1


@dataclass(frozen=True)
class DiscountRow:
    """A discount as lists show it, and how often it is in use or was used."""

    discount: Discount
    uses: int
    codes: tuple[PromotionCode, ...]


def find_discount(discount_id: str) -> Discount | None:
    """The discount of a public id, with its codes."""
    _must_be_signed_in()
    return db.session.scalar(
        select(Discount)
        .where(Discount.public_id == discount_id)
        .options(selectinload(Discount.codes))
    )


def find_code(discount_id: str, code_id: int) -> PromotionCode | None:
    """A code of that discount."""
    _must_be_signed_in()
    return db.session.scalar(
        select(PromotionCode)
        .join(PromotionCode.discount)
        .where(PromotionCode.id == code_id, Discount.public_id == discount_id)
        .options(joinedload(PromotionCode.discount))
    )


def page_of_discounts(
    publisher_id: int | None, *, archived: bool, text: str, page: int
) -> Page[DiscountRow]:
    """A publisher's (or the platform's) discounts, newest first. Four queries."""
    query = (
        select(Discount)
        .where(
            Discount.publisher_id == publisher_id
            if publisher_id is not None
            else Discount.publisher_id.is_(None),
            Discount.archived_at.is_not(None) if archived else Discount.archived_at.is_(None),
        )
        .options(selectinload(Discount.codes))
        .order_by(Discount.id.desc())
    )
    if text:
        query = query.where(
            or_(
                Discount.name.icontains(text, autoescape=True),
                Discount.codes.any(PromotionCode.code.startswith(text.upper(), autoescape=True)),
            )
        )
    found = paginate(query, page=page, per_page=PER_PAGE)
    uses = uses_of([discount.id for discount in found.items])
    return Page(
        [
            DiscountRow(discount, uses.get(discount.id, 0), tuple(discount.codes))
            for discount in found.items
        ],
        found.total,
        found.page,
        found.per_page,
    )


def uses_of(discount_ids: Sequence[int]) -> dict[int, int]:
    """How often each discount is in use or was used."""
    if not discount_ids:
        return {}
    return {
        each: int(count)
        for each, count in db.session.execute(
            select(DiscountUse.discount_id, func.count())
            .where(DiscountUse.discount_id.in_(discount_ids), DiscountUse.released_at.is_(None))
            .group_by(DiscountUse.discount_id)
        )
    }


def code_uses(discount_id: int) -> dict[int, int]:
    """How often each code of a discount was used."""
    return {
        each: int(count)
        for each, count in db.session.execute(
            select(DiscountUse.code_id, func.count())
            .where(DiscountUse.discount_id == discount_id, DiscountUse.released_at.is_(None))
            .group_by(DiscountUse.code_id)
        )
        if each is not None
    }


def has_code(publisher_id: int | None, code: str) -> bool:
    """Whether a discount of this publisher (None: of the platform) has the code."""
    owner = (
        PromotionCode.publisher_id == publisher_id
        if publisher_id is not None
        else PromotionCode.publisher_id.is_(None)
    )
    return (
        db.session.scalar(select(PromotionCode.id).where(PromotionCode.code == code, owner))
        is not None
    )


def listing_ids_by_slug(slugs: Sequence[str]) -> dict[str, int]:
    """The ids of those listings that there are."""
    if not slugs:
        return {}
    rows = db.session.execute(select(Listing.slug, Listing.id).where(Listing.slug.in_(slugs)))
    return dict(rows.all())


def listings_by_ids(ids: Sequence[int]) -> Sequence[Listing]:
    """Listings by their ids, by name."""
    if not ids:
        return []
    return db.session.scalars(
        select(Listing).where(Listing.id.in_(ids)).order_by(Listing.name, Listing.id)
    ).all()


def plan_choices(publisher_id: int) -> list[tuple[int, str]]:
    """A publisher's plans by their ids, for a form."""
    rows = db.session.execute(
        select(Plan.id, Listing.name, Plan.name)
        .join(Listing, Listing.id == Plan.listing_id)
        .where(Plan.publisher_id == publisher_id, Plan.state != PlanState.ARCHIVED)
        .order_by(Listing.name, Plan.position, Plan.id)
    )
    return [(plan_id, f"{listing}: {plan}") for plan_id, listing, plan in rows]


def tax_rates() -> Sequence[TaxRate]:
    """All rates, by country, the newest first."""
    return db.session.scalars(
        select(TaxRate).order_by(TaxRate.country, TaxRate.effective_from.desc(), TaxRate.id.desc())
    ).all()


def _must_be_signed_in() -> None:
    """Nobody learns by a status what exists before signing in."""
    if not current_actor().is_authenticated:
        raise SignInRequiredError("Sign in to go on.")
