"""47 Directory: C filters the directory and sends a brief; P gets the lead; a suspended partner is
absent."""

from collections.abc import Callable

from flask import Flask
from flask.testing import FlaskClient

from marketplace.core.database import db
from marketplace.identity.models import Role
from marketplace.pipeline.leads.models import Lead, LeadOffer, LeadState
from tests.factories.listings import make_listing
from tests.factories.people import make_customer, make_member, make_organization, make_platform
from tests.factories.program import make_policy, make_standing

SignIn = Callable[..., FlaskClient]
BRIEF = {
    "name": "Ada Okafor",
    "email": "ada@bluekite.example",
    "need": "Somebody who sets up our help desk.",
    "consent": "y",
}


def test_047_directory(app: Flask, sign_in: SignIn) -> None:
    make_policy()
    partners = {}
    for name, kind, country in (
        ("Quayside Advice", "technology", "NO"),
        ("Elsewhere Advice", "technology", "PT"),
        ("Gone Advice", "technology", "NO"),
        ("Harbor Resale", "reseller", "NO"),
    ):
        partner = make_organization(name, partner_type=kind, country=country)
        make_standing(partner)
        make_listing(partner, name=f"{name} service")
        partners[name] = partner
    customers = make_customer()
    c = sign_in(make_member(customers), customers)
    p = sign_in(make_member(partners["Quayside Advice"]), partners["Quayside Advice"])
    staff = sign_in(make_member(make_platform(), Role.PROGRAM_MANAGER))
    staff.post(
        "/staff/leads/rules/new",
        data={"name": "Near", "method": "round_robin", "same_country": "y",
              "partner_types": "technology", "answer_hours": "24", "is_active": "y"},
    )  # fmt: skip
    partners["Gone Advice"].suspended_at = partners["Gone Advice"].created_at
    db.session.commit()

    # C filters: one partner is left, and the suspended one is absent everywhere.
    page = c.get("/partners?type=technology&country=NO")
    assert page.status_code == 200
    names = [name for name in partners if name in page.text]
    assert names == ["Quayside Advice"]
    assert "Gone Advice" not in c.get("/partners").text
    assert c.get(f"/partners/{partners['Gone Advice'].slug}").status_code == 404
    gone = partners["Gone Advice"].slug
    assert c.get(f"/briefs/new?partner={gone}").status_code == 404
    assert c.post(f"/briefs/new?partner={gone}", data=BRIEF).status_code == 404
    assert db.session.query(Lead).count() == 0

    # C sends a brief from the partner's page: P gets the lead, and nobody else.
    slug = partners["Quayside Advice"].slug
    assert f"/briefs/new?partner={slug}" in c.get(f"/partners/{slug}").text
    assert c.post(f"/briefs/new?partner={slug}", data=BRIEF).status_code == 303
    offer = db.session.query(LeadOffer).one()
    assert offer.organization_id == partners["Quayside Advice"].id
    assert offer.lead.customer_organization_id == customers.id
    assert "Waiting for your answer" in p.get("/partner/leads").text
    assert p.post(f"/partner/leads/offers/{offer.public_id}/accept").status_code == 303
    assert BRIEF["email"] in p.get(f"/partner/leads/{offer.lead.public_id}").text

    # From the filtered directory it goes to whoever fits there, never to the suspended one.
    form = page.text.partition('href="/briefs/new')[2].partition('"')[0]
    assert "country=NO" in form
    data = {**BRIEF, "email": "bo@birch.example", "country": "NO"}
    assert c.post("/briefs/new", data=data).status_code == 303
    second = db.session.query(LeadOffer).order_by(LeadOffer.id.desc()).first()
    assert second is not None
    assert second.organization_id == partners["Quayside Advice"].id
    declined = p.post(
        f"/partner/leads/offers/{second.public_id}/decline", data={"reason": "No time"}
    )
    assert declined.status_code == 303
    assert second.lead.state is LeadState.UNPLACED
