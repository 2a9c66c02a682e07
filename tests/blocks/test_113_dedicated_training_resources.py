"""Block 113, dedicated training resources: a partner registers a certified trainer and logs what
they hold; when the trainer's credential expires the requirement is not met any more."""

import re
from collections.abc import Callable
from datetime import timedelta

from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select

from marketplace.accreditation.courses.models import Trainer
from marketplace.core import clock
from marketplace.core.database import db
from marketplace.identity.models import Role
from tests.factories.courses import make_course, pass_course
from tests.factories.people import make_member, make_organization
from tests.factories.program import make_policy, make_standing

SignIn = Callable[..., FlaskClient]

METRICS = [
    {"key": "trainers", "name": "Trainers", "measure": "trainers", "how": "level",
     "window_days": None},
    {"key": "sessions", "name": "Trainings", "measure": "training_sessions"},
]  # fmt: skip
TIERS = [
    {"key": "registered", "name": "Registered"},
    {
        "key": "gold",
        "name": "Gold",
        "requirements": [
            {"metric": "trainers", "threshold": 1},
            {"metric": "sessions", "threshold": 1},
        ],
    },
]


def earns_gold(browser: FlaskClient) -> bool:
    """Whether the scorecard says that the partner has gold, evaluated now."""
    assert browser.post("/partner/scorecard/evaluate").status_code == 303
    page = browser.get("/partner/scorecard").text
    tier = re.search(r">Tier</p>\s*<p class=\"stat-value\">([^<]+)", page)
    assert tier is not None
    if tier[1] == "Registered":
        gaps = page.split('class="score-gaps"')[1].split("</ul>")[0]
        assert "Open" in gaps
    return tier[1] == "Gold"


def test_113_dedicated_training_resources(app: Flask, sign_in: SignIn) -> None:
    # Without days of grace a tier is lost at once.
    make_policy(metrics=METRICS, tiers=TIERS, grace_days=0)
    partner = make_organization("Quayside")
    make_standing(partner)
    owner = make_member(partner)
    teacher = make_member(partner, Role.EDITOR)
    nobody = make_member(partner, Role.VIEWER)
    course = make_course(title="Train others", is_trainer=True, validity_months=12)
    pass_course(course, teacher, partner)
    db.session.commit()
    begin = clock.now()
    browser = sign_in(owner, partner)

    # Only who holds the credential can be registered.
    assert teacher.name in browser.get("/partner/courses/trainers").text
    refused = browser.post("/partner/courses/trainers", data={"member": str(nobody.id)})
    assert refused.status_code == 422
    assert not earns_gold(browser)
    made = browser.post("/partner/courses/trainers", data={"member": str(teacher.id)})
    assert made.status_code == 303
    db.session.rollback()
    trainer = db.session.scalars(select(Trainer)).one()

    # A session counts on its day; none is logged before it was held.
    form = {
        "nonce": "a1b2c3",
        "trainer": trainer.public_id,
        "held_on": f"{begin:%Y-%m-%d}",
        "title": "First steps",
        "people": "12",
        "notes": "At the office.",
    }
    for wrong, message in (
        ({"held_on": f"{begin + timedelta(days=2):%Y-%m-%d}"}, "Log it once it was held."),
        ({"held_on": "2020-01-01"}, "no valid trainer credential on that day"),
        ({"people": "0"}, "From 1 to 10,000 people."),
        ({"people": str(2**63)}, "From 1 to 10,000 people."),
        ({"title": ""}, "Say what it was about."),
        ({"title": "a\x00b"}, "cannot be stored"),
        ({"trainer": "trn_nobody"}, "Choose a registered trainer."),
    ):
        page = browser.post("/partner/courses/sessions/new", data={**form, **wrong})
        assert page.status_code == 422, wrong
        assert message in page.text
        assert "At the office." in page.text
    assert not earns_gold(browser)
    for _click in range(2):
        assert browser.post("/partner/courses/sessions/new", data=form).status_code == 303
    assert earns_gold(browser)
    listed = browser.get("/partner/courses/sessions.csv").get_data(as_text=True)
    assert listed.count("First steps") == 1

    # The trainer's credential expires: the requirement fails, by nobody's hand.
    with clock.frozen(begin + timedelta(days=364)):
        assert earns_gold(sign_in(owner, partner))
    with clock.frozen(begin + timedelta(days=366)):
        later = sign_in(owner, partner)
        assert not earns_gold(later)
        assert "Does not count" in later.get("/partner/courses/trainers").text
