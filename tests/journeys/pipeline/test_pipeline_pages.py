"""The pages of leads, deals, account checks and territories over HTTP: bad input keeps what was
typed, nothing fails, files go in and out."""

import csv
import io
from collections.abc import Callable
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient

from marketplace.core import clock
from marketplace.core.database import db
from marketplace.identity.models import Organization, Role
from marketplace.pipeline.deals.models import Deal, DealState
from marketplace.pipeline.franchises.models import SalesReport, TerritoryGrant
from marketplace.pipeline.franchises.months import month_of
from marketplace.pipeline.leads.models import Lead, LeadOffer, LeadState, RoutingRule
from tests.factories.listings import make_listing
from tests.factories.mails import mails
from tests.factories.people import (
    make_customer,
    make_member,
    make_organization,
    make_platform,
    make_user,
)
from tests.factories.pipeline_world import make_pipeline_world
from tests.factories.program import make_policy, make_standing

SignIn = Callable[..., FlaskClient]
BRIEF = {
    "name": "Ada Okafor",
    "email": "ada@bluekite.example",
    "need": "Tide tables for twelve ships.",
    "consent": "y",
}
STRANGE = ("", "\x00", "x" * 10_000, str(2**63), "-1", "=cmd()", "<b>", "\ud7ff\U0001f600", "NaN")


@pytest.fixture
def partner(app: Flask) -> Organization:
    """A partner of the program."""
    make_policy()
    organization = make_organization("Quayside", slug="quayside")
    make_standing(organization)
    return organization


@pytest.fixture
def p(partner: Organization, sign_in: SignIn) -> FlaskClient:
    """Its owner's browser."""
    return sign_in(make_member(partner), partner)


@pytest.fixture
def staff(partner: Organization, sign_in: SignIn) -> FlaskClient:
    """A program manager's browser."""
    return sign_in(make_member(make_platform(), Role.PROGRAM_MANAGER))


def _fields_of(page: str) -> set[str]:
    return {part.partition('"')[0] for part in page.split(' name="')[1:]}


def test_a_refused_brief_keeps_what_was_typed(partner: Organization, client: FlaskClient) -> None:
    listing = make_listing(partner)
    db.session.commit()
    for address in (
        "/briefs/new",
        f"/briefs/new?listing={listing.slug}",
        "/briefs/new?partner=quayside",
    ):
        page = client.get(address)
        assert page.status_code == 200
        refused = client.post(address, data={**BRIEF, "email": "nobody", "consent": ""})
        assert refused.status_code == 422
        assert "Tide tables for twelve ships." in refused.text
        assert "Enter an e-mail address like" in refused.text
        assert "no partner can answer" in refused.text
    assert client.get("/briefs/new?listing=nothing").status_code == 404
    assert client.get("/briefs/new?partner=nobody").status_code == 404
    assert db.session.query(Lead).count() == 0


def test_pages_of_listings_and_partners_lead_to_a_brief(
    partner: Organization, client: FlaskClient, p: FlaskClient
) -> None:
    listing = make_listing(partner)
    db.session.commit()
    assert f"/briefs/new?listing={listing.slug}" in client.get(f"/listings/{listing.slug}").text
    assert "/briefs/new?partner=quayside" in client.get("/partners/quayside").text
    assert "/briefs/new" in client.get("/partners").text
    assert "/briefs/new" not in p.get("/partners/quayside").text
    partner.partner_type = "developer"
    make_policy(types=[{"key": "developer", "name": "Developer", "modules": ["catalogue"]}])
    db.session.commit()
    assert "/briefs/new" not in client.get("/partners/quayside").text
    assert client.get("/briefs/new?partner=quayside").status_code == 404
    assert p.get("/partner/leads").status_code in (403, 404)


def test_a_machine_is_thanked_and_forgotten(partner: Organization, client: FlaskClient) -> None:
    answer = client.post("/briefs/new?partner=quayside", data={**BRIEF, "fax": "1"})
    assert answer.status_code == 303
    assert "on its way" in client.get(answer.location).text
    assert db.session.query(Lead).count() == 0
    assert mails() == []


