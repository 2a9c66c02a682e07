"""Taking seats, giving them back, freezing and thawing them with the school's verification."""

import secrets

from flask import current_app
from sqlalchemy import select

from billing.public_ids import new_public_id
from marketplace.accreditation.seats import queries
from marketplace.accreditation.seats.models import Seat, SeatState
from marketplace.core import clock
from marketplace.core.database import db
from marketplace.core.errors import ConflictError
from marketplace.core.facts import record_fact
from marketplace.core.jobs import Payload, enqueue, job_handler
from marketplace.core.locks import lock_row
from marketplace.core.mail import send_mail
from marketplace.core.once import insert_if_new
from marketplace.identity import queries as identity
from marketplace.identity.events import member_gone, organization_changed
from marketplace.identity.models import (
    Membership,
    Organization,
    OrganizationKind,
    Role,
    User,
    UserSession,
)
from marketplace.identity.services.members import lock_members
from marketplace.identity.slugs import free_slug, slug_base
from marketplace.program.policy.live import current_policy
from marketplace.program.standing.joining import join
from marketplace.program.standing.reading import entitlement

SEATS = "student_seats"
# Schools whose policy says nothing have none.
MOST_SEATS = 100_000
LAB_TYPE = "developer"
# Why a lab is suspended while its seat gives nothing; nobody else suspends with these words.
CLOSED = "The student’s seat is closed."
KEEP = "seats.keep"
BATCH = 200


def seats_given(organization_id: int) -> int:
    """How many seats the policy gives to the school."""
    found = entitlement(organization_id, SEATS)
    return min(int(found), MOST_SEATS) if isinstance(found, int) else 0


def take_seat(school: Organization, user: User) -> Seat:
    """Give the person a seat; the one that they have. That they may, the caller has looked at.

    Raises ConflictError when the school is not verified, or has no free seat.
    """
    lock_row(Organization, Organization.id == school.id)
    held_key = f"{school.id}:{user.id}"
    found = db.session.scalar(select(Seat).where(Seat.held_key == held_key))
    if found is not None:
        return found
    if school.verified_at is None:
        raise ConflictError("The school is not verified now; it gives no seats.")
    if queries.count_held(school.id) >= seats_given(school.id):
        raise ConflictError("All seats of the school are taken.")
    seat = Seat(
        public_id=new_public_id("seat"),
        organization_id=school.id,
        user_id=user.id,
        held_key=held_key,
        state=SeatState.ACTIVE,
    )
    db.session.add(seat)
    db.session.flush()
    seat.lab_id = _lab_of(school, user).id
    _open_lab(seat)
    db.session.flush()
    _fact(seat, "seat.taken", user.id)
    return seat


def end_seat(seat: Seat, *, by_user_id: int | None) -> None:
    """Give it back, or take it away; twice is as good as once. The lab is closed, not deleted."""
    locked = lock_row(Seat, Seat.id == seat.id)
    if locked is None or locked.state is SeatState.ENDED:
        return
    locked.state, locked.held_key = SeatState.ENDED, None
    locked.ended_at, locked.ended_by_id = clock.now(), by_user_id
    _close_lab(locked)
    db.session.flush()
    _fact(locked, "seat.ended", by_user_id)
    if by_user_id != locked.user_id:
        _tell(locked, "ended", "Your school has taken your seat back.")


def verification_moved(organization_id: int, what: str) -> None:
    """A school was verified, or is no longer: its seats follow, in a job."""
    if what == "verification":
        enqueue(KEEP, {"organization_id": organization_id}, dedupe_key=f"{KEEP}:{organization_id}")


@job_handler(KEEP)
def keep(payload: Payload) -> None:
    """Freeze the seats of a school that is not verified, thaw those of one that is: a batch, and
    a job for the next."""
    school = db.session.get(Organization, int(payload["organization_id"]))
    if school is None:
        return
    verified = school.verified_at is not None
    state = SeatState.FROZEN if verified else SeatState.ACTIVE
    ids = queries.held_ids(school.id, state, BATCH)
    for seat_id in ids:
        locked = lock_row(Seat, Seat.id == seat_id)
        if locked is None or locked.state is not state:
            continue
        if verified:
            _thaw(locked)
        else:
            _freeze(locked)
    if len(ids) == BATCH:
        enqueue(KEEP, {"organization_id": school.id})


