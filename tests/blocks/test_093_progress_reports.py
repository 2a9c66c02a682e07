"""93 Progress reports: both see both sides' obligations; a late operator shows red too."""

import re
from datetime import timedelta

from flask import Flask
from sqlalchemy import select

from marketplace.accreditation.credentials.services.issuing import issue
from marketplace.core import clock
from marketplace.core.database import db
from marketplace.identity.models import Role
from marketplace.program.applications.models import (
    Application,
    BusinessPlan,
    Milestone,
    MilestoneState,
    PlanActivity,
    PlanState,
)
from marketplace.program.benefits.models import BenefitClaim
from marketplace.program.contacts.models import (
    ContactRequest,
    ContactRole,
    ProgramManager,
    RequestKind,
)
from marketplace.program.standing.joining import join
from tests.conftest import SignIn
from tests.factories.applications_world import make_applications_world
from tests.factories.contacts_world import make_assignment, make_staff
from tests.factories.listings import make_listing
from tests.factories.people import make_member, make_organization, make_platform
from tests.factories.program import make_policy, make_standing, policy_document


def test_093_progress_reports(app: Flask, sign_in: SignIn) -> None:
    document = policy_document()
    kind = {
        **document["types"][0],
        "playbook": [
            {"key": "profile", "title": "Fill in the profile", "due_days": 3},
            {"key": "kick_off", "title": "Kick-off call", "due_days": 7, "side": "operator"},
            {"key": "review", "title": "First review", "due_days": 90, "side": "operator"},
        ],
    }
    make_policy(types=[kind, *document["types"][1:]])
    partner = make_organization("Quayside")
    owner = make_member(partner)
    manager = make_member(make_platform(), Role.PROGRAM_MANAGER)
    began = clock.now() - timedelta(days=20)
    with clock.frozen(began):
        join(partner, by_user_id=owner.id)
    db.session.commit()

    own = sign_in(owner, partner).get("/partner/scorecard/progress").text
    staff = sign_in(manager).get(f"/staff/standings/{partner.slug}/progress").text
    for page in (own, staff):
        rows = {
            title: row
            for row in re.findall(r"<tr.*?</tr>", page, re.S)
            for title in ("Fill in the profile", "Kick-off call", "First review")
            if title in row
        }
        assert set(rows) == {"Fill in the profile", "Kick-off call", "First review"}
        # Both are late and red, the operator's like the partner's.
        for title in ("Fill in the profile", "Kick-off call"):
            assert "score-late" in rows[title]
            assert "badge-danger" in rows[title]
        assert "score-late" not in rows["First review"]
        due = began + timedelta(days=7)
        assert f"{due.day} {due:%b %Y}" in rows["Kick-off call"]


def test_a_credential_that_expires_soon_is_something_to_renew(app: Flask, sign_in: SignIn) -> None:
    make_policy()
    partner = make_organization("Quayside")
    owner = make_member(partner)
    make_standing(partner)
    for days, title in ((40, "Harbor API expert"), (200, "Harbor sales expert")):
        issue(
            f"manual:{days}",
            organization_id=partner.id,
            user_id=owner.id,
            recipient_name=owner.name,
            title=title,
            description="",
            expires_at=clock.now() + timedelta(days=days),
            evidence=[],
            key=f"test:{days}",
        )
    db.session.commit()
    page = sign_in(owner, partner).get("/partner/scorecard/progress").text
    assert f"Renew Harbor API expert of {owner.name}" in page
    assert "Harbor sales expert" not in page


def test_both_sides_owe_more_than_tasks(app: Flask, sign_in: SignIn) -> None:
    make_policy()
    partner = make_organization("Quayside")
    owner = make_member(partner)
    make_standing(partner)
    now = clock.now()
    make_applications_world(partner, owner, owner, make_listing(partner))
    application = db.session.scalars(select(Application)).one()
    application.promised_until = now - timedelta(days=1)
    milestone = db.session.scalars(select(Milestone)).one()
    milestone.due_at = now + timedelta(days=5)
    plan = db.session.scalars(select(BusinessPlan)).one()
    plan.state = PlanState.APPROVED
    db.session.add(
        PlanActivity(plan_id=plan.id, title="A stand", due_on=now.date(), side="operator")
    )
    platform = make_platform()
    olu = make_staff(platform, "Olu Bankole", Role.OWNER)
    sponsor = make_assignment(olu, ContactRole.EXECUTIVE_SPONSOR, organization=partner)
    sponsor.assigned_at = now - timedelta(days=93)
    db.session.add_all(
        [
            ContactRequest(
                public_id="con_1", kind=RequestKind.ESCALATION, role=ContactRole.EXECUTIVE_SPONSOR,
                subject="It is stuck", organization_id=partner.id, due_at=now - timedelta(hours=1),
            ),
            ProgramManager(
                organization_id=partner.id, user_id=owner.id, confirmed_at=now,
                confirm_by=now + timedelta(days=6), ends_at=now + timedelta(days=20),
            ),
            BenefitClaim(
                public_id="ben_1", organization_id=partner.id, benefit="week",
                benefit_name="A week on the home page", year=now.year,
            ),
        ]
    )  # fmt: skip
    db.session.commit()

    pages = (
        sign_in(owner, partner).get("/partner/scorecard/progress").text,
        sign_in(olu).get(f"/staff/standings/{partner.slug}/progress").text,
    )
    late, amber = "badge-danger", "badge-warning"
    expected = {
        "Decide on the application: Autumn round: Quayside": ("operator", late),
        "Autumn round: show “Beta”": ("partner", "badge-neutral"),
        "Autumn round: accept version 1 of the terms": ("partner", "badge-neutral"),
        f"Plan for {plan.year}: A webinar": ("partner", "badge-neutral"),
        f"Plan for {plan.year}: A stand": ("operator", "badge-neutral"),
        "Answer the escalation “It is stuck”": ("operator", late),
        "The executive sponsor speaks with the partner": ("operator", late),
        "The program manager confirms": ("partner", amber),
        "Give the benefit: A week on the home page": ("operator", "badge-neutral"),
    }
    for page in pages:
        rows = re.findall(r"<tr.*?</tr>", page, re.S)
        for title, (side, badge) in expected.items():
            row = next(each for each in rows if title in each)
            assert badge in row, title
            owes = app.config["SITE_NAME"] if side == "operator" else ("You", partner.name)
            assert any(
                f">{name}</td>" in row for name in ([owes] if isinstance(owes, str) else owes)
            )
    own = sign_in(owner, partner)
    for path in set(re.findall(r'href="(/partner/[^"]+)"', pages[0])):
        assert own.get(path).status_code == 200, path

    # What was done is not owed any more.
    milestone.state, milestone.submitted_at = MilestoneState.SUBMITTED, now
    db.session.commit()
    plan.state = PlanState.RETURNED
    db.session.commit()
    page = own.get("/partner/scorecard/progress").text
    assert "look at the evidence for “Beta”" in page
    assert f"Change the business plan for {plan.year} and hand it in again" in page
    assert "A webinar" not in page