def test_a_customer_takes_the_brief_back_by_the_link_in_the_mail(
    partner: Organization, client: FlaskClient, p: FlaskClient
) -> None:
    client.post("/briefs/new?partner=quayside", data=BRIEF)
    body = next(mail["body"] for mail in mails() if mail["to"] == BRIEF["email"])
    address = "/briefs/" + body.partition("/briefs/")[2].split()[0]
    assert "A partner is asked" in client.get(address).text
    offer = db.session.query(LeadOffer).one()
    p.post(f"/partner/leads/offers/{offer.public_id}/accept")
    assert "Quayside" in client.get(address).text
    assert client.get(f"{address}/removal").status_code == 200
    assert client.post(f"{address}/removal").status_code == 303
    assert client.post(f"{address}/removal").status_code == 303
    page = p.get(f"/partner/leads/{offer.lead.public_id}")
    assert page.status_code == 200
    assert "bluekite" not in page.text
    assert client.get(f"{address}x").status_code == 404


def test_a_brief_is_limited(partner: Organization, client: FlaskClient) -> None:
    codes = [
        client.post("/briefs/new", data={**BRIEF, "need": f"Tides {number}"}).status_code
        for number in range(9)
    ]
    assert codes == [303] * 8 + [429]


def test_a_suspended_partner_gets_no_brief_and_sees_none(
    partner: Organization, client: FlaskClient, staff: FlaskClient
) -> None:
    db.session.add(
        RoutingRule(
            public_id="lrr_1", name="All", position=1, countries=[], categories=[],
            partner_types=[], weights={},
        )
    )  # fmt: skip
    partner.suspended_at = partner.created_at
    db.session.commit()
    assert client.get("/briefs/new?partner=quayside").status_code == 404
    client.post("/briefs/new", data=BRIEF)
    lead = db.session.query(Lead).one()
    assert lead.state is LeadState.UNPLACED
    assert "Nobody has it" in staff.get("/staff/leads?show=waiting").text


def test_a_file_is_looked_at_before_it_counts(
    partner: Organization, p: FlaskClient, sign_in: SignIn
) -> None:
    text = (
        "Name;E-mail;Company;Need;Country\r\n"
        "Ada;ada@bluekite.example;Blue Kite;'=1+1;DE\r\n"
        "Bo;nobody;Birch;Tides;Germany\r\n"
    )
    data: dict[str, Any] = {"file": (io.BytesIO(text.encode("cp1252")), "leads.csv")}
    read = p.post("/partner/leads/import", data=data)
    assert read.status_code == 303
    page = p.get(read.location).text
    assert "1 row can be registered, 1 has errors" in page
    assert "Enter an e-mail address like" in page
    other = make_organization("Rivals")
    make_standing(other)
    assert sign_in(make_member(other), other).get(read.location).status_code == 404
    assert db.session.query(Lead).count() == 0
    assert p.post(read.location).status_code == 303
    assert p.post(read.location).status_code == 404
    (lead,) = db.session.query(Lead)
    assert lead.need == "=1+1"
    exported = p.get("/partner/leads/leads.csv")
    (row,) = list(csv.DictReader(io.StringIO(exported.text.lstrip("\ufeff"))))
    assert row["need"] == "'=1+1"
    again: dict[str, Any] = {"file": (io.BytesIO(text.encode()), "x" * 300)}
    thrown = p.post("/partner/leads/import", data=again)
    assert p.post(f"{thrown.location}/discard").status_code == 303
    assert p.get(thrown.location).status_code == 404
    empty: dict[str, Any] = {"file": (io.BytesIO(b""), "")}
    assert p.post("/partner/leads/import", data=empty).status_code == 422
    assert p.post("/partner/leads/import").status_code == 422


def test_boards_and_lists_show_and_move(
    partner: Organization, p: FlaskClient, staff: FlaskClient
) -> None:
    p.post(
        "/partner/leads/register",
        data={**BRIEF, "company": "Blue Kite", "permitted": "y"},
    )
    lead = db.session.query(Lead).one()
    address = f"/partner/leads/{lead.public_id}"
    assert "Blue Kite" in p.get("/partner/leads?view=board").text
    assert "Blue Kite" in p.get("/partner/leads?q=kite&stage=new").text
    assert "No leads like that" in p.get("/partner/leads?q=nothing").text
    moved = p.post(f"{address}/stage", data={"stage": "contacted", "back": "board"})
    assert moved.location.endswith("view=board")
    lost = p.post(f"{address}/stage", data={"stage": "lost"})
    assert lost.status_code == 422
    assert "Say why it was lost" in lost.text
    p.post(f"{address}/notes", data={"body": "Likes tea"})
    p.post(f"{address}/tasks", data={"title": "Call", "due_on": "2027-01-05"})
    page = p.get(address).text
    assert "Likes tea" in page
    assert "Call" in page
    assert "Likes tea" not in staff.get(f"/staff/leads/{lead.public_id}").text
    deal = p.get(f"/partner/deals/register?lead={lead.public_id}").text
    assert 'value="bluekite.example"' in deal


