"""Who is not in the program, or suspended, does not act as a partner."""

from datetime import date, timedelta
from typing import Any

import pytest
from sqlalchemy import func, select

from marketplace.core import clock
from marketplace.core.database import db
from marketplace.identity.models import Organization
from marketplace.pipeline.campaigns.models import Campaign
from marketplace.pipeline.deals.models import Deal
from marketplace.pipeline.deals.services.registering import register_deal
from marketplace.pipeline.deals.terms import DealTerms
from marketplace.pipeline.ideas.models import IdeaClaim
from marketplace.program.applications.models import BusinessPlan
from marketplace.program.contacts.models import ProgramManager
from marketplace.program.hosts.models import MappedHost
from marketplace.program.hosts.services.mapping import may_white_label
from marketplace.program.onboarding.models import PartnerInvite
from marketplace.program.onboarding.services import inviting
from marketplace.program.standing.reading import entitlement
from marketplace.program.standing.taking_part import NotTakingPartError
from tests.factories.campaigns import make_campaign
from tests.factories.ideas import make_idea, make_request
from tests.factories.people import make_member, make_organization, make_user
from tests.factories.program import make_policy, make_standing, policy_document

DEAL = {
    "title": "Harbor office", "customer_name": "Blue Kite", "customer": "bluekite.example",
    "product": "Tide Tables", "currency": "EUR", "amount": "1000",
}  # fmt: skip
CLOSED = (
    "/partner/deals", "/partner/leads", "/partner/ideas", "/partner/campaigns", "/partner/resale",
    "/partner/plans", "/partner/affiliate", "/partner/account-checks",
)  # fmt: skip
CLOSED_OF_NO_MODULE = (
    "/partner/invites", "/partner/business-plans", "/partner/business-plans/any",
    "/partner/contacts/manager", "/partner/seats", "/partner/seats/any/removal",
    "/partner/territories", "/partner/passport", "/partner/embeds",
)  # fmt: skip
CLOSED_TO_POST = (
    "/partner/invites", "/partner/business-plans", "/partner/business-plans/any/edit",
    "/partner/business-plans/any/taking-back", "/partner/business-plans/any/activities/1",
    "/partner/contacts/manager", "/partner/contacts/manager/confirmation",
    "/partner/seats/any/removal", "/partner/territories/any/reports", "/partner/passport",
)  # fmt: skip
OPEN = (
    "/partner", "/partner/listings", "/partner/apps", "/partner/courses", "/partner/contacts",
    "/partner/start", "/partner/tasks", "/partner/applications", "/partner/rounds",
    "/partner/verification", "/partner/domains", "/partner/fees", "/partner/earnings",
    "/partner/payout-account", "/partner/benefits", "/partner/credentials", "/partner/scorecard",
)  # fmt: skip


def _policy(**entitlements: object) -> None:
    document = policy_document()
    document["types"] += [
        {"key": "white_label", "name": "White label", "entry": "application"},
        {"key": "closed", "name": "Founders", "is_open": False},
    ]
    document["types"][2]["entitlements"] = entitlements
    document["entitlements"] += [{"key": key, "name": key, "kind": "limit"} for key in entitlements]
    make_policy(document)


def _partner(state: str) -> Organization:
    partner = make_organization("Quayside", partner_type="reseller")
    if state == "suspended":
        partner.suspended_at, partner.suspended_reason = clock.now(), "Fraud."
        make_standing(partner)
    elif state != "never":
        make_standing(partner, state=state)
    db.session.flush()
    return partner


@pytest.mark.parametrize(
    ("state", "why"),
    [
        ("never", "your organization is not in it yet"),
        ("lapsed", "no longer in the partner program"),
        ("ended", "no longer in the partner program"),
        ("suspended", "Your organization is suspended"),
    ],
)
def test_who_takes_no_part_publishes_builds_and_learns_and_nothing_else(
    sign_in: Any, state: str, why: str
) -> None:
    _policy()
    partner = _partner(state)
    idea = make_idea(make_request("Sea charts"))
    browser = sign_in(make_member(partner), partner)
    menu = browser.get("/partner").text
    for path in (*CLOSED, *CLOSED_OF_NO_MODULE):
        page = browser.get(path)
        assert page.status_code == 403, path
        assert why in page.text, path
        assert f'href="{path}"' not in menu, path
        assert ("Apply as Reseller" in page.text) is (state != "suspended")
    for path in OPEN:
        assert browser.get(path).status_code == 200, path
    for path in CLOSED_TO_POST:
        page = browser.post(path, data={"email": "vera@elsewhere.example", "year": "2026"})
        assert page.status_code == 403, path
        assert why in page.text, path
    credit = browser.get("/partner/credit"), browser.post("/partner/credit", data={"token": "x"})
    is_out = state == "suspended"
    assert [page.status_code for page in credit] == ([403, 403] if is_out else [200, 422])
    assert ('href="/partner/credit"' in menu) is not is_out
    for path, closed in (
        ("/partner/start", "/partner/invites"),
        ("/partner/contacts", "/partner/contacts/manager"),
        ("/partner/applications", "/partner/business-plans"),
        ("/partner/verification", "/partner/seats"),
    ):
        assert f'href="{closed}"' not in browser.get(path).text, path
    asked = {"starts_on": str(date(2030, 1, 1)), "ends_on": str(date(2030, 2, 1))}
    for path, data in (
        ("/partner/deals/register", DEAL),
        (f"/partner/ideas/{idea.public_id}/claim", {}),
        ("/partner/campaigns/new", asked),
    ):
        assert browser.post(path, data=data).status_code == 403, path
    db.session.rollback()
    for model in (Deal, IdeaClaim, Campaign, PartnerInvite, BusinessPlan, ProgramManager):
        assert db.session.scalar(select(func.count()).select_from(model)) == 0


