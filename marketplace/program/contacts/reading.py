"""What other domains ask: who is there for a partner, and which contacts are overdue."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

from flask import current_app
from sqlalchemy import and_, func, select

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


def overdue_contacts(at: datetime | None = None) -> list[Overdue]:
    """What executive sponsors owe at a moment, the longest overdue first: two queries."""
    moment = at or clock.now()
    found = [*_overdue_answers(moment), *_overdue_quarters(moment)]
    return sorted(found, key=lambda each: (each.due_at, each.organization_id, each.kind))


def _overdue_answers(at: datetime) -> Iterable[Overdue]:
    rows = db.session.execute(
        select(
            Organization.id,
            Organization.name,
            ContactRequest.user_id,
            User.name,
            ContactRequest.due_at,
            ContactRequest.public_id,
        )
        .select_from(ContactRequest)
        .join(Organization, Organization.id == ContactRequest.organization_id)
        .outerjoin(User, User.id == ContactRequest.user_id)
        .where(
            ContactRequest.due_at < at,
            ContactRequest.created_at <= at,
            (ContactRequest.answered_at.is_(None)) | (ContactRequest.answered_at > at),
            ContactRequest.state != RequestState.CLOSED,
        )
    )
    for organization_id, organization, user_id, person, due_at, request_id in rows:
        if due_at is not None:
            yield Overdue(
                "answer", organization_id, organization, user_id, person or "", due_at, request_id
            )


def _overdue_quarters(at: datetime) -> Iterable[Overdue]:
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
    rows = db.session.execute(
        select(
            ContactAssignment.organization_id,
            Organization.name,
            User.id,
            User.name,
            ContactAssignment.assigned_at,
            spoke.c.at,
            wrote.c.at,
        )
        .join(Organization, Organization.id == ContactAssignment.organization_id)
        .join(User, User.id == ContactAssignment.user_id)
        .outerjoin(spoke, spoke.c.organization_id == Organization.id)
        .outerjoin(wrote, wrote.c.organization_id == Organization.id)
        .where(
            and_(
                ContactAssignment.role == ContactRole.EXECUTIVE_SPONSOR,
                ContactAssignment.organization_id.is_not(None),
            )
        )
    )
    for organization_id, organization, user_id, person, since, spoken, written in rows:
        last = max(each for each in (since, spoken, written) if each is not None)
        if last + QUARTER < at:
            yield Overdue(
                "quarterly", organization_id, organization, user_id, person, last + QUARTER
            )


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
