"""96: a partner proves its DNS and documents, a reviewer decides; a wrong record stays pending, a
lost one opens the proof again."""

import io
import re
from collections.abc import Callable, Iterator
from datetime import timedelta

import pytest
from flask.testing import FlaskClient
from sqlalchemy import func, select

from marketplace.accreditation.verification.models import DomainProof, ProofState
from marketplace.core import clock, jobs
from marketplace.core.database import db
from marketplace.identity.models import Organization, Role, User
from marketplace.program.measures import Measure, Measurement
from tests.factories.name_server import NameServer, name_server
from tests.factories.people import make_member, make_organization, make_platform

SignIn = Callable[..., FlaskClient]
PDF = b"%PDF-1.4\n1 0 obj << /Type /Catalog >> endobj\ntrailer << >>\n%%EOF\n"


@pytest.fixture
def server() -> Iterator[NameServer]:
    with name_server() as running:
        yield running


def _partner() -> tuple[Organization, User]:
    partner = make_organization("Quayside", verified_at=None)
    return partner, make_member(partner)


def _claim(browser: FlaskClient, domain: str = "quayside.example") -> tuple[str, str]:
    """The address of the proof's page, and the text that the record must have."""
    answer = browser.post("/partner/verification/domains", data={"domain": domain, "method": "dns"})
    assert answer.status_code == 303
    page = browser.get(answer.location).get_data(as_text=True)
    found = re.search(r"portico-verification=[\w-]+", page)
    assert found is not None
    return answer.location, found[0]


def _show_document(browser: FlaskClient) -> None:
    answer = browser.post(
        "/partner/verification/documents",
        data={"kind": "registration", "file": (io.BytesIO(PDF), "register.pdf")},
    )
    assert answer.status_code == 303


def _level(organization_id: int) -> int:
    return (
        db.session.scalar(
            select(func.sum(Measurement.amount)).where(
                Measurement.organization_id == organization_id,
                Measurement.measure == Measure.VERIFIED.value,
                Measurement.counts_at <= clock.now(),
            )
        )
        or 0
    )


def test_096_verification(sign_in: SignIn, run_jobs: Callable[[], int], server: NameServer) -> None:
    partner, owner = _partner()
    reviewer = make_member(make_platform(), Role.REVIEWER)
    browser, desk = sign_in(owner, partner), sign_in(reviewer)

    page, record = _claim(browser)
    server.records["_portico.quayside.example"] = ["portico-verification=somebody-else"]
    assert browser.post(f"{page}/check").status_code == 303
    run_jobs()
    shown = browser.get(page).get_data(as_text=True)
    assert "Waiting for proof" in shown
    assert "somebody-else" in shown
    refused = browser.post("/partner/verification/submission", data={})
    assert refused.status_code == 422
    assert "Prove a domain first" in refused.get_data(as_text=True)

    server.records["_portico.quayside.example"] = ["v=spf1 -all", record]
    with clock.frozen(clock.now() + timedelta(minutes=1)):
        browser.post(f"{page}/check")
        run_jobs()
    assert "Proven" in browser.get(page).get_data(as_text=True)

    _show_document(browser)
    assert browser.post("/partner/verification/submission", data={}).status_code == 303
    queue = desk.get("/staff/verifications").get_data(as_text=True)
    case = re.search(r"/staff/verifications/ver_\w+", queue)
    assert case is not None
    shown = desk.get(case[0]).get_data(as_text=True)
    file = re.search(r"/staff/verifications/documents/doc_\w+", shown)
    assert file is not None
    download = desk.get(file[0])
    assert download.data == PDF
    assert download.headers["Content-Disposition"].startswith("attachment")
    assert download.headers["X-Content-Type-Options"] == "nosniff"
    seen = re.search(r'name="seen" value="(\w+)"', shown)
    assert seen is not None
    # What the reviewer did not see is not decided.
    _claim(browser, "pier.example")
    late = desk.post(f"{case[0]}/approval", data={"seen": seen[1]})
    assert late.status_code == 409
    assert "pier.example" in late.get_data(as_text=True)
    seen = re.search(r'name="seen" value="(\w+)"', late.get_data(as_text=True))
    assert seen is not None
    assert desk.post(f"{case[0]}/approval", data={"seen": seen[1]}).status_code == 303
    db.session.expire_all()
    assert db.session.get_one(Organization, partner.id).verified_at is not None
    assert _level(partner.id) == 1

    del server.records["_portico.quayside.example"]
    for days in (8, 9, 16, 17, 18):
        with clock.frozen(clock.now() + timedelta(days=days)):
            jobs.sweep()
            run_jobs()
            db.session.expire_all()
            if days == 8:
                proof = db.session.scalars(
                    select(DomainProof).where(DomainProof.domain == "quayside.example")
                ).one()
                assert proof.state is ProofState.FAILING
                assert db.session.get_one(Organization, partner.id).verified_at is not None
    shown = browser.get(page).get_data(as_text=True)
    assert "To be proven again" in shown
    assert "There is no TXT record" in shown
    assert db.session.get_one(Organization, partner.id).verified_at is None
    with clock.frozen(clock.now() + timedelta(days=19)):
        assert _level(partner.id) == 0
