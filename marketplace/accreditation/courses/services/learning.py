"""Taking a course: reading lessons."""

from sqlalchemy import select

from marketplace.accreditation.courses.models import (
    Course,
    CourseVersion,
    Enrolment,
    LessonDone,
)
from marketplace.core import clock
from marketplace.core.database import db
from marketplace.core.facts import record_fact
from marketplace.core.once import insert_if_new


def enrol(course: Course, *, user_id: int, organization_id: int) -> Enrolment:
    """The person's enrolment, begun when there is none."""
    made = insert_if_new(
        Enrolment,
        course_id=course.id,
        user_id=user_id,
        organization_id=organization_id,
        started_at=clock.now(),
    )
    enrolment = db.session.scalars(
        select(Enrolment).where(
            Enrolment.course_id == course.id,
            Enrolment.user_id == user_id,
            Enrolment.organization_id == organization_id,
        )
    ).one()
    if made is not None:
        record_fact(
            "course.started",
            subject=("course", course.id),
            actor_user_id=user_id,
            organization_id=organization_id,
        )
    return enrolment


def mark_done(enrolment: Enrolment, version: CourseVersion, lesson_key: str) -> bool:
    """Remember that a lesson of the version is done. False when there is no such lesson."""
    if version.content.lesson(lesson_key) is None:
        return False
    insert_if_new(LessonDone, enrolment_id=enrolment.id, lesson_key=lesson_key, done_at=clock.now())
    return True
