"""Evidence and plans are decided as they were shown, and nobody writes over another unseen."""

from datetime import UTC, datetime

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select

from billing.payouts.payable import payable_balance
from marketplace.core import clock
from marketplace.core.database import db
from marketplace.identity.models import Organization
from marketplace.program.applications.models import (
    BusinessPlan,
    Milestone,
    MilestoneState,
    PlanActivity,
    PlanState,
    ProgramRound,
    RoundKind,
    RoundPlace,
)
from marketplace.program.measures import Measurement
from marketplace.program.standing.models import Standing
from tests.conftest import SignIn
from tests.factories.applications_world import make_applications_world
from tests.factories.listings import make_listing
from tests.factories.people import make_member, make_organization
from tests.factories.program import make_policy, make_standing
from tests.factories.rounds import make_judges, seen_on

NOW = datetime(2026, 3, 10, 12, tzinfo=UTC)
CHANGED = "It has changed meanwhile"
World = tuple[Organization, FlaskClient, FlaskClient, FlaskClient]


@pytest.fixture
def world(app: Flask, sign_in: SignIn) -> World:
    """A partner with a milestone and a plan, its browser and those of two of the staff."""
    make_policy()
    judges = make_judges()
    partner = make_organization("Quayside")
    make_standing(partner)
    owner = make_member(partner)
    make_applications_world(partner, owner, owner, make_listing(partner))
    db.session.scalars(select(RoundPlace)).one().terms_version = 1
    db.session.commit()
    staff = [sign_in(judges.manager, judges.platform) for _tab in range(2)]
    return partner, sign_in(owner, partner), staff[0], staff[1]


def the_plan() -> BusinessPlan:
    db.session.expire_all()
    return db.session.scalars(select(BusinessPlan)).one()


def the_milestone() -> Milestone:
    db.session.expire_all()
    return db.session.scalars(select(Milestone)).one()


@pytest.mark.parametrize("kind", [RoundKind.GRANT, RoundKind.INCUBATOR])
@pytest.mark.parametrize("back", [{}, {"return": "1"}])
def test_evidence_that_was_not_shown_is_not_decided(
    world: World, kind: RoundKind, back: dict[str, str]
) -> None:
    partner, mine, stale, other = world
    place = db.session.scalars(select(RoundPlace)).one()
    milestone = the_milestone()
    db.session.get_one(ProgramRound, place.round_id).kind = kind
    db.session.commit()
    here = f"/staff/rounds/places/{place.public_id}"
    step = f"/staff/rounds/milestones/{milestone.public_id}/acceptance"
    evidence = f"/partner/rounds/milestones/{milestone.public_id}/evidence"

    assert mine.post(evidence, data={"evidence": "It runs."}).status_code == 303
    seen = seen_on(stale.get(here).text, step)
    assert seen
    note = {"note": "Show more."}
    assert other.post(step, data={"return": "1", **note, **seen}).status_code == 303
    assert mine.post(evidence, data={"evidence": "It is gone."}).status_code == 303
    for sent in (seen, {}, {"seen": "x"}):
        late = stale.post(step, data={"note": "I have read it.", **back, **sent})
        assert late.status_code == 409
        assert CHANGED in late.text
        assert "It is gone." in late.text
        assert "I have read it." in late.text
        assert the_milestone().state is MilestoneState.SUBMITTED
    assert payable_balance(partner.id, "EUR") == 0
    # What is shown now can be decided.
    data = {"note": "I have read it.", **back, **seen_on(late.text, step)}
    assert stale.post(step, data=data).status_code == 303
    state = MilestoneState.RETURNED if back else MilestoneState.ACCEPTED
    assert the_milestone().state is state


TYPED = {
    "summary": "We bring ten customers of the fishing trade, you train our people.",
    "goals-0-metric": "deals",
    "goals-0-target": "10",
    "activities-0-title": "Run a webinar",
    "activities-0-due_on": "2026-05-01",
    "activities-0-side": "partner",
}


