"""Co-marketing over HTTP: bad input, states, races, other people."""

import re
from datetime import timedelta

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import func, select

from marketplace.core import clock
from marketplace.core.database import db
from marketplace.identity.models import Role
from marketplace.pipeline.campaigns.jobs import forget
from marketplace.pipeline.campaigns.models import (
    Campaign,
    CampaignExpense,
    CampaignLead,
    CampaignState,
)
from tests.conftest import SignIn
from tests.factories.campaigns import make_campaign
from tests.factories.mails import mails
from tests.factories.people import make_member, make_organization, make_platform
from tests.factories.queries import count_queries

FORM = {
    "title": "Spring tides",
    "goal": "Fifty harbour masters",
    "headline": "Know the tide",
    "pitch": "A month, free.",
    "starts_on": "2099-01-01",
    "ends_on": "2099-02-01",
    "currency": "EUR",
    "partner_share": "1000",
    "asked_share": "0",
}


@pytest.fixture
def partner(app: Flask, sign_in: SignIn) -> FlaskClient:
    organization = make_organization("Quayside")
    return sign_in(make_member(organization), organization)


@pytest.fixture
def manager(app: Flask, sign_in: SignIn) -> FlaskClient:
    platform = make_platform()
    return sign_in(make_member(platform, Role.PROGRAM_MANAGER), platform)


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"title": ""}, "Fill this in."),
        ({"title": "x" * 81}, "Use at most 80 characters."),
        ({"starts_on": "2020-01-01"}, "Today or later."),
        ({"starts_on": "then"}, "Not a valid date"),
        ({"ends_on": "2020-01-01"}, "Not before it starts."),
        ({"currency": "XXX"}, "Choose a currency"),
        ({"partner_share": "-5"}, "amount"),
        ({"partner_share": "9" * 30}, "At most"),
        ({"asked_share": ""}, "Type an amount, 0 for none."),
        ({"listing": "somebody-elses"}, "Choose a listing of your own."),
    ],
)
def test_bad_input_is_told_and_what_was_typed_is_kept(
    partner: FlaskClient, wrong: dict[str, str], message: str
) -> None:
    day = clock.now().date() + timedelta(days=10)
    form = {**FORM, "starts_on": str(day), "ends_on": str(day + timedelta(days=9)), **wrong}
    refused = partner.post("/partner/campaigns/new", data=form)
    assert refused.status_code == 422
    assert message.lower() in refused.text.lower()
    assert "Fifty harbour masters" in refused.text
    db.session.rollback()
    assert db.session.scalar(select(func.count()).select_from(Campaign)) == 0


def test_a_request_is_answered_once(partner: FlaskClient, manager: FlaskClient, app: Flask) -> None:
    campaign = waiting()
    base = f"/staff/campaigns/{campaign.public_id}"
    assert manager.post(f"{base}/refusal", data={}).status_code == 422  # a reason is needed
    too_much = manager.post(f"{base}/approval", data={"platform_share": "1000.01"})
    assert "Not more than what was asked for." in too_much.text
    assert manager.post(f"{base}/approval", data={"platform_share": "0"}).status_code == 303
    again = manager.post(f"{base}/refusal", data={"answer": "No."})
    assert again.status_code == 409
    assert partner.post(f"/partner/campaigns/{campaign.public_id}/withdrawal").status_code in {
        404,
        409,
    }


def test_closed_books_take_nothing(manager: FlaskClient, client: FlaskClient) -> None:
    campaign = make_campaign(make_organization("Bramble"))
    db.session.commit()
    base = f"/staff/campaigns/{campaign.public_id}"
    assert manager.post(f"{base}/close").status_code == 303
    assert manager.post(f"{base}/close").status_code == 409
    spent = {"amount": "1", "what": "Late", "spent_on": str(clock.now().date()), "form_id": "x"}
    assert manager.post(f"{base}/expenses", data=spent).status_code == 409
    page = client.get(f"/campaigns/{campaign.public_id}")
    assert "This campaign is over." in page.text
    answer = {"name": "Ben", "email": "ben@kite.example"}
    assert client.post(f"/campaigns/{campaign.public_id}", data=answer).status_code == 409


def test_a_correction_gives_back_at_most_what_was_spent(manager: FlaskClient) -> None:
    campaign = make_campaign(make_organization("Bramble"))
    db.session.commit()
    path = f"/staff/campaigns/{campaign.public_id}/expenses"
    day = str(clock.now().date())
    spent = {"amount": "10", "what": "Ads", "spent_on": day}
    manager.post(path, data={**spent, "form_id": "1"})
    back = {**spent, "is_correction": "y"}
    refused = manager.post(path, data={**back, "amount": "10.01", "form_id": "2"})
    assert "more than was spent" in refused.text
    assert manager.post(path, data={**back, "form_id": "3"}).status_code == 303
    assert db.session.scalar(select(func.sum(CampaignExpense.amount))) == 0


