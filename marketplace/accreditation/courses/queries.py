"""Reading courses, attempts, trainers and sessions."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import Select, func, select
from sqlalchemy.orm import contains_eager, joinedload

from marketplace.accreditation.courses.content import CourseContent, Question
from marketplace.accreditation.courses.counting import CERTIFYING, PLAIN, TRAINING
from marketplace.accreditation.courses.models import (
    Attempt,
    Course,
    CourseState,
    CourseVersion,
    Enrolment,
    LessonDone,
    Trainer,
    TrainingSession,
)
from marketplace.accreditation.credentials.models import Credential
from marketplace.accreditation.credentials.queries import valid_at
from marketplace.core import clock
from marketplace.core.database import db
from marketplace.core.pagination import Page, paginate
from marketplace.identity.models import Organization, User
from marketplace.program.policy.live import current_policy
from marketplace.program.standing.reading import Place

PER_PAGE = 25
MOST_ROWS = 10_000


@dataclass(frozen=True)
class Offered:
    """A course as a learner sees it in the list. `credential`: the valid one that lasts longest."""

    course: Course
    version: CourseVersion
    content: CourseContent
    lessons_done: int = 0
    credential: Credential | None = None
    is_open: bool = False


def find_course(course_id: str) -> Course | None:
    """The course of that public id."""
    return db.session.scalar(select(Course).where(Course.public_id == course_id))


def courses() -> Sequence[Course]:
    """All courses in their order."""
    return db.session.scalars(select(Course).order_by(Course.position, Course.id)).all()


def published_versions(*, archived: bool = False) -> Sequence[CourseVersion]:
    """The current version of each published course, in the order of the courses."""
    states = [CourseState.PUBLISHED, *([CourseState.ARCHIVED] if archived else [])]
    return db.session.scalars(
        select(CourseVersion)
        .join(CourseVersion.course)
        .options(contains_eager(CourseVersion.course))
        .where(Course.state.in_(states), CourseVersion.number == Course.published_number)
        .order_by(Course.position, Course.id)
    ).all()


def current_version(course: Course) -> CourseVersion | None:
    """What learners see of it; None before its first version."""
    if course.published_number is None:
        return None
    return db.session.scalar(
        select(CourseVersion).where(
            CourseVersion.course_id == course.id,
            CourseVersion.number == course.published_number,
        )
    )


def versions_of(course: Course) -> Sequence[CourseVersion]:
    """All versions, newest first."""
    return db.session.scalars(
        select(CourseVersion)
        .where(CourseVersion.course_id == course.id)
        .order_by(CourseVersion.number.desc())
    ).all()


def is_for(content: CourseContent, place: Place) -> bool:
    """Whether a course is for partners of that type and tier."""
    if content.types and place.partner_type not in content.types:
        return False
    if not content.min_tier:
        return True
    live = current_policy()
    return live is None or live.policy.reaches(place.tier, content.min_tier)


def offered_to(user_id: int, organization_id: int, place: Place) -> list[Offered]:
    """The courses that a person can take, with how far they are: a constant number of queries."""
    versions = [(row, row.content) for row in published_versions()]
    enrolments = {
        row.course_id: row
        for row in db.session.scalars(
            select(Enrolment).where(
                Enrolment.user_id == user_id, Enrolment.organization_id == organization_id
            )
        )
    }
    done: dict[int, set[str]] = {}
    for enrolment_id, key in db.session.execute(
        select(LessonDone.enrolment_id, LessonDone.lesson_key).where(
            LessonDone.enrolment_id.in_([row.id for row in enrolments.values()])
        )
    ):
        done.setdefault(enrolment_id, set()).add(key)
    running = set(
        db.session.scalars(
            select(Attempt.enrolment_id).where(
                Attempt.enrolment_id.in_([row.id for row in enrolments.values()]),
                Attempt.submitted_at.is_(None),
            )
        )
    )
    held = _held(user_id, organization_id)
    found = []
    for version, content in versions:
        enrolment = enrolments.get(version.course_id)
        credential = held.get(version.course.public_id)
        if not is_for(content, place) and credential is None:
            continue
        keys = done.get(enrolment.id, set()) if enrolment else set()
        found.append(
            Offered(
                version.course,
                version,
                content,
                sum(each.key in keys for each in content.lessons),
                credential,
                enrolment is not None and enrolment.id in running,
            )
        )
    return found


def _held(user_id: int, organization_id: int) -> dict[str, Credential]:
    rows = db.session.scalars(
        select(Credential)
        .where(
            Credential.user_id == user_id,
            Credential.organization_id == organization_id,
            valid_at(clock.now()),
        )
        .order_by(Credential.expires_at.is_(None), Credential.expires_at)
    )
    found = {}
    for row in rows:
        for kind in (CERTIFYING, TRAINING, PLAIN):
            if row.achievement.startswith(kind):
                found[row.achievement.removeprefix(kind)] = row
    return found


def find_enrolment(course_id: int, user_id: int, organization_id: int) -> Enrolment | None:
    """The person's enrolment, None before they began."""
    return db.session.scalar(
        select(Enrolment).where(
            Enrolment.course_id == course_id,
            Enrolment.user_id == user_id,
            Enrolment.organization_id == organization_id,
        )
    )


