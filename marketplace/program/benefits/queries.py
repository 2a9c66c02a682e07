"""Reading claims."""

from collections.abc import Iterable

from sqlalchemy import Select, func, select

from marketplace.core.database import db
from marketplace.core.pagination import Page, paginate
from marketplace.identity.models import Membership, Organization, Role, User
from marketplace.program.benefits.models import BenefitClaim, ClaimState

COUNTED = (ClaimState.CLAIMED, ClaimState.FULFILLED)
PER_PAGE = 25


def find_claim(benefit_claim_id: str) -> BenefitClaim | None:
    """The claim of that public id."""
    return db.session.scalar(select(BenefitClaim).where(BenefitClaim.public_id == benefit_claim_id))


def taken(organization_id: int, year: int) -> dict[str, int]:
    """How many of each benefit a partner has claimed in a year and was not refused."""
    rows = db.session.execute(
        select(BenefitClaim.benefit, func.count())
        .where(
            BenefitClaim.organization_id == organization_id,
            BenefitClaim.year == year,
            BenefitClaim.state.in_(COUNTED),
        )
        .group_by(BenefitClaim.benefit)
    )
    return {row[0]: row[1] for row in rows}


def claims_of(organization_id: int, page: int) -> Page[BenefitClaim]:
    """A partner's claims, the newest first."""
    return paginate(
        select(BenefitClaim)
        .where(BenefitClaim.organization_id == organization_id)
        .order_by(BenefitClaim.claimed_at.desc(), BenefitClaim.id.desc()),
        page=page,
        per_page=PER_PAGE,
    )


def all_of(organization_id: int, most: int) -> list[BenefitClaim]:
    """A partner's claims, the newest first, at most so many."""
    return list(
        db.session.scalars(
            select(BenefitClaim)
            .where(BenefitClaim.organization_id == organization_id)
            .order_by(BenefitClaim.claimed_at.desc(), BenefitClaim.id.desc())
            .limit(most)
        )
    )


def queue(state: ClaimState | None, benefit: str, text: str) -> Select[BenefitClaim]:
    """Claims for the staff: open ones from the oldest, others from the newest."""
    query = select(BenefitClaim)
    if state is not None:
        query = query.where(BenefitClaim.state == state)
    if benefit:
        query = query.where(BenefitClaim.benefit == benefit)
    if text:
        query = query.join(Organization, Organization.id == BenefitClaim.organization_id).where(
            func.lower(Organization.name).contains(text.lower(), autoescape=True)
        )
    if state is ClaimState.CLAIMED:
        return query.order_by(BenefitClaim.claimed_at, BenefitClaim.id)
    return query.order_by(BenefitClaim.claimed_at.desc(), BenefitClaim.id.desc())


def page_of_queue(
    state: ClaimState | None, benefit: str, text: str, page: int
) -> Page[BenefitClaim]:
    """One page of the queue."""
    return paginate(queue(state, benefit, text), page=page, per_page=PER_PAGE)


def names_of_benefits() -> list[tuple[str, str]]:
    """Keys and names of all benefits that were ever claimed."""
    rows = db.session.execute(
        select(BenefitClaim.benefit, func.max(BenefitClaim.benefit_name))
        .group_by(BenefitClaim.benefit)
        .order_by(BenefitClaim.benefit)
    )
    return [(row[0], row[1]) for row in rows]


def organizations_by_id(ids: Iterable[int]) -> dict[int, Organization]:
    """Organizations by id."""
    rows = db.session.scalars(select(Organization).where(Organization.id.in_(set(ids))))
    return {row.id: row for row in rows}


def people_by_id(ids: Iterable[int | None]) -> dict[int, User]:
    """People by id."""
    rows = db.session.scalars(select(User).where(User.id.in_({each for each in ids if each})))
    return {row.id: row for row in rows}


def told_of(claim: BenefitClaim) -> list[User]:
    """Who hears of a claim: who made it, and the partner's owners and admins; while members, and
    nobody while the partner is suspended."""
    return list(
        db.session.scalars(
            select(User)
            .join(Membership, Membership.user_id == User.id)
            .join(Organization, Organization.id == Membership.organization_id)
            .where(
                Membership.organization_id == claim.organization_id,
                Organization.suspended_at.is_(None),
                User.deactivated_at.is_(None),
                (Membership.role.in_([Role.OWNER, Role.ADMIN]))
                | (User.id == (claim.claimed_by_id or 0)),
            )
            .order_by(User.id)
        ).unique()
    )
