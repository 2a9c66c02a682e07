"""What is due is told before its day, once, on both databases."""

from datetime import timedelta

import pytest
from flask import Flask
from sqlalchemy import select

from marketplace.core import clock
from marketplace.core.database import db
from marketplace.identity.models import Organization, Role
from marketplace.pipeline.deals.models import DealClaim
from marketplace.pipeline.deals.services import registering, working
from marketplace.pipeline.deals.services.registering import register_deal
from marketplace.pipeline.deals.services.reminding import remind_of_protections
from marketplace.pipeline.deals.terms import DealTerms
from marketplace.program.applications.jobs import remind
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
from marketplace.program.reminders import Reminder
from tests.factories.applications_world import make_applications_world
from tests.factories.contacts_world import make_assignment, make_staff
from tests.factories.listings import make_listing
from tests.factories.mails import mails
from tests.factories.people import make_member, make_organization, make_platform, make_user
from tests.factories.program import make_policy, make_standing


@pytest.fixture
def partner(app: Flask) -> Organization:
    """A partner in a round whose terms it has accepted, with a milestone and a plan."""
    make_policy()
    partner = make_organization("Quayside")
    make_standing(partner)
    owner = make_member(partner, Role.OWNER, make_user("Ada Okafor", "ada@quayside.example"))
    make_applications_world(partner, owner, owner, make_listing(partner))
    the_place().terms_version = 1
    db.session.commit()
    return partner


def the_place() -> RoundPlace:
    return db.session.scalars(select(RoundPlace)).one()


def subjects(to: str = "ada@quayside.example") -> list[str]:
    return [each["subject"] for each in mails() if each["to"] == to]


def test_a_gate_is_told_of_once_and_again_for_a_new_day(partner: Organization) -> None:
    mentor = make_member(
        make_organization("Kitewell"), Role.EDITOR, make_user("Bo Lind", "bo@kitewell.example")
    )
    the_place().mentor_user_id = mentor.id
    db.session.scalars(select(ProgramRound)).one().kind = RoundKind.INCUBATOR
    gate = db.session.scalars(select(Milestone)).one()
    gate.due_at = due = clock.now() + timedelta(days=8)
    remind({})
    assert mails() == []
    with clock.frozen(due - timedelta(days=6)):
        for _ in range(2):
            remind({})
        expected = [f"Autumn round: “Beta” is due on {due:%d %b %Y}"]
        assert subjects() == expected
        assert subjects("bo@kitewell.example") == expected
        assert "what follows is blocked" in mails()[0]["body"]
        assert f"/partner/rounds/places/{the_place().public_id}" in mails()[1]["body"]
        gate.due_at = due + timedelta(days=1)
        remind({})
        assert len(subjects()) == 2
        # What was handed in is not reminded of.
        gate.due_at, gate.state = due + timedelta(hours=1), MilestoneState.SUBMITTED
        remind({})
        assert len(subjects()) == 2


def test_reminders_of_long_ago_are_forgotten(partner: Organization) -> None:
    gate = db.session.scalars(select(Milestone)).one()
    gate.due_at = due = clock.now() + timedelta(days=1)
    remind({})
    assert db.session.query(Reminder).count() == 1
    with clock.frozen(due + timedelta(days=399)):
        remind({})
        assert db.session.query(Reminder).count() == 1
    with clock.frozen(due + timedelta(days=401)):
        remind({})
        assert db.session.query(Reminder).count() == 0


def test_terms_that_are_not_accepted_and_a_tracks_end_are_told_once(partner: Organization) -> None:
    place = the_place()
    place.terms_version = 0
    place.ends_at = end = clock.now() + timedelta(days=5)
    for _ in range(2):
        remind({})
    assert sorted(subjects()) == [
        "Autumn round ends on " + f"{end:%d %b %Y}",
        "Autumn round: accept the terms",
    ]


def test_each_side_hears_of_its_activities(partner: Organization) -> None:
    platform = make_platform()
    daniel = make_staff(platform, "Daniel Osei")
    make_assignment(daniel, organization=partner)
    plan = db.session.scalars(select(BusinessPlan)).one()
    today = clock.now().date()
    db.session.add_all(
        [
            PlanActivity(plan_id=plan.id, title="A stand", due_on=today, side="operator"),
            PlanActivity(plan_id=plan.id, title="Later", due_on=today + timedelta(days=8)),
            PlanActivity(plan_id=plan.id, title="Done", due_on=today, done_at=clock.now()),
        ]
    )
    db.session.flush()
    remind({})
    assert mails() == []  # it is not approved yet
    plan.state = PlanState.APPROVED
    for _ in range(2):
        remind({})
    assert subjects() == [f"Your business plan for {plan.year}: due soon"]
    assert subjects(str(daniel.email)) == ["Business plan of Quayside: due soon"]
    bodies = "".join(each["body"] for each in mails())
    assert "- A webinar (" in bodies
    assert "- A stand (" in bodies
    assert "Later" not in bodies
    assert "Done" not in bodies


def test_the_end_of_a_protection_is_told_before(partner: Organization) -> None:
    deal = register_deal(
        DealTerms(
            title="Harbor office",
            customer_name="Blue Kite",
            customer="bluekite.example",
            amount=100_000,
            currency="EUR",
            product="Tide Tables",
        ),
        organization=partner,
        by_user_id=None,
    )
    remind_of_protections({})
    registering.approve(deal.id, by_user_id=None)
    claim = db.session.scalars(select(DealClaim)).one()
    assert claim.protected_until is not None
    before = [each for each in subjects() if "ends on" in each]
    assert before == []
    with clock.frozen(claim.protected_until - timedelta(days=7)):
        for _ in range(2):
            remind_of_protections({})
        told = [each for each in subjects() if "ends on" in each]
        assert told == [f"The protection of a deal ends on {claim.protected_until:%d %b %Y}"]
        assert "You can extend it once" in mails()[-1]["body"]
        # Extended, it is told again before the new end; won, it is not.
        claim.protected_until += timedelta(days=30)
    with clock.frozen(claim.protected_until - timedelta(days=1)):
        working.move(deal.id, working.Move("won"), by_user_id=None)
        remind_of_protections({})
        assert len([each for each in subjects() if "ends on" in each]) == 1
