"""What a tier promises is kept: the budget for campaigns, the executive sponsor, our answer in
time; and what comes later is shown to nobody."""

from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import select

from marketplace.core import clock
from marketplace.core.database import db
from marketplace.core.facts import Fact
from marketplace.identity.models import Organization, Role
from marketplace.pipeline.campaigns.budget import budget_of
from marketplace.pipeline.campaigns.models import CampaignExpense, CampaignState, Side
from marketplace.program.contacts.entitled import time_in
from marketplace.program.contacts.jobs import remind_of_escalations
from marketplace.program.contacts.models import ContactRequest, ContactRole
from marketplace.program.contacts.reading import overdue_contacts
from marketplace.program.standing.reading import entitlement
from tests.factories.campaigns import make_campaign
from tests.factories.contacts_world import make_assignment, make_staff
from tests.factories.mails import mails
from tests.factories.people import make_member, make_organization, make_platform, make_user
from tests.factories.program import make_policy, make_standing, policy_document

ENTITLEMENTS = [
    {"key": "co_marketing_budget", "name": "Budget for campaigns", "kind": "money"},
    {"key": "executive_sponsor", "name": "Executive sponsor"},
    {"key": "response_target", "name": "We answer within", "kind": "text"},
    {"key": "roadmap", "name": "Road map", "announced": True},
]
GIVEN = {
    "silver": {"co_marketing_budget": 200_000, "response_target": "48 hours", "roadmap": True},
    "gold": {
        "co_marketing_budget": 500_000,
        "executive_sponsor": True,
        "response_target": "4 hours, at any time",
    },
}


@pytest.fixture(autouse=True)
def policy(app: Any) -> None:
    document = policy_document()
    document["entitlements"] += ENTITLEMENTS
    document["types"][0]["entitlements"] = {"roadmap": True}
    for tier in document["tiers"]:
        tier.setdefault("entitlements", {}).update(GIVEN.get(tier["key"], {}))
    make_policy(document)


def _partner(tier: str, name: str = "Quayside") -> Organization:
    partner = make_organization(name)
    make_standing(partner, tier)
    return partner


def _requested(partner: Organization, **fields: Any) -> Any:
    day = clock.now().date() + timedelta(days=3)
    values = {"starts_on": day, "ends_on": day, "state": CampaignState.REQUESTED}
    return make_campaign(partner, platform_share=0, **values, **fields)


def test_an_approval_knows_the_budget_of_the_year(sign_in: Any) -> None:
    partner = _partner("silver")
    year = (clock.now().date() + timedelta(days=3)).year
    make_campaign(partner, platform_share=120_000, starts_on=clock.now().date())
    closed = make_campaign(
        partner,
        platform_share=90_000,
        state=CampaignState.CLOSED,
        starts_on=clock.now().date(),
    )
    db.session.add(
        CampaignExpense(
            campaign_id=closed.id, side=Side.PLATFORM, amount=30_000, what="Mailing",
            spent_on=clock.now().date(), form_id="one",
        )
    )  # fmt: skip
    make_campaign(_partner("silver", "Rivals"), platform_share=100_000)
    wanted = _requested(partner)
    db.session.commit()
    manager = make_member(make_platform(), Role.PROGRAM_MANAGER, user=make_user("Daniel"))
    browser = sign_in(manager)
    page = f"/staff/campaigns/{wanted.public_id}"
    assert f"budget of {year} is €2,000.00, of which €500.00 is left" in browser.get(page).text
    refused = browser.post(f"{page}/approval", data={"platform_share": "600"})
    assert refused.status_code == 422
    assert "of which €500.00 is left. Give less" in refused.text
    agreed = browser.post(f"{page}/approval", data={"platform_share": "500"})
    assert agreed.status_code == 303
    own = sign_in(make_member(partner), partner)
    assert f"budget of {year} is €2,000.00, of which €0.00 is left" in (
        own.get("/partner/campaigns/new").text
    )
    more = _requested(partner)
    db.session.commit()
    page = f"/staff/campaigns/{more.public_id}"
    said = {"platform_share": "100", "beyond_budget": "y"}
    assert browser.post(f"{page}/approval", data=said).status_code == 303
    db.session.rollback()
    fact = db.session.scalars(
        select(Fact).where(Fact.kind == "campaign.approved").order_by(Fact.id.desc())
    ).first()
    assert fact is not None
    assert fact.data == {"beyond_budget": True}