def test_rules_are_edited_and_moved(partner: Organization, staff: FlaskClient) -> None:
    for name in ("First", "Second"):
        answer = staff.post(
            "/staff/leads/rules/new",
            data={"name": name, "method": "weighted", "weights": "silver 2, gold 3",
                  "countries": "de, at", "partner_types": "technology", "is_active": "y"},
        )  # fmt: skip
        assert answer.status_code == 303
    one, two = db.session.query(RoutingRule).order_by(RoutingRule.position)
    assert (one.weights, one.countries) == ({"silver": 2, "gold": 3}, ["AT", "DE"])
    staff.post(f"/staff/leads/rules/{two.public_id}/move", data={"to": "up"})
    staff.post(f"/staff/leads/rules/{two.public_id}/move", data={"to": "up"})
    staff.post(f"/staff/leads/rules/{one.public_id}/switch", data={"use": "no"})
    db.session.expire_all()
    assert (two.position, one.position, one.is_active) == (1, 2, False)
    wrong = staff.post(
        f"/staff/leads/rules/{one.public_id}",
        data={"name": "", "countries": "Germany", "weights": "iron 2", "capacity": "0",
              "method": "x", "partner_types": "nobody", "least_tier": "x", "answer_hours": "-1"},
    )  # fmt: skip
    assert wrong.status_code == 422
    assert wrong.text.count("form-error") >= 8


def test_a_lead_that_was_registered_twice_or_by_mistake_is_taken_back(
    app: Flask, p: FlaskClient
) -> None:
    data = {**BRIEF, "company": "Blue Kite", "permitted": "y"}
    first = p.post("/partner/leads/register", data=data)
    again = p.post("/partner/leads/register", data=data)
    assert first.location == again.location
    p.post("/partner/leads/register", data={**data, "need": "Something else"})
    first_lead, second = db.session.query(Lead).order_by(Lead.id)
    assert second.duplicate_of_id == first_lead.id
    assert "Take it back" in p.get(first.location).text
    assert "cannot be undone" in p.get(f"{first.location}/withdrawal").text
    assert p.post(f"{first.location}/withdrawal").status_code == 303
    db.session.expire_all()
    assert (first_lead.state, first_lead.email) == (LeadState.CLOSED, "")
    assert second.duplicate_of_id is None
    assert "of 1" in p.get("/partner/leads").text


def test_a_rival_learns_nothing_of_whom_it_collides_with(
    partner: Organization, p: FlaskClient, sign_in: SignIn, staff: FlaskClient
) -> None:
    rival = make_organization("Rivals")
    make_standing(rival)
    r = sign_in(make_member(rival), rival)
    data = {
        "title": "Harbor", "customer_name": "Blue Kite", "customer": "bluekite.example",
        "product": "Tides", "currency": "EUR", "amount": "100.00",
    }  # fmt: skip
    p.post("/partner/deals/register", data=data)
    second = r.post("/partner/deals/register", data=data)
    page = r.get(second.location).text
    assert "Already registered" in page
    assert "Quayside" not in page
    conflicts = staff.get("/staff/deals?show=conflicts").text
    assert "Rivals" in conflicts
    address = conflicts.partition('data-label="Deal"><a href="')[2].partition('"')[0]
    both = staff.get(address).text
    assert "Quayside" in both
    assert "Rivals" in both
    seen = _seen(both)
    empty = staff.post(f"{address}/award", data={"reason": "", "seen": seen})
    assert empty.status_code == 422
    award = {"reason": "They asked first", "seen": seen}
    assert staff.post(f"{address}/award", data=award).status_code == 303
    assert "Protected" in r.get(second.location).text


def _seen(page: str) -> str:
    """What a page of a deal hands on of what it showed."""
    return page.partition('name="seen" value="')[2].partition('"')[0]


