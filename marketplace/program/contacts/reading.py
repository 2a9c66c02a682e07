"""What other domains ask: who is there for a partner, and which contacts are overdue."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from flask import current_app
from sqlalchemy import ColumnElement, Select, and_, case, func, select

from marketplace.core import clock
from marketplace.core.database import db
from marketplace.identity.models import Membership, Organization, OrganizationKind, User
from marketplace.program.contacts.models import (
    ContactAbsence,
    ContactAssignment,
    ContactMade,
    ContactMessage,
    ContactRegion,
    ContactRequest,
    ContactRole,
    RequestKind,
    RequestState,
)
from marketplace.program.contacts.resolving import Assigned, Chosen, Person, choose, scopes_of

# An executive sponsor speaks with its partner at least this often.
QUARTER = timedelta(days=92)


@dataclass(frozen=True)
class Contact:
    """The person for a role. Without any staff `user_id` is None and the name is the site's."""

    role: str
    user_id: int | None
    name: str
    # Where mail goes; not for pages of others.
    email: str = ""
    # Whom they stand in for, and until when.
    away_name: str = ""
    away_user_id: int | None = None
    away_until: datetime | None = None

    @property
    def is_stand_in(self) -> bool:
        """Whether somebody else is meant, who is away."""
        return self.away_user_id is not None and self.away_user_id != self.user_id


@dataclass(frozen=True)
class Staffing:
    """All that decides who is there for whom, as it was read: ask it as often as you like."""

    staff: dict[int, Person]
    assigned: dict[tuple[str, str], Assigned]
    region_of: dict[str, int]
    away: dict[int, datetime]

    def contact(self, role: str, *, organization_id: int | None, country: str | None) -> Contact:
        """The contact for a role. Raises ValueError for a role that there is not."""
        code = (country or "").upper() or None
        scopes = scopes_of(organization_id, code, self.region_of.get(code or ""))
        name = ContactRole(role).value
        return _contact(name, choose(name, scopes, self.assigned, self.staff, self.away))

    def region_contact(self, role: str, region_id: int | None) -> Contact:
        """The contact for a role in a region; without one, whoever is there for everybody."""
        name = ContactRole(role).value
        scopes = scopes_of(None, None, region_id)
        return _contact(name, choose(name, scopes, self.assigned, self.staff, self.away))


def staffing(at: datetime | None = None) -> Staffing:
    """The staff, its assignments, regions and absences: four queries."""
    people = db.session.execute(
        select(User.id, User.name, User.email, Membership.role)
        .join(Membership, Membership.user_id == User.id)
        .join(Organization, Organization.id == Membership.organization_id)
        .where(Organization.kind == OrganizationKind.PLATFORM, User.deactivated_at.is_(None))
        .order_by(User.id)
    )
    assigned = db.session.execute(
        select(
            ContactAssignment.role,
            ContactAssignment.scope,
            ContactAssignment.user_id,
            ContactAssignment.backup_user_id,
        )
    )
    regions = db.session.execute(select(ContactRegion.id, ContactRegion.countries))
    away = db.session.execute(
        select(ContactAbsence.user_id, ContactAbsence.until).where(
            ContactAbsence.until > (at or clock.now())
        )
    )
    return Staffing(
        staff={
            user_id: Person(user_id, name, email or "", role.value)
            for user_id, name, email, role in people
        },
        assigned={
            (role.value, scope): Assigned(user_id, backup)
            for role, scope, user_id, backup in assigned
        },
        region_of={code: region for region, codes in regions for code in codes.split()},
        away=dict(iter(away)),
    )


def contact_for(role: str, *, organization_id: int | None, country: str | None) -> Contact:
    """Who is there for a partner, or for somebody of a country, in a role of `ContactRole`.

    The partner's own person comes first, then the country's, the region's, and whoever is there
    for everybody else; while somebody is away their backup answers. Never nobody: a role without
    any assignment falls to the staff, and without staff to the site's name.
    """
    return staffing().contact(role, organization_id=organization_id, country=country)


def contacts_for(organization_id: int, country: str | None) -> dict[str, Contact]:
    """The contacts of a partner for all roles."""
    found = staffing()
    return {
        role.value: found.contact(role.value, organization_id=organization_id, country=country)
        for role in ContactRole
    }


@dataclass(frozen=True)
class Overdue:
    """A contact that the staff owes a partner. `kind`: `answer` to an escalation, or the
    `quarterly` contact of an executive sponsor. `request_id` is the escalation's public id."""

    kind: str
    organization_id: int
    organization_name: str
    user_id: int | None
    person: str
    due_at: datetime
    request_id: str = ""


