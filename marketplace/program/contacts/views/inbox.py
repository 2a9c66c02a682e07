"""The staff's inbox: conversations, answers, meetings, handing over."""

from flask import flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from marketplace.core.database import db
from marketplace.core.errors import ConflictError, InvalidError
from marketplace.core.pagination import page_number
from marketplace.core.permissions import current_actor, needs
from marketplace.identity.forms import choices_of, show_errors
from marketplace.identity.models import User
from marketplace.program.applications.words import line
from marketplace.program.contacts import queries, texts
from marketplace.program.contacts.forms import AgreeForm, ContactMadeForm, HandOverForm, ReplyForm
from marketplace.program.contacts.models import (
    ContactRequest,
    ContactRole,
    RequestKind,
    RequestState,
)
from marketplace.program.contacts.reading import staffing
from marketplace.program.contacts.services import assigning, conversations, meetings
from marketplace.program.contacts.views.blueprints import contacts_staff

_ONE = "/staff/contacts/requests/<contact_request_id>"
_ANSWER = needs("contact_request.answer", load=queries.find_request, name="found")


@contacts_staff.get("/staff/contacts/requests")
@needs("contact_requests.answer")
def inbox() -> ResponseReturnValue:
    """What is with the signed-in person, or with everybody."""
    actor = current_actor()
    may_all = actor.can("contacts.manage")
    everybody = may_all and request.args.get("whose") == "all"
    chosen = request.args.get("state", "")
    state = RequestState(chosen) if chosen in set(RequestState) else None
    text = line(request.args.get("q"))[:80]
    page = queries.page_of_inbox(
        actor.user_id or 0,
        everybody=everybody,
        state=state,
        text=text,
        page=page_number(request.args.get("page")),
    )
    return render_template(
        "contacts/inbox.html",
        page=page,
        organizations=queries.organizations_by_id(row.organization_id for row in page.items),
        people=queries.names_of_people(row.user_id for row in page.items),
        may_all=may_all,
        everybody=everybody,
        state=state.value if state else "",
        text=text,
        texts=texts,
        states=RequestState,
    )


@contacts_staff.get(_ONE)
@_ANSWER
def staff_conversation(found: ContactRequest) -> ResponseReturnValue:
    """One conversation."""
    return _page(found)


@contacts_staff.post(f"{_ONE}/reply")
@_ANSWER
def staff_reply(found: ContactRequest) -> ResponseReturnValue:
    """Answer; the partner gets it by mail too."""
    form = ReplyForm()
    if not form.validate():
        return _page(found, reply=form), 422
    person = db.session.get_one(User, current_actor().user_id)
    try:
        conversations.reply(
            found,
            form.body.data or "",
            user=person,
            is_staff=True,
            form_key=form.form_key.data or "",
        )
    except InvalidError as error:
        return _page(found, reply=form, extra=show_errors(form, error)), 422
    flash("Answered.", "success")
    return _to(found)


@contacts_staff.post(f"{_ONE}/closing")
@_ANSWER
def staff_close(found: ContactRequest) -> ResponseReturnValue:
    """Close it."""
    try:
        if conversations.close(found, user_id=current_actor().user_id, is_staff=True):
            flash("Closed.", "success")
    except ConflictError as error:
        flash(error.detail, "warning")
    return _to(found)


@contacts_staff.post(f"{_ONE}/meeting")
@_ANSWER
def staff_agree(found: ContactRequest) -> ResponseReturnValue:
    """Accept a proposed time, or set another one."""
    form = AgreeForm()
    at = form.chosen() if form.validate() else None
    if at is None:
        form.other.errors = [*form.other.errors, "Choose a time."]
        return _page(found, agree=form), 422
    try:
        if meetings.agree(found, at, user_id=current_actor().user_id):
            flash("Agreed. Both sides get it for their calendars.", "success")
    except InvalidError as error:
        form.other.errors = [*form.other.errors, *error.fields.values()]
        return _page(found, agree=form), 422
    except ConflictError as error:
        flash(error.detail, "warning")
    return _to(found)