def test_the_same_person_answers_once_and_is_not_told_so(client: FlaskClient, app: Flask) -> None:
    campaign = make_campaign(make_organization("Bramble"))
    db.session.commit()
    path = f"/campaigns/{campaign.public_id}"
    for name in ("Ben", "Ben again"):
        answer = {"name": name, "email": "BEN@kite.example", "shares": "y"}
        assert "Thank you" in client.post(path, data=answer).text
    row = db.session.scalars(select(CampaignLead)).one()
    assert (row.name, row.email) == ("Ben", "ben@kite.example")
    wrong = client.post(path, data={"name": "", "email": "no", "message": "x" * 2_001})
    assert wrong.status_code == 422
    for words in ("Enter a name.", "Enter an e-mail address", "at most 2,000"):
        assert words in wrong.text


def test_who_agrees_the_second_time_confirms_it_by_mail(client: FlaskClient, app: Flask) -> None:
    campaign = make_campaign(make_organization("Bramble"))
    db.session.commit()
    path = f"/campaigns/{campaign.public_id}"
    answer = {"name": "Ben", "email": "ben@kite.example", "message": "Call me"}
    client.post(path, data=answer)
    assert "we mailed you a link" in client.post(path, data={**answer, "shares": "y"}).text
    assert not db.session.scalars(select(CampaignLead)).one().shares
    (mail,) = [each for each in mails() if each["to"] == "ben@kite.example"]
    link = re.search(r"http://localhost(/campaigns/consent/\S+)", mail["body"])
    assert link is not None
    assert "Bramble" in client.get(link[1]).text
    assert not db.session.scalars(select(CampaignLead)).one().shares
    assert client.post(link[1]).status_code == 200
    db.session.expire_all()
    row = db.session.scalars(select(CampaignLead)).one()
    assert (row.shares, "Bramble" in row.consent_text) == (True, True)
    assert client.get(f"{link[1]}x").status_code == 404


def test_a_person_is_forgotten_on_request_and_after_two_years(
    client: FlaskClient, manager: FlaskClient, app: Flask
) -> None:
    campaign = make_campaign(make_organization("Bramble"))
    db.session.commit()
    path = f"/campaigns/{campaign.public_id}"
    for name in ("Ben", "Ada"):
        client.post(path, data={"name": name, "email": f"{name}@kite.example", "message": "Hi"})
    assert manager.get("/staff/campaigns/removal").status_code == 200
    assert manager.post("/staff/campaigns/removal", data={"email": "no"}).status_code == 422
    gone = manager.post("/staff/campaigns/removal", data={"email": "Ben@kite.example"})
    assert gone.status_code == 303
    db.session.expire_all()
    rows = db.session.scalars(select(CampaignLead).order_by(CampaignLead.id)).all()
    assert [(row.name, row.message) for row in rows] == [("Erased", ""), ("Ada", "Hi")]
    rows[1].created_at = clock.now() - timedelta(days=731)
    db.session.flush()
    forget({})
    assert rows[1].name == "Erased"


@pytest.mark.parametrize("state", ["requested", "declined", "withdrawn"])
def test_what_was_not_approved_has_no_page(client: FlaskClient, app: Flask, state: str) -> None:
    campaign = make_campaign(make_organization("Bramble"), state=CampaignState(state))
    db.session.commit()
    assert client.get(f"/campaigns/{campaign.public_id}").status_code == 404
    assert client.post(f"/campaigns/{campaign.public_id}", data={}).status_code == 404


def test_hostile_text_of_a_partner_is_shown_as_text(client: FlaskClient, app: Flask) -> None:
    campaign = make_campaign(
        make_organization("Bramble"), pitch="<script>alert(1)</script> [x](javascript:alert(1))"
    )
    db.session.commit()
    page = client.get(f"/campaigns/{campaign.public_id}").text
    assert "<script>alert" not in page
    assert 'href="javascript:' not in page


def test_the_list_costs_the_same_however_long_it_is(manager: FlaskClient, app: Flask) -> None:
    partner = make_organization("Bramble")
    make_campaign(partner)
    db.session.commit()
    one = count_queries(lambda: manager.get("/staff/campaigns"))
    for _ in range(10):
        make_campaign(partner)
    db.session.commit()
    assert count_queries(lambda: manager.get("/staff/campaigns")) == one


def waiting() -> Campaign:
    campaign = make_campaign(
        make_organization("Bramble"), state=CampaignState.REQUESTED, platform_share=0
    )
    db.session.commit()
    return campaign
