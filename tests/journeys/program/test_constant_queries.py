"""Lists of program, accreditation and pipeline ask as much of the database with many rows as with
few."""

import itertools
from collections.abc import Callable
from dataclasses import dataclass

import pytest
from flask import Flask
from flask.testing import FlaskClient

from billing.public_ids import new_public_id
from marketplace.accreditation.certification.services import gathering
from marketplace.accreditation.verification.models import ProofState
from marketplace.core import clock
from marketplace.core.database import db
from marketplace.identity.models import Organization, Role, User
from marketplace.observability.reports.models import ActivityReport, ReportScope
from marketplace.observability.reports.snapshot import digest_of
from marketplace.pipeline.account_checks.services import agreeing
from marketplace.pipeline.deals.services.registering import register_deal
from marketplace.pipeline.deals.terms import DealTerms
from marketplace.pipeline.ideas.models import ClaimState, Idea, IdeaClaim, IdeaState
from marketplace.pipeline.leads.services.capturing import register
from marketplace.program.applications.models import (
    Milestone,
    MilestoneState,
    PlaceState,
    RoundPlace,
)
from marketplace.program.policy.document import Policy
from marketplace.program.policy.services import drafting
from tests.conftest import SignIn
from tests.factories.certification_world import make_program
from tests.factories.courses import make_credential
from tests.factories.listings import make_listing
from tests.factories.people import make_member, make_organization, make_platform, make_user
from tests.factories.program import make_policy, make_standing, policy_document
from tests.factories.queries import count_queries
from tests.factories.rounds import make_application, make_round
from tests.factories.verification_world import make_proof, make_submitted

_numbers = itertools.count(1)


@dataclass
class World:
    """A partner, its owner, and the browsers of both sides."""

    partner: Organization
    owner: User
    own: FlaskClient
    staff: FlaskClient


@pytest.fixture
def world(app: Flask, sign_in: SignIn) -> World:
    make_policy()
    partner = make_organization("Quayside")
    make_standing(partner)
    owner = make_member(partner, Role.OWNER, make_user("Ada Okafor", "ada@quayside.example"))
    staff = sign_in(make_member(make_platform(), Role.PROGRAM_MANAGER))
    return World(partner, owner, sign_in(owner, partner), staff)


def _other() -> Organization:
    organization = make_organization(f"Partner {next(_numbers)}")
    make_standing(organization)
    return organization


def lead(world: World) -> None:
    number = next(_numbers)
    register(
        {"name": f"Person {number}", "email": f"p{number}@company{number}.example",
         "company": f"Company {number}", "need": "Tide tables."},
        organization=world.partner, by_user_id=world.owner.id,
    )  # fmt: skip


def deal(world: World) -> None:
    number = next(_numbers)
    terms = DealTerms(
        title=f"Deal {number}", customer_name="Customer", customer=f"c{number}.example",
        amount=100, currency="EUR", listing_id=make_listing(world.partner).id,
    )  # fmt: skip
    register_deal(terms, organization=world.partner, by_user_id=world.owner.id)


def idea(world: World) -> None:
    now = clock.now()
    row = Idea(
        public_id=new_public_id("idea"), title=f"Idea {next(_numbers)}", opened_at=now,
        state=IdeaState.CLAIMED,
    )  # fmt: skip
    db.session.add(row)
    db.session.flush()
    db.session.add(
        IdeaClaim(
            public_id=new_public_id("clm"), idea_id=row.id, active_idea_id=row.id,
            organization_id=_other().id, state=ClaimState.ACTIVE, claimed_at=now,
            protected_until=now,
        )
    )  # fmt: skip


def account_check(world: World) -> None:
    agreeing.invite(_other(), world.partner, "names", "", by_user_id=None)


def verification(world: World) -> None:
    organization = _other()
    make_proof(organization, f"d{next(_numbers)}.example")
    make_submitted(organization)
    make_proof(organization, f"d{next(_numbers)}.example", ProofState.DISPUTED)


def certification(world: World) -> None:
    program = make_program(title=f"Program {next(_numbers)}")
    found = gathering.start(
        program, world.partner, listing_id=make_listing(world.partner).id, by_user_id=None
    )
    gathering.give(found, "security", value="It is safe.", by_user_id=None)
    gathering.submit(found, by_user_id=None)


def credential(world: World) -> None:
    make_credential(world.partner, world.owner)


def report(world: World) -> None:
    data = {"of": "x", "month": "2026-10", "tier": "", "points": 0, "figures": [],
            "placements": [], "listings": []}  # fmt: skip
    number = next(_numbers)
    db.session.add(
        ActivityReport(
            public_id=f"rep_{number}", scope=ReportScope.PARTNER,
            organization_id=world.partner.id, month="2026-10", data=data,
            digest=digest_of(data), made_by_id=world.owner.id, cause=f"now:{number}",
        )
    )  # fmt: skip


def policy(world: World) -> None:
    drafting.begin(Policy.model_validate(policy_document()), by_user_id=world.owner.id)
    make_policy()


def round_(world: World) -> None:
    found = make_round(name=f"Round {next(_numbers)}")
    application = make_application(found, world.partner, world.owner)
    place = RoundPlace(
        public_id=new_public_id("plc"), round_id=found.id, application_id=application.id,
        organization_id=world.partner.id, state=PlaceState.ACTIVE, figures=[], award=1,
        mentor_user_id=world.owner.id,
    )  # fmt: skip
    db.session.add(place)
    db.session.flush()
    db.session.add(
        Milestone(
            public_id=new_public_id("mil"), place_id=place.id, position=0, title="Beta",
            state=MilestoneState.SUBMITTED, submitted_at=clock.now(),
        )
    )  # fmt: skip
    make_round(name=f"Open {next(_numbers)}")


PAGES: tuple[tuple[Callable[[World], None], tuple[str, ...]], ...] = (
    (lead, ("/partner/leads", "/partner/leads?view=board", "/staff/leads?show=all")),
    (deal, ("/partner/deals", "/partner/deals?view=board", "/staff/deals?show=all")),
    (idea, ("/ideas", "/partner/ideas", "/staff/ideas")),
    (account_check, ("/partner/account-checks",)),
    (verification, ("/staff/verifications", "/staff/verifications/disputes")),
    (certification, ("/partner/certifications", "/staff/certifications")),
    (credential, ("/partner/credentials", "/staff/credentials")),
    (report, ("/partner/reports", "/staff/reports")),
    (policy, ("/staff/policy",)),
    (round_, ("/partner/rounds", "/partner/applications", "/staff/rounds",
              "/staff/rounds/evidence", "/partner/scorecard/progress")),
)  # fmt: skip


@pytest.mark.parametrize(("add", "paths"), PAGES, ids=[add.__name__ for add, _paths in PAGES])
def test_a_list_asks_the_same_whatever_its_length(
    world: World, add: Callable[[World], None], paths: tuple[str, ...]
) -> None:
    def ask() -> dict[str, int]:
        counts = {}
        for path in paths:
            browser = world.staff if path.startswith("/staff") else world.own
            assert browser.get(path).status_code == 200, path
            counts[path] = count_queries(lambda: browser.get(path))  # noqa: B023 - asked at once
        return counts

    for _ in range(2):
        add(world)
    db.session.commit()
    few = ask()
    for _ in range(4):
        add(world)
    db.session.commit()
    assert ask() == few
