"""Programs and their affiliates, as their owners see them."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import exists, func, select
from sqlalchemy.orm import joinedload, selectinload

from billing.models import (
    Affiliate,
    AffiliateProgram,
    AffiliateState,
    Attribution,
    CommissionClearance,
    Discount,
    Earning,
    EarningKind,
    OrderLine,
    Plan,
    PlanState,
    PromotionCode,
)
from marketplace.catalogue.models import Listing
from marketplace.catalogue.visibility import findable_listings
from marketplace.core.database import db
from marketplace.core.errors import SignInRequiredError
from marketplace.core.pagination import Page, paginate
from marketplace.core.permissions import current_actor

PER_PAGE = 25


def find_program(program_id: str) -> AffiliateProgram | None:
    """The program of that public id, with its rules. Raises SignInRequiredError first."""
    _signed_in()
    return db.session.scalar(
        select(AffiliateProgram)
        .where(AffiliateProgram.public_id == program_id)
        .options(selectinload(AffiliateProgram.rules))
    )


def find_platform_program(program_id: str) -> AffiliateProgram | None:
    """The platform's own program of that public id."""
    program = find_program(program_id)
    return program if program is not None and program.publisher_id is None else None


def find_affiliate(affiliate_id: str, program_id: str | None = None) -> Affiliate | None:
    """The affiliate of that public id (and program), with its program and the rules."""
    _signed_in()
    query = (
        select(Affiliate)
        .join(Affiliate.program)
        .where(Affiliate.public_id == affiliate_id)
        .options(joinedload(Affiliate.program).selectinload(AffiliateProgram.rules))
    )
    if program_id is not None:
        query = query.where(AffiliateProgram.public_id == program_id)
    return db.session.scalar(query)


def find_affiliate_of_code(affiliate_id: str, code_id: int) -> Affiliate | None:
    """The affiliate of that public id, if the promotion code is its own."""
    found = find_affiliate(affiliate_id)
    return found if found is not None and code_of(found.id, code_id) is not None else None


def find_platform_affiliate(affiliate_id: str, program_id: str) -> Affiliate | None:
    """The same, of the platform's own programs."""
    found = find_affiliate(affiliate_id, program_id)
    return found if found is not None and found.program.publisher_id is None else None


def programs_of(publisher_id: int | None) -> Sequence[AffiliateProgram]:
    """All programs of a publisher, or of the platform: running ones first, the newest first."""
    owner = (
        AffiliateProgram.publisher_id.is_(None)
        if publisher_id is None
        else AffiliateProgram.publisher_id == publisher_id
    )
    return db.session.scalars(
        select(AffiliateProgram)
        .where(owner)
        .options(selectinload(AffiliateProgram.rules))
        .order_by(AffiliateProgram.closed_at.is_not(None), AffiliateProgram.id.desc())
        .limit(200)
    ).all()


def counts_by_state(program_ids: Sequence[int]) -> dict[int, dict[AffiliateState, int]]:
    """How many affiliates of each program are in each state. One query."""
    found: dict[int, dict[AffiliateState, int]] = {each: {} for each in program_ids}
    for program_id, state, count in db.session.execute(
        select(Affiliate.program_id, Affiliate.state, func.count())
        .where(Affiliate.program_id.in_(program_ids))
        .group_by(Affiliate.program_id, Affiliate.state)
    ):
        found[program_id][state] = count
    return found


def page_of_affiliates(program_id: int, state: AffiliateState | None, page: int) -> Page[Affiliate]:
    """A program's affiliates, who waits first. Two queries."""
    query = select(Affiliate).where(Affiliate.program_id == program_id)
    if state is not None:
        query = query.where(Affiliate.state == state)
    waiting_first = Affiliate.state != AffiliateState.PENDING
    return paginate(
        query.order_by(waiting_first, Affiliate.id.desc()), page=page, per_page=PER_PAGE
    )


def listings_by_id(ids: Sequence[int | None]) -> dict[int, Listing]:
    """Listings by their ids. One query."""
    wanted = {each for each in ids if each is not None}
    rows = db.session.scalars(select(Listing).where(Listing.id.in_(wanted)))
    return {row.id: row for row in rows}


