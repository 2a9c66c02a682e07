"""Rounds, as the operator writes and runs them."""

from datetime import timedelta
from typing import Any

from flask import flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from marketplace.core import clock
from marketplace.core.errors import InvalidError
from marketplace.core.pagination import page_number
from marketplace.core.permissions import current_actor, needs
from marketplace.program.applications import queries
from marketplace.program.applications.answers import form_of
from marketplace.program.applications.forms import change_rows
from marketplace.program.applications.models import ProgramRound, RoundKind, RoundState
from marketplace.program.applications.round_forms import RoundForm
from marketplace.program.applications.services import rounds as services
from marketplace.program.applications.services.places import committed
from marketplace.program.applications.services.promises import queue_of
from marketplace.program.applications.stages import stages_of
from marketplace.program.applications.views.blueprints import (
    applications_staff,
    edition_of,
    show_errors,
    staff_tabs,
)
from marketplace.program.policy.live import current_policy

_PATH = "/staff/rounds/<round_id>"
_READ = needs("rounds.read", load=queries.find_round, name="round_")
_MANAGE = needs("rounds.manage", load=queries.find_round, name="round_")


@applications_staff.get("/staff/rounds")
@needs("rounds.read")
def rounds() -> ResponseReturnValue:
    """All rounds, the newest first."""
    kind, state = request.args.get("kind", ""), request.args.get("state", "")
    kind = kind if kind in {each.value for each in RoundKind} else ""
    state = state if state in {each.value for each in RoundState} else ""
    page = queries.page_of_rounds(kind, state, page_number(request.args.get("page")))
    return render_template(
        "rounds/staff_index.html",
        tabs=staff_tabs("applications_staff.rounds"),
        page=page,
        kind=kind,
        state=state,
        counts=queries.counts_of_rounds(row.id for row in page.items),
        kinds=list(RoundKind),
        may_manage=current_actor().can("rounds.manage"),
    )


@applications_staff.get("/staff/rounds/new")
@needs("rounds.manage")
def new_round() -> ResponseReturnValue:
    """The form for a round of `?kind=`."""
    kind = _kind(request.args.get("kind", ""))
    form = RoundForm(formdata=None)
    today = clock.now().date()
    form.opens_on.data, form.closes_on.data = today, today + timedelta(days=30)
    live = current_policy()
    form.currency.data = live.policy.currency if live else "EUR"
    if kind in (RoundKind.INCUBATOR, RoundKind.PROOF_OF_CONCEPT):
        # The draft of a graduate is named after its answer.
        form.questions.append_entry({"label": "Product", "kind": "text"})
    form.questions.append_entry({"label": "What do you want to do?", "kind": "long_text"})
    if kind is RoundKind.PROOF_OF_CONCEPT:
        for each in services.APPROVALS:
            form.stages.append_entry(each)
    else:
        form.stages.append_entry(
            {"name": "Review", "reviewers": 2, "pass_score": 60, "criteria": "Impact, Feasibility"}
        )
    return _form_page(form, kind, None)


@applications_staff.post("/staff/rounds/new")
@needs("rounds.manage")
def create_round() -> ResponseReturnValue:
    """Write a round as a draft."""
    kind = _kind(request.form.get("kind", ""))
    form = RoundForm()
    if change_rows(form, RoundForm.ROWS):
        return _form_page(form, kind, None)
    try:
        round_ = services.create_round(
            kind,
            _typed(form),
            by_user_id=current_actor().user_id,
            form_key=form.form_key.data or "",
        )
    except InvalidError as error:
        show_errors(form, error)
        return _form_page(form, kind, None), 422
    flash("Drafted. Look at it once more, then open it.", "success")
    return _to(round_)


@applications_staff.get(_PATH)
@_READ
def round_page(round_: ProgramRound) -> ResponseReturnValue:
    """One round: what it says, who applied, who takes part."""
    places = queries.places_in(round_.id)
    live = current_policy()
    least = live.policy.tier(round_.least_tier) if live else None
    return render_template(
        "rounds/staff_round.html",
        round=round_,
        form_fields=form_of(round_.form),
        stages=stages_of(round_.stages),
        places=places,
        organizations=queries.organizations(each.organization_id for each in places),
        mentors=queries.people(each.mentor_user_id for each in places),
        counts=queries.milestone_counts(each.id for each in places),
        committed=committed(round_.id) if round_.kind is RoundKind.GRANT else 0,
        clock=queue_of(f"program:{round_.public_id}"),
        least_tier=least.name if least else round_.least_tier,
        metric_names={
            each["metric"]: metric.name
            for each in round_.figures
            if live and (metric := live.policy.metric(each["metric"]))
        },
        may_manage=current_actor().can("rounds.manage"),
    )


@applications_staff.get(f"{_PATH}/edit")
@_MANAGE
def edit_round(round_: ProgramRound) -> ResponseReturnValue:
    """The form to change it."""
    if round_.state is RoundState.CLOSED:
        return _to(round_)
    form = RoundForm(formdata=None)
    live = current_policy()
    form.show(round_, live.policy if live else None)
    return _form_page(form, round_.kind, round_)


@applications_staff.post(f"{_PATH}/edit")
@_MANAGE
def save_round(round_: ProgramRound) -> ResponseReturnValue:
    """Change it."""
    form = RoundForm()
    if change_rows(form, RoundForm.ROWS):
        return _form_page(form, round_.kind, round_)
    try:
        services.edit_round(
            round_,
            _typed(form),
            edition=edition_of(form),
            by_user_id=current_actor().user_id,
        )
    except InvalidError as error:
        show_errors(form, error)
        return _form_page(form, round_.kind, round_), 422
    flash("Saved.", "success")
    return _to(round_)


@applications_staff.post(f"{_PATH}/opening")
@_MANAGE
def open_round(round_: ProgramRound) -> ResponseReturnValue:
    """Let partners see it and apply."""
    services.open_round(round_, by_user_id=current_actor().user_id)
    flash("Open. Partners see it from its first day on.", "success")
    return _to(round_)


@applications_staff.get(f"{_PATH}/closing")
@_MANAGE
def closing_round(round_: ProgramRound) -> ResponseReturnValue:
    """Ask once more."""
    return render_template("rounds/closing.html", round=round_)


@applications_staff.post(f"{_PATH}/closing")
@_MANAGE
def close_round(round_: ProgramRound) -> ResponseReturnValue:
    """Take no more applications."""
    services.close_round(round_, by_user_id=current_actor().user_id)
    flash("Closed. What is in is decided, and places go on.", "success")
    return _to(round_)


def _kind(text: str) -> RoundKind:
    return RoundKind(text) if text in {each.value for each in RoundKind} else RoundKind.GRANT


def _typed(form: Any) -> services.TypedRound:
    """What was typed. Raises InvalidError for what could not be read."""
    live = current_policy()
    typed, wrong = form.typed(live.policy if live else None)
    form.offer(live.policy if live else None)
    valid = form.validate()
    if wrong or not valid:
        raise InvalidError(wrong)
    return typed  # type: ignore[no-any-return]  # forms are untyped


def _form_page(form: Any, kind: RoundKind, round_: ProgramRound | None) -> str:
    live = current_policy()
    form.offer(live.policy if live else None)
    return render_template(
        "rounds/staff_form.html", form=form, kind=kind, round=round_, policy=live
    )


def _to(round_: ProgramRound) -> ResponseReturnValue:
    return redirect(url_for(".round_page", round_id=round_.public_id), code=303)
