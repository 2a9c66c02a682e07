"""Reading conversations, assignments and regions."""

from collections.abc import Iterable, Sequence

from sqlalchemy import ColumnElement, case, func, or_, select

from marketplace.core.database import db
from marketplace.core.errors import SignInRequiredError
from marketplace.core.pagination import Page, paginate
from marketplace.core.permissions import current_actor
from marketplace.identity.models import Organization, OrganizationKind, User
from marketplace.program.applications.words import line
from marketplace.program.contacts.models import (
    ContactAbsence,
    ContactAssignment,
    ContactMade,
    ContactMessage,
    ContactRegion,
    ContactRequest,
    ContactRole,
    RequestState,
)

PER_PAGE = 20


def find_request(contact_request_id: str) -> ContactRequest | None:
    """The conversation of that public id. Raises SignInRequiredError first."""
    if not current_actor().is_authenticated:
        raise SignInRequiredError("Sign in to go on.")
    return db.session.scalar(
        select(ContactRequest).where(ContactRequest.public_id == line(contact_request_id))
    )


def messages_of(request: ContactRequest) -> Sequence[ContactMessage]:
    """Its messages, the oldest first; the newest 200."""
    rows = db.session.scalars(
        select(ContactMessage)
        .where(ContactMessage.request_id == request.id)
        .order_by(ContactMessage.at.desc(), ContactMessage.id.desc())
        .limit(200)
    ).all()
    return rows[::-1]


def page_of_partner(organization_id: int, page: int) -> Page[ContactRequest]:
    """A partner's conversations, the one that moved last first."""
    return paginate(
        select(ContactRequest)
        .where(ContactRequest.organization_id == organization_id)
        .order_by(ContactRequest.updated_at.desc(), ContactRequest.id.desc()),
        page=page,
        per_page=PER_PAGE,
    )


def is_with(user_id: int) -> ColumnElement[bool]:
    """Whether a conversation is with this person, was meant for them, or is with nobody."""
    return or_(
        ContactRequest.user_id == user_id,
        ContactRequest.away_user_id == user_id,
        ContactRequest.user_id.is_(None),
    )


def page_of_inbox(
    user_id: int, *, everybody: bool, state: RequestState | None, text: str, page: int
) -> Page[ContactRequest]:
    """What a person of the staff has (and what nobody has), or what all have; what waits comes
    first, the most urgent of it on top."""
    query = select(ContactRequest).outerjoin(
        Organization, Organization.id == ContactRequest.organization_id
    )
    if not everybody:
        query = query.where(is_with(user_id))
    if state is not None:
        query = query.where(ContactRequest.state == state)
    if text:
        query = query.where(
            or_(
                Organization.name.icontains(text, autoescape=True),
                ContactRequest.subject.icontains(text, autoescape=True),
                ContactRequest.name.icontains(text, autoescape=True),
            )
        )
    waits = case((ContactRequest.state == RequestState.WAITING, 0), else_=1)
    no_end = case((ContactRequest.due_at.is_(None), 1), else_=0)
    return paginate(
        query.order_by(
            waits,
            no_end,
            ContactRequest.due_at,
            ContactRequest.updated_at.desc(),
            ContactRequest.id.desc(),
        ),
        page=page,
        per_page=PER_PAGE,
    )


def names_of_people(user_ids: Iterable[int | None]) -> dict[int, str]:
    """The names of people by id."""
    wanted = {each for each in user_ids if each is not None}
    rows = db.session.execute(select(User.id, User.name).where(User.id.in_(wanted)))
    return dict(iter(rows))


def organizations_by_id(ids: Iterable[int | None]) -> dict[int, Organization]:
    """Organizations by id."""
    wanted = {each for each in ids if each is not None}
    rows = db.session.scalars(select(Organization).where(Organization.id.in_(wanted)))
    return {row.id: row for row in rows}


def regions() -> Sequence[ContactRegion]:
    """All regions, by name."""
    return db.session.scalars(select(ContactRegion).order_by(ContactRegion.name)).all()


def find_region(region_id: str) -> ContactRegion | None:
    """The region of that public id."""
    return db.session.scalar(
        select(ContactRegion).where(ContactRegion.public_id == line(region_id))
    )


def general_assignments() -> Sequence[ContactAssignment]:
    """Those for everybody, regions and countries, role by role."""
    order = list(ContactRole)
    rows = db.session.scalars(
        select(ContactAssignment).where(ContactAssignment.organization_id.is_(None))
    ).all()
    return sorted(rows, key=lambda row: (order.index(row.role), row.scope != "everybody", row.id))


def page_of_partner_assignments(text: str, page: int) -> Page[ContactAssignment]:
    """Those of single partners, by the partner's name."""
    query = select(ContactAssignment).join(
        Organization, Organization.id == ContactAssignment.organization_id
    )
    if text:
        query = query.where(Organization.name.icontains(text, autoescape=True))
    return paginate(
        query.order_by(func.lower(Organization.name), ContactAssignment.role),
        page=page,
        per_page=PER_PAGE,
    )


def find_assignment(assignment_id: str) -> ContactAssignment | None:
    """The assignment of that public id."""
    return db.session.scalar(
        select(ContactAssignment).where(ContactAssignment.public_id == line(assignment_id))
    )


def find_partner(name_or_slug: str) -> Organization | None:
    """The one partner of that name or slug; None for none or several of the name."""
    wanted = " ".join(name_or_slug.replace("\0", "").split())[:200]
    if not wanted:
        return None
    rows = db.session.scalars(
        select(Organization)
        .where(
            Organization.kind == OrganizationKind.PARTNER,
            or_(Organization.slug == wanted, func.lower(Organization.name) == wanted.lower()),
        )
        .limit(3)
    ).all()
    exact = [row for row in rows if row.slug == wanted]
    return exact[0] if exact else (rows[0] if len(rows) == 1 else None)


def absences() -> dict[int, ContactAbsence]:
    """Who was said to be away, by person; those that are over included."""
    return {row.user_id: row for row in db.session.scalars(select(ContactAbsence))}


def last_contacts(organization_id: int) -> Sequence[ContactMade]:
    """The newest contacts by other means with a partner."""
    return db.session.scalars(
        select(ContactMade)
        .where(
            ContactMade.organization_id == organization_id,
            ContactMade.role == ContactRole.EXECUTIVE_SPONSOR,
        )
        .order_by(ContactMade.at.desc())
        .limit(5)
    ).all()


def open_counts() -> dict[int, int]:
    """How many conversations wait for each person of the staff."""
    rows = db.session.execute(
        select(ContactRequest.user_id, func.count())
        .where(ContactRequest.state == RequestState.WAITING)
        .group_by(ContactRequest.user_id)
    )
    return {user_id: count for user_id, count in rows if user_id is not None}
