"""110: a customer filters by the level of an authorization and downloads a procurement pack; a
policy that bars commissions writes no line of the ledger."""

import re
from collections.abc import Callable

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import func, select

from billing.accounts import COMMISSION_EXPENSE
from billing.models import Affiliate, AffiliateProgram, Earning, EarningKind
from marketplace.catalogue.indexing.services import rebuild
from marketplace.catalogue.indexing.spec import SPECS
from marketplace.core.database import db
from marketplace.identity.models import Role
from tests.conftest import SignIn
from tests.factories.affiliates import make_program
from tests.factories.buying import BROWSER, purchase
from tests.factories.listings import make_listing
from tests.factories.people import make_customer, make_member, make_organization, make_platform
from tests.factories.program import make_policy, make_standing, policy_document
from tests.factories.selling import make_plan, make_sale_fee
from tests.factories.settlement import books
from tests.factories.stripe import StripeStandIn


def _found(browser: FlaskClient) -> list[str]:
    """The names of what the search finds at FedRAMP Moderate, by the API of the directory."""
    answer = browser.get("/api/v1/listings?authorization=fedramp-moderate")
    assert answer.status_code == 200
    return [each["name"] for each in answer.get_json()["items"]]


def _seen(page: str) -> str:
    """What a reviewer's page says that it shows."""
    found = re.search(r'name="seen" value="(\w+)"', page)
    assert found is not None
    return found[1]


def test_110_government(app: Flask, sign_in: SignIn, run_jobs: Callable[[], int]) -> None:
    partner = make_organization("Quayside", country="US", website="https://quayside.example")
    owner = make_member(partner)
    listing = make_listing(partner, name="Tide Tables")
    make_listing(make_organization("Rivals"), name="Other Tables")
    desk = sign_in(make_member(make_platform(), Role.REVIEWER))
    browser, customer = sign_in(owner, partner), app.test_client()
    for spec in SPECS:
        rebuild(spec)

    claim = {
        "listing": str(listing.id),
        "level": "fedramp-moderate",
        "status": "authorized",
        "sponsor": "Department of Harbors",
        "evidence_url": "https://marketplace.authority.example/tides",
        "authorized_on": "2026-01-15",
        "expires_on": "2099-12-31",
    }
    filed = browser.post("/partner/authorizations/new", data=claim)
    assert filed.status_code == 303
    browser.post(
        "/partner/authorizations/company",
        data={"legal_name": "Quayside Incorporated", "security_email": "security@quayside.example"},
    )
    run_jobs()
    assert _found(customer) == []

    queue = desk.get("/staff/certifications/authorizations").get_data(as_text=True)
    assert "FedRAMP Moderate" in queue
    found = re.search(r"/staff/certifications/authorizations/auth_\w+", queue)
    assert found is not None
    case = found[0]
    shown = desk.get(case).get_data(as_text=True)
    # What the partner changes while it is looked at is not accepted unseen.
    own = browser.get("/partner/authorizations").get_data(as_text=True)
    edit = re.search(r'"(/partner/authorizations/auth_\w+[^"]*)"', own)
    assert edit is not None
    claim["sponsor"] = "Department of Rivers"
    assert browser.post(edit[1], data=claim).status_code == 303
    late = desk.post(f"{case}/acceptance", data={"seen": _seen(shown)})
    assert late.status_code == 409
    assert "Department of Rivers" in late.get_data(as_text=True)
    run_jobs()
    assert _found(customer) == []
    accepted = desk.post(f"{case}/acceptance", data={"seen": _seen(late.get_data(as_text=True))})
    assert accepted.status_code == 303
    run_jobs()
    assert _found(customer) == ["Tide Tables"]
    assert "Take back" in desk.get(case).get_data(as_text=True)
    assert desk.post(f"{case}/revocation", data={"remark": ""}).status_code == 422
    page = customer.get("/search?authorization=fedramp-moderate").get_data(as_text=True)
    assert "FedRAMP Moderate" in page
    assert 'data-total="1"' in page

    shown = customer.get(f"/listings/{listing.slug}").get_data(as_text=True)
    pack = f"/procurement/{listing.slug}.pdf"
    assert pack in shown
    answer = customer.get(pack)
    assert answer.status_code == 200
    assert answer.data.startswith(b"%PDF-")
    assert answer.headers["Content-Disposition"].startswith("attachment")

    # What does not hold any more is taken back, with reasons.
    revoked = desk.post(f"{case}/revocation", data={"remark": "The authority has revoked it."})
    assert revoked.status_code == 303
    run_jobs()
    assert _found(customer) == []
    own = browser.get("/partner/authorizations").get_data(as_text=True)
    assert "The authority has revoked it." in own


@pytest.mark.parametrize(("barred", "earned"), [(True, 0), (False, 2_000)])
def test_a_barred_type_earns_no_commission_and_the_platform_keeps_it(
    app: Flask,
    sign_in: SignIn,
    stripe: StripeStandIn,
    client: FlaskClient,
    run_jobs: Callable[[], int],
    barred: bool,
    earned: int,
) -> None:
    document = policy_document()
    document["types"].append(
        {"key": "government", "name": "Public body", "earns_commission": not barred}
    )
    make_policy(document)
    make_sale_fee(2_000)
    listing = make_listing(make_organization("Quayside"))
    make_program(None)
    program = db.session.scalars(select(AffiliateProgram)).one()
    body = make_organization("Port Authority", partner_type="government")
    make_standing(body)
    affiliate = sign_in(make_member(body), body)
    customer = make_customer("Blue Kite")
    person = make_member(customer)
    plan = make_plan(listing, 10_000)
    db.session.commit()
    joined = affiliate.post(f"/partner/affiliate/programs/{program.public_id}/join")
    assert joined.status_code == 303
    assert db.session.scalars(select(Affiliate)).one().organization_id == body.id
    own = joined.headers["Location"]
    affiliate.post(f"{own}/links", data={"target": listing.slug, "code": "port"})

    sign_in(person, customer).get("/r/port", headers=BROWSER)
    purchase(sign_in(person, customer), listing, plan, customer, stripe, client)
    run_jobs()
    commissions = db.session.scalar(
        select(func.coalesce(func.sum(Earning.amount), 0)).where(
            Earning.kind == EarningKind.AFFILIATE_COMMISSION
        )
    )
    assert commissions == earned
    own = {name: amount for name, amount in books().items() if amount}
    assert (COMMISSION_EXPENSE in own) is not barred
    assert f"partner_pending:{body.id}" not in own or not barred