def _conflict(
    p: FlaskClient, sign_in: SignIn, staff: FlaskClient, *, approved: bool
) -> tuple[str, str]:
    """The pages of a registration, approved when asked for, and of a later one that conflicts."""
    rival = make_organization("Rivals")
    make_standing(rival)
    r = sign_in(make_member(rival), rival)
    data = {
        "title": "Harbor", "customer_name": "Blue Kite", "customer": "bluekite.example",
        "product": "Tides", "currency": "EUR", "amount": "100.00",
    }  # fmt: skip
    first = f"/staff{p.post('/partner/deals/register', data=data).location[len('/partner') :]}"
    if approved:
        seen = _seen(staff.get(first).text)
        assert staff.post(f"{first}/approval", data={"seen": seen}).status_code == 303
    second = r.post("/partner/deals/register", data=data).location
    return first, f"/staff{second[len('/partner') :]}"


def test_who_decides_a_deal_second_is_told_what_the_first_did(
    partner: Organization, p: FlaskClient, sign_in: SignIn, staff: FlaskClient
) -> None:
    first, second = _conflict(p, sign_in, staff, approved=False)
    harbor = db.session.query(Organization).filter_by(name="Harbor").one()
    alex = sign_in(make_member(harbor, Role.ADMIN, user=make_user("Alex Kim")))
    seen = {page: _seen(staff.get(page).text) for page in (first, second)}
    # Alex gives the customer to the later one; Daniel has both pages open, as they were.
    award = {"reason": "They asked first", "seen": seen[second]}
    assert alex.post(f"{second}/award", data=award).status_code == 303
    late = staff.post(f"{second}/refusal", data={"reason": "No", "seen": seen[second]})
    assert late.status_code == 409
    assert "Alex Kim approved it since you opened this page." in late.text
    other = staff.post(f"{first}/refusal", data={"reason": "No", "seen": seen[first]})
    assert other.status_code == 409
    assert "Alex Kim approved another registration of this customer" in other.text
    assert staff.post(f"{first}/approval", data={"seen": seen[first]}).status_code == 409
    blind = staff.post(f"{second}/refusal", data={"reason": "No", "confirmed": "y"})
    assert blind.status_code == 409
    states = {deal.organization_id == partner.id: deal.state for deal in _deals()}
    assert states == {True: DealState.REFUSED, False: DealState.APPROVED}


def test_a_protected_customer_is_taken_away_only_when_that_is_confirmed(
    partner: Organization, p: FlaskClient, sign_in: SignIn, staff: FlaskClient
) -> None:
    first, second = _conflict(p, sign_in, staff, approved=True)
    for page, act in ((first, "refusal"), (second, "award")):
        shown = staff.get(page).text
        assert 'name="confirmed"' in shown
        data = {"reason": "No", "seen": _seen(shown)}
        asked = staff.post(f"{page}/{act}", data=data)
        assert asked.status_code == 422
        assert "loses the customer, for good" in asked.text
    assert {deal.state for deal in _deals()} == {DealState.APPROVED, DealState.CONFLICT}
    data = {"reason": "No", "seen": _seen(staff.get(first).text), "confirmed": "y"}
    assert staff.post(f"{first}/refusal", data=data).status_code == 303
    assert {deal.state for deal in _deals()} == {DealState.REFUSED, DealState.CONFLICT}


def _deals() -> list[Deal]:
    db.session.rollback()
    return db.session.query(Deal).all()


def test_a_listing_is_named_by_its_address_or_exact_name(
    partner: Organization, p: FlaskClient
) -> None:
    own = make_listing(partner, slug="tide-watch", name="Tide Watch")
    foreign = make_listing(make_organization("Rivals"), slug="sea-charts", name="Sea Charts")
    for number in range(60):
        make_listing(partner, slug=f"more-{number}", name=f"A twin {number % 55}")
    db.session.commit()
    deal = {
        "title": "Harbor", "customer_name": "Birch", "customer": "birch.example",
        "currency": "EUR", "amount": "100",
    }  # fmt: skip
    lead = {**BRIEF, "company": "Birch", "permitted": "y"}
    for path, data in (("deals", deal), ("leads", lead)):
        page = p.get(f"/partner/{path}/register").text
        assert page.partition("<datalist")[2].partition("</datalist")[0].count("<option") <= 50
        assert "Sea Charts" not in page
        for wrong in ("Nothing", "A twin 1", "\x00"):
            refused = p.post(f"/partner/{path}/register", data={**data, "listing": wrong})
            assert refused.status_code == 422
            assert "No listing has this address or name." in refused.text
    for number, typed in enumerate(("sea charts", "https://localhost/listings/tide-watch")):
        data = {**deal, "listing": typed, "customer": f"c{number}.example"}
        assert p.post("/partner/deals/register", data=data).status_code == 303
    assert [row.listing_id for row in db.session.query(Deal).order_by(Deal.id)] == [
        foreign.id, own.id,
    ]  # fmt: skip
    assert (
        p.post("/partner/leads/register", data={**lead, "listing": "Tide Watch"}).status_code == 303
    )
    assert db.session.query(Lead).one().listing_id == own.id