def test_a_budget_counts_by_the_rates_of_the_policy(app: Any) -> None:
    partner = _partner("gold")
    today = clock.now().date()
    make_campaign(partner, platform_share=100_000, currency="USD", starts_on=today)
    make_campaign(partner, platform_share=100_000, starts_on=today.replace(year=today.year - 1))
    found = budget_of(partner.id, today.year)
    assert found is not None
    assert (found.total, found.given, found.left) == (500_000, 90_000, 410_000)
    none = budget_of(_partner("registered", "Plain").id, today.year)
    assert none is not None
    assert none.total == 0


def test_only_the_tier_that_has_a_sponsor_escalates_to_one(sign_in: Any) -> None:
    platform = make_platform()
    sponsor = make_staff(platform, "Olu Bankole", Role.OWNER)
    said = {"subject": "Stuck", "body": "For six weeks."}
    paths = [f"/partner/contacts/executive_sponsor/{each}" for each in ("message", "meeting")]
    silver, gold = _partner("silver"), _partner("gold", "Gold")
    low = sign_in(make_member(silver, user=make_user("Ada")), silver)
    assert "Escalate" not in low.get("/partner/contacts").text
    for path in paths:
        assert low.get(path).status_code == 403
        assert "Write to your partner manager" in low.post(path, data=said).text
    high = sign_in(make_member(gold, user=make_user("Bo")), gold)
    assert "Escalate" in high.get("/partner/contacts").text
    assert high.post(paths[0], data=said).status_code == 303
    # Whom the staff gave one by name has one, whatever its tier.
    make_assignment(sponsor, ContactRole.EXECUTIVE_SPONSOR, organization=silver)
    db.session.commit()
    assert low.post(paths[0], data=said).status_code == 303


def test_we_answer_within_the_hours_of_the_tier(sign_in: Any) -> None:
    daniel = make_staff(make_platform(), "Daniel Osei")
    said = {"subject": "Hello", "body": "How are you?"}
    hours = {}
    for tier in ("registered", "silver", "gold"):
        partner = _partner(tier, tier.title())
        browser = sign_in(make_member(partner, user=make_user(tier)), partner)
        sent = browser.post("/partner/contacts/partner_manager/message", data=said)
        assert sent.status_code == 303
        db.session.rollback()
        row = db.session.scalars(select(ContactRequest).order_by(ContactRequest.id.desc())).first()
        assert row is not None
        hours[tier] = row.due_at and (row.due_at - row.created_at) // timedelta(hours=1)
    assert hours == {"registered": None, "silver": 48, "gold": 4}
    with clock.frozen(clock.now() + timedelta(hours=5)):
        remind_of_escalations({})
        assert [each["to"] for each in mails() if each["subject"] == "Overdue: Hello"] == [
            daniel.email
        ]
        # Governance asks for answers to escalations alone.
        assert overdue_contacts() == []
    path = "/partner/contacts/executive_sponsor/message"
    assert browser.post(path, data=said).status_code == 303
    db.session.rollback()
    row = db.session.scalars(select(ContactRequest).order_by(ContactRequest.id.desc())).first()
    assert row is not None
    assert row.due_at == row.created_at + timedelta(hours=4)


@pytest.mark.parametrize(
    ("words", "hours"),
    [
        ("4 hours", 4), ("1 hour", 1), ("2 Days, at most", 48), ("0 hours", None),
        ("Two working days", None), ("", None), ("4 hoursque", None), ("9999 days", None),
    ],
)  # fmt: skip
def test_a_promise_that_begins_with_a_time_is_one(words: str, hours: int | None) -> None:
    assert time_in(words) == (None if hours is None else timedelta(hours=hours))


def test_what_comes_later_is_given_and_shown_to_no_partner(sign_in: Any, client: Any) -> None:
    partner = _partner("silver")
    assert entitlement(partner.id, "roadmap") is False
    own = sign_in(make_member(partner), partner)
    for page in (client.get("/program"), own.get("/partner/benefits")):
        assert page.status_code == 200
        assert "We answer within" in page.text
        assert "Road map" not in page.text
