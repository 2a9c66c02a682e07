"""39 Incubator: P enters a cohort, gets a mentor and passes gates; graduation drafts a listing."""

from datetime import timedelta

from flask import Flask
from sqlalchemy import select

from marketplace.catalogue.models import Listing
from marketplace.core import clock, jobs
from marketplace.core.database import db
from marketplace.identity.models import Role
from marketplace.program.applications.jobs import WATCH
from marketplace.program.applications.models import (
    Application,
    Milestone,
    MilestoneState,
    RoundKind,
    RoundPlace,
)
from tests.conftest import SignIn
from tests.factories.listings import make_category
from tests.factories.mails import mails
from tests.factories.people import make_member, make_organization, make_user
from tests.factories.program import make_policy, make_standing
from tests.factories.rounds import make_judges, make_round, seen_on

GATES = [
    {"title": "Prototype", "days": 30, "text": "Something to click."},
    {"title": "First customer", "days": 60, "text": ""},
]


def test_039_incubator(app: Flask, sign_in: SignIn) -> None:
    make_policy()
    make_category()
    judges = make_judges()
    partner = make_organization("Quayside")
    make_standing(partner)
    owner = make_member(partner, Role.OWNER, make_user("Ada Okafor", "ada@quayside.example"))
    elders = make_organization("Elders")
    mentor = make_member(elders, Role.EDITOR, make_user("Iris Wolff", "iris@elders.example"))
    round_ = make_round(
        RoundKind.INCUBATOR,
        name="Cohort one",
        places=1,
        gates=GATES,
        stages=[],
        form=[{"key": "product", "label": "What is it called?"}],
    )
    db.session.commit()
    mine, boss = sign_in(owner, partner), sign_in(judges.manager, judges.platform)

    apply = f"/partner/rounds/{round_.public_id}/application"
    assert mine.post(apply, data={"answer_product": "Tide Watch"}).status_code == 303
    application = db.session.scalars(select(Application)).one()
    letter = {"decision": "accept", "letter": "Welcome, {name}."}
    accept = f"/staff/applications/{application.public_id}/decision"
    assert boss.post(accept, data=letter).status_code == 303

    place = db.session.scalars(select(RoundPlace)).one()
    here = f"/partner/rounds/places/{place.public_id}"
    desk = f"/staff/rounds/places/{place.public_id}"
    assert (
        boss.post(
            f"/staff/rounds/places/{place.public_id}/mentor", data={"mentor": str(mentor.id)}
        ).status_code
        == 303
    )
    assert "Iris Wolff" in mine.get(here).text
    told = [each for each in mails() if each["to"] == mentor.email]
    assert [each["subject"] for each in told] == ["You mentor Quayside"]
    assert here in told[0]["body"]
    assert "Cohort one: Iris Wolff is your mentor" in [each["subject"] for each in mails()]
    guide = sign_in(mentor, elders)
    assert "Prototype" in guide.get(here).text

    def gates() -> list[Milestone]:
        db.session.expire_all()
        return list(db.session.scalars(select(Milestone).order_by(Milestone.position)))

    first, second = (each.public_id for each in gates())
    evidence = {"evidence": "See the link.", "url": "https://quayside.example/demo"}

    def hand_in(gate: str) -> int:
        path = f"/partner/rounds/milestones/{gate}/evidence"
        return mine.post(path, data=evidence).status_code

    # The mentor looks, the partner works.
    path = f"/partner/rounds/milestones/{first}/evidence"
    assert guide.post(path, data=evidence).status_code == 404
    assert hand_in(second) == 409

    # The first gate's day passes: it is missed, and blocks what follows.
    clock.shift(timedelta(days=31))
    try:
        mine, boss = sign_in(owner, partner), sign_in(judges.manager, judges.platform)
        jobs.add_due_ticks()
        while jobs.run_due():
            pass
        assert [each.state for each in gates()] == [MilestoneState.MISSED, MilestoneState.OPEN]
        assert any("a gate was missed" in each["subject"] for each in mails())
        assert hand_in(first) == 409
        assert hand_in(second) == 409
        assert "Missed" in mine.get(here).text

        day = (clock.now() + timedelta(days=10)).date().isoformat()
        again = boss.post(f"/staff/rounds/milestones/{first}/day", data={"due_on": day})
        assert again.status_code == 303
        for gate in (first, second):
            assert hand_in(gate) == 303
            step = f"/staff/rounds/milestones/{gate}/acceptance"
            done = boss.post(step, data=seen_on(boss.get(desk).text, step))
            assert done.status_code == 303
    finally:
        clock.shift(-timedelta(days=31))

    # Graduated: a draft of a listing waits for the partner.
    listing = db.session.scalars(select(Listing)).one()
    assert (listing.publisher_id, listing.name) == (partner.id, "Tide Watch")
    assert listing.published_at is None
    page = mine.get(here)
    assert "Completed" in page.text
    assert mine.get(f"/partner/listings/{listing.slug}").status_code == 200
    assert WATCH == "applications.watch"
