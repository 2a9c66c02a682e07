"""One application, as the staff reviews and decides it."""

from typing import Any

from flask import flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from billing.formatting import AmountError
from marketplace.core.errors import InvalidError
from marketplace.core.limits import limiter
from marketplace.core.permissions import current_actor, needs
from marketplace.program.applications import queries
from marketplace.program.applications.answers import form_of, shown_answers
from marketplace.program.applications.conflicts import conflict_of
from marketplace.program.applications.forms import (
    AssignForm,
    ConflictForm,
    DecisionForm,
    QuestionForm,
    score_form,
)
from marketplace.program.applications.letters import FIELDS, template_for
from marketplace.program.applications.models import (
    Application,
    ApplicationState,
    EntryKind,
    RoundKind,
)
from marketplace.program.applications.services import deciding, reviewing
from marketplace.program.applications.services.places import committed
from marketplace.program.applications.services.promises import position, queue_of
from marketplace.program.applications.stages import criteria_of, next_stage, stage_of, stages_of
from marketplace.program.applications.views.blueprints import (
    add_error,
    applications_staff,
    show_errors,
    user_key,
)
from marketplace.program.applications.words import line
from marketplace.program.standing.reading import place_of

_PATH = "/staff/applications/<application_id>"
_REVIEW = needs("application.review", load=queries.find_application, name="application")
MAY_LIMIT = "120 per hour"


@applications_staff.get(_PATH)
@_REVIEW
def application(application: Application) -> ResponseReturnValue:
    """Answers, facts, reviews, history, and what can be done."""
    return _page(application)


@applications_staff.post(f"{_PATH}/score")
@_REVIEW
@limiter.limit(MAY_LIMIT, key_func=user_key)
def score(application: Application) -> ResponseReturnValue:
    """Score the stage that it is in."""
    stage = stage_of(stages_of(application.stages), application.stage)
    reviewing.refuse_conflicted(application, current_actor())
    if stage is None:
        flash("There is no stage to score.", "warning")
        return _to(application)
    form = score_form(stage)()
    values = {
        criterion: form[f"score_{place}"].data for place, criterion in enumerate(criteria_of(stage))
    }
    form.validate()
    try:
        reviewing.score(application, values, form.comment.data or "", actor=current_actor())
    except InvalidError as error:
        for name, text in error.fields.items():
            form[name].errors = [text]
        return _page(application, scoring=form), 422
    flash("Scored. You see what others found.", "success")
    return _to(application)


@applications_staff.post(f"{_PATH}/advance")
@_REVIEW
def advance(application: Application) -> ResponseReturnValue:
    """Pass the stage, on to the one named in `to`."""
    reviewing.advance(application, line(request.form.get("to"))[:40], actor=current_actor())
    flash("Passed on to the next stage.", "success")
    return _to(application)


@applications_staff.post(f"{_PATH}/question")
@_REVIEW
@limiter.limit(MAY_LIMIT, key_func=user_key)
def ask(application: Application) -> ResponseReturnValue:
    """Ask the applicant for more."""
    form = QuestionForm()
    try:
        reviewing.ask_for_more(application, form.question.data or "", actor=current_actor())
    except InvalidError as error:
        show_errors(form, error)
        return _page(application, asking=form), 422
    flash("Asked. The applicant is told by mail; the review clock stands until the answer.", "success")  # fmt: skip  # noqa: E501 - a sentence
    return _to(application)


@applications_staff.post(f"{_PATH}/conflict")
@_REVIEW
def conflict(application: Application) -> ResponseReturnValue:
    """Declare a conflict of interest."""
    form = ConflictForm()
    try:
        reviewing.declare_conflict(application, form.reason.data or "", actor=current_actor())
    except InvalidError as error:
        show_errors(form, error)
        return _page(application, declaring=form), 422
    flash("Declared. You neither score nor decide this application.", "success")
    return _to(application)


@applications_staff.post(f"{_PATH}/reviewers")
@_REVIEW
def assign(application: Application) -> ResponseReturnValue:
    """Ask a reviewer, or whoever has the least to do."""
    form = AssignForm()
    typed = line(form.reviewer.data)
    actor = current_actor()
    if request.form.get("by_load"):
        found = reviewing.assign_by_load(application)
        flash(
            f"{len(found)} asked." if found else "Everybody who can is asked already.",
            "success" if found else "info",
        )
        return _to(application)
    try:
        number = int(typed) if typed.isascii() and typed.isdigit() and len(typed) < 16 else 0
        reviewing.assign(application, number, by_user_id=actor.user_id)
    except InvalidError as error:
        show_errors(form, error)
        return _page(application, assigning=form), 422
    flash("Asked.", "success")
    return _to(application)


@applications_staff.post(f"{_PATH}/reviewers/remove")
@_REVIEW
def unassign(application: Application) -> ResponseReturnValue:
    """Ask a reviewer no more."""
    typed = line(request.form.get("reviewer"))
    if typed.isascii() and typed.isdigit() and len(typed) < 16:
        reviewing.unassign(application, int(typed))
    return _to(application)


@applications_staff.get(f"{_PATH}/decision")
@_REVIEW
def decision(application: Application) -> ResponseReturnValue:
    """The letter of a decision (`?accept=1` or `?accept=0`), before it is sent."""
    if not application.is_open:
        return _to(application)
    reviewing.refuse_conflicted(application, current_actor())
    accepted = request.args.get("accept") == "1"
    form = DecisionForm(formdata=None)
    form.decision.data = "accept" if accepted else "decline"
    form.letter.data = template_for(accepted)
    return _letter_page(application, form)


