"""Block 33, training: a partner passes a quiz; the credential and the tier's score follow."""

import re
from collections.abc import Callable

from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import func, select

from marketplace.accreditation.courses.models import Attempt
from marketplace.accreditation.credentials.models import Credential
from marketplace.core import clock
from marketplace.core.database import db
from marketplace.identity.models import Role
from marketplace.program.measures import Measure, Measurement
from marketplace.program.policy.live import current_policy
from marketplace.program.scorecards.evaluating import values_of
from tests.factories.courses import answers
from tests.factories.people import make_member, make_organization, make_platform
from tests.factories.program import make_policy, make_standing
from tests.factories.races import at_once

SignIn = Callable[..., FlaskClient]


def author_a_course(staff: FlaskClient) -> str:
    """Write, and publish, a course with a lesson and five questions; its path for learners."""
    made = staff.post("/staff/courses/new", data={"title": "Sell with care"})
    assert made.status_code == 303
    path = made.headers["Location"]
    assert "Write at least one lesson" in staff.get(path).text
    lesson = {"title": "Listen first", "body": "Ask **before** you offer. <script>x</script>"}
    assert staff.post(f"{path}/lessons/new", data=lesson).status_code == 303
    for number in range(5):
        question = {
            "kind": "single",
            "text": f"What comes first, {number}?",
            "options": "* Listening\nOffering\nInvoicing",
            "explanation": "Who listens learns what is needed.",
        }
        assert staff.post(f"{path}/questions/new", data=question).status_code == 303
    settings = {
        "title": "Sell with care",
        "summary": "How partners talk with customers.",
        "types": ["technology"],
        "min_tier": "",
        "validity_months": "12",
        "pass_percent": "80",
        "attempts_allowed": "3",
        "wait_hours": "0",
        "time_limit_minutes": "0",
        "drawn": "0",
        "is_certifying": "y",
    }
    assert staff.post(f"{path}/settings", data=settings).status_code == 303
    assert staff.post(f"{path}/publish").status_code == 303
    assert "Version 1" in staff.get(path).text
    return path.replace("/staff/", "/partner/")


def score_of(organization_id: int) -> int | None:
    """The partner's metric of certified people, by the policy in force."""
    db.session.rollback()
    live = current_policy()
    assert live is not None
    return values_of([organization_id], live.policy, clock.now())[organization_id]["certified"]


def credentials() -> int:
    db.session.rollback()
    return db.session.scalar(select(func.count()).select_from(Credential)) or 0


def take(browser: FlaskClient, course: str, right: int) -> str:
    """Begin an attempt and submit it with so many right answers; the page of its result."""
    begun = browser.post(f"{course}/attempts")
    assert begun.status_code == 303
    path = begun.headers["Location"]
    assert "What comes first" in browser.get(path).text
    db.session.rollback()
    attempt = db.session.scalars(select(Attempt).order_by(Attempt.id.desc())).first()
    assert attempt is not None
    given = answers(attempt, right)
    saved = browser.post(f"{path}/answers", data=given)
    assert saved.status_code == 200
    assert saved.json is not None
    assert "saved_at" in saved.json
    assert browser.post(f"{path}/submit", data=given).status_code == 303
    return path


def test_033_training(app: Flask, sign_in: SignIn) -> None:
    make_policy()
    partner = make_organization("Quayside")
    make_standing(partner)
    owner = make_member(partner)
    reseller = make_organization("Bramble", partner_type="reseller")
    other = make_member(reseller)
    manager = make_member(make_platform(), Role.PROGRAM_MANAGER)
    db.session.commit()
    staff = sign_in(manager)
    learner = sign_in(owner, partner)
    course = author_a_course(staff)

    # It is for technology partners alone.
    assert "Sell with care" in learner.get("/partner/courses").text
    assert "Sell with care" not in sign_in(other, reseller).get("/partner/courses").text
    assert sign_in(other, reseller).get(course).status_code == 404

    # The lesson is safe, done, and counted.
    page = learner.get(course).text
    found = re.search(rf"{course}/lessons/l_[0-9a-f]+", page)
    assert found is not None
    assert "<script>x" not in learner.get(found[0]).text
    assert "<strong>before</strong>" in learner.get(found[0]).text
    assert learner.post(found[0]).headers["Location"] == course
    assert "1 of 1" in learner.get("/partner/courses").text

    # A score of 60 gives nothing, and what was right stays untold.
    result = learner.get(take(learner, course, 3)).text
    assert "60 percent: 3 of 5 right" in result
    assert "Who listens learns" not in result
    assert credentials() == 0
    assert score_of(partner.id) == 0

    # A pass gives one credential, and the tier's score follows.
    passed = take(learner, course, 4)
    assert "80 percent: 4 of 5 right" in learner.get(passed).text
    assert "Who listens learns" in learner.get(passed).text
    assert credentials() == 1
    assert score_of(partner.id) == 1
    assert "Sell with care" in learner.get("/partner/credentials").text
    assert "already" in learner.get(course).text

    # Sent again, it changes nothing.
    learner.post(f"{passed}/submit", data={})
    assert credentials() == 1
    assert score_of(partner.id) == 1

    # Staff see who passed and how the questions do.
    overview = staff.get(f"{course.replace('/partner/', '/staff/')}/learners").text
    assert owner.name in overview
    assert "50%" in overview
    assert owner.name in staff.get(
        f"{course.replace('/partner/', '/staff/')}/learners.csv"
    ).get_data(as_text=True)


def test_033_two_passes_at_once_give_one_credential(app: Flask, sign_in: SignIn) -> None:
    make_policy()
    partner = make_organization("Quayside")
    make_standing(partner)
    owner = make_member(partner)
    manager = make_member(make_platform(), Role.PROGRAM_MANAGER)
    db.session.commit()
    course = author_a_course(sign_in(manager))
    browsers = [sign_in(owner, partner), sign_in(owner, partner)]
    begun = browsers[0].post(f"{course}/attempts").headers["Location"]
    assert browsers[1].post(f"{course}/attempts").headers["Location"] == begun
    db.session.rollback()
    attempt = db.session.scalars(select(Attempt)).one()
    given = answers(attempt, 5)
    db.session.rollback()

    at_once(app, [lambda each=each: each.post(f"{begun}/submit", data=given) for each in browsers])
    assert "Passed" in browsers[0].get(begun).text
    assert credentials() == 1
    assert score_of(partner.id) == 1
    rows = db.session.scalars(
        select(Measurement.amount)
        .where(Measurement.measure == Measure.CERTIFIED_PEOPLE)
        .order_by(Measurement.counts_at)
    ).all()
    assert list(rows) == [1, -1]