def _freeze(seat: Seat) -> None:
    seat.state, seat.frozen_at = SeatState.FROZEN, clock.now()
    _close_lab(seat)
    db.session.flush()
    _fact(seat, "seat.frozen", None)
    _tell(
        seat,
        "is frozen",
        "Your school is not verified any more. Nothing is lost: your seat comes back as it was "
        "when the school is verified again.",
    )


def _thaw(seat: Seat) -> None:
    seat.state, seat.frozen_at = SeatState.ACTIVE, None
    _open_lab(seat)
    db.session.flush()
    _fact(seat, "seat.thawed", None)
    _tell(seat, "is back", "Your school is verified again.")


def _lab_of(school: Organization, user: User) -> Organization:
    """The lab that the person had from this school, or a new one in the program."""
    lab = db.session.scalar(
        select(Organization)
        .join(Seat, Seat.lab_id == Organization.id)
        .where(Seat.organization_id == school.id, Seat.user_id == user.id)
        .order_by(Seat.id.desc())
        .limit(1)
    )
    if lab is not None:
        return lab
    # A lab may be seen by others: it names neither the student nor the school.
    name = f"Student lab {secrets.token_hex(4)}"
    lab = Organization(
        name=name,
        slug=free_slug(name, identity.slugs_like(slug_base(name))),
        kind=OrganizationKind.PARTNER,
        partner_type=LAB_TYPE,
    )
    db.session.add(lab)
    db.session.flush()
    live = current_policy()
    if live is not None and live.policy.type(LAB_TYPE) is not None:
        join(lab, by_user_id=user.id)
    return lab


def _open_lab(seat: Seat) -> None:
    lab = db.session.get(Organization, seat.lab_id)
    if lab is not None and lab.suspended_reason == CLOSED:
        lab.suspended_at = lab.suspended_reason = None
        db.session.flush()
        organization_changed(lab.id)
    insert_if_new(
        Membership,
        user_id=seat.user_id,
        organization_id=seat.lab_id,
        role=Role.OWNER,
        created_at=clock.now(),
    )


def _close_lab(seat: Seat) -> None:
    """Nobody acts for the lab while the seat gives nothing, and its keys open nothing."""
    if seat.lab_id is None:
        return
    lock_members(seat.lab_id)
    for session in db.session.scalars(
        select(UserSession).where(UserSession.organization_id == seat.lab_id)
    ):
        session.organization_id = None
    members = db.session.scalars(
        select(Membership).where(Membership.organization_id == seat.lab_id)
    ).all()
    for membership in members:
        db.session.delete(membership)
    for invitation in identity.open_invitations(seat.lab_id):
        invitation.revoked_at = clock.now()
    lab = db.session.get_one(Organization, seat.lab_id)
    if lab.suspended_at is None:
        lab.suspended_at, lab.suspended_reason = clock.now(), CLOSED
    db.session.flush()
    for membership in members:
        member_gone(seat.lab_id, membership.user_id)
    organization_changed(seat.lab_id)


def _fact(seat: Seat, kind: str, by_user_id: int | None) -> None:
    record_fact(
        kind,
        subject=("seat", seat.id),
        actor_user_id=by_user_id,
        organization_id=seat.organization_id,
    )


def _tell(seat: Seat, what: str, text: str) -> None:
    person, school = seat.user, seat.organization
    if person.email:
        site = str(current_app.config["SITE_NAME"])
        send_mail(
            person.email,
            f"Your seat at {school.name} {what}",
            f"Hello {person.name},\n\n{text}\n\n{current_app.config['PUBLIC_URL']}/seats\n\n{site}",
        )
