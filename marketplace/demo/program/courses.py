"""The demo's courses, and people who took them."""

from collections.abc import Callable
from datetime import timedelta
from random import Random
from typing import Any

from sqlalchemy import func, select

from marketplace.accreditation.courses.content import QuestionKind
from marketplace.accreditation.courses.models import Attempt, Course, CourseVersion
from marketplace.accreditation.courses.queries import current_version
from marketplace.accreditation.courses.services import attempting, authoring, learning, training
from marketplace.core import clock
from marketplace.core.database import db
from marketplace.core.permissions import Actor
from marketplace.core.unit_of_work import unit_of_work
from marketplace.demo.acting import actor
from marketplace.demo.program.course_texts import COURSES, INTEGRATE, PROTECT, TRAIN, Text

# Who took which course, how many days ago, with how many wrong answers at each attempt.
TAKEN: tuple[tuple[str, str, Text, int, tuple[int, ...]], ...] = (
    ("partner-owner", "tidewater-labs", INTEGRATE, 60, (0,)),
    ("partner-owner", "tidewater-labs", TRAIN, 40, (0,)),
    ("partner-editor", "tidewater-labs", INTEGRATE, 21, (3, 1)),
    ("partner-editor", "tidewater-labs", PROTECT, 20, (2,)),
    ("second-partner-owner", "quillbright", PROTECT, 12, (0,)),
    ("reseller-owner", "meridian-quay", PROTECT, 30, (1,)),
    ("agency-owner", "studio-okavango", TRAIN, 9, (3,)),
)


def load(tell: Callable[[str], None]) -> None:
    """Publish three courses and let people take them. Commits; does nothing when there are any."""
    manager = actor("program-manager")
    if manager is None or db.session.scalar(select(func.count()).select_from(Course)):
        return
    now = clock.now()
    with clock.frozen(now - timedelta(days=90)), unit_of_work():
        made = {text.settings["title"]: _author(text, manager.user_id) for text in COURSES}
    for subject, slug, text, days, wrong in sorted(TAKEN, key=lambda each: -each[3]):
        person = actor(subject, slug)
        if person is not None:
            with clock.frozen(now - timedelta(days=days)), unit_of_work():
                _take(made[text.settings["title"]], person, wrong)
    _train(now - timedelta(days=14))
    tell(f"{len(COURSES)} courses are offered, and people hold their credentials.")


def _author(text: Text, by_user_id: int | None) -> Course:
    course = authoring.create_course(text.settings["title"], by_user_id=by_user_id)
    authoring.save_settings(course, text.settings, seen="")
    for title, body in text.lessons:
        authoring.save_lesson(course, None, title=title, body=body, video_url="")
    for words, options, explanation in text.questions:
        authoring.save_question(course, None, _question(words, options, explanation))
    authoring.publish(course, by_user_id=by_user_id)
    return course


def _question(words: str, options: tuple[str, ...], explanation: str) -> dict[str, Any]:
    right = [place for place, option in enumerate(options) if option.startswith("* ")]
    bare = [option.removeprefix("* ") for option in options]
    kind = QuestionKind.MULTIPLE if len(right) > 1 else QuestionKind.SINGLE
    if bare == ["True", "False"]:
        kind = QuestionKind.TRUE_FALSE
    return {
        "kind": kind.value,
        "text": words,
        "options": bare,
        "correct": right,
        "explanation": explanation,
    }


def _take(course: Course, person: Actor, wrong: tuple[int, ...]) -> None:
    """Read all lessons, then submit an attempt for each number of wrong answers."""
    version = current_version(course)
    if version is None or person.user_id is None or person.organization_id is None:
        return
    enrolment = learning.enrol(
        course, user_id=person.user_id, organization_id=person.organization_id
    )
    for lesson in version.content.lessons:
        learning.mark_done(enrolment, version, lesson.key)
    begin = clock.now()
    for number, mistakes in enumerate(wrong):
        with clock.frozen(begin + timedelta(hours=2 * number)):
            attempt = attempting.begin(enrolment, version)
            attempting.submit(attempt, _answers(version, attempt, mistakes))


def _answers(version: CourseVersion, attempt: Attempt, mistakes: int) -> dict[str, list[str]]:
    random = Random(f"{attempt.enrolment_id}:{attempt.number}")  # noqa: S311 - makes demo data
    missed = set(random.sample(attempt.drawn, min(mistakes, len(attempt.drawn))))
    given = {}
    for key in attempt.drawn:
        question = version.content.question(key)
        if question is None:
            continue
        wrong = [n for n in range(len(question.options)) if n not in question.correct]
        given[key] = [str(n) for n in ([wrong[0]] if key in missed else question.correct)]
    return given


def _train(at: Any) -> None:
    owner = actor("partner-owner", "tidewater-labs")
    if owner is None or owner.user_id is None or owner.organization_id is None:
        return
    with clock.frozen(at), unit_of_work():
        trainer = training.register_trainer(
            owner.organization_id, owner.user_id, by_user_id=owner.user_id
        )
        for days, title, people in (
            (0, "First steps for new customers", 14),
            (6, "Cleaning a customer list together", 9),
        ):
            training.log_session(
                owner.organization_id,
                trainer,
                held_on=(at - timedelta(days=days)).date(),
                title=title,
                people=people,
                notes="In the sandbox, each with an account of their own.",
                nonce=f"demo{days}",
                by_user_id=owner.user_id,
            )
