"""Seats, as schools and students see them."""

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import func, or_, select
from sqlalchemy.orm import joinedload

from marketplace.accreditation.acting import signed_in
from marketplace.accreditation.seats.models import Seat, SeatState
from marketplace.accreditation.verification.domains import domain_of_address
from marketplace.accreditation.verification.models import HELD, DomainProof
from marketplace.core.database import db
from marketplace.core.pagination import Page, paginate
from marketplace.core.permissions import current_actor
from marketplace.identity.models import Organization, OrganizationKind, User

PER_PAGE = 25


@dataclass(frozen=True)
class School:
    """A school whose seats the person may take, by an address at one of its domains."""

    organization: Organization
    domain: str


def find_seat(seat_id: str) -> Seat | None:
    """The seat of that public id. Raises SignInRequiredError first."""
    signed_in()
    return db.session.scalar(
        select(Seat)
        .where(Seat.public_id == seat_id, Seat.state != SeatState.ENDED)
        .options(joinedload(Seat.organization), joinedload(Seat.user))
    )


def schools_for(user: User | None) -> list[School]:
    """The schools whose proven domains the person's confirmed address is at. One query."""
    host = domain_of_address(user.email) if user is not None and user.email_verified else None
    if host is None:
        return []
    parts = host.split(".")
    names = [".".join(parts[at:]) for at in range(len(parts) - 1)]
    rows = db.session.execute(
        select(DomainProof.domain, Organization)
        .join(Organization, Organization.id == DomainProof.organization_id)
        .where(
            DomainProof.domain.in_(names),
            DomainProof.state.in_(HELD),
            Organization.kind == OrganizationKind.PARTNER,
            Organization.partner_type == "academic",
            Organization.suspended_at.is_(None),
        )
        .order_by(Organization.name)
    )
    found: dict[int, School] = {}
    for domain, organization in rows:
        found.setdefault(organization.id, School(organization, domain))
    return list(found.values())


def find_school(school_slug: str) -> School | None:
    """The school of that address, if the person who asks may take a seat there.

    Raises SignInRequiredError first.
    """
    signed_in()
    user = db.session.get(User, current_actor().user_id)
    return next((each for each in schools_for(user) if each.organization.slug == school_slug), None)


def seats_of_person(user_id: int) -> Sequence[Seat]:
    """A person's seats, with school and lab."""
    return db.session.scalars(
        select(Seat)
        .where(Seat.user_id == user_id, Seat.state != SeatState.ENDED)
        .options(joinedload(Seat.organization), joinedload(Seat.lab))
        .order_by(Seat.id)
    ).all()


def page_of_school(organization_id: int, text: str, page: int) -> Page[Seat]:
    """A school's seats by name; `text` stands in a name or an address. Two queries."""
    query = (
        select(Seat)
        .join(Seat.user)
        .where(Seat.organization_id == organization_id, Seat.state != SeatState.ENDED)
        .options(joinedload(Seat.user))
        .order_by(User.name, Seat.id)
    )
    if text:
        query = query.where(
            or_(
                User.name.icontains(text, autoescape=True),
                User.email.icontains(text, autoescape=True),
            )
        )
    return paginate(query, page=page, per_page=PER_PAGE)


def count_held(organization_id: int) -> int:
    """How many seats are taken, the frozen ones among them. One query."""
    return (
        db.session.scalar(
            select(func.count()).where(
                Seat.organization_id == organization_id, Seat.state != SeatState.ENDED
            )
        )
        or 0
    )


def held_ids(organization_id: int, state: SeatState, limit: int) -> Sequence[int]:
    """The ids of a school's seats in a state."""
    return db.session.scalars(
        select(Seat.id)
        .where(Seat.organization_id == organization_id, Seat.state == state)
        .order_by(Seat.id)
        .limit(limit)
    ).all()
