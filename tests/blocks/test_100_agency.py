"""100 Agency: P hands a workspace to its client, and a recurring share starts."""

import re
from collections.abc import Callable
from datetime import timedelta

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select

from billing.affiliates.programs import RuleTerms
from billing.models import Earning, EarningKind, PlanBilling
from marketplace.core.database import db
from marketplace.identity.models import Membership, Organization, Role, User
from marketplace.pipeline.handovers.models import ClientWorkspace, HandoverState
from tests.conftest import SignIn
from tests.factories.affiliates import make_program
from tests.factories.buying import purchase
from tests.factories.listings import make_listing
from tests.factories.mails import mails
from tests.factories.people import make_customer, make_member, make_organization, make_user
from tests.factories.program import make_policy, make_standing, policy_document
from tests.factories.selling import make_plan, make_sale_fee
from tests.factories.stripe import StripeStandIn


def make_agency(program_id: str = "") -> tuple[Organization, User]:
    """An agency whose type shares by that program."""
    document = policy_document()
    given = {"client_share_program": program_id} if program_id else {}
    document["types"].append(
        {"key": "agency", "name": "Agency", "entry": "instant", "entitlements": given}
    )
    document["entitlements"].append(
        {"key": "client_share_program", "name": "Share of client workspaces", "kind": "text"}
    )
    make_policy(document)
    agency = make_organization("Bramble", partner_type="agency")
    make_standing(agency)
    return agency, make_member(agency, Role.OWNER)


def link_to(address: str) -> str:
    """The link of the newest handover that was mailed there."""
    sent = [mail for mail in mails() if mail["to"] == address]
    found = re.search(r"http://localhost(/handovers\?token=(\S+))", sent[-1]["body"])
    assert found is not None
    return found[2]


def members(organization_id: int) -> dict[int, Role]:
    db.session.rollback()
    rows = db.session.scalars(
        select(Membership).where(Membership.organization_id == organization_id)
    )
    return {row.user_id: row.role for row in rows}


def commissions() -> list[tuple[int, str]]:
    db.session.rollback()
    rows = db.session.scalars(
        select(Earning).where(Earning.kind == EarningKind.AFFILIATE_COMMISSION).order_by(Earning.id)
    )
    return [(row.amount, row.frozen_reason) for row in rows]


@pytest.mark.parametrize("regrants", [False, True])
def test_100_agency(
    app: Flask,
    sign_in: SignIn,
    stripe: StripeStandIn,
    client: FlaskClient,
    run_jobs: Callable[[], int],
    regrants: bool,
) -> None:
    make_sale_fee(2_000)
    program = make_program(None, RuleTerms(bps=500, payments=None), window_days=365)
    agency, owner = make_agency(program.public_id)
    colleague = make_member(agency, Role.ADMIN)
    listing = make_listing(make_organization("Quayside"))
    plan = make_plan(listing, 10_000, billing=PlanBilling.MONTHLY)
    boss = make_user("Cleo Marsh", "cleo@client.example")
    db.session.commit()
    p = sign_in(owner, agency)

    made = p.post("/partner/clients", data={"name": "Slipway"})
    assert made.status_code == 303, made.text
    workspace = db.session.scalars(select(ClientWorkspace)).one()
    customer = workspace.customer
    own = made.headers["Location"]
    assert "5% of every payment" in p.get(own).text
    # What the agency sets up before the handover earns it nothing yet.
    purchase(sign_in(owner, customer), listing, plan, customer, stripe, client)
    run_jobs()
    assert commissions() == []

    assert p.post(f"{own}/offer", data={"email": "cleo@client.example"}).status_code == 303
    token = link_to("cleo@client.example")
    c = sign_in(boss)
    assert "Take over Slipway" in c.get("/handovers", query_string={"token": token}).text
    assert members(customer.id) == {owner.id: Role.OWNER}  # opening it changes nothing
    data = {"token": token, **({"keep_access": "y"} if regrants else {})}
    assert sign_in(colleague).post("/handovers", data=data).status_code == 403
    taken = c.post("/handovers", data=data)
    assert taken.status_code == 303
    kept = {owner.id: Role.ADMIN} if regrants else {}
    assert members(customer.id) == {boss.id: Role.OWNER, **kept}
    inventory = f"/organizations/{customer.slug}/apps"
    assert p.get(inventory).status_code == (200 if regrants else 404)
    assert c.post("/handovers", data=data).status_code == 404  # the link works once

    # The next renewal of what the agency set up is shared.
    stripe.advance(timedelta(days=32))
    stripe.deliver(client)
    run_jobs()
    assert commissions() == [(500, "")]
    assert "€5.00" in sign_in(owner, agency).get(own).text