@contacts_staff.get(f"{_ONE}/cancellation")
@_ANSWER
def staff_canceling(found: ContactRequest) -> ResponseReturnValue:
    """Ask once more."""
    return render_template("contacts/staff_cancellation.html", found=found)


@contacts_staff.post(f"{_ONE}/cancellation")
@_ANSWER
def staff_cancel(found: ContactRequest) -> ResponseReturnValue:
    """Cancel the meeting."""
    actor = current_actor()
    try:
        if meetings.cancel(found, user_id=actor.user_id, by=actor.name):
            flash("Canceled. Both calendars are told.", "success")
    except ConflictError as error:
        flash(error.detail, "warning")
    return _to(found)


@contacts_staff.post(f"{_ONE}/handing-over")
@_ANSWER
def staff_hand_over(found: ContactRequest) -> ResponseReturnValue:
    """Give it to somebody else."""
    form = HandOverForm()
    actor = current_actor()
    try:
        assigning.hand_over(found, number_of(form.person.data), by_user_id=actor.user_id)
    except InvalidError as error:
        return _page(found, hand_over=form, extra=show_errors(form, error)), 422
    flash("Handed over. Both are told.", "success")
    if actor.can("contact_request.answer", found):
        return _to(found)
    return redirect(url_for("contacts_staff.inbox"), code=303)


@contacts_staff.post(f"{_ONE}/contact")
@_ANSWER
def staff_note_contact(found: ContactRequest) -> ResponseReturnValue:
    """Write down that one spoke with the partner by other means."""
    form = ContactMadeForm()
    organization = queries.organizations_by_id([found.organization_id]).get(
        found.organization_id or 0
    )
    if organization is None or not form.validate():
        return _page(found), 422
    assigning.note_contact(
        organization, found.role, current_actor().user_id or 0, line(form.note.data)
    )
    flash("Noted.", "success")
    return _to(found)


def number_of(value: str | None) -> int:
    """An id that a select sent; 0 for none."""
    text = value or ""
    return int(text) if text.isascii() and text.isdigit() and len(text) < 19 else 0


def people_choices(empty: str) -> list[tuple[str, str]]:
    """The staff for a select, by name."""
    people = sorted(staffing().staff.values(), key=lambda each: (each.name.lower(), each.user_id))
    return [("", empty), *((str(each.user_id), each.name) for each in people)]


def _page(
    found: ContactRequest,
    *,
    reply: ReplyForm | None = None,
    agree: AgreeForm | None = None,
    hand_over: HandOverForm | None = None,
    extra: list[str] | None = None,
) -> str:
    messages = queries.messages_of(found)
    hand_over = hand_over or HandOverForm(formdata=None)
    hand_over.person.choices = choices_of(people_choices("Choose one"))
    organization = queries.organizations_by_id([found.organization_id]).get(
        found.organization_id or 0
    )
    is_sponsor = found.role is ContactRole.EXECUTIVE_SPONSOR and organization is not None
    return render_template(
        "contacts/staff_conversation.html",
        found=found,
        organization=organization,
        messages=messages,
        people=queries.names_of_people(
            [
                found.user_id,
                found.away_user_id,
                found.created_by_id,
                *(each.author_id for each in messages),
            ]
        ),
        slots=meetings.slots_of(found) if found.kind is RequestKind.BOOKING else [],
        reply=reply or ReplyForm(formdata=None),
        agree=agree or AgreeForm(formdata=None),
        hand_over=hand_over,
        made=queries.last_contacts(organization.id) if is_sponsor and organization else [],
        made_form=ContactMadeForm(formdata=None) if is_sponsor else None,
        extra=extra or [],
        texts=texts,
        timezone=current_actor().timezone,
    )


def _to(found: ContactRequest) -> ResponseReturnValue:
    return redirect(
        url_for("contacts_staff.staff_conversation", contact_request_id=found.public_id), code=303
    )