def listings_of(publisher_id: int | None) -> Sequence[Listing]:
    """What a program may be about: a publisher's published listings; for the platform, all."""
    query = select(Listing).where(Listing.published_at.is_not(None)).order_by(Listing.name)
    if publisher_id is not None:
        query = query.where(Listing.publisher_id == publisher_id)
    return db.session.scalars(query.limit(1_000)).all()


def codes_of(affiliate_id: int) -> Sequence[PromotionCode]:
    """An affiliate's promotion codes with their discounts, the newest first."""
    return db.session.scalars(
        select(PromotionCode)
        .where(PromotionCode.affiliate_id == affiliate_id)
        .options(joinedload(PromotionCode.discount))
        .order_by(PromotionCode.id.desc())
        .limit(100)
    ).all()


def code_of(affiliate_id: int, code_id: int) -> PromotionCode | None:
    """One of an affiliate's promotion codes, with its discount."""
    return db.session.scalar(
        select(PromotionCode)
        .where(PromotionCode.id == code_id, PromotionCode.affiliate_id == affiliate_id)
        .options(joinedload(PromotionCode.discount))
    )


def landing_listings(
    program: AffiliateProgram, codes: Sequence[PromotionCode]
) -> dict[int, Listing]:
    """The listing that each code leads to: the one that its discount, or else the program, is for
    alone. Nothing for codes of several listings, and of one that sells nothing. Two queries."""
    plan_ids = {plan_id for code in codes for plan_id in code.discount.plan_ids}
    of_plans: dict[int, int] = dict(
        db.session.execute(select(Plan.id, Plan.listing_id).where(Plan.id.in_(plan_ids))).all()
    )
    wanted = {code.id: _only_listing(program, code.discount, of_plans) for code in codes}
    found = {
        listing.id: listing
        for listing in db.session.scalars(
            findable_listings().where(
                Listing.id.in_({each for each in wanted.values() if each is not None}),
                exists().where(Plan.listing_id == Listing.id, Plan.state == PlanState.ACTIVE),
            )
        )
    }
    return {
        code_id: found[listing_id]
        for code_id, listing_id in wanted.items()
        if listing_id is not None and listing_id in found
    }


def _only_listing(
    program: AffiliateProgram, discount: Discount, of_plans: dict[int, int]
) -> int | None:
    named = set(discount.listing_ids) or {
        of_plans[plan_id] for plan_id in discount.plan_ids if plan_id in of_plans
    }
    if len(named) == 1:
        return named.pop()
    return program.listing_id if not named else None


def discounts_for_codes(publisher_id: int | None) -> Sequence[Discount]:
    """The owner's discounts that are claimed by code."""
    owner = (
        Discount.publisher_id.is_(None)
        if publisher_id is None
        else Discount.publisher_id == publisher_id
    )
    return db.session.scalars(
        select(Discount)
        .where(owner, Discount.archived_at.is_(None), Discount.is_automatic.is_(False))
        .order_by(Discount.name, Discount.id)
        .limit(200)
    ).all()


def page_of_sales(affiliate_id: int, page: int) -> Page[Earning]:
    """What an affiliate earned, newest first, with lines and orders. Two queries."""
    query: Any = (
        select(Earning)
        .join(Earning.line)
        .where(
            OrderLine.affiliate_id == affiliate_id,
            Earning.kind == EarningKind.AFFILIATE_COMMISSION,
        )
        .options(joinedload(Earning.line).joinedload(OrderLine.order))
        .order_by(Earning.id.desc())
    )
    return paginate(query, page=page, per_page=PER_PAGE)


def held_customers(affiliate_id: int) -> Sequence[Attribution]:
    """Attributions that are held and that nobody released, with their reasons, the newest first."""
    return db.session.scalars(
        select(Attribution)
        .where(
            Attribution.affiliate_id == affiliate_id,
            Attribution.hold_reason != "",
            ~exists().where(
                CommissionClearance.affiliate_id == Attribution.affiliate_id,
                CommissionClearance.organization_id == Attribution.organization_id,
                CommissionClearance.reason == Attribution.hold_reason,
            ),
        )
        .order_by(Attribution.id.desc())
        .limit(20)
    ).all()


def _signed_in() -> None:
    if not current_actor().is_authenticated:
        raise SignInRequiredError("Sign in to go on.")