def overdue_contacts(at: datetime | None = None, most: int | None = None) -> list[Overdue]:
    """What executive sponsors owe at a moment, the longest overdue first, at most so many: two
    queries."""
    moment = at or clock.now()
    found = [
        Overdue("answer", organization_id, name, user_id, person or "", due_at, request_id)
        for organization_id, name, user_id, person, due_at, request_id in db.session.execute(
            _overdue_answers(moment).order_by(ContactRequest.due_at, ContactRequest.id).limit(most)
        )
        if due_at is not None
    ]
    quarters, last = _quarters(moment)
    found += [
        Overdue("quarterly", organization_id, name, user_id, person, spoken + QUARTER)
        for organization_id, name, user_id, person, spoken in db.session.execute(
            quarters.where(last < moment - QUARTER)
            .order_by(last, ContactAssignment.organization_id)
            .limit(most)
        )
    ]
    return sorted(found, key=lambda each: (each.due_at, each.organization_id, each.kind))[:most]


def count_overdue_contacts(at: datetime | None = None) -> int:
    """How many contacts executive sponsors owe at a moment: two queries."""
    moment = at or clock.now()
    quarters, last = _quarters(moment)
    asked = (_overdue_answers(moment), quarters.where(last < moment - QUARTER))
    return sum(
        db.session.scalar(select(func.count()).select_from(each.subquery())) or 0 for each in asked
    )


def sponsor_contact_due(organization_id: int) -> datetime | None:
    """Until when a partner's own executive sponsor speaks with it again; None: it has none."""
    quarters, _last = _quarters(clock.now())
    row = db.session.execute(
        quarters.where(ContactAssignment.organization_id == organization_id)
    ).first()
    return row[4] + QUARTER if row is not None else None


def _overdue_answers(at: datetime) -> Any:
    return (
        select(
            Organization.id.label("organization_id"),
            Organization.name.label("organization_name"),
            ContactRequest.user_id,
            User.name.label("person"),
            ContactRequest.due_at,
            ContactRequest.public_id,
        )
        .select_from(ContactRequest)
        .join(Organization, Organization.id == ContactRequest.organization_id)
        .outerjoin(User, User.id == ContactRequest.user_id)
        .where(
            ContactRequest.kind == RequestKind.ESCALATION,
            ContactRequest.due_at < at,
            ContactRequest.created_at <= at,
            (ContactRequest.answered_at.is_(None)) | (ContactRequest.answered_at > at),
            ContactRequest.state != RequestState.CLOSED,
        )
    )


def _quarters(at: datetime) -> tuple[Select[Any], ColumnElement[Any]]:
    """Partners with an executive sponsor of their own, and when the two spoke last; before the
    first time, when the sponsor was named."""
    spoke = (
        select(ContactMade.organization_id, func.max(ContactMade.at).label("at"))
        .where(ContactMade.role == ContactRole.EXECUTIVE_SPONSOR, ContactMade.at <= at)
        .group_by(ContactMade.organization_id)
        .subquery()
    )
    wrote = (
        select(ContactRequest.organization_id, func.max(ContactMessage.at).label("at"))
        .join(ContactMessage, ContactMessage.request_id == ContactRequest.id)
        .where(
            ContactRequest.role == ContactRole.EXECUTIVE_SPONSOR,
            ContactMessage.is_staff.is_(True),
            ContactMessage.is_note.is_(False),
            ContactMessage.at <= at,
        )
        .group_by(ContactRequest.organization_id)
        .subquery()
    )
    named = ContactAssignment.assigned_at
    spoken, written = func.coalesce(spoke.c.at, named), func.coalesce(wrote.c.at, named)
    last = case(
        (and_(spoken >= written, spoken >= named), spoken), (written >= named, written), else_=named
    )
    query = (
        select(
            Organization.id.label("organization_id"),
            Organization.name.label("organization_name"),
            User.id.label("user_id"),
            User.name.label("person"),
            last.label("last"),
        )
        .select_from(ContactAssignment)
        .join(Organization, Organization.id == ContactAssignment.organization_id)
        .join(User, User.id == ContactAssignment.user_id)
        .outerjoin(spoke, spoke.c.organization_id == Organization.id)
        .outerjoin(wrote, wrote.c.organization_id == Organization.id)
        .where(ContactAssignment.role == ContactRole.EXECUTIVE_SPONSOR)
    )
    return query, last


def _contact(role: str, chosen: Chosen | None) -> Contact:
    if chosen is None:
        return Contact(role, None, str(current_app.config["SITE_NAME"]))
    away = chosen.away
    return Contact(
        role,
        chosen.person.user_id,
        chosen.person.name,
        chosen.person.email,
        away.name if away else "",
        away.user_id if away else None,
        chosen.away_until,
    )