@applications_staff.post(f"{_PATH}/decision")
@_REVIEW
def decide(application: Application) -> ResponseReturnValue:
    """Show the letter as it will be sent, or decide and send it."""
    form = DecisionForm()
    actor = current_actor()
    accepted = form.decision.data == "accept"
    reviewing.refuse_conflicted(application, actor)
    award = None
    round_ = queries.rounds_by_id([application.round_id]).get(application.round_id or 0)
    if accepted and round_ is not None and round_.kind is RoundKind.GRANT:
        try:
            award = form.award_in(round_.currency)
        except AmountError as error:
            add_error(form, "award", str(error))
            return _letter_page(application, form), 422
    try:
        if request.form.get("preview"):
            text = deciding.letter_of(application, form.letter.data or "")
            return _letter_page(application, form, preview=text)
        if accepted:
            deciding.accept(application, form.letter.data or "", actor=actor, award=award)
        else:
            deciding.decline(application, form.letter.data or "", actor=actor)
    except InvalidError as error:
        show_errors(form, error)
        return _letter_page(application, form), 422
    flash(f"{'Accepted' if accepted else 'Declined'}. The letter is on its way.", "success")
    return _to(application)


def _letter_page(application: Application, form: DecisionForm, preview: str = "") -> str:
    round_ = queries.rounds_by_id([application.round_id]).get(application.round_id or 0)
    is_grant = round_ is not None and round_.kind is RoundKind.GRANT
    return render_template(
        "applications/decision.html",
        application=application,
        form=form,
        accepted=form.decision.data == "accept",
        preview=preview,
        merge_fields=FIELDS,
        round=round_,
        is_grant=is_grant,
        left=round_.budget - committed(round_.id) if round_ is not None and is_grant else 0,
        hindrance=_hindrance(application) if form.decision.data == "accept" else "",
    )


def _hindrance(application: Application) -> str:
    following = next_stage(stages_of(application.stages), application.stage)
    if following is not None:
        return f"{following.name} comes first."
    return reviewing.result(application).hindrance


def _page(application: Application, **forms: Any) -> str:
    actor = current_actor()
    stages = stages_of(application.stages)
    stage = stage_of(stages, application.stage)
    conflict = conflict_of(application, actor.user_id)
    reviews = queries.all_reviews_of(application.id)
    own = next(
        (
            each
            for each in reviews
            if each.reviewer_id == actor.user_id and each.stage == application.stage
        ),
        None,
    )
    is_open = application.state is ApplicationState.IN_REVIEW
    # Nobody is led by others' scores: they are shown after one's own, or once the stage is passed.
    shown = [
        each
        for each in reviews
        if not conflict and (own is not None or each.stage != application.stage or not is_open)
    ]
    history = queries.history_of(application.id)
    assigned = queries.reviewers_of([application.id]).get(application.id, [])
    staff = reviewing.reviewers()
    assigning = forms.get("assigning") or AssignForm(formdata=None)
    there = {each.id for each in assigned}
    assigning.reviewer.choices = [
        ("", "Choose a reviewer"),
        *((str(each.id), each.name) for each in staff if each.id not in there),
    ]
    scoring = forms.get("scoring")
    if scoring is None and stage is not None:
        scoring = score_form(stage)(formdata=None)
        if own is not None:
            for place, criterion in enumerate(criteria_of(stage)):
                scoring[f"score_{place}"].data = own.scores.get(criterion)
            scoring.comment.data = own.comment
    outcome = reviewing.result(application)
    return render_template(
        "applications/application.html",
        application=application,
        organization=queries.organizations([application.organization_id]).get(
            application.organization_id or 0
        ),
        standing=place_of(application.organization_id) if application.organization_id else None,
        round=queries.rounds_by_id([application.round_id]).get(application.round_id or 0),
        answers=shown_answers(form_of(application.form), application.answers),
        stages=stages,
        stage=stage,
        following=next_stage(stages, application.stage),
        result=outcome,
        # Whether the mean may be told: one has scored, or all who must have.
        tells_mean=own is not None or (outcome.is_scored and outcome.count > 0),
        own=own,
        others_scored=len([each for each in reviews if each.stage == application.stage]) > 1,
        reviews=shown,
        hidden=len(reviews) - len(shown),
        criteria=criteria_of(stage) if stage else (),
        conflict=conflict,
        is_open=is_open,
        may_pass=stage is None or not stage.role or actor.is_staff_as(stage.role),
        history=history,
        people=queries.people(
            [each.by_user_id for each in history] + [each.reviewer_id for each in reviews]
        ),
        questions=[each for each in history if each.kind in (EntryKind.ASKED, EntryKind.ANSWERED)],
        assigned=assigned,
        others=queries.other_applications(application),
        position=position(application),
        clock=queue_of(application.kind),
        scoring=scoring,
        asking=forms.get("asking") or QuestionForm(formdata=None),
        declaring=forms.get("declaring") or ConflictForm(formdata=None),
        assigning=assigning,
    )


def _to(application: Application) -> ResponseReturnValue:
    return redirect(url_for(".application", application_id=application.public_id), code=303)
