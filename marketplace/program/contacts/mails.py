"""What partners, visitors and the staff are written about their conversations."""

from flask import current_app

from marketplace.core import clock
from marketplace.core.database import db
from marketplace.core.mail import Attachment, send_mail
from marketplace.identity.models import Role, User
from marketplace.identity.queries import may_write_to, people_to_write
from marketplace.program.contacts.calendar import Meeting, calendar_file
from marketplace.program.contacts.models import ContactRequest, RequestKind
from marketplace.program.contacts.reading import Contact
from marketplace.program.contacts.texts import KINDS, ROLES


def tell_staff_of_request(request: ContactRequest, contact: Contact, who: str, body: str) -> None:
    """Tell the person who has it of a new conversation."""
    kind = KINDS[request.kind]
    due = (
        f"\n\nIt must be answered until {request.due_at:%d %b %Y, %H:%M} UTC."
        if request.due_at
        else ""
    )
    away = f"\n\nYou stand in for {contact.away_name}, who is away." if contact.is_stand_in else ""
    _send(
        contact.name,
        contact.email,
        f"{kind} from {who}: {request.subject}",
        f"{who} wrote to you as {ROLES[request.role].lower()}:\n\n{body}{due}{away}",
        f"/staff/contacts/requests/{request.public_id}",
    )


def tell_asker_of_request(request: ContactRequest, contact: Contact) -> None:
    """Confirm that a conversation began, and who will answer."""
    if contact.is_stand_in:
        until = f" until {contact.away_until:%d %b %Y}" if contact.away_until else ""
        text = (
            f"Your message “{request.subject}” is with {contact.name}. {contact.away_name} is away"
            f"{until}, and {contact.name} answers meanwhile."
        )
    else:
        text = f"Your message “{request.subject}” is with {contact.name}."
    _to_asker(request, f"We have your message: {request.subject}", text)


def tell_asker_of_answer(request: ContactRequest, staff_name: str, body: str) -> None:
    """Send an answer on to the partner or the visitor."""
    _to_asker(
        request,
        f"{staff_name} answered: {request.subject}",
        f"{staff_name} answered:\n\n{body}",
    )


def tell_staff_of_reply(request: ContactRequest, who: str, body: str) -> None:
    """Tell the person who has it that the partner wrote again."""
    _to_staff(request, f"{who} wrote again: {request.subject}", f"{who} wrote:\n\n{body}")


def remind_of_answer(request: ContactRequest) -> None:
    """Remind the person who has a conversation that the answer is overdue."""
    due = f"{request.due_at:%d %b %Y, %H:%M} UTC" if request.due_at else ""
    _to_staff(
        request,
        f"Overdue: {request.subject}",
        f"This had to be answered until {due}."
        + (" Governance shows it as overdue." if request.kind is RequestKind.ESCALATION else ""),
    )


def tell_of_move(request: ContactRequest, contact: Contact, why: str) -> None:
    """Tell both sides that somebody else has the conversation now."""
    _to_asker(
        request,
        f"{contact.name} looks after this now: {request.subject}",
        f"{why} “{request.subject}” goes on with {contact.name}; nothing of it is lost.",
    )
    _send(
        contact.name,
        contact.email,
        f"Yours now: {request.subject}",
        f"{why} This conversation is with you now.",
        f"/staff/contacts/requests/{request.public_id}",
    )


def tell_of_assignment(
    people: list[User], role_label: str, contact: Contact, organization_name: str
) -> None:
    """Tell a partner who is there for it from now on."""
    for person in people:
        _send(
            person.name,
            person.email or "",
            f"{contact.name} is your {role_label.lower()} now",
            f"{contact.name} is {role_label.lower()} of {organization_name} from now on. What is "
            "open goes on with them.",
            "/partner/contacts",
        )


def send_meeting(request: ContactRequest, text: str, *, is_canceled: bool = False) -> None:
    """Send the meeting to both sides' calendars."""
    staff = db.session.get(User, request.user_id) if request.user_id else None
    askers = _askers(request)
    if request.agreed_at is None or staff is None or not askers:
        return
    site = str(current_app.config["SITE_NAME"])
    meeting = Meeting(
        uid=f"{request.public_id}@{current_app.config['PUBLIC_URL'].partition('://')[2]}",
        sequence=request.sequence,
        starts_at=request.agreed_at,
        minutes=request.minutes or 30,
        summary=request.subject,
        description=f"{askers[0][0]} and {staff.name}, {site}",
        organizer=(staff.name, staff.email or ""),
        attendee=askers[0],
        is_canceled=is_canceled,
    )
    file = Attachment(
        "meeting.ics",
        f"text/calendar; method={meeting.method}; charset=utf-8",
        calendar_file(meeting, stamp=clock.now()),
    )
    subject = f"{'Canceled' if is_canceled else 'Meeting'}: {request.subject}"
    for asker in askers:
        _send(*asker, subject, text, f"/partner/contacts/requests/{request.public_id}", file)
    _send(
        staff.name,
        staff.email or "",
        subject,
        text,
        f"/staff/contacts/requests/{request.public_id}",
        file,
    )


def _askers(request: ContactRequest) -> list[tuple[str, str]]:
    """Name and address of whoever began it. Once they have left the organization whose
    conversation it is, its owners and admins."""
    if request.created_by_id is None:
        return [(request.name, request.email)] if request.email else []
    user = db.session.get(User, request.created_by_id)
    own = request.organization_id
    if user is not None and user.email and user.deactivated_at is None:
        if own is None or may_write_to(user, own):
            return [(user.name, user.email)]
    if own is None:
        return []
    return [
        (each.name, each.email)
        for each in people_to_write(own, (Role.OWNER, Role.ADMIN))
        if each.email
    ]


def _to_asker(request: ContactRequest, subject: str, text: str) -> None:
    is_visitor = request.created_by_id is None
    path = "/contact" if is_visitor else f"/partner/contacts/requests/{request.public_id}"
    ending = "\n\nTo answer, write to us again:" if is_visitor else ""
    for asker in _askers(request):
        _send(*asker, subject, text + ending, path)


def _to_staff(request: ContactRequest, subject: str, text: str) -> None:
    staff = db.session.get(User, request.user_id) if request.user_id else None
    if staff is not None:
        path = f"/staff/contacts/requests/{request.public_id}"
        _send(staff.name, staff.email or "", subject, text, path)


def _send(name: str, address: str, subject: str, text: str, path: str, *files: Attachment) -> None:
    if not address:
        return
    site = str(current_app.config["SITE_NAME"])
    link = f"{current_app.config['PUBLIC_URL']}{path}"
    send_mail(address, subject, f"Hello {name},\n\n{text}\n\n{link}\n\n{site}\n", attachments=files)
