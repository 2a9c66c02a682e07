"""The staff's queue of tasks for partners."""

from flask import flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from marketplace.core.csv_export import csv_response
from marketplace.core.database import db
from marketplace.core.errors import InvalidError, NotFoundError
from marketplace.core.pagination import page_number
from marketplace.core.permissions import current_actor, needs
from marketplace.program.applications.words import line
from marketplace.program.contacts.reading import staffing
from marketplace.program.onboarding import queries
from marketplace.program.onboarding.models import PartnerTask, TaskSide
from marketplace.program.onboarding.services import tasks as services
from marketplace.program.onboarding.views.blueprints import onboarding_staff

_SHOWN = ("open", "late", "done")
_TASK = needs("partner_tasks.work", load=queries.find_task, name="task")


@onboarding_staff.get("/staff/tasks")
@needs("partner_tasks.work")
def tasks() -> ResponseReturnValue:
    """What the operator has to do for partners, what is late first."""
    show, text, mine = _asked()
    actor = current_actor()
    query = queries.operator_tasks(
        show=show, text=text, assignee_id=actor.user_id if mine else None
    )
    page = queries.page_of_tasks(query, page_number(request.args.get("page")))
    staff = staffing().staff
    return render_template(
        "onboarding/staff_tasks.html",
        page=page,
        show=show,
        text=text,
        mine=mine,
        late=queries.late_count(),
        organizations=queries.organizations_by_id(task.organization_id for task in page.items),
        people=queries.names_of_people(
            each for task in page.items for each in (task.assignee_id, task.done_by_id)
        ),
        staff=sorted(staff.values(), key=lambda each: (each.name.lower(), each.user_id)),
    )


@onboarding_staff.get("/staff/tasks.csv")
@needs("partner_tasks.work")
def tasks_file() -> ResponseReturnValue:
    """The same tasks as a file."""
    show, text, mine = _asked()
    actor = current_actor()
    query = queries.operator_tasks(
        show=show, text=text, assignee_id=actor.user_id if mine else None
    )
    rows = db.session.execute(query.limit(queries.MOST_IN_A_FILE)).all()
    people = queries.names_of_people(task.assignee_id for task, _ in rows)
    return csv_response(
        "tasks.csv",
        ["partner", "task", "due (UTC)", "done (UTC)", "with"],
        [
            (
                organization.name,
                task.title,
                task.due_at.date(),
                task.done_at,
                people.get(task.assignee_id or 0, ""),
            )
            for task, organization in rows
        ],
    )


@onboarding_staff.post("/staff/tasks/<task_id>/done")
@_TASK
def task_done(task: PartnerTask) -> ResponseReturnValue:
    """Mark a task of ours as done."""
    if services.set_done(_ours(task), done=True, user_id=current_actor().user_id):
        flash(f"Done: {task.title}.", "success")
    return _back()


@onboarding_staff.post("/staff/tasks/<task_id>/reopening")
@_TASK
def task_reopen(task: PartnerTask) -> ResponseReturnValue:
    """It was not done after all."""
    if services.set_done(_ours(task), done=False, user_id=current_actor().user_id):
        flash(f"Open again: {task.title}.", "success")
    return _back()


@onboarding_staff.post("/staff/tasks/<task_id>/assignee")
@_TASK
def task_assign(task: PartnerTask) -> ResponseReturnValue:
    """Give it to somebody of the staff, or to nobody in particular."""
    value = request.form.get("person", "")
    person = int(value) if value.isascii() and value.isdigit() and len(value) < 19 else None
    try:
        if value and person is None:
            raise InvalidError({"person": "Choose somebody of the staff."})
        services.assign(
            _ours(task),
            person,
            staff=set(staffing().staff),
            user_id=current_actor().user_id,
        )
        flash("Assigned.", "success")
    except InvalidError as error:
        flash(" ".join(error.fields.values()), "warning")
    return _back()


def _ours(task: PartnerTask) -> PartnerTask:
    if task.side is not TaskSide.OPERATOR:
        raise NotFoundError
    return task


def _asked() -> tuple[str, str, bool]:
    show = request.args.get("show", "")
    return (
        show if show in _SHOWN else "open",
        line(request.args.get("q"))[:80],
        request.args.get("mine") == "1",
    )


def _back() -> ResponseReturnValue:
    show, text, mine = _asked()
    return redirect(
        url_for("onboarding_staff.tasks", show=show, q=text or None, mine="1" if mine else None),
        code=303,
    )
