"""Saying who is there for whom. What is open moves along, and partners are told."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import delete, select

from billing.public_ids import new_public_id
from marketplace.core import clock
from marketplace.core.database import db
from marketplace.core.errors import ConflictError, InvalidError
from marketplace.core.facts import record_fact
from marketplace.core.locks import lock_row
from marketplace.core.once import insert_if_new
from marketplace.identity import queries as identity
from marketplace.identity.models import Membership, Organization, Role, User
from marketplace.program.contacts import mails
from marketplace.program.contacts.models import (
    ContactAbsence,
    ContactAssignment,
    ContactMade,
    ContactRegion,
    ContactRequest,
    ContactRole,
    RequestState,
)
from marketplace.program.contacts.reading import Contact, staffing
from marketplace.program.contacts.services.conversations import hold, note
from marketplace.program.contacts.texts import ROLES


@dataclass(frozen=True)
class Scope:
    """For whom somebody is there: one of the three, or everybody else."""

    organization: Organization | None = None
    country: str | None = None
    region: ContactRegion | None = None

    @property
    def text(self) -> str:
        """As assignments keep it."""
        if self.organization is not None:
            return f"organization:{self.organization.id}"
        if self.country:
            return f"country:{self.country}"
        return f"region:{self.region.id}" if self.region is not None else "everybody"


def assign(
    role: ContactRole,
    scope: Scope,
    user_id: int,
    *,
    backup_user_id: int | None = None,
    by_user_id: int | None,
) -> ContactAssignment:
    """Put somebody of the staff in charge, in the place of whoever was. Open conversations move
    to them; a partner that is named is told. Raises InvalidError (fields user, backup)."""
    staff = staffing().staff
    errors = {}
    if user_id not in staff:
        errors["user"] = "Choose somebody of the staff."
    if backup_user_id is not None and backup_user_id not in staff:
        errors["backup"] = "Choose somebody of the staff."
    if backup_user_id is not None and backup_user_id == user_id:
        errors["backup"] = "Choose somebody else than the person."
    if errors:
        raise InvalidError(errors)
    now = clock.now()
    is_new = insert_if_new(
        ContactAssignment,
        public_id=new_public_id("ca"),
        role=role,
        scope=scope.text,
        organization_id=scope.organization.id if scope.organization else None,
        region_id=scope.region.id if scope.region else None,
        country=scope.country,
        user_id=user_id,
        backup_user_id=backup_user_id,
        assigned_at=now,
        assigned_by_id=by_user_id,
    )
    row = lock_row(
        ContactAssignment, ContactAssignment.role == role, ContactAssignment.scope == scope.text
    )
    if row is None:
        raise ConflictError("Somebody removed the assignment at the same moment.")
    changed = is_new is not None or row.user_id != user_id
    if row.user_id != user_id:
        row.user_id, row.assigned_at, row.assigned_by_id = user_id, now, by_user_id
    row.backup_user_id = backup_user_id
    db.session.flush()
    if changed:
        record_fact(
            "contact.assigned",
            subject=("contact_assignment", row.id),
            actor_user_id=by_user_id,
            organization_id=row.organization_id,
            data={"role": role.value, "scope": scope.text, "user": user_id},
        )
        _tell_partner(scope, role)
        reroute(role, f"{staff[user_id].name} took over as {ROLES[role].lower()}.")
    return row


def unassign(row: ContactAssignment, *, by_user_id: int | None) -> None:
    """Take an assignment away; the next more general one counts."""
    role, scope = row.role, row.scope
    db.session.execute(delete(ContactAssignment).where(ContactAssignment.id == row.id))
    record_fact(
        "contact.unassigned",
        subject=("contact_assignment", row.id),
        actor_user_id=by_user_id,
        organization_id=row.organization_id,
        data={"role": role.value, "scope": scope},
    )
    db.session.expunge(row)
    reroute(role, "Who looks after you has changed.")


def set_absence(user_id: int, until: datetime | None, *, by_user_id: int | None) -> None:
    """Say until when somebody of the staff is away, or that they are back (None).

    What waits for them goes to their backup; what the backup has by then stays with them.
    Raises InvalidError (fields person, until).
    """
    person = staffing().staff.get(user_id)
    if person is None:
        raise InvalidError({"person": "Choose somebody of the staff."})
    now = clock.now()
    if until is not None and until <= now:
        raise InvalidError({"until": "Choose a day that is still to come."})
    db.session.execute(delete(ContactAbsence).where(ContactAbsence.user_id == user_id))
    if until is not None:
        insert_if_new(
            ContactAbsence, user_id=user_id, until=until, set_at=now, set_by_id=by_user_id
        )
    db.session.flush()
    record_fact(
        "contact.absence_set",
        subject=("user", user_id),
        actor_user_id=by_user_id,
        data={"until": until.isoformat() if until else None},
    )
    if until is not None:
        for role in ContactRole:
            reroute(role, f"{person.name} is away until {until:%d %b %Y}.", only_of=user_id)


def reroute(role: ContactRole, why: str, *, only_of: int | None = None) -> int:
    """Move open conversations of a role to whoever is there for them now; how many moved.

    Those that somebody handed over by hand stay. `only_of`: only those that this person has.
    """
    query = select(ContactRequest).where(
        ContactRequest.role == role,
        ContactRequest.state != RequestState.CLOSED,
        ContactRequest.is_handed_over.is_(False),
    )
    if only_of is not None:
        query = query.where(ContactRequest.user_id == only_of)
    found, moved = staffing(), 0
    for request in db.session.scalars(query.order_by(ContactRequest.id)).all():
        contact = found.contact(
            role.value, organization_id=request.organization_id, country=request.country
        )
        if contact.user_id is not None and contact.user_id != request.user_id:
            _move(request, contact, why)
            moved += 1
    return moved


def hand_over(request: ContactRequest, user_id: int, *, by_user_id: int | None) -> None:
    """Give one conversation to somebody else of the staff. Raises InvalidError (field person)."""
    person = staffing().staff.get(user_id)
    if person is None:
        raise InvalidError({"person": "Choose somebody of the staff."})
    held = hold(request)
    held.is_handed_over = True
    if held.user_id == user_id:
        return
    contact = Contact(held.role.value, person.user_id, person.name, person.email)
    _move(held, contact, f"{person.name} takes over.")
    record_fact(
        "contact_request.handed_over",
        subject=("contact_request", held.id),
        actor_user_id=by_user_id,
        organization_id=held.organization_id,
        data={"user": user_id},
    )


def save_region(
    region: ContactRegion | None, name: str, countries: list[str], *, by_user_id: int | None
) -> ContactRegion:
    """Make or change a region. Raises InvalidError (fields name, countries)."""
    clean = " ".join(name.split())
    errors = {}
    if not 2 <= len(clean) <= 80:
        errors["name"] = "Use 2 to 80 characters."
    others = [
        each
        for each in db.session.scalars(select(ContactRegion))
        if region is None or each.id != region.id
    ]
    if any(each.name.lower() == clean.lower() for each in others):
        errors["name"] = "There is a region of this name."
    taken = {code: each.name for each in others for code in each.codes}
    clashes = [f"{code} ({taken[code]})" for code in countries if code in taken]
    if not countries:
        errors["countries"] = "Choose at least one country."
    elif clashes:
        errors["countries"] = f"In another region already: {', '.join(clashes[:5])}."
    if errors:
        raise InvalidError(errors)
    if region is None:
        region = ContactRegion(public_id=new_public_id("reg"), name=clean)
        db.session.add(region)
    region.name, region.countries = clean, " ".join(sorted(set(countries)))
    db.session.flush()
    record_fact(
        "contact_region.saved",
        subject=("contact_region", region.id),
        actor_user_id=by_user_id,
        data={"countries": region.countries},
    )
    return region


def remove_region(region: ContactRegion, *, by_user_id: int | None) -> None:
    """Remove a region with its assignments; its countries fall back to everybody's person."""
    record_fact(
        "contact_region.removed", subject=("contact_region", region.id), actor_user_id=by_user_id
    )
    db.session.execute(delete(ContactAssignment).where(ContactAssignment.region_id == region.id))
    db.session.delete(region)
    db.session.flush()
    for role in ContactRole:
        reroute(role, "Who looks after you has changed.")


