"""The partner's pages: getting started, tasks, inviting other partners."""

from flask import flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from marketplace.core import clock
from marketplace.core.database import db
from marketplace.core.errors import ConflictError, InvalidError
from marketplace.core.facts import record_fact
from marketplace.core.limits import limiter
from marketplace.core.once import insert_if_new
from marketplace.core.pagination import page_number
from marketplace.core.permissions import current_actor, needs
from marketplace.identity.forms import show_errors
from marketplace.identity.models import Organization
from marketplace.program.onboarding import queries
from marketplace.program.onboarding.forms import InvitePartnerForm
from marketplace.program.onboarding.models import PartnerTask, StartDismissal, TaskSide
from marketplace.program.onboarding.reading import progress_of
from marketplace.program.onboarding.services import inviting
from marketplace.program.onboarding.services import tasks as task_services
from marketplace.program.onboarding.steps import steps_of
from marketplace.program.onboarding.views.blueprints import onboarding
from marketplace.program.policy.live import current_policy
from marketplace.program.standing.reading import place_of

_TASK = needs("partner_task.do", load=queries.find_task, name="task")


def own_partner() -> Organization:
    """The partner that is acted for."""
    return db.session.get_one(Organization, current_actor().organization_id)


@onboarding.get("/partner/start")
@needs("onboarding.use")
def getting_started() -> ResponseReturnValue:
    """The steps of the partner's type; they tick themselves."""
    organization, live = own_partner(), current_policy()
    kind = live.policy.type(organization.partner_type) if live else None
    return render_template(
        "onboarding/getting_started.html",
        organization=organization,
        kind=kind,
        place=place_of(organization.id),
        steps=steps_of(kind, organization.id),
        is_dismissed=db.session.get(StartDismissal, organization.id) is not None,
        may_dismiss=current_actor().can("start.dismiss"),
        may_invite=current_actor().can("partner_invites.send"),
    )


@onboarding.post("/partner/start/dismissal")
@needs("start.dismiss")
def dismiss() -> ResponseReturnValue:
    """Put the steps away, once all are done."""
    actor, organization = current_actor(), own_partner()
    if not progress_of(organization.id).is_complete:
        flash("There are steps left. They stay until all are done.", "warning")
    elif insert_if_new(
        StartDismissal, organization_id=organization.id, at=clock.now(), by_user_id=actor.user_id
    ):
        record_fact(
            "getting_started.dismissed",
            subject=("organization", organization.id),
            actor_user_id=actor.user_id,
            organization_id=organization.id,
        )
        flash("Put away. You find it in the menu still.", "success")
    return redirect(url_for("onboarding.getting_started"), code=303)


@onboarding.get("/partner/tasks")
@needs("onboarding.use")
def tasks() -> ResponseReturnValue:
    """The tasks of the playbook, of both sides."""
    organization, actor = own_partner(), current_actor()
    found = queries.tasks_of(organization.id)
    own = [task for task in found if task.side is TaskSide.PARTNER]
    return render_template(
        "onboarding/tasks.html",
        own=own,
        theirs=[task for task in found if task.side is TaskSide.OPERATOR],
        people=queries.names_of_people(
            [task.done_by_id for task in own] + [task.assignee_id for task in found]
        ),
        may_do={task.id for task in own if actor.can("partner_task.do", task)},
        place=place_of(organization.id),
    )


@onboarding.post("/partner/tasks/<task_id>/done")
@_TASK
def task_done(task: PartnerTask) -> ResponseReturnValue:
    """Mark it as done."""
    if task_services.set_done(task, done=True, user_id=current_actor().user_id):
        flash(f"Done: {task.title}.", "success")
    return redirect(url_for("onboarding.tasks"), code=303)


@onboarding.post("/partner/tasks/<task_id>/reopening")
@_TASK
def task_reopen(task: PartnerTask) -> ResponseReturnValue:
    """It was not done after all."""
    if task_services.set_done(task, done=False, user_id=current_actor().user_id):
        flash(f"Open again: {task.title}.", "success")
    return redirect(url_for("onboarding.tasks"), code=303)


@onboarding.get("/partner/invites")
@needs("partner_invites.send")
def invites() -> ResponseReturnValue:
    """Whom the partner invited to the program, and what came of it."""
    return _invites_page(InvitePartnerForm(formdata=None))


@onboarding.post("/partner/invites")
@needs("partner_invites.send")
@limiter.limit("30 per hour", key_func=lambda: f"user:{current_actor().user_id}")
def invite_send() -> ResponseReturnValue:
    """Invite an address."""
    form = InvitePartnerForm()
    if not form.validate():
        return _invites_page(form), 422
    try:
        row = inviting.invite_partner(current_actor(), own_partner(), form.email.data or "")
    except InvalidError as error:
        return _invites_page(form, show_errors(form, error)), 422
    except ConflictError as error:
        flash(error.detail, "warning")
        return redirect(url_for("onboarding.invites"), code=303)
    flash(f"Invited: {row.email}.", "success")
    return redirect(url_for("onboarding.invites"), code=303)


def _invites_page(form: InvitePartnerForm, extra: list[str] | None = None) -> str:
    organization = own_partner()
    page = inviting.page_of_invites(organization.id, page_number(request.args.get("page")))
    return render_template(
        "onboarding/invites.html",
        form=form,
        extra=extra or [],
        page=page,
        credited=inviting.credited_count(organization.id),
        organizations=queries.organizations_by_id(
            row.joined_organization_id for row in page.items if row.joined_organization_id
        ),
    )
