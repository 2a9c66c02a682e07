"""Staff who are members of a partner decide nothing about it, not even as an admin."""

from collections.abc import Callable
from datetime import timedelta

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import func, select

from marketplace.core import clock
from marketplace.core.database import db
from marketplace.core.facts import Fact
from marketplace.identity.models import Organization, Role
from marketplace.identity.own_partner import SOMEBODY_ELSE
from marketplace.pipeline.campaigns.models import CampaignState
from marketplace.pipeline.deals.models import Deal, DealStage
from marketplace.program.applications.models import BusinessPlan, PlanActivity, PlanState
from marketplace.program.benefits.models import BenefitClaim
from marketplace.program.standing.models import StandingState
from marketplace.program.vouchers.services import Issue, balances, issue
from tests.factories.applications_world import make_applications_world
from tests.factories.campaigns import make_campaign
from tests.factories.listings import make_listing
from tests.factories.people import make_customer, make_member, make_organization, make_platform
from tests.factories.pipeline_world import make_pipeline_world
from tests.factories.program import make_policy, make_standing
from tests.factories.scorecards_world import make_scorecards_world

SignIn = Callable[..., FlaskClient]


def _world(partner: Organization) -> dict[str, object]:
    """One of each thing that staff decide about."""
    owner, listing = make_member(partner), make_listing(partner)
    customer = make_member(make_customer())
    values: dict[str, object] = {}
    for maker in (make_pipeline_world, make_scorecards_world, make_applications_world):
        values |= maker(partner, owner, customer, listing)
    plan = db.session.scalars(select(BusinessPlan)).one()
    plan.state = PlanState.APPROVED
    db.session.get_one(PlanActivity, values["business_activity_id"]).side = "operator"
    benefit = BenefitClaim(
        public_id="bcl_1",
        organization_id=partner.id,
        benefit="webinar",
        benefit_name="Webinar",
        year=clock.now().year,
    )
    db.session.add(benefit)
    asked = make_campaign(partner, state=CampaignState.REQUESTED, platform_share=0)
    return {**values, "asked": asked.public_id, "running": make_campaign(partner).public_id}


def _decisions(values: dict[str, object], partner: Organization) -> list[tuple[str, dict]]:
    today = clock.now().date()
    return [
        (
            f"/staff/standings/{partner.slug}/hold",
            {
                "tier": "gold",
                "expires_on": (today + timedelta(days=30)).isoformat(),
                "reason": "Because",
            },
        ),
        (f"/staff/standings/{partner.slug}/confirm", {"confirm-reason": "Because"}),
        (f"/staff/overrides/{values['override_id']}/end", {}),
        (f"/staff/deals/{values['deal_id']}/approval", {}),
        (f"/staff/deals/{values['deal_id']}/refusal", {"reason": "No"}),
        (f"/staff/deals/{values['deal_id']}/award", {"reason": "No"}),
        (f"/staff/campaigns/{values['asked']}/approval", {"platform_share": "1.00"}),
        (f"/staff/campaigns/{values['asked']}/refusal", {"answer": "No"}),
        (f"/staff/campaigns/{values['running']}/close", {}),
        (
            f"/staff/campaigns/{values['running']}/expenses",
            {"amount": "5.00", "what": "Ads", "spent_on": today.isoformat(), "form_id": "a"},
        ),
        (f"/staff/leads/{values['lead_id']}/review", {"verdict": "qualified"}),
        (f"/staff/leads/{values['lead_id']}/close", {"reason": "Spam"}),
        (
            "/staff/territories/new",
            {
                "partner": partner.slug,
                "areas": "CA",
                "first_month": f"{today.year + 3}-01",
                "last_month": f"{today.year + 3}-12",
                "royalty_base": "measured",
                "royalty": "0",
                "currency": "EUR",
                "minimum": "0",
            },
        ),
        (f"/staff/territories/{values['territory_id']}/end", {"reason": "Over"}),
        (
            f"/staff/territories/invoices/{values['royalty_id']}/correction",
            {"amount": "0", "reason": "Nothing sold"},
        ),
        (
            f"/staff/business-plans/{values['business_plan_id']}"
            f"/activities/{values['business_activity_id']}",
            {"done": "1"},
        ),
        ("/staff/benefits/claims/bcl_1", {"outcome": "fulfil", "answer": "Here"}),
    ]


