"""Writing courses: the list, a course's draft, publishing."""

from flask import flash, redirect, render_template, url_for
from flask.typing import ResponseReturnValue

from marketplace.accreditation.courses import queries
from marketplace.accreditation.courses.content import digest_of, problems
from marketplace.accreditation.courses.forms import (
    LessonForm,
    NewCourseForm,
    QuestionForm,
    SettingsForm,
)
from marketplace.accreditation.courses.models import Course, CourseState
from marketplace.accreditation.courses.services import authoring
from marketplace.accreditation.courses.views.blueprints import courses_staff
from marketplace.core.errors import ConflictError, InvalidError, NotFoundError
from marketplace.core.permissions import current_actor, needs
from marketplace.identity.forms import show_errors
from marketplace.program.policy.live import current_policy

_PATH = "/staff/courses/<course_id>"
_MANAGE = needs("courses.manage", load=queries.find_course, name="course")


def _find(course_id: str, **_rest: object) -> Course:
    found = queries.find_course(course_id)
    if found is None:
        raise NotFoundError
    return found


@courses_staff.get("/staff/courses")
@needs("courses.manage")
def index() -> ResponseReturnValue:
    """All courses."""
    rows = queries.courses()
    return render_template(
        "courses/staff_index.html",
        rows=[(row, row.content) for row in rows],
        counts=queries.course_counts(),
    )


@courses_staff.get("/staff/courses/new")
@needs("courses.manage")
def new() -> ResponseReturnValue:
    """The form for a new course."""
    return render_template("courses/staff_new.html", form=NewCourseForm(formdata=None))


@courses_staff.post("/staff/courses/new")
@needs("courses.manage")
def create() -> ResponseReturnValue:
    """Begin it."""
    form = NewCourseForm()
    try:
        if not form.validate():
            return render_template("courses/staff_new.html", form=form), 422
        made = authoring.create_course(
            form.title.data or "",
            by_user_id=current_actor().user_id,
            form_key=form.form_key.data or "",
        )
    except InvalidError as error:
        show_errors(form, error)
        return render_template("courses/staff_new.html", form=form), 422
    flash("Begun. Nobody sees it until you publish it.", "success")
    return _to(made)


@courses_staff.get(_PATH)
@_MANAGE
def course(course: Course) -> ResponseReturnValue:
    """The draft: settings, lessons, questions, and what is missing."""
    content = course.content
    return render_template(
        "courses/staff_course.html",
        course=course,
        content=content,
        problems=problems(content),
        versions=queries.versions_of(course),
    )


@courses_staff.post(f"{_PATH}/move/<any(up, down):way>")
@needs("courses.manage")
def move(course_id: str, way: str) -> ResponseReturnValue:
    """Move it in the list."""
    authoring.move_course(_find(course_id), -1 if way == "up" else 1)
    return redirect(url_for("courses_staff.index"), code=303)


@courses_staff.get(f"{_PATH}/settings")
@_MANAGE
def settings(course: Course) -> ResponseReturnValue:
    """The form of the settings."""
    form = SettingsForm(formdata=None)
    content = course.content
    form.show(content, authoring.settings_digest(content))
    return _settings_page(course, form)


@courses_staff.post(f"{_PATH}/settings")
@_MANAGE
def save_settings(course: Course) -> ResponseReturnValue:
    """Save them."""
    form = SettingsForm()
    try:
        if not form.validate():
            return _settings_page(course, form), 422
        authoring.save_settings(course, form.values(), seen=form.seen.data or "")
    except InvalidError as error:
        show_errors(form, error)
        return _settings_page(course, form), 422
    except ConflictError as error:
        form.form_errors.append(error.detail)
        return _settings_page(course, form), 422
    flash("Saved in the draft.", "success")
    return _to(course)


@courses_staff.get(f"{_PATH}/lessons/new")
@_MANAGE
def lesson_new(course: Course) -> ResponseReturnValue:
    """The form for a lesson."""
    return _lesson_page(course, None, LessonForm(formdata=None))


@courses_staff.post(f"{_PATH}/lessons/new")
@_MANAGE
def lesson_create(course: Course) -> ResponseReturnValue:
    """Add it."""
    return _save_lesson(course, None)


@courses_staff.get(f"{_PATH}/lessons/<lesson_key>")
@needs("courses.manage")
def lesson(course_id: str, lesson_key: str) -> ResponseReturnValue:
    """A lesson of the draft."""
    found = _find(course_id)
    shown = found.content.lesson(lesson_key)
    if shown is None:
        raise NotFoundError
    form = LessonForm(formdata=None)
    form.show(shown, digest_of(shown))
    return _lesson_page(found, lesson_key, form)


@courses_staff.post(f"{_PATH}/lessons/<lesson_key>")
@needs("courses.manage")
def lesson_save(course_id: str, lesson_key: str) -> ResponseReturnValue:
    """Save it."""
    return _save_lesson(_find(course_id), lesson_key)


@courses_staff.post(f"{_PATH}/lessons/<lesson_key>/move/<any(up, down):way>")
@needs("courses.manage")
def lesson_move(course_id: str, lesson_key: str, way: str) -> ResponseReturnValue:
    """Move it among the lessons."""
    found = _find(course_id)
    authoring.move_lesson(found, lesson_key, -1 if way == "up" else 1)
    return _to(found)


@courses_staff.get(f"{_PATH}/questions/new")
@_MANAGE
def question_new(course: Course) -> ResponseReturnValue:
    """The form for a question."""
    return _question_page(course, None, QuestionForm(formdata=None))


