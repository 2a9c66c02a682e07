"""Partners in a round, as the operator looks after them."""

from typing import Any

from flask import flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from billing.formatting import AmountError, parse_amount
from marketplace.core import clock
from marketplace.core.errors import InvalidError, NotFoundError
from marketplace.core.pagination import page_number
from marketplace.core.permissions import current_actor, needs
from marketplace.core.seen import ChangedMeanwhileError
from marketplace.identity.forms import choices_of
from marketplace.identity.models import Organization
from marketplace.identity.own_partner import refuse_members
from marketplace.program.applications import queries
from marketplace.program.applications.conflicts import conflict_of
from marketplace.program.applications.forms import (
    MentorForm,
    MilestoneForm,
    MoreTimeForm,
    NoteForm,
    end_of,
)
from marketplace.program.applications.mails import tell_mentor_named, tell_milestone_set
from marketplace.program.applications.models import (
    Milestone,
    PlaceState,
    ProgramRound,
    RoundKind,
    RoundPlace,
)
from marketplace.program.applications.services import milestones, places
from marketplace.program.applications.tracking import directions, progress_of
from marketplace.program.applications.views.blueprints import (
    add_error,
    applications_staff,
    show_errors,
    staff_tabs,
)
from marketplace.program.applications.words import line
from marketplace.program.policy.live import current_policy

_PLACE = "/staff/rounds/places/<place_id>"
_MILESTONE = "/staff/rounds/milestones/<milestone_id>"
_READ = needs("rounds.read", load=queries.find_place, name="place")
_MANAGE = needs("rounds.manage", load=queries.find_place, name="place")
_DECIDE = needs("milestone.decide", load=queries.find_milestone, name="milestone")


@applications_staff.get("/staff/rounds/evidence")
@needs("rounds.read")
def evidence() -> ResponseReturnValue:
    """What was handed in across all rounds and waits."""
    page = queries.page_of_evidence(page_number(request.args.get("page")))
    shown = queries.places_by_id(row.place_id for row in page.items)
    return render_template(
        "rounds/evidence.html",
        tabs=staff_tabs("applications_staff.evidence"),
        page=page,
        places=shown,
        rounds=queries.rounds_by_id(each.round_id for each in shown.values()),
        organizations=queries.organizations(each.organization_id for each in shown.values()),
    )


@applications_staff.get(_PLACE)
@_READ
def place(place: RoundPlace) -> ResponseReturnValue:
    """One partner in a round."""
    return _page(place)


@applications_staff.post(f"{_PLACE}/mentor")
@_MANAGE
def name_mentor(place: RoundPlace) -> ResponseReturnValue:
    """Say who mentors it."""
    refuse_members(current_actor().user_id, place.organization_id)
    form = MentorForm()
    typed = line(form.mentor.data)
    number = int(typed) if typed.isascii() and typed.isdigit() and len(typed) < 16 else None
    before = place.mentor_user_id
    try:
        places.name_mentor(
            place,
            -1 if typed and number is None else number,
            by_user_id=current_actor().user_id,
        )
    except InvalidError as error:
        show_errors(form, error)
        return _page(place, mentoring=form), 422
    if place.mentor_user_id not in (before, None):
        tell_mentor_named(place, _round_of(place), _partner_of(place))
    flash("Named." if number else "Nobody mentors it now.", "success")
    return _to(place)


@applications_staff.post(f"{_PLACE}/milestones")
@_MANAGE
def add_milestone(place: RoundPlace) -> ResponseReturnValue:
    """Set a milestone more."""
    refuse_members(current_actor().user_id, place.organization_id)
    form = MilestoneForm()
    valid = form.validate()
    round_ = _round_of(place)
    typed = line(form.amount.data)
    amount = 0
    try:
        amount = parse_amount(typed, round_.currency) if typed else 0
    except AmountError as error:
        add_error(form, "amount", str(error))
        valid = False
    if not valid:
        return _page(place, adding=form), 422
    known = {each.id for each in milestones.milestones_of(place.id)}
    try:
        milestone = milestones.add_milestone(
            place,
            title=form.title.data or "",
            text=form.text.data or "",
            target=form.target.data or "",
            amount=amount,
            due_at=end_of(form.due_on.data),
            by_user_id=current_actor().user_id,
            form_key=form.form_key.data or "",
        )
    except InvalidError as error:
        show_errors(form, error)
        return _page(place, adding=form), 422
    if milestone.id not in known:
        tell_milestone_set(place, round_, milestone)
    flash("Set.", "success")
    return _to(place)


@applications_staff.get(f"{_PLACE}/ending")
@_MANAGE
def ending_place(place: RoundPlace) -> ResponseReturnValue:
    """Ask once more."""
    refuse_members(current_actor().user_id, place.organization_id)
    return render_template(
        "rounds/ending.html",
        place=place,
        organization=_partner_of(place),
    )


@applications_staff.post(f"{_PLACE}/ending")
@_MANAGE
def end_place(place: RoundPlace) -> ResponseReturnValue:
    """Let the partner go."""
    refuse_members(current_actor().user_id, place.organization_id)
    places.end_place(place, by_user_id=current_actor().user_id)
    flash("Ended. What was not paid is back in the budget.", "success")
    return _to(place)


