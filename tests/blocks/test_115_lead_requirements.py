"""115 Lead Requirements: P submits leads; the qualified ones count, a duplicate does not."""

from collections.abc import Callable
from typing import Any

from flask import Flask
from flask.testing import FlaskClient

from marketplace.core.database import db
from marketplace.identity.models import Role
from marketplace.pipeline.leads.models import Lead
from marketplace.program.measures import Measure, Measurement
from tests.factories.people import make_member, make_organization, make_platform
from tests.factories.program import make_policy, make_standing

SignIn = Callable[..., FlaskClient]


def _policy() -> None:
    metrics: list[dict[str, Any]] = [
        {"key": "leads", "name": "Qualified leads", "measure": "leads_qualified"}
    ]
    make_policy(
        metrics=metrics,
        tiers=[
            {"key": "registered", "name": "Registered"},
            {
                "key": "silver",
                "name": "Silver",
                "requirements": [{"metric": "leads", "threshold": 5}],
            },
        ],
    )


def test_115_lead_requirements(app: Flask, sign_in: SignIn) -> None:
    _policy()
    partner = make_organization("Quayside")
    make_standing(partner)
    p = sign_in(make_member(partner), partner)
    staff = sign_in(make_member(make_platform(), Role.PROGRAM_MANAGER))
    assert p.get("/partner/leads").text.count("0 %")

    # Five are submitted; the last is the first company again, by another of its people.
    for number, (email, site) in enumerate(
        [
            ("ada@alder.example", ""),
            ("bo@birch.example", "https://birch.example"),
            ("cy@cedar.example", ""),
            ("di@dogwood.example", ""),
            ("eve+work@gmail.com", "WWW.Alder.example/about"),
        ]
    ):
        answer = p.post(
            "/partner/leads/register",
            data={
                "name": f"Person {number}",
                "email": email,
                "company": f"Company {number}",
                "website": site,
                "need": "Tide tables for twelve ships.",
                "permitted": "y",
            },
        )
        assert answer.status_code == 303, answer.text

    leads = db.session.query(Lead).order_by(Lead.id).all()
    assert [lead.duplicate_of_id is not None for lead in leads] == [False] * 4 + [True]
    ids = [lead.public_id for lead in leads]
    for each in ids:
        answer = staff.post(f"/staff/leads/{each}/review", data={"verdict": "qualified"})
        assert answer.status_code == 303

    page = p.get("/partner/leads").text
    assert "80 %" in page
    assert "4 of 5" in page
    assert "4 qualified, 0 not looked at yet, 1 known already, 0 not qualified, of 5" in page
    counted = db.session.query(Measurement).filter_by(measure=Measure.LEADS_QUALIFIED.value).all()
    assert sum(row.amount for row in counted) == 4

    # Staff change their mind about one: it no longer counts; and back.
    staff.post(f"/staff/leads/{ids[0]}/review", data={"verdict": "rejected", "reason": "Closed"})
    assert "60 %" in p.get("/partner/leads").text
    staff.post(f"/staff/leads/{ids[0]}/review", data={"verdict": "qualified"})
    assert "80 %" in p.get("/partner/leads").text
    # The duplicate turns out to be somebody else.
    staff.post(f"/staff/leads/{ids[4]}/no-duplicate")
    staff.post(f"/staff/leads/{ids[4]}/review", data={"verdict": "qualified"})
    assert "100 %" in p.get("/partner/leads").text
