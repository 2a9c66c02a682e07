"""Rounds, as partners find them, apply and take part."""

from typing import Any

from flask import flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from marketplace.core import clock
from marketplace.core.errors import InvalidError, NotFoundError
from marketplace.core.limits import limiter
from marketplace.core.pagination import page_number
from marketplace.core.permissions import current_actor, needs
from marketplace.program.applications import queries
from marketplace.program.applications.answers import form_of, read_answers
from marketplace.program.applications.forms import AnswerForm, EvidenceForm, MilestoneForm
from marketplace.program.applications.models import (
    Milestone,
    PlaceState,
    ProgramRound,
    RoundKind,
    RoundPlace,
)
from marketplace.program.applications.services import milestones, places, rounds
from marketplace.program.applications.services.promises import queue_of
from marketplace.program.applications.stages import stages_of
from marketplace.program.applications.tracking import directions, progress_of
from marketplace.program.applications.views.blueprints import (
    applications,
    partner_tabs,
    show_errors,
    user_key,
)
from marketplace.program.policy.live import current_policy

_ROUND = "/partner/rounds/<round_id>"
_PLACE = "/partner/rounds/places/<place_id>"
_MILESTONE = "/partner/rounds/milestones/<milestone_id>"
_SEE = needs("round_place.view", load=queries.find_place, name="place")
_WORK = needs("round_place.work", load=queries.find_place, name="place")
_SIGN = needs("round_place.sign", load=queries.find_place, name="place")


def place_of_milestone(milestone_id: str) -> RoundPlace | None:
    """The place that a milestone of a URL is of."""
    found = queries.find_milestone(milestone_id)
    return None if found is None else queries.place_by_id(found.place_id)


@applications.get("/partner/rounds", endpoint="rounds")
@needs("rounds.use")
def rounds_page() -> ResponseReturnValue:
    """Open rounds, and where one takes part."""
    actor = current_actor()
    own_id = actor.organization_id or 0
    page = queries.page_of_open_rounds(clock.now(), page_number(request.args.get("page")))
    own = queries.places_of(own_id)
    mentored = queries.places_mentored_by(actor.user_id or 0)
    return render_template(
        "rounds/index.html",
        tabs=partner_tabs("applications.rounds"),
        page=page,
        refusals=rounds.refusals_for(page.items, own_id),
        applied=queries.applied_in((row.id for row in page.items), own_id),
        places=own,
        mentored=mentored,
        rounds=queries.rounds_by_id(each.round_id for each in (*own, *mentored)),
        organizations=queries.organizations(each.organization_id for each in mentored),
        counts=queries.milestone_counts(each.id for each in (*own, *mentored)),
    )


@applications.get(_ROUND)
@needs("rounds.use")
def round_page(round_id: str) -> ResponseReturnValue:
    """One round: what it offers, what is asked, and whether one can apply."""
    return render_template("rounds/round.html", **_about(_shown(round_id)))


@applications.get(f"{_ROUND}/application")
@needs("rounds.use")
def applying(round_id: str) -> ResponseReturnValue:
    """The form to apply; 403 for partners whom the round is not for."""
    round_ = _shown(round_id)
    own_id = current_actor().organization_id or 0
    applied = queries.applied_in([round_.id], own_id).get(round_.id)
    if applied is not None:
        flash("You have applied for this round already.", "info")
        return redirect(url_for(".own_application", application_id=applied), code=303)
    rounds.refuse_ineligible(round_, own_id)
    return _apply_page(round_, {}, {})


@applications.post(f"{_ROUND}/application")
@needs("rounds.use")
@limiter.limit("30 per hour", key_func=user_key)
def apply(round_id: str) -> ResponseReturnValue:
    """Apply."""
    round_ = _shown(round_id)
    rounds.refuse_ineligible(round_, current_actor().organization_id or 0)
    answers, errors = read_answers(form_of(round_.form), request.form)
    if errors:
        return _apply_page(round_, answers, errors), 422
    opened = rounds.apply(round_, answers, actor=current_actor())
    flash("Your application is in. You see here how it goes on.", "success")
    return redirect(
        url_for(".own_application", application_id=opened.application.public_id), code=303
    )


@applications.get(_PLACE)
@_SEE
def place(place: RoundPlace) -> ResponseReturnValue:
    """Taking part: milestones, gates, criteria or figures."""
    return _place_page(place)


@applications.get(f"{_PLACE}/terms")
@_SEE
def terms(place: RoundPlace) -> ResponseReturnValue:
    """The terms in force, and which were accepted when."""
    accepted = queries.acceptances_of(place.id)
    return render_template(
        "rounds/terms.html",
        place=place,
        round=queries.rounds_by_id([place.round_id])[place.round_id],
        accepted=accepted,
        people=queries.people(each.user_id for each in accepted),
        may_sign=current_actor().can("round_place.sign", place),
        form=AnswerForm(formdata=None),
    )


@applications.post(f"{_PLACE}/terms")
@_SIGN
def accept_terms(place: RoundPlace) -> ResponseReturnValue:
    """Accept the version that was shown."""
    typed = request.form.get("version", "")
    version = int(typed) if typed.isascii() and typed.isdigit() and len(typed) < 9 else 0
    places.accept_terms(place, version, user_id=current_actor().user_id or 0)
    flash(f"You accepted version {version} of the terms.", "success")
    return _to(place)


