"""A partner's business plans."""

from typing import Any

from flask import flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from marketplace.core import clock
from marketplace.core.errors import ConflictError, InvalidError, NotFoundError
from marketplace.core.limits import limiter
from marketplace.core.permissions import current_actor, needs
from marketplace.core.seen import ChangedMeanwhileError
from marketplace.program.applications import plan_queries
from marketplace.program.applications.forms import PlanForm, change_rows, read_figures
from marketplace.program.applications.models import BusinessPlan
from marketplace.program.applications.services import plans as services
from marketplace.program.applications.views.blueprints import (
    add_error,
    applications,
    edition_of,
    partner_tabs,
    show_errors,
    user_key,
)
from marketplace.program.policy.live import current_policy

_PATH = "/partner/business-plans/<business_plan_id>"
_WRITE = needs("business_plan.write", load=plan_queries.find_plan, name="plan")


@applications.get("/partner/business-plans")
@needs("plans.use")
def plans() -> ResponseReturnValue:
    """The organization's plans, year by year."""
    found = plan_queries.plans_of(current_actor().organization_id or 0)
    year = clock.now().year
    there = {each.year for each in found}
    return render_template(
        "applications/plans.html",
        tabs=partner_tabs("applications.plans"),
        plans=found,
        years=[each for each in (year, year + 1) if each not in there],
    )


@applications.post("/partner/business-plans")
@needs("plans.use")
@limiter.limit("60 per hour", key_func=user_key)
def begin_plan() -> ResponseReturnValue:
    """Begin the plan of a year."""
    typed = request.form.get("year", "")
    actor = current_actor()
    try:
        plan = services.begin_plan(
            actor.organization_id or 0,
            int(typed) if typed.isascii() and typed.isdigit() and len(typed) == 4 else 0,
            by_user_id=actor.user_id,
        )
    except InvalidError as error:
        flash(error.fields["year"], "warning")
        return redirect(url_for(".plans"), code=303)
    return redirect(url_for(".edit_plan", business_plan_id=plan.public_id), code=303)


@applications.get(_PATH)
@_WRITE
def plan(plan: BusinessPlan) -> ResponseReturnValue:
    """One plan: goals with what they came to, activities of both sides."""
    return render_template(
        "applications/plan.html",
        plan=plan,
        progress=services.progress(plan),
        activities=services.activities_of(plan),
        today=clock.now().date(),
    )


@applications.get(f"{_PATH}/edit")
@_WRITE
def edit_plan(plan: BusinessPlan) -> ResponseReturnValue:
    """The form to write it."""
    if plan.state not in services.WRITABLE:
        return _to(plan)
    live = current_policy()
    form = PlanForm(formdata=None)
    form.show(plan, services.activities_of(plan), live.policy if live else None)
    return _form_page(plan, form)


@applications.post(f"{_PATH}/edit")
@_WRITE
@limiter.limit("120 per hour", key_func=user_key)
def save_plan(plan: BusinessPlan) -> ResponseReturnValue:
    """Save it, and with `submit` hand it to the operator."""
    form = PlanForm()
    live = current_policy()
    if change_rows(form, PlanForm.ROWS):
        return _form_page(plan, form)
    valid = form.validate()
    goals, problem = read_figures(form.goals, live.policy if live else None)
    if problem:
        add_error(form, "goals", problem)
    if problem or not valid:
        return _form_page(plan, form), 422
    actor = current_actor()
    try:
        services.save_plan(
            plan,
            summary=form.summary.data or "",
            goals=[(key, target) for key, target in goals],
            activities=form.typed_activities(),
            edition=edition_of(form),
            by_user_id=actor.user_id,
        )
        if request.form.get("submit"):
            services.submit_plan(plan, by_user_id=actor.user_id)
    except InvalidError as error:
        show_errors(form, error)
        return _form_page(plan, form), 422
    except ChangedMeanwhileError as error:
        # Who reads what happened may save over it.
        form.edition.data = str(plan.edition)
        return _form_page(plan, form, error.detail), 409
    flash(
        "Handed in. You are told by mail when it is decided."
        if request.form.get("submit")
        else "Saved.",
        "success",
    )
    return _to(plan)


@applications.post(f"{_PATH}/taking-back")
@_WRITE
def take_back_plan(plan: BusinessPlan) -> ResponseReturnValue:
    """Take back what was handed in, to write it again."""
    try:
        services.take_back_plan(plan, by_user_id=current_actor().user_id)
        flash("Taken back. Hand it in once it is right.", "success")
    except ConflictError as error:
        flash(error.detail, "warning")
    return _to(plan)


@applications.post(f"{_PATH}/activities/<int:business_activity_id>")
@needs("business_plan.write", load=lambda business_plan_id, **_: plan_queries.find_plan(business_plan_id), name="plan")  # fmt: skip  # noqa: E501 - one line reads better
def tick_activity(plan: BusinessPlan) -> ResponseReturnValue:
    """Say that an activity of ours is done, or not yet."""
    number = (request.view_args or {}).get("business_activity_id", 0)
    activity = plan_queries.find_activity(int(number), plan) if number < 2**63 else None
    if activity is None:
        raise NotFoundError
    services.tick_activity(
        activity,
        plan,
        bool(request.form.get("done")),
        side="partner",
        by_user_id=current_actor().user_id,
    )
    return _to(plan)


def _form_page(plan: BusinessPlan, form: Any, problem: str = "") -> str:
    live = current_policy()
    form.offer(live.policy if live else None)
    return render_template("applications/plan_form.html", plan=plan, form=form, problem=problem)


def _to(plan: BusinessPlan) -> ResponseReturnValue:
    return redirect(url_for(".plan", business_plan_id=plan.public_id), code=303)
