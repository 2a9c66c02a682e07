"""Beginning a conversation, answering in it, closing it. All of it flushes."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime

from sqlalchemy import select

from marketplace.core import clock
from marketplace.core.database import db
from marketplace.core.errors import ConflictError, InvalidError, NotFoundError
from marketplace.core.facts import record_fact
from marketplace.core.locks import lock_row
from marketplace.core.once import id_of_form, insert_if_new
from marketplace.identity.models import Organization, User
from marketplace.program.applications.words import line, paragraphs
from marketplace.program.contacts import mails
from marketplace.program.contacts.entitled import answer_within, refuse_without_sponsor
from marketplace.program.contacts.models import (
    ContactMessage,
    ContactRequest,
    ContactRole,
    ContactSlot,
    RequestKind,
    RequestState,
)
from marketplace.program.contacts.reading import contact_for

MOST_SUBJECT, MOST_BODY = 120, 5_000


@dataclass(frozen=True)
class Wish:
    """What somebody writes. `slots` and `minutes` are of a booking. `form_key`: what is sent again
    by the same form begins nothing more."""

    kind: RequestKind
    role: ContactRole
    subject: str
    body: str
    slots: Sequence[datetime] = field(default=())
    minutes: int | None = None
    form_key: str = ""


@dataclass(frozen=True)
class Asker:
    """Who writes: somebody of a partner, or a visitor with an address."""

    name: str
    email: str
    user_id: int | None = None
    organization: Organization | None = None
    country: str | None = None


def begin(wish: Wish, asker: Asker) -> ContactRequest:
    """Begin a conversation with whoever is there for the asker; both are told by mail.

    Raises InvalidError (fields subject, body), NoSponsorError when a partner writes to an executive
    sponsor that it does not have.
    """
    subject, body = line(wish.subject), paragraphs(wish.body)
    errors = {}
    if not subject or len(subject) > MOST_SUBJECT:
        errors["subject"] = f"Use 1 to {MOST_SUBJECT} characters."
    errors |= _body_errors(body)
    if errors:
        raise InvalidError(errors)
    organization = asker.organization
    if organization is not None and wish.role is ContactRole.EXECUTIVE_SPONSOR:
        refuse_without_sponsor(organization.id)
    country = organization.country if organization else asker.country
    contact = contact_for(
        wish.role.value, organization_id=organization.id if organization else None, country=country
    )
    now = clock.now()
    organization_id = organization.id if organization else None
    within = answer_within(wish.kind, organization_id)
    public_id = id_of_form(
        "con",
        wish.form_key,
        asker.user_id or asker.email,
        organization_id,
        country,
        wish.role.value,
        subject,
        body,
        *wish.slots,
    )
    request_id = insert_if_new(
        ContactRequest,
        public_id=public_id,
        kind=wish.kind,
        state=RequestState.WAITING,
        role=wish.role,
        subject=subject,
        organization_id=organization_id,
        created_by_id=asker.user_id if organization else None,
        name=asker.name,
        email=asker.email,
        country=country,
        user_id=contact.user_id,
        away_user_id=contact.away_user_id if contact.is_stand_in else None,
        created_at=now,
        updated_at=now,
        due_at=now + within if within else None,
        minutes=wish.minutes,
    )
    request = db.session.scalars(
        select(ContactRequest).where(ContactRequest.public_id == public_id)
    ).one()
    if request_id is None:
        return request
    db.session.add_all(
        [
            ContactMessage(request_id=request.id, author_id=asker.user_id, body=body, at=now),
            *(ContactSlot(request_id=request.id, starts_at=each) for each in wish.slots),
        ]
    )
    if contact.is_stand_in:
        note(request, f"{contact.away_name} is away. {contact.name} answers meanwhile.")
    record_fact(
        "contact_request.begun",
        subject=("contact_request", request.id),
        actor_user_id=asker.user_id,
        organization_id=request.organization_id,
        data={"kind": wish.kind.value, "role": wish.role.value},
    )
    who = f"{asker.name} ({organization.name})" if organization else asker.name
    if not organization:
        who = f"{asker.name} <{asker.email}>"
    mails.tell_staff_of_request(request, contact, who, body)
    mails.tell_asker_of_request(request, contact)
    db.session.flush()
    return request


def reply(
    request: ContactRequest, body: str, *, user: User, is_staff: bool, form_key: str = ""
) -> None:
    """Write in a conversation: of a form, once. A partner's words open a closed one again, and
    start the clock anew where an answer is promised. Raises InvalidError (field body)."""
    text = paragraphs(body)
    errors = _body_errors(text)
    if errors:
        raise InvalidError(errors)
    held = hold(request)
    form_id = id_of_form("msg", form_key, held.id, user.id, text)
    if db.session.scalar(select(ContactMessage.id).where(ContactMessage.form_id == form_id)):
        return
    now = clock.now()
    if is_staff:
        held.state = RequestState.ANSWERED
        held.answered_at = now
        mails.tell_asker_of_answer(held, user.name, text)
    else:
        within = answer_within(held.kind, held.organization_id)
        if within is not None and held.answered_at is not None:
            held.due_at, held.answered_at = now + within, None
        held.state = RequestState.WAITING
        mails.tell_staff_of_reply(held, user.name, text)
    held.updated_at = now
    db.session.add(
        ContactMessage(
            request_id=held.id,
            author_id=user.id,
            is_staff=is_staff,
            body=text,
            at=now,
            form_id=form_id,
        )
    )
    record_fact(
        "contact_request.answered" if is_staff else "contact_request.continued",
        subject=("contact_request", held.id),
        actor_user_id=user.id,
        organization_id=held.organization_id,
    )
    db.session.flush()


def close(request: ContactRequest, *, user_id: int | None, is_staff: bool) -> bool:
    """Close a conversation; False when it was closed. Raises ConflictError for an escalation that
    the staff has not answered."""
    held = hold(request)
    if held.state is RequestState.CLOSED:
        return False
    if is_staff and held.kind is RequestKind.ESCALATION and held.answered_at is None:
        raise ConflictError("An escalation is answered before it is closed.")
    held.state, held.updated_at = RequestState.CLOSED, clock.now()
    record_fact(
        "contact_request.closed",
        subject=("contact_request", held.id),
        actor_user_id=user_id,
        organization_id=held.organization_id,
    )
    db.session.flush()
    return True


def note(request: ContactRequest, text: str) -> None:
    """Keep what happened among the messages, seen by both sides."""
    db.session.add(ContactMessage(request_id=request.id, is_note=True, body=text, at=clock.now()))


def hold(request: ContactRequest) -> ContactRequest:
    """The row, locked and read anew."""
    held = lock_row(ContactRequest, ContactRequest.id == request.id)
    if held is None:
        raise NotFoundError
    return held


def _body_errors(body: str) -> dict[str, str]:
    if not body:
        return {"body": "Write something."}
    if len(body) > MOST_BODY:
        return {"body": f"Use at most {MOST_BODY:,} characters."}
    return {}
