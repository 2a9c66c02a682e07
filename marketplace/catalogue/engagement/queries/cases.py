"""Reports of abuse, for staff and for publishers, and whom a suspension concerns."""

from collections.abc import Sequence

from sqlalchemy import Select, func, or_, select, union
from sqlalchemy.orm import contains_eager, joinedload, selectinload

from marketplace.catalogue.models import (
    AbuseCase,
    Appeal,
    AppealState,
    CaseState,
    Follow,
    Listing,
    ListingUse,
)
from marketplace.core.database import db
from marketplace.core.pagination import Page, paginate
from marketplace.identity.models import Membership, Role, User

PER_PAGE = 25


def _cases() -> Select[AbuseCase]:
    return (
        select(AbuseCase)
        .join(AbuseCase.listing)
        .join(Listing.publisher)
        .options(
            contains_eager(AbuseCase.listing).contains_eager(Listing.publisher),
            joinedload(AbuseCase.assigned_to),
            joinedload(AbuseCase.reporter),
            joinedload(AbuseCase.decided_by),
            selectinload(AbuseCase.appeals),
        )
    )


def find_case(number: str) -> AbuseCase | None:
    """The case of that number with all that its page shows, or None."""
    return db.session.scalar(_cases().where(AbuseCase.number == number))


def find_appeal(appeal_id: int) -> Appeal | None:
    """The appeal with its case and listing, or None."""
    return db.session.scalar(
        select(Appeal)
        .options(
            joinedload(Appeal.case).joinedload(AbuseCase.listing).joinedload(Listing.publisher)
        )
        .where(Appeal.id == appeal_id)
    )


def page_of_cases(
    states: Sequence[CaseState], page: int, *, appealed: bool = False
) -> Page[AbuseCase]:
    """One page of cases in `states` (or with an open appeal), the longest waiting first."""
    query = _cases()
    if appealed:
        query = query.where(AbuseCase.appeals.any(Appeal.state == AppealState.OPEN))
    else:
        query = query.where(AbuseCase.state.in_(states))
    return paginate(
        query.order_by(AbuseCase.created_at, AbuseCase.id), page=page, per_page=PER_PAGE
    )


def other_cases(case: AbuseCase) -> Sequence[AbuseCase]:
    """The newest twenty other cases about the same listing."""
    return db.session.scalars(
        select(AbuseCase)
        .where(AbuseCase.listing_id == case.listing_id, AbuseCase.id != case.id)
        .order_by(AbuseCase.created_at.desc(), AbuseCase.id.desc())
        .limit(20)
    ).all()


def page_of_publisher_cases(organization_id: int, page: int) -> Page[AbuseCase]:
    """One page of the cases that led to a suspension of the publisher's listings."""
    query = _cases().where(
        Listing.publisher_id == organization_id,
        AbuseCase.state.in_((CaseState.SUSPENDED, CaseState.REINSTATED)),
    )
    return paginate(
        query.order_by(AbuseCase.decided_at.desc(), AbuseCase.id.desc()),
        page=page,
        per_page=PER_PAGE,
    )


def open_appeals() -> int:
    """How many appeals wait."""
    return (
        db.session.scalar(
            select(func.count()).select_from(Appeal).where(Appeal.state == AppealState.OPEN)
        )
        or 0
    )


def addresses_to_warn(listing_id: int, publisher_id: int) -> list[str]:
    """Verified addresses of the listing's followers, and of the owners and admins of the
    organizations that use it; each person once, the publisher's own people left out."""
    people = union(
        select(Follow.user_id.label("user_id")).where(Follow.listing_id == listing_id),
        select(Membership.user_id)
        .join(ListingUse, ListingUse.organization_id == Membership.organization_id)
        .where(
            ListingUse.listing_id == listing_id,
            or_(Membership.role == Role.OWNER, Membership.role == Role.ADMIN),
        ),
    ).subquery()
    own = select(Membership.user_id).where(Membership.organization_id == publisher_id)
    query = (
        select(User.email)
        .join(people, people.c.user_id == User.id)
        .where(
            User.id.not_in(own),
            User.deactivated_at.is_(None),
            User.email_verified.is_(True),
            User.email.is_not(None),
        )
        .order_by(User.id)
    )
    return list(dict.fromkeys(address for address in db.session.scalars(query) if address))
