"""Writing courses: a draft is changed part by part, and published as a version that stays."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, TypeVar

from pydantic import BaseModel, ValidationError
from sqlalchemy import func, select

from marketplace.accreditation.courses.content import (
    MOST_LESSONS,
    MOST_QUESTIONS,
    CourseContent,
    Lesson,
    Question,
    digest_of,
    new_key,
    problems,
)
from marketplace.accreditation.courses.models import Course, CourseState, CourseVersion
from marketplace.core import clock
from marketplace.core.database import db
from marketplace.core.errors import ConflictError, InvalidError, NotFoundError
from marketplace.core.facts import record_fact
from marketplace.core.locks import lock_row
from marketplace.core.once import id_of_form
from marketplace.identity.sent_forms import sent_before

Part = TypeVar("Part", bound=Lesson | Question)
CHANGED = "Somebody else changed this meanwhile. Look at it again, then save."


def create_course(title: str, *, by_user_id: int | None, form_key: str = "") -> Course:
    """Begin a course: of a form, one. Raises InvalidError."""
    content = _validated(lambda: CourseContent(title=title))
    public_id = id_of_form("crs", form_key, by_user_id, title)
    if known := sent_before(Course, public_id, by_user_id=by_user_id):
        return known
    last = db.session.scalar(select(func.max(Course.position))) or 0
    course = Course(
        public_id=public_id,
        draft=content.as_data(),
        position=last + 1,
        created_by_id=by_user_id,
    )
    db.session.add(course)
    db.session.flush()
    record_fact("course.begun", subject=("course", course.id), actor_user_id=by_user_id)
    return course


def save_settings(course: Course, values: Mapping[str, Any], *, seen: str) -> None:
    """Change what is not lessons and questions. `seen` is the digest of what the editor saw.

    Raises InvalidError with messages for the fields, ConflictError when it changed meanwhile.
    """
    content = _locked(course).content
    if seen and seen != settings_digest(content):
        raise ConflictError(CHANGED)
    _write(course, _validated(lambda: content.with_changes(**values)))


def save_lesson(
    course: Course, key: str | None, *, title: str, body: str, video_url: str, seen: str = ""
) -> Lesson:
    """Add a lesson (`key` None) or change one.

    Raises InvalidError, ConflictError, NotFoundError.
    """
    content = _locked(course).content
    lesson = _validated(
        lambda: Lesson(key=key or new_key("l"), title=title, body=body, video_url=video_url)
    )
    lessons = _placed(content.lessons, lesson, key, seen, MOST_LESSONS)
    _write(course, content.model_copy(update={"lessons": lessons}))
    return lesson


def save_question(
    course: Course, key: str | None, values: Mapping[str, Any], *, seen: str = ""
) -> Question:
    """Add a question (`key` None) or change one.

    Raises InvalidError, ConflictError, NotFoundError.
    """
    content = _locked(course).content
    question = _validated(lambda: Question.model_validate({**values, "key": key or new_key("q")}))
    questions = _placed(content.questions, question, key, seen, MOST_QUESTIONS)
    _write(course, content.model_copy(update={"questions": questions}))
    return question


def remove_part(course: Course, key: str) -> None:
    """Take a lesson or a question out of the draft. Harmless when it is gone."""
    content = _locked(course).content
    _write(
        course,
        content.model_copy(
            update={
                "lessons": tuple(each for each in content.lessons if each.key != key),
                "questions": tuple(each for each in content.questions if each.key != key),
            }
        ),
    )


def move_lesson(course: Course, key: str, by: int) -> None:
    """Move a lesson one place up (-1) or down (1)."""
    content = _locked(course).content
    lessons = list(content.lessons)
    place = next((at for at, each in enumerate(lessons) if each.key == key), None)
    if place is None or not 0 <= place + by < len(lessons):
        return
    lessons.insert(place + by, lessons.pop(place))
    _write(course, content.model_copy(update={"lessons": tuple(lessons)}))


def move_course(course: Course, by: int) -> None:
    """Move a course one place up (-1) or down (1) in the list."""
    rows = list(db.session.scalars(select(Course).order_by(Course.position, Course.id)))
    place = next((at for at, row in enumerate(rows) if row.id == course.id), None)
    if place is None or not 0 <= place + by < len(rows):
        return
    rows.insert(place + by, rows.pop(place))
    for at, row in enumerate(rows, 1):
        row.position = at
    db.session.flush()


def publish(course: Course, *, by_user_id: int | None) -> CourseVersion:
    """Publish the draft as the next version. Who has begun an attempt goes on with theirs.

    Raises ConflictError when something is missing or nothing has changed.
    """
    row = _locked(course)
    content = row.content
    found = problems(content)
    if found:
        raise ConflictError(found[0])
    if row.published_number is not None and not row.has_changes:
        raise ConflictError("Nothing has changed since the last version.")
    version = CourseVersion(
        course_id=row.id,
        number=(row.published_number or 0) + 1,
        document=content.as_data(),
        published_at=clock.now(),
        published_by_id=by_user_id,
    )
    db.session.add(version)
    row.published_number, row.has_changes = version.number, False
    if row.state is CourseState.DRAFT:
        row.state = CourseState.PUBLISHED
    db.session.flush()
    record_fact(
        "course.published",
        subject=("course", row.id),
        actor_user_id=by_user_id,
        data={"version": version.number},
    )
    return version


def archive(course: Course, archived: bool, *, by_user_id: int | None) -> None:
    """Take a course off, or put it back. Credentials stay as they are."""
    row = _locked(course)
    if row.state is CourseState.DRAFT or (row.state is CourseState.ARCHIVED) == archived:
        return
    row.state = CourseState.ARCHIVED if archived else CourseState.PUBLISHED
    db.session.flush()
    record_fact(
        "course.archived" if archived else "course.restored",
        subject=("course", row.id),
        actor_user_id=by_user_id,
    )


def settings_digest(content: CourseContent) -> str:
    """The mark of what is not lessons and questions."""
    return digest_of(content.model_copy(update={"lessons": (), "questions": ()}))


def _placed(
    parts: Sequence[Part], part: Part, key: str | None, seen: str, most: int
) -> tuple[Part, ...]:
    if key is None:
        if len(parts) >= most:
            raise InvalidError({"title": f"There are {most} already.", "text": f"At most {most}."})
        return (*parts, part)
    before = next((each for each in parts if each.key == key), None)
    if before is None:
        raise NotFoundError
    if seen and digest_of(before) != seen:
        raise ConflictError(CHANGED)
    return tuple(part if each.key == key else each for each in parts)


def _locked(course: Course) -> Course:
    row = lock_row(Course, Course.id == course.id)
    if row is None:
        raise NotFoundError
    return row


def _write(course: Course, content: CourseContent) -> None:
    data = content.as_data()
    if data != course.draft:
        course.draft, course.has_changes = data, True
        db.session.flush()


_Value = TypeVar("_Value", bound=BaseModel)


def _validated(make: Callable[[], _Value]) -> _Value:
    """What `make` makes, or InvalidError with a message for each field."""
    try:
        return make()
    except ValidationError as error:
        fields: dict[str, str] = {}
        for each in error.errors():
            name = str(each["loc"][0]) if each["loc"] else "title"
            fields.setdefault(name, _sentence(each["msg"]))
        raise InvalidError(fields) from None


def _sentence(message: str) -> str:
    text = message.removeprefix("Value error, ")
    return f"{text[:1].upper()}{text[1:]}" + ("" if text.endswith(".") else ".")
