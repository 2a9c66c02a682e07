"""Quizzes: begin, answer, submit, and what came of it."""

from flask import flash, jsonify, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from marketplace.accreditation.courses import queries, rules
from marketplace.accreditation.courses.models import Attempt, CourseState
from marketplace.accreditation.courses.services import attempting
from marketplace.accreditation.courses.views.blueprints import courses
from marketplace.accreditation.courses.views.learning import enrolled, opened
from marketplace.accreditation.credentials.models import Credential
from marketplace.core import clock
from marketplace.core.database import db
from marketplace.core.errors import ConflictError
from marketplace.core.limits import limiter
from marketplace.core.permissions import current_actor, needs

_PATH = "/partner/courses/attempts/<attempt_id>"
_TAKE = needs("attempt.take", load=queries.find_attempt, name="attempt")


@courses.post("/partner/courses/<course_id>/attempts")
@needs("courses.use")
@limiter.limit("60 per hour", key_func=lambda: f"user:{current_actor().user_id}")
def begin(course_id: str) -> ResponseReturnValue:
    """Begin an attempt, or go on with the open one."""
    found, version, _enrolment = opened(course_id)
    back = url_for("courses.course", course_id=found.public_id)
    if found.state is CourseState.ARCHIVED:
        flash("This course is not offered any more.", "warning")
        return redirect(back, code=303)
    try:
        made = attempting.begin(enrolled(found), version)
    except ConflictError as error:
        flash(error.detail, "warning")
        return redirect(back, code=303)
    return redirect(url_for("courses.attempt", attempt_id=made.public_id), code=303)


@courses.get(_PATH)
@_TAKE
def attempt(attempt: Attempt) -> ResponseReturnValue:
    """The questions while it is open; afterwards the score."""
    content = attempt.version.content
    if attempt.submitted_at is None:
        return render_template(
            "courses/quiz.html",
            attempt=attempt,
            course=attempt.version.course,
            content=content,
            questions=queries.asked(attempt),
            minutes_left=_minutes_left(attempt),
        )
    enrolment = attempt.enrolment
    taken = [
        attempting.taken_of(each)
        for each in attempting.attempts_of_person(enrolment.course_id, enrolment.user_id)
    ]
    credential = (
        db.session.get(Credential, attempt.credential_id) if attempt.credential_id else None
    )
    return render_template(
        "courses/result.html",
        attempt=attempt,
        course=attempt.version.course,
        content=content,
        questions=queries.asked(attempt),
        explains=rules.shows_explanations(content, taken, bool(attempt.passed)),
        left=rules.attempts_left(content, taken),
        refusal=attempting.refusal(attempt.version, enrolment, taken),
        right=sum(bool(each) for each in attempt.right.values()),
        credential=credential,
    )


@courses.post(f"{_PATH}/answers")
@_TAKE
@limiter.limit("60 per minute", key_func=lambda: f"user:{current_actor().user_id}")
def save(attempt: Attempt) -> ResponseReturnValue:
    """Keep the answers so far (the page does it by itself)."""
    if not attempting.save_answers(attempt, _given()):
        return jsonify({"message": "This attempt is over. What was saved in time counts."}), 409
    return jsonify({"saved_at": clock.now().isoformat(timespec="seconds")})


@courses.post(f"{_PATH}/submit")
@_TAKE
def submit(attempt: Attempt) -> ResponseReturnValue:
    """End it, once."""
    row = attempting.submit(attempt, _given())
    return redirect(url_for("courses.attempt", attempt_id=row.public_id), code=303)


def _given() -> dict[str, list[str]]:
    """What was chosen, by question; nothing where all boxes of a question were cleared."""
    cleared: dict[str, list[str]] = {key: [] for key in request.form.getlist("asked")}
    chosen = {key: request.form.getlist(key) for key in request.form if key.startswith("q_")}
    return {**cleared, **chosen}


def _minutes_left(attempt: Attempt) -> int | None:
    if attempt.closes_at is None:
        return None
    return max(0, -(-int((attempt.closes_at - clock.now()).total_seconds()) // 60))