@applications_staff.post(f"{_MILESTONE}/acceptance")
@_DECIDE
def accept_milestone(milestone: Milestone) -> ResponseReturnValue:
    """Accept the evidence, or with `return` send it back."""
    place = _place_of(milestone)
    form = NoteForm()
    actor = current_actor()
    is_return = bool(request.form.get("return"))
    decide = milestones.return_milestone if is_return else milestones.accept_milestone
    try:
        decide(milestone, form.note.data or "", actor=actor, seen=request.form.get("seen", ""))
    except InvalidError as error:
        show_errors(form, error)
        return _page(place, deciding={milestone.id: form}), 422
    except ChangedMeanwhileError as error:
        return _page(place, deciding={milestone.id: form}, problem=error.detail), 409
    if is_return:
        flash("Returned. The partner is told what is missing.", "success")
    elif milestone.paid_at is not None:
        flash("Accepted. It is paid with the next payout.", "success")
    else:
        flash("Accepted.", "success")
    return _to(place)


@applications_staff.post(f"{_MILESTONE}/day")
@needs("rounds.manage", load=queries.find_milestone, name="milestone")
def move_milestone(milestone: Milestone) -> ResponseReturnValue:
    """A new day for a gate."""
    place = _place_of(milestone)
    refuse_members(current_actor().user_id, place.organization_id)
    form = MoreTimeForm()
    due_at = end_of(form.due_on.data) if form.validate() else None
    if due_at is None:
        flash("Choose a day that lies ahead.", "warning")
        return _to(place)
    try:
        milestones.give_more_time(milestone, due_at, by_user_id=current_actor().user_id)
    except InvalidError as error:
        flash(next(iter(error.fields.values())), "warning")
        return _to(place)
    flash("It has a new day.", "success")
    return _to(place)


@applications_staff.post(f"{_MILESTONE}/removal")
@needs("rounds.manage", load=queries.find_milestone, name="milestone")
def remove_milestone(milestone: Milestone) -> ResponseReturnValue:
    """Take away one that nothing was handed in for."""
    place = _place_of(milestone)
    refuse_members(current_actor().user_id, place.organization_id)
    milestones.remove_milestone(milestone, by_user_id=current_actor().user_id)
    flash("Taken away.", "success")
    return _to(place)


def _place_of(milestone: Milestone) -> RoundPlace:
    found = queries.place_by_id(milestone.place_id)
    if found is None:
        raise NotFoundError
    return found


def _round_of(place: RoundPlace) -> ProgramRound:
    return queries.rounds_by_id([place.round_id])[place.round_id]


def _partner_of(place: RoundPlace) -> Organization:
    return queries.organizations([place.organization_id])[place.organization_id]


def _mentor_hint(sought: str, found: int) -> str:
    if found == places.MOST_MENTORS:
        return f"These are the first {found}. Find others by name, address or organization."
    if sought and not found:
        return f"Nobody is found by “{sought}”."
    return "Staff, or somebody of another partner."


def _page(place: RoundPlace, **forms: Any) -> str:
    actor = current_actor()
    round_ = _round_of(place)
    live = current_policy()
    rows = milestones.milestones_of(place.id)
    mentoring = forms.get("mentoring") or MentorForm(formdata=None)
    sought = line(request.args.get("find"))[:80]
    offered = places.mentors(place.organization_id, sought)
    names = {str(each.user_id): f"{each.name}, {each.organization}" for each in offered}
    known = queries.people([place.mentor_user_id])
    if place.mentor_user_id in known:
        names.setdefault(str(place.mentor_user_id), known[place.mentor_user_id].name)
    mentoring.mentor.choices = choices_of([("", "Nobody"), *names.items()])
    if not mentoring.errors:
        mentoring.mentor.data = str(place.mentor_user_id or "")
    if sought and len(offered) == 1:
        mentoring.mentor.data = str(offered[0].user_id)
    application = queries.application_by_id(place.application_id)
    accepted = queries.acceptances_of(place.id)
    values = (
        {each["metric"]: each.get("end") for each in place.figures}
        if place.state is PlaceState.COMPLETED
        else places.values_of_track(place)
    )
    return render_template(
        "rounds/staff_place.html",
        place=place,
        round=round_,
        application=application,
        organization=_partner_of(place),
        milestones=rows,
        unplanned=place.award - sum(each.amount for each in rows),
        paid=sum(each.amount for each in rows if each.paid_at is not None),
        accepted=accepted,
        people=queries.people(
            [
                place.mentor_user_id,
                *(each.user_id for each in accepted),
                *(each.decided_by_id for each in rows),
            ]
        ),
        figures=progress_of(place.figures, values, directions(live.policy) if live else {}),
        conflict=conflict_of(application, actor.user_id) if application else "",
        may_manage=actor.can("rounds.manage") and actor.role_in(place.organization_id) is None,
        may_decide=actor.can("milestone.decide"),
        sets_milestones=round_.kind in (RoundKind.GRANT, RoundKind.INCUBATOR),
        is_over=place.state in (PlaceState.COMPLETED, PlaceState.ENDED),
        adding=forms.get("adding") or MilestoneForm(formdata=None),
        deciding=forms.get("deciding") or {},
        seen={each.id: milestones.shown_of(each) for each in rows},
        problem=forms.get("problem") or "",
        note_form=lambda: NoteForm(formdata=None),
        time_form=lambda: MoreTimeForm(formdata=None),
        mentoring=mentoring,
        sought=sought,
        mentor_hint=_mentor_hint(sought, len(offered)),
        now_at=clock.now(),
    )


def _to(place: RoundPlace) -> ResponseReturnValue:
    return redirect(url_for(".place", place_id=place.public_id), code=303)
