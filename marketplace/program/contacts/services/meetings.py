"""Meetings: a partner proposes times, the person accepts one or moves it, either side cancels."""

from collections.abc import Sequence
from datetime import datetime, timedelta

from sqlalchemy import select

from marketplace.core import clock
from marketplace.core.database import db
from marketplace.core.errors import ConflictError, InvalidError
from marketplace.core.facts import record_fact
from marketplace.identity.models import Organization
from marketplace.program.contacts import mails
from marketplace.program.contacts.models import (
    ContactRequest,
    ContactSlot,
    RequestKind,
    RequestState,
)
from marketplace.program.contacts.services.conversations import hold, note

LENGTHS = (15, 30, 45, 60)
FARTHEST = timedelta(days=180)
MOST_SLOTS = 3


def slots_of(request: ContactRequest) -> list[datetime]:
    """The proposed times, the earliest first."""
    return list(
        db.session.scalars(
            select(ContactSlot.starts_at)
            .where(ContactSlot.request_id == request.id)
            .order_by(ContactSlot.starts_at)
        )
    )


def check_slots(slots: Sequence[datetime]) -> list[datetime]:
    """The times without repeats, the earliest first. Raises InvalidError (field slots)."""
    now = clock.now()
    wanted = sorted(set(slots))
    if not wanted:
        raise InvalidError({"slots": "Propose at least one time."})
    if wanted[0] <= now:
        raise InvalidError({"slots": "Propose times that are still to come."})
    if wanted[-1] > now + FARTHEST:
        raise InvalidError({"slots": "Propose times within the next six months."})
    return wanted[:MOST_SLOTS]


def agree(request: ContactRequest, at: datetime, *, user_id: int | None) -> bool:
    """The staff accepts a proposed time, or sets another one: both sides get it for their
    calendars. False when it is agreed already.

    Raises InvalidError (field slots) for a time that has passed, ConflictError for a canceled
    meeting.
    """
    held = hold(request)
    if held.kind is not RequestKind.BOOKING:
        raise ConflictError("This is no meeting.")
    if held.canceled_at is not None:
        raise ConflictError("The meeting was canceled.")
    if held.agreed_at == at:
        return False
    check_slots([at])
    is_new = held.agreed_at is None
    if not is_new:
        held.sequence += 1
    proposed = at in slots_of(held)
    held.agreed_at, held.state = at, RequestState.ANSWERED
    held.answered_at = held.answered_at or clock.now()
    held.updated_at = clock.now()
    verb = "set for" if is_new and proposed else "moved to"
    text = f"The meeting is {verb} {at:%d %b %Y, %H:%M} UTC."
    note(held, text)
    mails.send_meeting(held, text)
    record_fact(
        "meeting.agreed" if is_new else "meeting.moved",
        subject=("contact_request", held.id),
        actor_user_id=user_id,
        organization_id=held.organization_id,
        data={"at": at.isoformat()},
    )
    db.session.flush()
    return True


def cancel(request: ContactRequest, *, user_id: int | None, by: str) -> bool:
    """Cancel a meeting; False when it was canceled. `by`: a name. Raises ConflictError."""
    held = hold(request)
    if held.kind is not RequestKind.BOOKING:
        raise ConflictError("This is no meeting.")
    if held.canceled_at is not None:
        return False
    if held.agreed_at is not None and held.agreed_at < clock.now():
        raise ConflictError("The meeting has begun already.")
    held.canceled_at = held.updated_at = clock.now()
    held.state = RequestState.CLOSED
    held.sequence += 1
    text = f"{by} canceled the meeting."
    note(held, text)
    if held.agreed_at is not None:
        mails.send_meeting(held, text, is_canceled=True)
    record_fact(
        "meeting.canceled",
        subject=("contact_request", held.id),
        actor_user_id=user_id,
        organization_id=held.organization_id,
    )
    db.session.flush()
    return True


def meetings_ahead(organization: Organization) -> list[ContactRequest]:
    """The agreed meetings of a partner that are still to come, the next one first."""
    return list(
        db.session.scalars(
            select(ContactRequest)
            .where(
                ContactRequest.organization_id == organization.id,
                ContactRequest.agreed_at > clock.now(),
                ContactRequest.canceled_at.is_(None),
            )
            .order_by(ContactRequest.agreed_at)
            .limit(5)
        )
    )
