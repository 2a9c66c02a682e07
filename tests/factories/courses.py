"""Courses and credentials for tests, by the services. All of it is flushed, nothing committed."""

import itertools
from datetime import timedelta
from typing import Any

from marketplace.accreditation.courses.content import CourseContent
from marketplace.accreditation.courses.models import Attempt, Course, CourseVersion
from marketplace.accreditation.courses.queries import current_version
from marketplace.accreditation.courses.services import attempting, authoring, learning
from marketplace.accreditation.credentials.models import Credential
from marketplace.accreditation.credentials.services.issuing import issue
from marketplace.core import clock
from marketplace.core.database import db
from marketplace.identity.models import Organization, User

_numbers = itertools.count(1)

LESSON = {"key": "l_00000000000a", "title": "Begin here", "body": "Read **this**.", "video_url": ""}
SECOND = {"key": "l_00000000000b", "title": "Go on", "body": "And this.", "video_url": ""}


def question(number: int, **changes: Any) -> dict[str, Any]:
    """A question whose first answer is right."""
    return {
        "key": f"q_{number:012x}",
        "kind": "single",
        "text": f"Question {number}?",
        "options": ["Right", "Wrong", "Wronger"],
        "correct": [0],
        "explanation": f"Because of {number}.",
        **changes,
    }


def course_content(**changes: Any) -> CourseContent:
    """Two lessons and five questions, 80 percent to pass, three attempts, valid for a year."""
    values: dict[str, Any] = {
        "title": "Build integrations that last",
        "summary": "What every integrator should know.",
        "lessons": [LESSON, SECOND],
        "questions": [question(number) for number in range(1, 6)],
        **changes,
    }
    return CourseContent.model_validate(values)


def make_course(*, published: bool = True, **changes: Any) -> Course:
    """A course, published unless told otherwise."""
    course = authoring.create_course("A course", by_user_id=None)
    course.draft = course_content(**changes).as_data()
    if published:
        authoring.publish(course, by_user_id=None)
    return course


def version_of(course: Course) -> CourseVersion:
    """Its published version."""
    version = current_version(course)
    assert version is not None
    return version


def answers(attempt: Attempt, right: int) -> dict[str, list[str]]:
    """Answers of which so many are right, as a browser posts them."""
    content = attempt.version.content
    found = {}
    for place, key in enumerate(attempt.drawn):
        asked = content.question(key)
        assert asked is not None
        wrong = next(n for n in range(len(asked.options)) if n not in asked.correct)
        chosen = list(asked.correct) if place < right else [wrong]
        found[key] = [str(each) for each in chosen]
    return found


def pass_course(course: Course, user: User, organization: Organization) -> Credential:
    """Take and pass it at once; the credential."""
    enrolment = learning.enrol(course, user_id=user.id, organization_id=organization.id)
    attempt = attempting.begin(enrolment, version_of(course))
    done = attempting.submit(attempt, answers(attempt, len(attempt.drawn)))
    assert done.credential_id is not None
    return db.session.get_one(Credential, done.credential_id)


def make_credential(
    organization: Organization, user: User | None = None, **changes: Any
) -> Credential:
    """A credential that is valid for a year."""
    values: dict[str, Any] = {
        "recipient_name": user.name if user else organization.name,
        "title": "Certified integrator",
        "description": "Knows how to build an integration that lasts.",
        "expires_at": clock.now() + timedelta(days=365),
        "evidence": [],
        "key": f"test:{next(_numbers)}",
    }
    return issue(
        changes.pop("achievement", "course:crs_1"),
        organization_id=organization.id,
        user_id=user.id if user else None,
        **{**values, **changes},
    )
