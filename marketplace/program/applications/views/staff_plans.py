"""Business plans, as the operator reads and approves them."""

from flask import flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from marketplace.core import clock
from marketplace.core.errors import ConflictError, InvalidError, NotFoundError
from marketplace.core.pagination import page_number
from marketplace.core.permissions import current_actor, needs
from marketplace.core.seen import ChangedMeanwhileError
from marketplace.identity.models import Organization
from marketplace.program.applications import plan_queries, queries
from marketplace.program.applications.forms import NoteForm
from marketplace.program.applications.models import BusinessPlan, PlanState
from marketplace.program.applications.services import plans as services
from marketplace.program.applications.views.blueprints import (
    applications_staff,
    show_errors,
    staff_tabs,
)

_PATH = "/staff/business-plans/<business_plan_id>"


def handed_in(business_plan_id: str, **_rest: object) -> BusinessPlan | None:
    """The plan of a URL, unless the partner has not handed it in yet."""
    found = plan_queries.find_plan(business_plan_id)
    return None if found is None or found.submitted_at is None else found


def once_handed_in(business_plan_id: str, **_rest: object) -> BusinessPlan | None:
    """The same, and what the partner has taken back since: its page says so, and no more."""
    found = plan_queries.find_plan(business_plan_id)
    if found is None or (found.submitted_at is None and not services.taken_back_at(found)):
        return None
    return found


_READ = needs("business_plans.read", load=once_handed_in, name="plan")
_DECIDE = needs("business_plan.approve", load=once_handed_in, name="plan")
_APPROVE = needs("business_plan.approve", load=handed_in, name="plan")


@applications_staff.get("/staff/business-plans")
@needs("business_plans.read")
def plans() -> ResponseReturnValue:
    """All plans that were handed in."""
    asked = request.args.get("state", "")
    state = asked if asked in {each.value for each in PlanState} else ""
    page = plan_queries.page_of_plans(state, page_number(request.args.get("page")))
    return render_template(
        "applications/staff_plans.html",
        tabs=staff_tabs("applications_staff.plans"),
        page=page,
        state=state,
        organizations=queries.organizations(row.organization_id for row in page.items),
    )


@applications_staff.get(_PATH)
@_READ
def plan(plan: BusinessPlan) -> ResponseReturnValue:
    """One plan with its progress."""
    return _page(plan, NoteForm(formdata=None))


@applications_staff.post(f"{_PATH}/approval")
@_DECIDE
def approve_plan(plan: BusinessPlan) -> ResponseReturnValue:
    """Approve it, or with `return` ask for changes."""
    form = NoteForm()
    is_return = bool(request.form.get("return"))
    decide = services.return_plan if is_return else services.approve_plan
    try:
        decide(
            plan,
            form.note.data or "",
            actor=current_actor(),
            seen=request.form.get("seen", ""),
        )
    except InvalidError as error:
        show_errors(form, error)
        return _page(plan, form), 422
    except ConflictError as error:
        # What was typed is for this decision, and for no other.
        kept = form if plan.state is PlanState.SUBMITTED else NoteForm(formdata=None)
        return _page(plan, kept, error), 409
    flash("Returned." if is_return else "Approved. It counts from now on.", "success")
    return _to(plan)


@applications_staff.post(f"{_PATH}/reopening")
@_APPROVE
def reopen_plan(plan: BusinessPlan) -> ResponseReturnValue:
    """Let the partner write an approved plan again."""
    form = NoteForm()
    try:
        services.reopen_plan(plan, form.note.data or "", actor=current_actor())
    except InvalidError as error:
        show_errors(form, error)
        return _page(plan, form), 422
    except ConflictError as error:
        flash(error.detail, "warning")
        return _to(plan)
    flash("Reopened. The partner is told what must change.", "success")
    return _to(plan)


@applications_staff.post(f"{_PATH}/activities/<int:business_activity_id>")
@_APPROVE
def tick_activity(plan: BusinessPlan) -> ResponseReturnValue:
    """Say that an activity of the operator's is done, or not yet."""
    number = (request.view_args or {}).get("business_activity_id", 0)
    activity = plan_queries.find_activity(int(number), plan) if number < 2**63 else None
    if activity is None:
        raise NotFoundError
    services.tick_activity(
        activity,
        plan,
        bool(request.form.get("done")),
        side="operator",
        by_user_id=current_actor().user_id,
    )
    return _to(plan)


def _page(plan: BusinessPlan, form: NoteForm, problem: ConflictError | None = None) -> str:
    if plan.submitted_at is None:
        return render_template(
            "applications/staff_plan_taken_back.html",
            plan=plan,
            organization=_partner_of(plan),
            taken_back_at=services.taken_back_at(plan),
        )
    return render_template(
        "applications/staff_plan.html",
        plan=plan,
        organization=_partner_of(plan),
        progress=services.progress(plan),
        activities=services.activities_of(plan),
        today=clock.now().date(),
        form=form,
        seen=services.shown_of(plan),
        problem=problem,
        has_changed=isinstance(problem, ChangedMeanwhileError),
        may_approve=current_actor().can("business_plan.approve", plan),
    )


def _partner_of(plan: BusinessPlan) -> Organization:
    return queries.organizations([plan.organization_id])[plan.organization_id]


def _to(plan: BusinessPlan) -> ResponseReturnValue:
    return redirect(url_for(".plan", business_plan_id=plan.public_id), code=303)