@courses_staff.post(f"{_PATH}/questions/new")
@_MANAGE
def question_create(course: Course) -> ResponseReturnValue:
    """Add it."""
    return _save_question(course, None)


@courses_staff.get(f"{_PATH}/questions/<question_key>")
@needs("courses.manage")
def question(course_id: str, question_key: str) -> ResponseReturnValue:
    """A question of the draft."""
    found = _find(course_id)
    shown = found.content.question(question_key)
    if shown is None:
        raise NotFoundError
    form = QuestionForm(formdata=None)
    form.show(shown, digest_of(shown))
    return _question_page(found, question_key, form)


@courses_staff.post(f"{_PATH}/questions/<question_key>")
@needs("courses.manage")
def question_save(course_id: str, question_key: str) -> ResponseReturnValue:
    """Save it."""
    return _save_question(_find(course_id), question_key)


@courses_staff.get(f"{_PATH}/parts/<part_key>/remove")
@needs("courses.manage")
def part_removing(course_id: str, part_key: str) -> ResponseReturnValue:
    """Ask once more."""
    found = _find(course_id)
    lesson, question = found.content.lesson(part_key), found.content.question(part_key)
    if lesson is None and question is None:
        raise NotFoundError
    return render_template(
        "courses/staff_remove.html",
        course=found,
        key=part_key,
        what="lesson" if lesson else "question",
        words=lesson.title if lesson else question.text if question else "",
    )


@courses_staff.post(f"{_PATH}/parts/<part_key>/remove")
@needs("courses.manage")
def part_remove(course_id: str, part_key: str) -> ResponseReturnValue:
    """Take a lesson or a question out of the draft; published versions keep it."""
    found = _find(course_id)
    authoring.remove_part(found, part_key)
    flash("Taken out of the draft. Published versions keep it.", "success")
    return _to(found)


@courses_staff.get(f"{_PATH}/publish")
@_MANAGE
def publishing(course: Course) -> ResponseReturnValue:
    """Say what publishing means."""
    content = course.content
    return render_template(
        "courses/staff_publish.html", course=course, content=content, problems=problems(content)
    )


@courses_staff.post(f"{_PATH}/publish")
@_MANAGE
def publish(course: Course) -> ResponseReturnValue:
    """Publish the draft as the next version."""
    try:
        version = authoring.publish(course, by_user_id=current_actor().user_id)
        flash(f"Version {version.number} is published.", "success")
    except ConflictError as error:
        flash(error.detail, "warning")
    return _to(course)


@courses_staff.get(f"{_PATH}/archive")
@_MANAGE
def archiving(course: Course) -> ResponseReturnValue:
    """Say what archiving means."""
    return render_template("courses/staff_archive.html", course=course, content=course.content)


@courses_staff.post(f"{_PATH}/archive")
@_MANAGE
def archive(course: Course) -> ResponseReturnValue:
    """Take it off, or put it back."""
    takes_off = course.state is not CourseState.ARCHIVED
    authoring.archive(course, takes_off, by_user_id=current_actor().user_id)
    flash("Taken off. Credentials stay." if takes_off else "Offered again.", "success")
    return _to(course)


def _save_lesson(found: Course, key: str | None) -> ResponseReturnValue:
    form = LessonForm()
    try:
        if not form.validate():
            return _lesson_page(found, key, form), 422
        authoring.save_lesson(
            found,
            key,
            title=form.title.data or "",
            body=form.body.data or "",
            video_url=form.video_url.data or "",
            seen=form.seen.data or "",
        )
    except InvalidError as error:
        show_errors(form, error)
        return _lesson_page(found, key, form), 422
    except ConflictError as error:
        form.form_errors.append(error.detail)
        return _lesson_page(found, key, form), 422
    flash("Saved in the draft.", "success")
    return _to(found)


def _save_question(found: Course, key: str | None) -> ResponseReturnValue:
    form = QuestionForm()
    try:
        if not form.validate():
            return _question_page(found, key, form), 422
        authoring.save_question(found, key, form.values(), seen=form.seen.data or "")
    except InvalidError as error:
        for text in show_errors(form, _at_fields(error)):
            form.form_errors.append(text)
        return _question_page(found, key, form), 422
    except ConflictError as error:
        form.form_errors.append(error.detail)
        return _question_page(found, key, form), 422
    flash("Saved in the draft.", "success")
    return _to(found)


def _at_fields(error: InvalidError) -> InvalidError:
    """What is wrong with the right answers stands at the answers."""
    fields = dict(error.fields)
    if "correct" in fields:
        fields.setdefault("options", "Put a star (*) before each right answer.")
        del fields["correct"]
    return InvalidError(fields)


def _settings_page(course: Course, form: SettingsForm) -> str:
    live = current_policy()
    form.offer(live.policy if live else None)
    return render_template(
        "courses/staff_settings.html", course=course, content=course.content, form=form
    )


def _lesson_page(course: Course, key: str | None, form: LessonForm) -> str:
    content = course.content
    return render_template(
        "courses/staff_lesson.html",
        course=course,
        content=content,
        key=key,
        form=form,
        saved=content.lesson(key) if key else None,
    )


def _question_page(course: Course, key: str | None, form: QuestionForm) -> str:
    return render_template(
        "courses/staff_question.html", course=course, content=course.content, key=key, form=form
    )


def _to(course: Course) -> ResponseReturnValue:
    return redirect(url_for("courses_staff.course", course_id=course.public_id), code=303)
