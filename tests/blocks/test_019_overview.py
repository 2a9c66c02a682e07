"""Row 19, Overview: a visitor reads an overview made of the live policy."""

import json
import re

from flask import Flask
from flask.testing import FlaskClient

from billing import fee_schedules
from billing.fee_schedules import RuleValue
from billing.models import FeeKind, FeeSchedule
from marketplace.core import clock
from marketplace.core.database import db
from tests.factories.program import make_policy


def publish_fee(bps: int) -> FeeSchedule:
    """A fee schedule in force since a moment ago."""
    draft = fee_schedules.start_draft("Fees", copy_of=None, by_user_id=None)
    fee_schedules.put_rule(draft, RuleValue(FeeKind.SALE, bps=2_000))
    fee_schedules.put_rule(draft, RuleValue(FeeKind.SALE, partner_type="reseller", bps=bps))
    now = clock.now()
    with clock.frozen(now):
        schedule = fee_schedules.publish_draft(draft, effective_from=now, by_user_id=None)
    db.session.commit()
    return schedule


def read(client: FlaskClient) -> str:
    response = client.get("/program")
    assert response.status_code == 200
    return response.text


def test_019_overview(app: Flask, client: FlaskClient) -> None:
    make_policy()
    publish_fee(1_500)
    html = read(client)
    for words in ("Harbor partners", "Technology partner", "Affiliate", "Silver", "Gold", "250"):
        assert words in html
    assert "15%" in html
    assert "17.5%" not in html
    # A changed fee appears without a deploy.
    publish_fee(1_750)
    html = read(client)
    assert "17.5%" in html
    assert "15%" not in html


def test_a_changed_threshold_appears_at_once(app: Flask, client: FlaskClient) -> None:
    make_policy()
    db.session.commit()
    first = client.get("/program")
    assert "at least" not in first.text
    tiers = [
        {"key": "registered", "name": "Registered"},
        {
            "key": "gold",
            "name": "Gold",
            "requirements": [{"metric": "certified", "threshold": 7}],
            "entitlements": {"api_preview": True},
        },
    ]
    make_policy(tiers=tiers, effective_at=clock.now())
    db.session.commit()
    again = client.get("/program", headers={"If-None-Match": first.headers["ETag"]})
    assert again.status_code == 200
    assert "at least 7" in again.text
    same = client.get("/program", headers={"If-None-Match": again.headers["ETag"]})
    assert same.status_code == 304


def test_it_tells_search_engines_of_the_program(app: Flask, client: FlaskClient) -> None:
    make_policy()
    db.session.commit()
    html = read(client)
    data = re.search(r'<script type="application/ld\+json">(.*?)</script>', html, re.S)
    assert data is not None
    told = json.loads(data[1])
    assert told["@type"] == "MemberProgram"
    assert [each["name"] for each in told["hasTiers"]] == ["Registered", "Silver", "Gold"]
    assert "/program</loc>" in client.get("/sitemaps/pages.xml").text
    assert 'href="/program"' in client.get("/").text


def test_before_there_is_a_policy_it_says_so(app: Flask, client: FlaskClient) -> None:
    assert "The program opens soon" in read(client)
    assert client.get("/program/guide.pdf").status_code == 404