def test_who_is_in_the_program_is_let_in_at_once(sign_in: Any) -> None:
    _policy()
    partner = _partner("never")
    browser = sign_in(make_member(partner), partner)
    assert browser.get("/partner/deals").status_code == 403
    make_standing(partner, state="provisional", provisional_until=clock.now() + timedelta(days=9))
    db.session.commit()
    assert browser.get("/partner/deals").status_code == 200
    assert browser.post("/partner/deals/register", data=DEAL).status_code == 303
    for path in ("/partner/invites", "/partner/business-plans", "/partner/passport"):
        assert browser.get(path).status_code == 200, path
    assert 'href="/partner/invites"' in browser.get("/partner/start").text


def test_a_partner_invites_so_many_a_day(sign_in: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(inviting, "MOST_A_DAY", 2)
    _policy()
    partner = _partner("active")
    browser = sign_in(make_member(partner), partner)
    for name in ("ada", "bo", "cy"):
        sent = browser.post("/partner/invites", data={"email": f"{name}@elsewhere.example"})
        assert sent.status_code == 303
    assert "You invited 2 within a day" in browser.get("/partner/invites").text
    assert db.session.scalar(select(func.count()).select_from(PartnerInvite)) == 2


def test_a_service_asks_too(app: Any) -> None:
    _policy()
    partner = _partner("never")
    terms = DealTerms("Office", "Blue Kite", "bluekite.example", 1_000, "EUR", product="Tides")
    with pytest.raises(NotTakingPartError):
        register_deal(terms, organization=partner, by_user_id=None)
    make_campaign(partner)  # what there was goes on


def test_what_a_type_is_entitled_to_counts_while_the_partner_takes_part(app: Any) -> None:
    _policy(seats_for_students=7)
    partner = _partner("never")
    assert entitlement(partner.id, "seats_for_students") is False
    standing = make_standing(partner)
    assert entitlement(partner.id, "seats_for_students") == 7
    partner.suspended_at = clock.now()
    db.session.flush()
    assert entitlement(partner.id, "seats_for_students") is False
    partner.suspended_at, standing.state = None, "lapsed"
    db.session.flush()
    assert entitlement(partner.id, "seats_for_students") is False


def test_a_domain_of_its_own_is_for_admitted_partners(sign_in: Any) -> None:
    _policy()
    partner = make_organization("Quayside", partner_type="white_label")
    browser = sign_in(make_member(partner), partner)
    asked = {"host": "market.quayside.example"}
    assert browser.post("/partner/domains", data=asked).status_code in (403, 409)
    db.session.rollback()
    assert db.session.scalar(select(func.count()).select_from(MappedHost)) == 0
    make_standing(partner)
    assert may_white_label(partner)


def test_only_open_types_are_offered_to_a_new_organization(sign_in: Any) -> None:
    _policy()
    browser = sign_in(make_user("Ada"))
    page = browser.get("/organizations/new").text
    assert 'value="reseller"' in page
    assert 'value="closed"' not in page
    data = {"organization_name": "Quayside", "kind": "partner", "partner_type": "closed"}
    assert browser.post("/organizations/new", data=data).status_code == 422
    assert browser.post(
        "/organizations/new", data={**data, "partner_type": "reseller"}
    ).status_code in (302, 303)


def test_a_type_that_closed_stays_on_the_profile_of_who_has_it(sign_in: Any) -> None:
    _policy()
    partner = make_organization("Quayside", partner_type="closed", verified_at=None)
    browser = sign_in(make_member(partner), partner)
    path = f"/organizations/{partner.slug}/profile"
    assert "Founders" in browser.get(path).text
    kept = browser.post(path, data={"name": "Quayside", "partner_type": "closed"})
    assert kept.status_code == 302
    other = make_organization("Kitewell", partner_type="reseller", verified_at=None)
    browser = sign_in(make_member(other, user=make_user("Kit")), other)
    path = f"/organizations/{other.slug}/profile"
    assert "Founders" not in browser.get(path).text
    assert (
        browser.post(path, data={"name": "Kitewell", "partner_type": "closed"}).status_code == 422
    )