def test_amounts_that_are_not_charged_may_be_more_than_a_million(
    partner: Organization, p: FlaskClient
) -> None:
    owner = make_member(partner)
    make_pipeline_world(partner, owner, make_member(make_customer()), make_listing(partner))
    grant = db.session.query(TerritoryGrant).one()
    month = month_of(clock.now())
    db.session.commit()
    reported = p.post(
        f"/partner/territories/{grant.public_id}/reports",
        data={"month": month, "amount": "1,200,000.00"},
    )
    assert reported.status_code == 303, reported.text
    assert db.session.query(SalesReport).one().amount == 120_000_000
    data = {
        "title": "Harbor", "customer_name": "Birch", "customer": "birch.example",
        "product": "Tides", "currency": "KRW", "amount": "3,000,000,000",
    }  # fmt: skip
    registered = p.post("/partner/deals/register", data=data)
    assert registered.status_code == 303, registered.text


def test_nothing_fails_whatever_is_typed(
    app: Flask, partner: Organization, sign_in: SignIn, staff: FlaskClient
) -> None:
    owner = make_member(partner)
    customer = make_member(make_customer())
    values = make_pipeline_world(partner, owner, customer, make_listing(partner))
    db.session.commit()
    browsers = {"/partner": sign_in(owner, partner), "/staff": staff, "/briefs": sign_in(customer)}
    bad = []
    for rule in app.url_map.iter_rules():
        part = rule.endpoint.partition(".")[0].removesuffix("_staff")
        if part not in ("leads", "deals", "account_checks", "franchises"):
            continue
        if set(rule.arguments) - set(values):
            continue
        browser = next(each for begin, each in browsers.items() if rule.rule.startswith(begin))
        with app.test_request_context():
            url = app.url_map.bind("localhost").build(
                rule.endpoint, {name: values[name] for name in rule.arguments}
            )
        if "GET" in (rule.methods or set()):
            for query in ("", "?page=-1&q=%00&stage=x&show=x&period=x", f"?page={2**63}&q=%25"):
                answer = browser.get(f"{url}{query}")
                bad += [("GET", url, query)] if answer.status_code >= 500 else []
        if "POST" in (rule.methods or set()) and not rule.endpoint.endswith((
            "lead_erase", "check_end", "file_discard", "deal_withdraw", "lead_close", "grant_end",
            "check_decline", "offer_decline", "lead_withdraw",
        )):  # fmt: skip
            names = _fields_of(browser.get(url).text) if "GET" in (rule.methods or set()) else set()
            names |= {
                "reason", "body", "title", "due_on", "stage", "amount", "verdict", "into",
                "partner", "entries", "entry", "month", "currency", "won_on", "order", "to",
                "shares-0-partner", "shares-0-percent", "shares-0-kind", "seen_version", "use",
            }  # fmt: skip
            for text in STRANGE:
                answer = browser.post(url, data=dict.fromkeys(names - {"csrf_token"}, text))
                bad += [("POST", url, text[:20])] if answer.status_code >= 500 else []
    assert bad == []
    unknown = ("x", "%00", "é" * 300)
    for each in unknown:
        for path in (
            f"/partner/leads/{each}", f"/partner/leads/offers/{each}", f"/partner/deals/{each}",
            f"/partner/account-checks/{each}", f"/partner/territories/invoices/{each}",
            f"/briefs/{each}",
        ):  # fmt: skip
            assert browsers["/partner"].get(path).status_code in (404, 422), path
