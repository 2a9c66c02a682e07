"""40 Accelerator: an eligible P accepts terms and joins a timed track of figures."""

import hashlib
from datetime import timedelta

from flask import Flask
from sqlalchemy import select

from marketplace.core import clock, jobs
from marketplace.core.database import db
from marketplace.identity.models import Role
from marketplace.program.applications.models import (
    Application,
    PlaceState,
    RoundKind,
    RoundPlace,
    TermsAcceptance,
)
from marketplace.program.measures import Measure, measure
from tests.conftest import SignIn
from tests.factories.people import make_member, make_organization, make_user
from tests.factories.program import make_policy, make_standing
from tests.factories.rounds import make_judges, make_round

FIGURES = [{"metric": "deals", "target": 4}, {"metric": "certified", "target": 3}]


def test_040_accelerator(app: Flask, sign_in: SignIn) -> None:
    make_policy()
    judges = make_judges()
    partner = make_organization("Quayside")
    make_standing(partner, "silver")
    owner = make_member(partner, Role.OWNER, make_user("Ada Okafor", "ada@quayside.example"))
    editor = make_member(partner, Role.EDITOR, make_user("Bo Lind", "bo@quayside.example"))
    small = make_organization("Rowboat")
    make_standing(small, "registered")
    small_owner = make_member(small, Role.OWNER, make_user("Cy Park", "cy@rowboat.example"))
    round_ = make_round(
        RoundKind.ACCELERATOR,
        name="Sprint",
        least_tier="silver",
        stages=[],
        figures=FIGURES,
        track_days=60,
        terms="Report every week.",
        terms_version=1,
    )
    measure(partner.id, Measure.CERTIFIED_PEOPLE, 1, key="before", source=("test", 1))
    measure(partner.id, Measure.DEALS_WON, 1, key="before", source=("test", 1))
    db.session.commit()
    clock.shift(timedelta(minutes=1))
    mine = sign_in(owner, partner)
    boss = sign_in(judges.manager, judges.platform)

    # Registered partners are refused: the form as much as what it sends.
    apply = f"/partner/rounds/{round_.public_id}/application"
    refused = sign_in(small_owner, small)
    assert refused.get(apply).status_code == 403
    assert refused.post(apply, data={"answer_why": "Please."}).status_code == 403
    assert "Silver and above" in refused.get("/partner/rounds").text
    assert db.session.scalar(select(Application)) is None

    # Who reads the round sees by which figures it is followed, and applies once.
    for browser, path in ((mine, "/partner"), (boss, "/staff")):
        page = browser.get(f"{path}/rounds/{round_.public_id}")
        assert page.status_code == 200
        assert "Figures" in page.text
    assert mine.post(apply, data={"answer_why": "To grow."}).status_code == 303
    assert "Your application" in mine.get(f"/partner/rounds/{round_.public_id}").text
    assert mine.get(apply).status_code == 303
    application = db.session.scalars(select(Application)).one()
    letter = {"decision": "accept", "letter": "Welcome, {name}."}
    accept = f"/staff/applications/{application.public_id}/decision"
    assert boss.post(accept, data=letter).status_code == 303

    def place() -> RoundPlace:
        db.session.expire_all()
        return db.session.scalars(select(RoundPlace)).one()

    here = f"/partner/rounds/places/{place().public_id}"
    assert place().state is PlaceState.OFFERED
    assert "Report every week." in mine.get(f"{here}/terms").text
    # An editor reads the terms; an owner or admin accepts them, and the version that was shown.
    by_editor = sign_in(editor, partner).post(f"{here}/terms", data={"version": "1"})
    assert by_editor.status_code == 404
    assert mine.post(f"{here}/terms", data={"version": "2"}).status_code == 409
    assert mine.post(f"{here}/terms", data={"version": "1"}).status_code == 303
    accepted = db.session.scalars(select(TermsAcceptance)).one()
    assert (accepted.version, accepted.user_id) == (1, owner.id)
    assert accepted.digest == hashlib.sha256(b"Report every week.").hexdigest()
    assert place().state is PlaceState.ACTIVE
    assert [each["start"] for each in place().figures] == [0, 1]

    # What is measured from the start on moves the track.
    for number in range(2):
        measure(partner.id, Measure.DEALS_WON, 1, key=f"d{number}", source=("test", number))
    measure(partner.id, Measure.CERTIFIED_PEOPLE, 2, key="two", source=("test", 9))
    db.session.commit()
    page = mine.get(here)
    assert "2 of 4" in page.text
    assert "3 of 3" in page.text

    # New terms are accepted anew.
    edit = f"/staff/rounds/{round_.public_id}/edit"
    form = {
        "edition": "1",
        "name": "Sprint",
        "opens_on": "2020-01-01",
        "closes_on": "2100-01-01",
        "least_tier": "silver",
        "currency": "EUR",
        "track_days": "60",
        "terms": "Report every day.",
        "figures-0-metric": "deals",
        "figures-0-target": "4",
    }
    assert boss.post(edit, data=form).status_code == 303
    assert "Version 2 is in force" in mine.get(here).text
    assert mine.post(f"{here}/terms", data={"version": "1"}).status_code == 409
    assert mine.post(f"{here}/terms", data={"version": "2"}).status_code == 303
    versions = db.session.scalars(select(TermsAcceptance.version).order_by(TermsAcceptance.id))
    assert versions.all() == [1, 2]

    # The track ends by itself, with the values of its end.
    clock.shift(timedelta(days=61))
    try:
        jobs.add_due_ticks()
        while jobs.run_due():
            pass
        assert place().state is PlaceState.COMPLETED
        assert [each["end"] for each in place().figures] == [2, 3]
    finally:
        clock.shift(-timedelta(days=61, minutes=1))
