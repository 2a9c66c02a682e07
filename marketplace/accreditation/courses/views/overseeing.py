"""What staff see of learners: who passed, how the questions do, the goals of the program."""

from flask import flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from marketplace.accreditation.courses import queries
from marketplace.accreditation.courses.models import Course
from marketplace.accreditation.courses.services import attempting
from marketplace.accreditation.courses.views.blueprints import courses_staff
from marketplace.core import clock
from marketplace.core.csv_export import csv_response
from marketplace.core.errors import NotFoundError
from marketplace.core.pagination import page_number
from marketplace.core.permissions import current_actor, needs
from marketplace.program.goals import goal_progress
from marketplace.program.policy.live import current_policy

_PATH = "/staff/courses/<course_id>"
_MANAGE = needs("courses.manage", load=queries.find_course, name="course")


@courses_staff.get(f"{_PATH}/learners")
@_MANAGE
def learners(course: Course) -> ResponseReturnValue:
    """Who takes it, and how the quiz does."""
    version = queries.current_version(course)
    content = version.content if version else course.content
    return render_template(
        "courses/staff_learners.html",
        course=course,
        content=content,
        page=queries.page_of_learners(course, page_number(request.args.get("page"))),
        figures=queries.figures_of(course, content),
    )


@courses_staff.get(f"{_PATH}/learners.csv")
@_MANAGE
def learners_export(course: Course) -> ResponseReturnValue:
    """The same as a file."""
    rows = [
        (row.name, row.organization, row.started_at, row.attempts, row.best, row.passed_at)
        for row in queries.learner_rows(course)
    ]
    head = ("person", "organization", "started", "attempts", "best_score", "passed")
    return csv_response(f"learners-{clock.now():%Y-%m-%d}.csv", head, rows)


@courses_staff.post(f"{_PATH}/learners/<int:enrolment_id>/attempts")
@needs("courses.manage")
def forgive(course_id: str, enrolment_id: int) -> ResponseReturnValue:
    """Let a person's failed attempts not count, so that they may try again."""
    enrolment = queries.enrolment_of_id(enrolment_id)
    if enrolment is None or enrolment.course.public_id != course_id:
        raise NotFoundError
    count = attempting.forgive(enrolment, by_user_id=current_actor().user_id)
    flash(
        f"{enrolment.user.name} may try again." if count else "There was nothing to take back.",
        "success" if count else "info",
    )
    return redirect(url_for("courses_staff.learners", course_id=course_id), code=303)


@courses_staff.get("/staff/courses/goals")
@needs("courses.manage")
def goals() -> ResponseReturnValue:
    """How far the program is with the goals of its policy."""
    return render_template(
        "courses/staff_goals.html",
        goals=goal_progress(clock.now()),
        live=current_policy(),
        year=clock.now().year,
    )
