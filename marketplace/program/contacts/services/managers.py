"""A partner's own program manager: naming, confirming, and what a departure does."""

from datetime import datetime

from sqlalchemy import select

from marketplace.core import clock
from marketplace.core.database import db
from marketplace.core.errors import ConflictError, InvalidError
from marketplace.core.facts import record_fact
from marketplace.core.locks import lock_row
from marketplace.core.once import insert_if_new
from marketplace.identity import queries as identity
from marketplace.identity.models import Organization
from marketplace.program.contacts import manager_mails
from marketplace.program.contacts.manager_state import (
    GRACE,
    QUARTER,
    REPLACE_WITHIN,
    Facts,
    ManagerState,
    state_at,
    steps_of_level,
)
from marketplace.program.contacts.models import ProgramManager
from marketplace.program.measures import Measure, measure


def find_manager(organization_id: int) -> ProgramManager | None:
    """The partner's row."""
    return db.session.scalar(
        select(ProgramManager).where(ProgramManager.organization_id == organization_id)
    )


def facts_of(row: ProgramManager | None) -> Facts | None:
    """What the state is decided by."""
    if row is None:
        return None
    return Facts(row.confirmed_at, row.confirm_by, row.departed_at, row.ends_at)


def manager_state(organization_id: int, at: datetime | None = None) -> ManagerState:
    """Where a partner's requirement stands."""
    return state_at(facts_of(find_manager(organization_id)), at or clock.now())


def name_manager(
    organization: Organization, user_id: int, *, by_user_id: int | None
) -> ProgramManager:
    """Name a member; the person is asked by mail to confirm.

    While somebody before them is confirmed, that counts for fourteen more days at most. Raises
    InvalidError (field member) for somebody who is no member.
    """
    membership = identity.find_membership(organization.id, user_id)
    if membership is None:
        raise InvalidError({"member": "Choose a member of your organization."})
    now = clock.now()
    insert_if_new(
        ProgramManager,
        organization_id=organization.id,
        user_id=user_id,
        named_at=now,
        named_by_id=by_user_id,
        edition=0,
    )
    row = _hold(organization.id)
    if row.user_id == user_id and row.departed_at is None and row.confirmed_at is not None:
        return row
    if row.user_id != user_id or row.departed_at is not None:
        if row.ends_at is not None and row.ends_at > now:
            _end_at(row, min(row.ends_at, now + REPLACE_WITHIN))
        else:
            row.ends_at = None
        row.user_id, row.named_at, row.named_by_id = user_id, now, by_user_id
    row.departed_at = row.confirmed_at = row.confirm_by = None
    row.asked_for = row.warned_for = None
    db.session.flush()
    record_fact(
        "program_manager.named",
        subject=("program_manager", row.id),
        actor_user_id=by_user_id,
        organization_id=organization.id,
        data={"user": user_id},
    )
    manager_mails.ask_to_confirm(membership.user, organization, None)
    return row


def confirm(organization: Organization, user_id: int) -> bool:
    """The named person confirms for another quarter; False when they did so today.

    Raises ConflictError for anybody else.
    """
    row = _hold(organization.id)
    if row.user_id != user_id or row.departed_at is not None:
        raise ConflictError("Only the person who is named can confirm.")
    if identity.find_membership(organization.id, user_id) is None:
        raise ConflictError("Only a member can confirm.")
    now = clock.now()
    if row.confirmed_at is not None and row.confirmed_at.date() == now.date():
        return False
    row.confirmed_at, row.confirm_by = now, now + QUARTER
    row.asked_for = row.warned_for = None
    _end_at(row, now + QUARTER + GRACE)
    db.session.flush()
    record_fact(
        "program_manager.confirmed",
        subject=("program_manager", row.id),
        actor_user_id=user_id,
        organization_id=organization.id,
        data={"edition": row.edition},
    )
    return True


def manager_departed(organization_id: int, user_id: int) -> None:
    """Somebody left the partner; a listener of identity. If they managed the program, it has
    fourteen days to name somebody else who confirms."""
    row = find_manager(organization_id)
    if row is None or row.user_id != user_id:
        return
    row = _hold(organization_id)
    if row.departed_at is not None:
        return
    now = clock.now()
    row.departed_at = now
    if row.ends_at is not None and row.ends_at > now:
        _end_at(row, min(row.ends_at, now + REPLACE_WITHIN))
    db.session.flush()
    record_fact(
        "program_manager.departed",
        subject=("program_manager", row.id),
        organization_id=organization_id,
        data={"user": user_id},
    )
    organization = db.session.get_one(Organization, organization_id)
    manager_mails.tell_of_departure(organization, row.ends_at)


def _end_at(row: ProgramManager, ends_at: datetime) -> None:
    """Move the end of what counts, in the row and in the measurements."""
    row.edition += 1
    for place, (amount, at) in enumerate(steps_of_level(row.measured_until, ends_at, clock.now())):
        measure(
            row.organization_id,
            Measure.MANAGERS,
            amount,
            key=f"{row.id}:{row.edition}:{place}",
            source=("program_manager", row.id),
            at=at,
        )
    row.ends_at = row.measured_until = ends_at


def _hold(organization_id: int) -> ProgramManager:
    row = lock_row(ProgramManager, ProgramManager.organization_id == organization_id)
    if row is None:
        raise ConflictError("Nobody is named.")
    return row
