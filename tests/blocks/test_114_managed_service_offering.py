"""114: a partner files a managed service, its hours and evidence of its service level; evidence of
thirteen months ago fails."""

import io
from collections.abc import Callable
from datetime import timedelta

from flask.testing import FlaskClient
from sqlalchemy import select

from marketplace.accreditation.managed_services.models import ServiceEvidence
from marketplace.core import clock, jobs
from marketplace.core.database import db
from marketplace.identity.models import Organization, Role
from marketplace.program.standing.models import Standing
from tests.factories.people import make_member, make_organization, make_platform
from tests.factories.program import make_policy, make_standing, policy_document

SignIn = Callable[..., FlaskClient]
PDF = b"%PDF-1.4\n1 0 obj << /Type /Catalog >> endobj\ntrailer << >>\n%%EOF\n"


def _policy() -> None:
    document = policy_document()
    document["metrics"].append(
        {
            "key": "evidence",
            "name": "Age of evidence",
            "measure": "evidence",
            "how": "age",
            "unit": "days",
            "window_days": None,
            "higher_is_better": False,
        }
    )
    document["tiers"] = [
        {"key": "registered", "name": "Registered"},
        {
            "key": "gold",
            "name": "Gold",
            "requirements": [{"metric": "evidence", "threshold": 365}],
        },
    ]
    make_policy(document)


def _hand_in(browser: FlaskClient, page: str, days_ago: int) -> None:
    day = (clock.now() - timedelta(days=days_ago)).date()
    answer = browser.post(
        f"{page}/evidence",
        data={
            "kind": "sla_report",
            "dated_on": day.isoformat(),
            "response_minutes": "12",
            "availability": "99.97",
            "file": (io.BytesIO(PDF), "report.pdf"),
        },
    )
    assert answer.status_code == 303


def _accept_newest(desk: FlaskClient) -> None:
    newest = db.session.scalars(
        select(ServiceEvidence).order_by(ServiceEvidence.id.desc()).limit(1)
    ).one()
    address = f"/staff/certifications/evidence/{newest.public_id}"
    assert desk.get(f"{address}/file").data == PDF
    assert desk.post(f"{address}/acceptance").status_code == 303
    assert "Take back" in desk.get(address).get_data(as_text=True)


def _tier(partner: Organization, run_jobs: Callable[[], int]) -> str:
    jobs.sweep()
    run_jobs()
    db.session.expire_all()
    return db.session.scalars(
        select(Standing.tier).where(Standing.organization_id == partner.id)
    ).one()


def test_114_managed_service_offering(sign_in: SignIn, run_jobs: Callable[[], int]) -> None:
    _policy()
    partner = make_organization("Quayside Care")
    make_standing(partner)
    browser = sign_in(make_member(partner), partner)
    desk = sign_in(make_member(make_platform(), Role.REVIEWER))
    filed = browser.post(
        "/partner/managed-services/new",
        data={
            "title": "Berths around the clock",
            "description": "We run the booking of berths.",
            "hours": "Every day, around the clock",
            "response_minutes": "15",
            "availability": "99.9",
        },
    )
    assert filed.status_code == 303
    page = filed.location
    assert "No accepted evidence yet" in browser.get(page).get_data(as_text=True)

    _hand_in(browser, page, 396)
    _accept_newest(desk)
    assert "The evidence is too old" in browser.get(page).get_data(as_text=True)
    assert _tier(partner, run_jobs) == "registered"

    _hand_in(browser, page, 20)
    _accept_newest(desk)
    assert "The evidence counts" in browser.get(page).get_data(as_text=True)
    with clock.frozen(clock.now() + timedelta(days=1)):
        assert _tier(partner, run_jobs) == "gold"

    # Evidence that turns out to be made up is taken back, and counts as if it never had.
    newest = db.session.scalars(
        select(ServiceEvidence).order_by(ServiceEvidence.id.desc()).limit(1)
    ).one()
    address = f"/staff/certifications/evidence/{newest.public_id}/revocation"
    assert desk.post(address, data={"remark": ""}).status_code == 422
    assert desk.post(address, data={"remark": "It was made up."}).status_code == 303
    shown = browser.get(page).get_data(as_text=True)
    assert "The evidence is too old" in shown
    assert "It was made up." in shown