@pytest.mark.parametrize("role", [Role.PROGRAM_MANAGER, Role.ADMIN])
def test_a_member_in_any_role_decides_nothing(app: Flask, sign_in: SignIn, role: Role) -> None:
    make_policy()
    partner = make_organization("Quayside", slug="quayside")
    make_standing(partner, state=StandingState.PROVISIONAL)
    daniel = make_member(make_platform(), role)
    make_member(partner, Role.VIEWER, user=daniel)
    values = _world(partner)
    staff = sign_in(daniel)
    facts = db.session.scalar(select(func.count()).select_from(Fact))
    for address, data in _decisions(values, partner):
        answer = staff.post(address, data=data)
        assert (answer.status_code, address) == (403, address)
        assert SOMEBODY_ELSE in answer.text, address
    db.session.rollback()
    assert db.session.scalar(select(func.count()).select_from(Fact)) == facts


def test_nobody_splits_credit_or_decides_against_a_rival_of_their_own_partner(
    app: Flask, sign_in: SignIn
) -> None:
    make_policy()
    partner, own = make_organization("Quayside", slug="quayside"), make_organization("Own")
    make_standing(partner)
    make_standing(own)
    values = _world(partner)
    daniel = make_member(make_platform(), Role.PROGRAM_MANAGER)
    make_member(own, Role.VIEWER, user=daniel)
    deal = db.session.scalars(select(Deal)).one()
    rival = Deal(
        **{
            column.key: getattr(deal, column.key)
            for column in Deal.__table__.columns
            if column.key not in ("id", "public_id", "organization_id")
        },
        public_id="deal_own",
        organization_id=own.id,
    )
    db.session.add(rival)
    staff = sign_in(daniel)
    address = f"/staff/deals/{values['deal_id']}"
    for data in ({"reason": "No"},):
        answer = staff.post(f"{address}/refusal", data=data)
        assert answer.status_code == 403
    db.session.delete(rival)
    deal.stage, deal.won_at = DealStage.WON, clock.now()
    db.session.commit()
    shares = {
        "seen_version": "0",
        "shares-0-partner": own.slug,
        "shares-0-kind": "sourced",
        "shares-0-percent": "100",
    }
    answer = staff.post(f"{address}/credit", data=shares)
    assert answer.status_code == 403
    assert SOMEBODY_ELSE in answer.text
    shares["shares-0-partner"] = "quayside"
    assert staff.post(f"{address}/credit", data=shares).status_code == 303
    # Nor is a lead given to the own partner.
    moved = staff.post(f"/staff/leads/{values['lead_id']}/partner", data={"partner": own.slug})
    assert moved.status_code == 403


def test_a_token_is_not_used_where_its_issuer_is_a_member(app: Flask, sign_in: SignIn) -> None:
    make_policy()
    partner = make_organization("Quayside")
    make_standing(partner)
    daniel = make_member(make_platform(), Role.PROGRAM_MANAGER)
    make_member(partner, Role.ADMIN, user=daniel)
    wish = Issue(1, "50", "EUR", "", "", clock.now() + timedelta(days=5))
    token = issue(wish, by_user_id=daniel.id)[0][1]
    for browser in (sign_in(daniel, partner), sign_in(make_member(partner), partner)):
        answer = browser.post("/partner/credit", data={"token": token})
        assert answer.status_code == 422
        assert "issued by a member of your organization" in answer.text
    assert balances(partner.id) == {}


def test_much_credit_at_once_is_confirmed_by_its_total(app: Flask, sign_in: SignIn) -> None:
    make_policy()
    staff = sign_in(make_member(make_platform(), Role.FINANCE))
    until = (clock.now() + timedelta(days=30)).date().isoformat()
    data = {"count": "50", "amount": "500", "currency": "EUR", "until": until}
    page = staff.get("/staff/vouchers/new").text
    assert "All of them together" not in page
    asked = staff.post("/staff/vouchers/new", data=data)
    assert asked.status_code == 422
    assert "That is €25,000.00 together" in asked.text
    assert "All of them together" in asked.text
    wrong = staff.post("/staff/vouchers/new", data={**data, "total": "2,500"})
    assert wrong.status_code == 422
    for much in ({"count": "101", "amount": "1"}, {"count": "1", "amount": "10,000.01"}):
        assert staff.post("/staff/vouchers/new", data={**data, **much}).status_code == 422
    done = staff.post("/staff/vouchers/new", data={**data, "total": "25,000"})
    assert "50 tokens of €500.00" in done.text