def test_without_a_share_in_the_policy_the_workspace_is_handed_over_all_the_same(
    app: Flask, sign_in: SignIn
) -> None:
    agency, owner = make_agency()
    boss = make_user("Cleo Marsh", "cleo@client.example")
    db.session.commit()
    p = sign_in(owner, agency)
    assert "pays no share" in p.get("/partner/clients").text
    own = p.post("/partner/clients", data={"name": "Slipway"}).headers["Location"]
    p.post(f"{own}/offer", data={"email": "cleo@client.example"})
    c = sign_in(boss)
    assert c.post("/handovers", data={"token": link_to("cleo@client.example")}).status_code == 303
    workspace = db.session.scalars(select(ClientWorkspace)).one()
    assert (workspace.state, workspace.attribution_id) == (HandoverState.HANDED_OVER, None)
    assert "No share was agreed" in p.get(own).text


def test_nobody_comes_back_by_an_invitation_from_before_the_handover(
    app: Flask, sign_in: SignIn
) -> None:
    agency, owner = make_agency()
    boss = make_user("Cleo Marsh", "cleo@client.example")
    friend = make_user("Ann Reed", "ann@private.example")
    db.session.commit()
    p = sign_in(owner, agency)
    own = p.post("/partner/clients", data={"name": "Slipway"}).headers["Location"]
    customer = db.session.scalars(select(ClientWorkspace)).one().customer
    invited = sign_in(owner, customer).post(
        f"/organizations/{customer.slug}/invitations",
        data={"email": "ann@private.example", "role": "owner"},
    )
    assert invited.status_code == 302, invited.text
    sent = [mail for mail in mails() if mail["to"] == "ann@private.example"]
    found = re.search(r"/invitations\?token=(\S+)", sent[-1]["body"])
    assert found is not None
    p.post(f"{own}/offer", data={"email": "cleo@client.example"})
    taken = sign_in(boss).post("/handovers", data={"token": link_to("cleo@client.example")})
    assert taken.status_code == 303

    late = sign_in(friend).post("/invitations/acceptance", data={"token": found[1]})
    assert late.status_code == 409, late.text
    assert members(customer.id) == {boss.id: Role.OWNER}


def test_bad_addresses_and_ended_links_are_refused_in_words(app: Flask, sign_in: SignIn) -> None:
    agency, owner = make_agency()
    boss = make_user("Cleo Marsh", "cleo@client.example")
    db.session.commit()
    p = sign_in(owner, agency)
    assert p.post("/partner/clients", data={"name": ""}).status_code == 422
    own = p.post("/partner/clients", data={"name": "Slipway"}).headers["Location"]
    for wrong in ("", "no", owner.email, "x" * 300 + "@a.example"):
        assert p.post(f"{own}/offer", data={"email": wrong}).status_code == 422
    p.post(f"{own}/offer", data={"email": "cleo@client.example"})
    token = link_to("cleo@client.example")
    p.post(f"{own}/offer/withdrawal")
    c = sign_in(boss)
    for ended in (token, "", "x" * 5_000):
        assert c.get("/handovers", query_string={"token": ended}).status_code == 404
        assert c.post("/handovers", data={"token": ended}).status_code == 404


def test_a_customer_has_no_client_workspaces(app: Flask, sign_in: SignIn) -> None:
    make_agency()
    customer = make_customer()
    browser = sign_in(make_member(customer), customer)
    assert browser.get("/partner/clients").status_code == 403
    affiliate = make_organization("Kite", partner_type="affiliate")
    other = sign_in(make_member(affiliate), affiliate)
    assert other.get("/partner/clients").status_code == 403