@applications.post(f"{_PLACE}/criteria")
@_WORK
@limiter.limit("60 per hour", key_func=user_key)
def add_criterion(place: RoundPlace) -> ResponseReturnValue:
    """Set a success criterion of a proof of concept."""
    round_ = queries.rounds_by_id([place.round_id])[place.round_id]
    if round_.kind is not RoundKind.PROOF_OF_CONCEPT:
        flash("The operator sets the milestones of this round.", "warning")
        return _to(place)
    form = MilestoneForm()
    form.validate()
    try:
        milestones.add_milestone(
            place,
            title=form.title.data or "",
            text=form.text.data or "",
            target=form.target.data or "",
            by_user_id=current_actor().user_id,
            form_key=form.form_key.data or "",
        )
    except InvalidError as error:
        show_errors(form, error)
        return _place_page(place, adding=form), 422
    flash("Set.", "success")
    return _to(place)


@applications.get(f"{_PLACE}/leaving")
@_SIGN
def leaving(place: RoundPlace) -> ResponseReturnValue:
    """Ask once more."""
    return render_template(
        "rounds/leaving.html",
        place=place,
        round=queries.rounds_by_id([place.round_id])[place.round_id],
    )


@applications.post(f"{_PLACE}/leaving")
@_SIGN
def leave(place: RoundPlace) -> ResponseReturnValue:
    """Leave the round."""
    places.end_place(place, by_user_id=current_actor().user_id)
    flash("You have left the round.", "success")
    return _to(place)


@applications.post(f"{_MILESTONE}/evidence")
@needs("round_place.work", load=place_of_milestone, name="place")
@limiter.limit("60 per hour", key_func=user_key)
def submit_evidence(place: RoundPlace) -> ResponseReturnValue:
    """Hand in evidence for a milestone."""
    milestone = _milestone_of_url(place)
    form = EvidenceForm()
    try:
        milestones.submit_evidence(
            milestone,
            form.evidence.data or "",
            form.url.data or "",
            by_user_id=current_actor().user_id or 0,
        )
    except InvalidError as error:
        show_errors(form, error)
        return _place_page(place, showing={milestone.id: form}), 422
    flash("Handed in. You are told by mail what becomes of it.", "success")
    return _to(place)


@applications.post(f"{_MILESTONE}/removal")
@needs("round_place.work", load=place_of_milestone, name="place")
def remove_criterion(place: RoundPlace) -> ResponseReturnValue:
    """Take a criterion away that nothing was handed in for."""
    round_ = queries.rounds_by_id([place.round_id])[place.round_id]
    if round_.kind is RoundKind.PROOF_OF_CONCEPT:
        milestones.remove_milestone(_milestone_of_url(place), by_user_id=current_actor().user_id)
        flash("Taken away.", "success")
    return _to(place)


def _milestone_of_url(place: RoundPlace) -> Milestone:
    found = queries.find_milestone(str((request.view_args or {}).get("milestone_id", "")))
    if found is None or found.place_id != place.id:
        raise NotFoundError
    return found


def _shown(round_id: str) -> ProgramRound:
    round_ = queries.find_shown_round(round_id)
    if round_ is None:
        raise NotFoundError
    return round_


def _about(round_: ProgramRound) -> dict[str, Any]:
    live = current_policy()
    own_id = current_actor().organization_id or 0
    least = live.policy.tier(round_.least_tier) if live else None
    return {
        "round": round_,
        "form_fields": form_of(round_.form),
        "stages": stages_of(round_.stages),
        "refusal": rounds.refusal_for(round_, own_id),
        "takes": rounds.takes_applications(round_),
        "applied": queries.applied_in([round_.id], own_id).get(round_.id),
        "least_tier": least.name if least else round_.least_tier,
        "type_names": [
            kind.name if live and (kind := live.policy.type(key)) else key for key in round_.types
        ],
        "metric_names": {
            each["metric"]: metric.name
            for each in round_.figures
            if live and (metric := live.policy.metric(each["metric"]))
        },
        "clock": queue_of(f"program:{round_.public_id}"),
    }


def _apply_page(round_: ProgramRound, answers: dict[str, Any], errors: dict[str, str]) -> str:
    return render_template(
        "rounds/apply.html",
        **_about(round_),
        answers=answers,
        errors=errors,
        form=AnswerForm(formdata=None),
    )


def _place_page(place: RoundPlace, **forms: Any) -> str:
    actor = current_actor()
    round_ = queries.rounds_by_id([place.round_id])[place.round_id]
    live = current_policy()
    people = queries.people([place.mentor_user_id])
    values = (
        {each["metric"]: each.get("end") for each in place.figures}
        if place.state is PlaceState.COMPLETED
        else places.values_of_track(place)
    )
    return render_template(
        "rounds/place.html",
        place=place,
        round=round_,
        milestones=milestones.milestones_of(place.id),
        mentor=people.get(place.mentor_user_id or 0),
        organization=queries.organizations([place.organization_id]).get(place.organization_id),
        figures=progress_of(place.figures, values, directions(live.policy) if live else {}),
        works=actor.can("round_place.work", place),
        signs=actor.can("round_place.sign", place),
        adding=forms.get("adding") or MilestoneForm(formdata=None),
        showing=forms.get("showing") or {},
        evidence_form=lambda: EvidenceForm(formdata=None),
        is_late=lambda milestone: milestone.due_at is not None and milestone.due_at <= clock.now(),
    )


def _to(place: RoundPlace) -> ResponseReturnValue:
    return redirect(url_for(".place", place_id=place.public_id), code=303)
