"""23 Program tiers: an evaluation promotes P; a drop starts grace."""

from collections.abc import Callable
from datetime import timedelta

import pytest
from flask import Flask
from flask.testing import FlaskClient

from marketplace.core import clock
from marketplace.core.database import db
from marketplace.identity.models import Organization, Role
from marketplace.program.measures import Measure, measure
from marketplace.program.scorecards.queries import standing_of
from tests.conftest import SignIn
from tests.factories.mails import mails
from tests.factories.people import make_member, make_organization, make_platform
from tests.factories.program import make_policy, make_standing

METRICS = [
    {"key": "deals", "name": "Deals won", "measure": "deals_won", "points": 1},
]


def tier_of(partner: Organization) -> str:
    db.session.rollback()
    standing = standing_of(partner.id)
    assert standing is not None
    return standing.tier


def evaluate(browser: FlaskClient) -> str:
    assert browser.post("/partner/scorecard/evaluate").status_code == 303
    return browser.get("/partner/scorecard").text


@pytest.fixture(autouse=True)
def _clock() -> object:
    at = clock.now().replace(hour=9, minute=30)
    with clock.frozen(at):
        yield


def test_023_program_tiers(app: Flask, sign_in: SignIn, run_jobs: Callable[[], int]) -> None:
    make_policy(metrics=METRICS)
    partner = make_organization("Quayside")
    make_standing(partner)
    owner = make_member(partner)
    browser = sign_in(owner, partner)
    measure(partner.id, Measure.DEALS_WON, 249, key="many", source=("deal", 1))
    db.session.commit()

    assert "Silver" in evaluate(browser)
    assert tier_of(partner) == "silver"
    measure(partner.id, Measure.DEALS_WON, 1, key="one more", source=("deal", 2))
    db.session.commit()
    assert "Gold" in evaluate(browser)
    assert tier_of(partner) == "gold"  # 249 -> 250 promotes, at once
    assert any(mail["subject"] == "You are Gold now" for mail in mails())

    measure(partner.id, Measure.DEALS_WON, -1, key="lost", source=("deal", 2))
    db.session.commit()
    page = evaluate(browser)
    assert tier_of(partner) == "gold"
    last_day = clock.now() + timedelta(days=30)
    assert f"Gold is yours until {last_day.day} {last_day:%b %Y}" in page
    assert "you have 249 points, 1 point missing" in page
    told = [mail for mail in mails() if "is yours until" in mail["subject"]]
    assert len(told) == 1
    assert "Points: at least 250 points; you have 249 points, 1 point missing." in told[0]["body"]

    clock.shift(timedelta(days=30))
    evaluate(sign_in(owner, partner))
    assert tier_of(partner) == "gold"  # day 30 does not demote
    clock.shift(timedelta(days=1))
    page = evaluate(sign_in(owner, partner))
    assert tier_of(partner) == "silver"  # day 31 does
    assert "Moved down: Gold → Silver" in page
    assert "The days of grace are over" in page
    run_jobs()
    assert [mail["subject"] for mail in mails()].count("You are Silver now") == 2


def test_meeting_the_tier_again_ends_the_grace(app: Flask, sign_in: SignIn) -> None:
    make_policy(metrics=METRICS)
    partner = make_organization("Quayside")
    make_standing(partner, "silver")
    browser = sign_in(make_member(partner), partner)
    assert "Silver is yours until" in evaluate(browser)
    measure(partner.id, Measure.DEALS_WON, 100, key="back", source=("deal", 1))
    db.session.commit()
    page = evaluate(browser)
    assert "Silver is yours until" not in page
    assert "Meets its tier again" in page
    assert tier_of(partner) == "silver"


def test_staff_hold_a_tier_and_the_evaluation_does_not_move_it(app: Flask, sign_in: SignIn) -> None:
    make_policy(metrics=METRICS)
    platform = make_platform()
    partner = make_organization("Quayside")
    make_standing(partner)
    make_member(partner)
    manager = sign_in(make_member(platform, Role.PROGRAM_MANAGER))
    path = f"/staff/standings/{partner.slug}"
    assert "Quayside" in manager.get("/staff/standings?q=quay").text
    refused = manager.post(f"{path}/hold", data={"tier": "gold", "expires_on": "", "reason": "x"})
    assert refused.status_code == 422
    assert "Choose the last day." in refused.text
    until = (clock.now() + timedelta(days=10)).date()
    data = {"tier": "gold", "expires_on": str(until), "reason": "A migration that we agreed on"}
    assert manager.post(f"{path}/hold", data=data).status_code == 303
    assert tier_of(partner) == "gold"
    assert manager.post(f"{path}/evaluate").status_code == 303
    assert tier_of(partner) == "gold"
    page = manager.get(path).text
    assert "A migration that we agreed on" in page
    clock.shift(timedelta(days=11))
    manager = sign_in(make_member(platform, Role.PROGRAM_MANAGER))
    manager.post(f"{path}/evaluate")
    assert tier_of(partner) == "registered"
    support = sign_in(make_member(platform, Role.SUPPORT))
    assert support.get(path).status_code == 200
    assert support.post(f"{path}/hold", data=data).status_code in {403, 404}
