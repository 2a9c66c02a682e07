"""36 Deals: P accepts an offered lead, and the contact is revealed; a late one goes on."""

from collections.abc import Callable
from datetime import timedelta

from flask import Flask
from flask.testing import FlaskClient

from marketplace.core import clock
from marketplace.core.database import db
from marketplace.core.jobs import sweep
from marketplace.identity.models import Organization, Role
from marketplace.pipeline.leads.models import Lead, LeadOffer, LeadState, OfferState
from marketplace.program.measures import Measure, Measurement
from tests.factories.mails import mails
from tests.factories.people import make_member, make_organization, make_platform
from tests.factories.program import make_policy, make_standing

SignIn = Callable[..., FlaskClient]
SECRETS = (
    "Ingrid",
    "Solberg",
    "Fjordline",
    "ingrid@fjordline.example",
    "fjordline.example",
    "22334455",
)
BRIEF = {
    "name": "Ingrid Solberg",
    "email": "ingrid@fjordline.example",
    "company": "Fjordline",
    "website": "https://www.fjordline.example/contact",
    "country": "NO",
    "need": "Fjordline needs its booking system in the calendar. Call Ingrid at +47 22334455 "
    "or write to ingrid@fjordline.example.",
    "budget": "5k_25k",
    "time_frame": "quarter",
    "consent": "y",
}


def _partner(name: str) -> Organization:
    partner = make_organization(name)
    make_standing(partner)
    return partner


def _rule(browser: FlaskClient) -> None:
    answer = browser.post(
        "/staff/leads/rules/new",
        data={"name": "Everybody", "method": "round_robin", "answer_hours": "24", "is_active": "y"},
    )
    assert answer.status_code == 303, answer.text


def _only_offer(partner: Organization) -> LeadOffer:
    db.session.rollback()
    return (
        db.session.query(LeadOffer)
        .filter_by(organization_id=partner.id)
        .order_by(LeadOffer.id.desc())
        .first()
    )


def test_036_deals(app: Flask, client: FlaskClient, sign_in: SignIn) -> None:
    make_policy()
    first, second = _partner("Quayside"), _partner("Rivals")
    staff = sign_in(make_member(make_platform(), Role.PROGRAM_MANAGER))
    p, rival = sign_in(make_member(first), first), sign_in(make_member(second), second)
    _rule(staff)

    # A customer without an account sends a brief; one partner is offered it, masked.
    assert client.post("/briefs/new", data=BRIEF).status_code == 303
    offer = _only_offer(first)
    assert _only_offer(second) is None
    address = f"/partner/leads/offers/{offer.public_id}"
    for page in (p.get("/partner/leads"), p.get("/partner/leads/offers"), p.get(address)):
        assert page.status_code == 200
        assert [secret for secret in SECRETS if secret in page.text] == []
    assert "I. S." in p.get(address).text
    assert "Its turn among 2 partners" in p.get(address).text
    lead_address = f"/partner/leads/{offer.lead.public_id}"
    assert p.get(lead_address).status_code == 404
    assert rival.get(address).status_code == 404

    # The deadline passes: it is offered to the next one, and still masked to the first.
    clock.shift(timedelta(hours=25))
    try:
        assert p.post(f"{address}/accept").status_code == 303
        assert p.get(lead_address).status_code == 404
        sweep()
        second_offer = _only_offer(second)
        assert second_offer is not None
        assert second_offer.state is OfferState.OPEN
        assert "Deadline passed" in p.get(address).text
        for page in (p.get("/partner/leads"), p.get("/partner/leads/offers"), p.get(address)):
            assert [secret for secret in SECRETS if secret in page.text] == []
        assert p.get(lead_address).status_code == 404
        assert p.post(f"{address}/accept").status_code == 303
        assert p.get(lead_address).status_code == 404

        # The second one accepts: it sees the contact, the first one never does.
        other_address = f"/partner/leads/offers/{second_offer.public_id}"
        assert rival.post(f"{other_address}/accept").status_code == 303
        revealed = rival.get(lead_address).text
        assert all(word in revealed for word in ("Ingrid Solberg", "ingrid@fjordline.example"))
        assert p.get(lead_address).status_code == 404
        assert p.get(other_address).status_code == 404
        assert [secret for secret in SECRETS if secret in p.get(address).text] == []
    finally:
        clock.shift(-timedelta(hours=25))

    lead = db.session.query(Lead).one()
    assert (lead.state, lead.owner_id) == (LeadState.ACCEPTED, second.id)
    counted = db.session.query(Measurement).filter_by(measure=Measure.LEADS_ACCEPTED.value).all()
    assert [(row.organization_id, row.amount) for row in counted] == [(second.id, 1)]
    told = [mail["subject"] for mail in mails() if mail["to"] == "ingrid@fjordline.example"]
    assert told == ["We have your request", "Rivals will contact you"]
    assert not any(
        secret in mail["subject"] + mail["body"]
        for mail in mails()
        for secret in SECRETS[:4]
        if "fjordline" not in mail["to"]
    )


def test_a_lead_that_is_declined_goes_on_and_stays_masked(
    app: Flask, client: FlaskClient, sign_in: SignIn
) -> None:
    make_policy()
    first, second = _partner("Quayside"), _partner("Rivals")
    p = sign_in(make_member(first), first)
    _rule(sign_in(make_member(make_platform(), Role.PROGRAM_MANAGER)))
    client.post("/briefs/new", data=BRIEF)
    address = f"/partner/leads/offers/{_only_offer(first).public_id}"
    assert p.post(f"{address}/decline", data={"reason": ""}).status_code == 422
    assert p.post(f"{address}/decline", data={"reason": "No time"}).status_code == 303
    assert _only_offer(second).state is OfferState.OPEN
    assert [secret for secret in SECRETS if secret in p.get(address).text] == []
