"""50 Co-Marketing: P and O run a campaign with a shared budget and shared leads."""

import csv
import io
from datetime import timedelta

from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select

from marketplace.core import clock
from marketplace.core.database import db
from marketplace.identity.models import Role
from marketplace.pipeline.campaigns.models import Campaign
from tests.conftest import SignIn
from tests.factories.mails import mails
from tests.factories.people import make_member, make_organization, make_platform


def test_050_co_marketing(app: Flask, sign_in: SignIn, client: FlaskClient) -> None:
    partner = make_organization("Quayside")
    platform = make_platform()
    p = sign_in(make_member(partner, Role.OWNER), partner)
    o = sign_in(make_member(platform, Role.PROGRAM_MANAGER), platform)
    today = clock.now().date()
    asked = p.post(
        "/partner/campaigns/new",
        data={
            "title": "Spring tides",
            "goal": "Fifty harbour masters",
            "headline": "Know the tide",
            "pitch": "A month, free.",
            "starts_on": str(today),
            "ends_on": str(today + timedelta(days=30)),
            "currency": "EUR",
            "partner_share": "1000",
            "asked_share": "1500",
        },
    )
    assert asked.status_code == 303, asked.text
    campaign = db.session.scalars(select(Campaign)).one()
    page, own, theirs = (
        f"/campaigns/{campaign.public_id}",
        f"/partner/campaigns/{campaign.public_id}",
        f"/staff/campaigns/{campaign.public_id}",
    )
    assert client.get(page).status_code == 404  # nothing is public before it is approved

    approved = o.post(f"{theirs}/approval", data={"platform_share": "1200", "answer": "Good."})
    assert approved.status_code == 303, approved.text
    assert any("approved: Spring tides" in mail["subject"] for mail in mails())
    spent = {"what": "Booth", "spent_on": str(today), "amount": "900"}
    assert p.post(f"{own}/expenses", data={**spent, "form_id": "a"}).status_code == 303
    assert p.post(f"{own}/expenses", data={**spent, "form_id": "a"}).status_code == 303
    too_much = p.post(f"{own}/expenses", data={**spent, "form_id": "b"})
    assert too_much.status_code == 422
    assert "More than is left of your share." in too_much.text
    assert o.post(f"{theirs}/expenses", data={**spent, "form_id": "c"}).status_code == 303
    for browser, path in ((p, own), (o, theirs)):
        assert "€1,800.00" in browser.get(path).text

    agreed = {"name": "Ben Ruiz", "email": "ben@kite.example", "shares": "y"}
    silent = {"name": "Eve Adams", "email": "eve@kite.example"}
    assert "Thank you" in client.post(page, data=agreed).text
    assert "does not see it" in client.post(page, data=silent).text
    shown = p.get(own).text
    assert "Ben Ruiz" in shown
    assert "Eve Adams" not in shown
    assert "eve@kite.example" not in shown
    assert "1 person did not agree to be shared" in shown
    assert "Eve Adams" in o.get(theirs).text
    assert emails(p.get(f"{own}/leads.csv").text) == ["ben@kite.example"]
    assert len(emails(o.get(f"{theirs}/leads.csv").text)) == 2

    # The other way round: whom the partner met, and who did not agree.
    met = {"name": "Mia Lopez", "email": "mia@kite.example"}
    assert p.post(f"{own}/leads", data=met).status_code == 303
    assert "Mia Lopez" in p.get(own).text
    assert "Mia Lopez" not in o.get(theirs).text


def emails(text: str) -> list[str]:
    return [row["E-mail"] for row in csv.DictReader(io.StringIO(text.lstrip("\ufeff")))]
