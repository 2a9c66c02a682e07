"""Taking courses: the list, a course, its lessons."""

from flask import flash, redirect, render_template, url_for
from flask.typing import ResponseReturnValue

from marketplace.accreditation.courses import queries, rules
from marketplace.accreditation.courses.models import Course, CourseState, CourseVersion, Enrolment
from marketplace.accreditation.courses.services import attempting, learning
from marketplace.accreditation.courses.views.blueprints import courses
from marketplace.core.errors import NotFoundError
from marketplace.core.permissions import current_actor, needs
from marketplace.program.standing.reading import place_of

_PATH = "/partner/courses/<course_id>"


@courses.get("/partner/courses")
@needs("courses.use")
def index() -> ResponseReturnValue:
    """The courses for people of the organization's type and tier."""
    actor = current_actor()
    organization_id = actor.organization_id or 0
    place = place_of(organization_id)
    return render_template(
        "courses/index.html",
        offered=queries.offered_to(actor.user_id or 0, organization_id, place),
        may_train=actor.can("trainers.use"),
    )


@courses.get(_PATH)
@needs("courses.use")
def course(course_id: str) -> ResponseReturnValue:
    """One course: its lessons, its quiz, and how far the person is."""
    found, version, enrolment = opened(course_id)
    content = version.content
    attempts = attempting.attempts_of(enrolment.id) if enrolment else []
    taken = [
        attempting.taken_of(each)
        for each in attempting.attempts_of_person(found.id, current_actor().user_id or 0)
    ]
    credential = attempting.credential_held(enrolment) if enrolment else None
    return render_template(
        "courses/course.html",
        course=found,
        version=version,
        content=content,
        done=queries.lessons_done(enrolment),
        attempts=attempts,
        running=next((each for each in attempts if each.submitted_at is None), None),
        left=rules.attempts_left(content, taken),
        refusal=attempting.refusal(version, enrolment, taken) if enrolment else "",
        credential=credential,
        is_archived=found.state is CourseState.ARCHIVED,
    )


@courses.get(f"{_PATH}/lessons/<lesson_key>")
@needs("courses.use")
def lesson(course_id: str, lesson_key: str) -> ResponseReturnValue:
    """One lesson."""
    found, version, enrolment = opened(course_id)
    content = version.content
    shown = content.lesson(lesson_key)
    if shown is None:
        raise NotFoundError
    place = content.lessons.index(shown)
    return render_template(
        "courses/lesson.html",
        course=found,
        content=content,
        lesson=shown,
        place=place,
        done=queries.lessons_done(enrolment),
        previous=content.lessons[place - 1] if place else None,
        following=content.lessons[place + 1] if place + 1 < len(content.lessons) else None,
    )


@courses.post(f"{_PATH}/lessons/<lesson_key>")
@needs("courses.use")
def lesson_done(course_id: str, lesson_key: str) -> ResponseReturnValue:
    """Mark it as done and go on to the next."""
    found, version, _enrolment = opened(course_id)
    enrolment = enrolled(found)
    if not learning.mark_done(enrolment, version, lesson_key):
        raise NotFoundError
    content = version.content
    keys = [each.key for each in content.lessons]
    place = keys.index(lesson_key) + 1
    if place < len(keys):
        return redirect(
            url_for("courses.lesson", course_id=found.public_id, lesson_key=keys[place]), code=303
        )
    flash("That was the last lesson. The quiz is next.", "success")
    return redirect(url_for("courses.course", course_id=found.public_id), code=303)


def opened(course_id: str) -> tuple[Course, CourseVersion, Enrolment | None]:
    """A published course that is for the organization, or that the person has begun.

    Raises NotFoundError.
    """
    actor = current_actor()
    found = queries.find_course(course_id)
    version = queries.current_version(found) if found is not None else None
    if found is None or version is None:
        raise NotFoundError
    organization_id = actor.organization_id or 0
    enrolment = queries.find_enrolment(found.id, actor.user_id or 0, organization_id)
    if enrolment is None and (
        found.state is not CourseState.PUBLISHED
        or not queries.is_for(version.content, place_of(organization_id))
    ):
        raise NotFoundError
    return found, version, enrolment


def enrolled(found: Course) -> Enrolment:
    """The person's enrolment, begun when there is none."""
    actor = current_actor()
    return learning.enrol(
        found, user_id=actor.user_id or 0, organization_id=actor.organization_id or 0
    )
