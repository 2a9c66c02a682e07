"""A partner's contacts: who is there, writing to them, meetings, conversations."""

from flask import flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from marketplace.core.database import db
from marketplace.core.errors import ConflictError, InvalidError
from marketplace.core.limits import limiter
from marketplace.core.pagination import page_number
from marketplace.core.permissions import current_actor, needs
from marketplace.identity.forms import show_errors
from marketplace.identity.models import Organization, User
from marketplace.program.contacts import queries, reading, texts
from marketplace.program.contacts.entitled import has_sponsor, refuse_without_sponsor
from marketplace.program.contacts.forms import BookingForm, MessageForm, ReplyForm
from marketplace.program.contacts.models import ContactRequest, ContactRole, RequestKind
from marketplace.program.contacts.services import conversations, managers, meetings
from marketplace.program.contacts.services.conversations import Asker, Wish
from marketplace.program.contacts.views.blueprints import contacts

ROLE = f"<any({', '.join(role.value for role in ContactRole)}):contact_role>"
_ONE = "/partner/contacts/requests/<contact_request_id>"
_TAKE_PART = needs("contact_request.take_part", load=queries.find_request, name="found")


def own_partner() -> Organization:
    """The partner that is acted for."""
    return db.session.get_one(Organization, current_actor().organization_id)


@contacts.get("/partner/contacts")
@needs("contacts.use")
def index() -> ResponseReturnValue:
    """Who is there for the partner, and what was written."""
    organization = own_partner()
    page = queries.page_of_partner(organization.id, page_number(request.args.get("page")))
    manager = managers.find_manager(organization.id)
    return render_template(
        "contacts/index.html",
        contacts=reading.contacts_for(organization.id, organization.country),
        page=page,
        people=queries.names_of_people(
            [row.user_id for row in page.items] + ([manager.user_id] if manager else [])
        ),
        meetings=meetings.meetings_ahead(organization),
        manager=manager,
        manager_state=managers.manager_state(organization.id).value,
        texts=texts,
        roles=[
            role
            for role in ContactRole
            if role is not ContactRole.EXECUTIVE_SPONSOR or has_sponsor(organization.id)
        ],
    )


@contacts.get(f"/partner/contacts/{ROLE}/message")
@needs("contacts.use")
def message_new(contact_role: str) -> ResponseReturnValue:
    """The form of a message."""
    return _message_page(_reached(contact_role), MessageForm(formdata=None))


@contacts.post(f"/partner/contacts/{ROLE}/message")
@needs("contacts.use")
@limiter.limit("30 per hour", key_func=lambda: f"user:{current_actor().user_id}")
def message_send(contact_role: str) -> ResponseReturnValue:
    """Write to the contact of a role; to an executive sponsor it is an escalation."""
    role, form = _reached(contact_role), MessageForm()
    if not form.validate():
        return _message_page(role, form), 422
    escalates = role is ContactRole.EXECUTIVE_SPONSOR
    kind = RequestKind.ESCALATION if escalates else RequestKind.MESSAGE
    wish = Wish(
        kind,
        role,
        form.subject.data or "",
        form.body.data or "",
        form_key=form.form_key.data or "",
    )
    try:
        found = conversations.begin(wish, _asker())
    except InvalidError as error:
        return _message_page(role, form, show_errors(form, error)), 422
    flash("Escalated. Your sponsor must answer." if escalates else "Sent.", "success")
    return _to(found)


@contacts.get(f"/partner/contacts/{ROLE}/meeting")
@needs("contacts.use")
def meeting_new(contact_role: str) -> ResponseReturnValue:
    """The form of a meeting."""
    return _meeting_page(_reached(contact_role), BookingForm(formdata=None))


@contacts.post(f"/partner/contacts/{ROLE}/meeting")
@needs("contacts.use")
@limiter.limit("20 per hour", key_func=lambda: f"user:{current_actor().user_id}")
def meeting_ask(contact_role: str) -> ResponseReturnValue:
    """Propose times for a meeting."""
    role, form = _reached(contact_role), BookingForm()
    if not form.validate():
        return _meeting_page(role, form), 422
    try:
        slots = meetings.check_slots(form.slots())
        wish = Wish(
            RequestKind.BOOKING,
            role,
            form.subject.data or "",
            form.body.data or "I would like to meet.",
            slots,
            form.length(),
            form.form_key.data or "",
        )
        found = conversations.begin(wish, _asker())
    except InvalidError as error:
        fields = {("first" if key == "slots" else key): text for key, text in error.fields.items()}
        return _meeting_page(role, form, show_errors(form, InvalidError(fields))), 422
    flash("Asked. You get an entry for your calendar once a time is agreed.", "success")
    return _to(found)