def note_contact(
    organization: Organization, role: ContactRole, user_id: int, note_text: str
) -> ContactMade:
    """Write down that the person spoke with the partner by other means."""
    row = ContactMade(
        organization_id=organization.id,
        role=role,
        user_id=user_id,
        note=" ".join(note_text.split())[:300],
        at=clock.now(),
    )
    db.session.add(row)
    db.session.flush()
    record_fact(
        "contact.made",
        subject=("contact_made", row.id),
        actor_user_id=user_id,
        organization_id=organization.id,
        data={"role": role.value},
    )
    return row


def _move(request: ContactRequest, contact: Contact, why: str) -> None:
    request.user_id, request.updated_at = contact.user_id, clock.now()
    request.away_user_id = contact.away_user_id if contact.is_stand_in else None
    note(request, f"{why} {contact.name} has this conversation now.")
    mails.tell_of_move(request, contact, why)
    if request.agreed_at is not None and request.agreed_at > clock.now():
        request.sequence += 1
        mails.send_meeting(request, f"{why} The meeting is with {contact.name} now.")
    db.session.flush()


def _tell_partner(scope: Scope, role: ContactRole) -> None:
    organization = scope.organization
    if organization is None:
        return
    contact = staffing().contact(
        role.value, organization_id=organization.id, country=organization.country
    )
    people = [
        member.user
        for member in identity.members_of(organization.id)
        if member.role in (Role.OWNER, Role.ADMIN) and _can_be_written(member)
    ]
    mails.tell_of_assignment(people, ROLES[role], contact, organization.name)


def _can_be_written(member: Membership) -> bool:
    user: User = member.user
    return user.email is not None and user.email_verified and user.deactivated_at is None