@pytest.mark.parametrize("back", [{}, {"return": "1"}])
def test_a_plan_that_was_not_shown_is_not_decided(world: World, back: dict[str, str]) -> None:
    _partner, mine, stale, _other = world
    plan = the_plan()
    plan.year = NOW.year
    db.session.commit()
    with clock.frozen(NOW):
        here, desk = (f"/{side}/business-plans/{plan.public_id}" for side in ("partner", "staff"))
        step = f"{desk}/approval"
        seen = seen_on(stale.get(desk).text, step)
        assert seen
        assert mine.post(f"{here}/taking-back").status_code == 303
        gone = stale.post(step, data={"note": "Read.", **back, **seen})
        assert gone.status_code == 409
        assert "The partner took it back on" in gone.text
        again = {**TYPED, "submit": "1", "edition": str(the_plan().edition)}
        assert mine.post(f"{here}/edit", data=again).status_code == 303
        for sent in (seen, {}):
            late = stale.post(step, data={"note": "Read.", **back, **sent})
            assert late.status_code == 409
            assert CHANGED in late.text
            assert "fishing trade" in late.text
            assert "Read." in late.text
            assert the_plan().state is PlanState.SUBMITTED
        assert db.session.scalars(select(Measurement)).all() == []
        data = {"note": "Read.", **back, **seen_on(late.text, step)}
        assert stale.post(step, data=data).status_code == 303
        assert the_plan().state is (PlanState.RETURNED if back else PlanState.APPROVED)


@pytest.mark.parametrize(
    ("state", "why"),
    [("suspended", "The partner is suspended."), ("lapsed", "The partner is not in the program.")],
)
def test_the_plan_of_who_takes_no_part_is_returned_and_not_approved(
    world: World, state: str, why: str
) -> None:
    partner, _mine, staff, _other = world
    if state == "suspended":
        partner.suspended_at, partner.suspended_reason = clock.now(), "Fraud."
    else:
        db.session.scalars(select(Standing)).one().state = state
    db.session.commit()
    desk = f"/staff/business-plans/{the_plan().public_id}"
    step = f"{desk}/approval"
    data = {"note": "Agreed.", **seen_on(staff.get(desk).text, step)}
    refused = staff.post(step, data=data)
    assert refused.status_code == 409
    assert why in refused.text
    assert "It cannot be approved" in refused.text
    assert "Agreed." in refused.text
    assert the_plan().state is PlanState.SUBMITTED
    assert staff.post(step, data={**data, "return": "1"}).status_code == 303


def test_a_plan_saved_in_two_tabs_loses_nothing_that_was_typed(world: World) -> None:
    _partner, mine, staff, _other = world
    plan = the_plan()
    plan.state, plan.submitted_at, plan.year = PlanState.DRAFT, None, NOW.year
    db.session.commit()
    with clock.frozen(NOW):
        address = f"/partner/business-plans/{plan.public_id}"
        edit = f"{address}/edit"
        first = {**TYPED, "edition": "1"}
        second = {**first, "summary": "Nobody else has this text, and it took an hour."}
        assert mine.post(edit, data=first).status_code == 303
        late = mine.post(edit, data={**second, "activities-0-title": "Sail together"})
        assert late.status_code == 409
        assert CHANGED in late.text
        assert "This plan was saved meanwhile" in late.text
        for typed in ("it took an hour", "Sail together", "2026-05-01", 'value="10"'):
            assert typed in late.text
        assert the_plan().summary == TYPED["summary"]
        # Whoever has read that saves over it; handed in elsewhere, nothing is lost either.
        assert 'name="edition" type="hidden" value="2"' in late.text
        second["edition"] = "2"
        assert mine.post(edit, data={**second, "submit": "1"}).status_code == 303
        third = {**second, "summary": "A third text, written all the while."}
        late = mine.post(edit, data=third)
        assert late.status_code == 409
        assert "This plan was handed in meanwhile" in late.text
        assert "A third text" in late.text
        desk = f"/staff/business-plans/{plan.public_id}"
        step = f"{desk}/approval"
        assert staff.post(step, data=seen_on(staff.get(desk).text, step)).status_code == 303
        late = mine.post(edit, data=third)
        assert late.status_code == 409
        assert "This plan was approved meanwhile" in late.text
        assert "A third text" in late.text
        assert the_plan().summary == second["summary"]
        assert db.session.scalars(select(PlanActivity.title)).all() == ["Run a webinar"]