@contacts.get(_ONE)
@_TAKE_PART
def conversation(found: ContactRequest) -> ResponseReturnValue:
    """One conversation."""
    return conversation_page(found, ReplyForm(formdata=None))


@contacts.post(f"{_ONE}/reply")
@_TAKE_PART
@limiter.limit("60 per hour", key_func=lambda: f"user:{current_actor().user_id}")
def conversation_reply(found: ContactRequest) -> ResponseReturnValue:
    """Write again."""
    form = ReplyForm()
    if not form.validate():
        return conversation_page(found, form), 422
    try:
        conversations.reply(
            found,
            form.body.data or "",
            user=_person(),
            is_staff=False,
            form_key=form.form_key.data or "",
        )
    except InvalidError as error:
        return conversation_page(found, form, show_errors(form, error)), 422
    flash("Sent.", "success")
    return _to(found)


@contacts.post(f"{_ONE}/closing")
@_TAKE_PART
def conversation_close(found: ContactRequest) -> ResponseReturnValue:
    """Close it: it is solved."""
    if conversations.close(found, user_id=current_actor().user_id, is_staff=False):
        flash("Closed. Writing again opens it.", "success")
    return _to(found)


@contacts.get(f"{_ONE}/cancellation")
@_TAKE_PART
def meeting_canceling(found: ContactRequest) -> ResponseReturnValue:
    """Ask once more."""
    return render_template("contacts/cancellation.html", found=found)


@contacts.post(f"{_ONE}/cancellation")
@_TAKE_PART
def meeting_cancel(found: ContactRequest) -> ResponseReturnValue:
    """Cancel a meeting; the contact is told."""
    actor = current_actor()
    try:
        if meetings.cancel(found, user_id=actor.user_id, by=actor.name):
            flash("Canceled. Both calendars are told.", "success")
    except ConflictError as error:
        flash(error.detail, "warning")
    return _to(found)


def conversation_page(
    found: ContactRequest, form: ReplyForm, extra: list[str] | None = None
) -> str:
    """The page of a conversation for the partner."""
    messages = queries.messages_of(found)
    return render_template(
        "contacts/conversation.html",
        found=found,
        messages=messages,
        people=queries.names_of_people(
            [found.user_id, found.away_user_id, *(each.author_id for each in messages)]
        ),
        slots=meetings.slots_of(found),
        form=form,
        extra=extra or [],
        texts=texts,
    )


def _reached(name: str) -> ContactRole:
    """The role of the address. Raises NoSponsorError for a sponsor that the partner has not."""
    role = ContactRole(name)
    if role is ContactRole.EXECUTIVE_SPONSOR:
        refuse_without_sponsor(own_partner().id)
    return role


def _contact(role: ContactRole) -> reading.Contact:
    organization = own_partner()
    return reading.contact_for(
        role.value, organization_id=organization.id, country=organization.country
    )


def _message_page(role: ContactRole, form: MessageForm, extra: list[str] | None = None) -> str:
    return render_template(
        "contacts/message.html",
        role=role,
        contact=_contact(role),
        form=form,
        extra=extra or [],
        texts=texts,
    )


def _meeting_page(role: ContactRole, form: BookingForm, extra: list[str] | None = None) -> str:
    return render_template(
        "contacts/meeting.html",
        role=role,
        contact=_contact(role),
        form=form,
        extra=extra or [],
        timezone=current_actor().timezone,
        texts=texts,
    )


def _asker() -> Asker:
    actor = current_actor()
    return Asker(actor.name, actor.email, actor.user_id, own_partner())


def _person() -> User:
    return db.session.get_one(User, current_actor().user_id)


def _to(found: ContactRequest) -> ResponseReturnValue:
    return redirect(url_for("contacts.conversation", contact_request_id=found.public_id), code=303)