def enrolment_of_id(enrolment_id: int) -> Enrolment | None:
    """The enrolment of that id, with person and course."""
    return db.session.scalar(
        select(Enrolment)
        .where(Enrolment.id == enrolment_id)
        .options(joinedload(Enrolment.user), joinedload(Enrolment.course))
    )


def lessons_done(enrolment: Enrolment | None) -> set[str]:
    """The keys of the lessons that a person has done."""
    if enrolment is None:
        return set()
    return set(
        db.session.scalars(
            select(LessonDone.lesson_key).where(LessonDone.enrolment_id == enrolment.id)
        )
    )


def find_attempt(attempt_id: str) -> Attempt | None:
    """The attempt of that public id, with its version and enrolment."""
    return db.session.scalar(
        select(Attempt)
        .where(Attempt.public_id == attempt_id)
        .options(
            joinedload(Attempt.version).joinedload(CourseVersion.course),
            joinedload(Attempt.enrolment),
        )
    )


def asked(attempt: Attempt) -> list[Question]:
    """The questions of an attempt, in its order."""
    content = attempt.version.content
    found = (content.question(key) for key in attempt.drawn)
    return [question for question in found if question is not None]


def learners_query(course: Course) -> Any:
    """Who takes a course, the latest first, with their attempts counted."""
    passed = func.max(Attempt.submitted_at).filter(Attempt.passed.is_(True))
    return (
        select(
            Enrolment.id,
            Enrolment.started_at,
            User.name.label("name"),
            Organization.name.label("organization"),
            func.count(Attempt.id).label("attempts"),
            func.max(Attempt.score).label("best"),
            passed.label("passed_at"),
            func.count(Attempt.id)
            .filter(Attempt.passed.is_(False), Attempt.is_forgiven.is_(False))
            .label("failed"),
        )
        .join(User, User.id == Enrolment.user_id)
        .join(Organization, Organization.id == Enrolment.organization_id)
        .outerjoin(Attempt, Attempt.enrolment_id == Enrolment.id)
        .where(Enrolment.course_id == course.id)
        .group_by(Enrolment.id, User.name, Organization.name)
        .order_by(Enrolment.started_at.desc(), Enrolment.id.desc())
    )


