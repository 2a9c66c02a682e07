"""Block 2, increase skills: people pass an exam; the operator's goal of certified people moves."""

import re
from collections.abc import Callable
from datetime import timedelta

from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select

from marketplace.accreditation.courses.models import Attempt
from marketplace.core import clock
from marketplace.core.database import db
from marketplace.identity.models import Role
from tests.factories.courses import answers, make_course
from tests.factories.people import make_member, make_organization, make_platform
from tests.factories.program import make_policy

SignIn = Callable[..., FlaskClient]


def reached(staff: FlaskClient) -> str:
    """What the goals' page says is reached."""
    found = re.search(r"(\d+) of 5\b", staff.get("/staff/courses/goals").text)
    assert found is not None
    return found[1]


def pass_quiz(browser: FlaskClient, course_id: str) -> None:
    begun = browser.post(f"/partner/courses/{course_id}/attempts").headers["Location"]
    db.session.rollback()
    attempt = db.session.scalars(select(Attempt).order_by(Attempt.id.desc())).first()
    assert attempt is not None
    assert browser.post(f"{begun}/submit", data=answers(attempt, 5)).status_code == 303


def test_002_increase_skills(app: Flask, sign_in: SignIn) -> None:
    goal = {
        "key": "skills",
        "name": "Certified people",
        "measure": "certified_people",
        "how": "level",
        "target": 5,
    }
    make_policy(goals=[goal])
    partner, second = make_organization("Quayside"), make_organization("Bramble")
    people = [make_member(partner), make_member(partner, Role.EDITOR), make_member(second)]
    manager = make_member(make_platform(), Role.PROGRAM_MANAGER)
    course = make_course(validity_months=12)
    other = make_course(title="Another course", validity_months=24)
    db.session.commit()
    begin = clock.now()

    staff = sign_in(manager)
    browsers = [
        sign_in(people[0], partner),
        sign_in(people[1], partner),
        sign_in(people[2], second),
    ]
    assert reached(staff) == "0"
    pass_quiz(browsers[0], course.public_id)
    assert reached(staff) == "1"
    pass_quiz(browsers[2], course.public_id)
    assert reached(staff) == "2"

    # A second certificate of the same person is no second person.
    pass_quiz(browsers[0], other.public_id)
    assert reached(staff) == "2"

    # An expired certificate takes one off, by nobody's hand; who has another one still counts.
    with clock.frozen(begin + timedelta(days=366)):
        again = sign_in(manager)
        assert reached(again) == "1"
    with clock.frozen(begin + timedelta(days=732)):
        assert reached(sign_in(manager)) == "0"
    assert reached(staff) == "2"


def test_002_who_leaves_takes_the_credential_and_not_the_count(app: Flask, sign_in: SignIn) -> None:
    goal = {
        "key": "skills",
        "name": "Certified people",
        "measure": "certified_people",
        "how": "level",
        "target": 5,
    }
    make_policy(goals=[goal])
    partner = make_organization("Quayside")
    owner, editor = make_member(partner), make_member(partner, Role.EDITOR)
    manager = make_member(make_platform(), Role.PROGRAM_MANAGER)
    course = make_course()
    db.session.commit()
    staff = sign_in(manager)
    leaver = sign_in(editor, partner)
    pass_quiz(leaver, course.public_id)
    assert reached(staff) == "1"
    removed = sign_in(owner, partner).post(
        f"/organizations/{partner.slug}/members/{editor.id}/removal"
    )
    assert removed.status_code in {302, 303}
    assert reached(staff) == "0"
    assert "Build integrations that last" in leaver.get("/account/credentials").text
    assert "has left" in sign_in(owner, partner).get("/partner/credentials").text