def page_of_learners(course: Course, page: int) -> Page[Any]:
    """One page of them, as rows with names."""
    query = learners_query(course)
    total = (
        db.session.scalar(
            select(func.count()).select_from(Enrolment).where(Enrolment.course_id == course.id)
        )
        or 0
    )
    page = max(1, min(page, -(-total // PER_PAGE)))
    rows = db.session.execute(query.limit(PER_PAGE).offset((page - 1) * PER_PAGE)).all()
    return Page(items=rows, total=total, page=page, per_page=PER_PAGE)


def learner_rows(course: Course) -> Sequence[Any]:
    """All of them for a file, up to MOST_ROWS."""
    return db.session.execute(learners_query(course).limit(MOST_ROWS)).all()


@dataclass
class QuestionFigures:
    """How a question does: how often it was asked and answered right."""

    question: Question
    asked: int = 0
    right: int = 0

    @property
    def percent(self) -> int | None:
        """How often it was right; None before it was asked."""
        return 100 * self.right // self.asked if self.asked else None


@dataclass
class CourseFigures:
    """How a course's quiz does."""

    attempts: int = 0
    passed: int = 0
    questions: list[QuestionFigures] = field(default_factory=list)


def figures_of(course: Course, content: CourseContent) -> CourseFigures:
    """Over the newest MOST_ROWS attempts that have ended, of all versions."""
    found = {each.key: QuestionFigures(each) for each in content.questions}
    figures = CourseFigures(questions=list(found.values()))
    rows = db.session.execute(
        select(Attempt.passed, Attempt.right)
        .join(Attempt.enrolment)
        .where(Enrolment.course_id == course.id, Attempt.submitted_at.is_not(None))
        .order_by(Attempt.id.desc())
        .limit(MOST_ROWS)
    )
    for passed, right in rows:
        figures.attempts += 1
        figures.passed += bool(passed)
        for key, is_right in _mapping(right).items():
            if key in found:
                found[key].asked += 1
                found[key].right += bool(is_right)
    return figures


def _mapping(value: Any) -> Mapping[str, Any]:
    return value if isinstance(value, Mapping) else {}


def course_counts() -> dict[int, tuple[int, int]]:
    """By course: how many people began, and how many attempts were passed."""
    rows = db.session.execute(
        select(
            Enrolment.course_id,
            func.count(func.distinct(Enrolment.id)),
            func.count(Attempt.id).filter(Attempt.passed.is_(True)),
        )
        .outerjoin(Attempt, Attempt.enrolment_id == Enrolment.id)
        .group_by(Enrolment.course_id)
    )
    return {course_id: (people, passes) for course_id, people, passes in rows}


def find_trainer(trainer_id: str) -> Trainer | None:
    """The trainer of that public id."""
    return db.session.scalar(select(Trainer).where(Trainer.public_id == trainer_id))


def trainers_of(organization_id: int) -> Sequence[Trainer]:
    """An organization's trainers, those who were taken off last."""
    return db.session.scalars(
        select(Trainer)
        .where(Trainer.organization_id == organization_id)
        .order_by(Trainer.ended_at.is_not(None), func.lower(Trainer.name), Trainer.id)
    ).all()


def find_training(training_id: str) -> TrainingSession | None:
    """The session of that public id, with its trainer."""
    return db.session.scalar(
        select(TrainingSession)
        .where(TrainingSession.public_id == training_id)
        .options(joinedload(TrainingSession.trainer))
    )


def sessions_query(organization_id: int) -> Select[TrainingSession]:
    """An organization's sessions, the latest first."""
    return (
        select(TrainingSession)
        .where(TrainingSession.organization_id == organization_id)
        .options(joinedload(TrainingSession.trainer))
        .order_by(TrainingSession.held_on.desc(), TrainingSession.id.desc())
    )


def page_of_sessions(organization_id: int, page: int) -> Page[TrainingSession]:
    """One page of them."""
    return paginate(sessions_query(organization_id), page=page, per_page=PER_PAGE)


def session_rows(organization_id: int) -> Sequence[TrainingSession]:
    """All of them for a file, up to MOST_ROWS."""
    return db.session.scalars(sessions_query(organization_id).limit(MOST_ROWS)).all()
