"""What people type wrongly, or on purpose: never an error of the server; what was typed stays."""

import io
from collections.abc import Callable
from typing import Any

import pytest
from flask.testing import FlaskClient

from marketplace.accreditation.certification.reading import certifications_of
from marketplace.accreditation.certification.services import gathering
from marketplace.accreditation.uploads import storage
from marketplace.accreditation.verification.services import verifying
from marketplace.core.database import db
from marketplace.identity.models import Role
from tests.factories.certification_world import (
    make_certification_world,
    make_certified,
    make_program,
)
from tests.factories.evidence_world import make_evidence_world
from tests.factories.listings import make_listing
from tests.factories.people import make_member, make_organization, make_platform
from tests.factories.verification_world import (
    PDF,
    make_proof,
    make_submitted,
    make_verification_world,
)

SignIn = Callable[..., FlaskClient]
ODD = ("", "\x00", "x" * 10_000, str(2**63), "-1", "<script>", "2026-99-99", "\N{GRINNING FACE}")


@pytest.fixture
def world(app: object) -> dict[str, Any]:
    partner = make_organization("Quayside")
    owner = make_member(partner)
    listing = make_listing(partner)
    platform = make_platform()
    values: dict[str, Any] = {"partner": partner, "owner": owner, "listing": listing}
    for maker in (make_certification_world, make_evidence_world, make_verification_world):
        values |= maker(partner, owner, owner, listing)
    values["manager"] = make_member(platform, Role.PROGRAM_MANAGER)
    db.session.commit()
    return values


@pytest.mark.parametrize("odd", ODD)
def test_a_partners_forms_take_anything(world: dict[str, Any], sign_in: SignIn, odd: str) -> None:
    browser = sign_in(world["owner"], world["partner"])
    posts = {
        "/partner/verification/domains": ("domain", "method", "email"),
        "/partner/verification/documents": ("kind", "file"),
        "/partner/verification/submission": ("note",),
        f"/partner/verification/domains/{world['proof_id']}/dispute": ("dispute",),
        f"/partner/verification/domains/{world['proof_id']}/check": (),
        f"/partner/verification/domains/{world['proof_id']}/mail": (),
        f"/partner/certifications/new/{world['certification_program_id']}": ("listing", "person"),
        f"/partner/certifications/{world['certification_id']}/items/security": ("security-value",),
        f"/partner/certifications/{world['certification_id']}/items/docs": ("docs-value",),
        f"/partner/certifications/{world['certification_id']}/submission": (),
        f"/partner/certifications/{world['certification_id']}/renewal": (),
        "/partner/managed-services/new": (
            "title", "description", "hours", "response_minutes", "availability",
        ),
        f"/partner/managed-services/{world['managed_service_id']}/edit": (
            "title", "description", "hours", "response_minutes", "availability",
        ),
        f"/partner/managed-services/{world['managed_service_id']}/evidence": (
            "kind", "dated_on", "response_minutes", "availability", "note", "file",
        ),
        "/partner/authorizations/new": (
            "listing", "level", "status", "sponsor", "evidence_url", "authorized_on", "expires_on",
        ),
        f"/partner/authorizations/{world['authorization_id']}": ("listing", "level", "expires_on"),
        "/partner/authorizations/company": ("legal_name", "address", "security_email"),
    }  # fmt: skip
    for address, fields in posts.items():
        answer = browser.post(address, data=dict.fromkeys(fields, odd))
        assert answer.status_code in (303, 422), (address, odd[:20], answer.status_code)


@pytest.mark.parametrize("odd", ODD)
def test_the_forms_of_staff_take_anything(world: dict[str, Any], sign_in: SignIn, odd: str) -> None:
    desk = sign_in(world["manager"])
    posts = {
        f"/staff/verifications/{world['verification_id']}/return": ("reason",),
        f"/staff/verifications/{world['verification_id']}/refusal": ("reason",),
        f"/staff/verifications/disputes/{world['proof_id']}/refusal": ("reason",),
        f"/staff/certifications/{world['certification_id']}/items/security/return": (
            "security-remark",
        ),
        f"/staff/certifications/{world['certification_id']}/return": ("reason",),
        f"/staff/certifications/{world['certification_id']}/revocation": ("reason",),
        "/staff/certifications/programs/new": (
            "title", "summary", "subject", "validity_months", "partner_types", "listing_kinds",
            "listing_rule", "people_minimum",
        ),
        f"/staff/certifications/programs/{world['certification_program_id']}/edit": (
            "title", "validity_months", "people_minimum",
        ),
        f"/staff/certifications/checklists/{world['checklist_id']}": (
            "edition", "items-0-title", "items-0-key", "items-0-weight", "items-0-least",
            "items-0-evidence", "items-0-check", "pass_percent", "note",
        ),
        f"/staff/certifications/evidence/{world['service_evidence_id']}/return": ("remark",),
        f"/staff/certifications/authorizations/{world['authorization_id']}/return": ("remark",),
    }  # fmt: skip
    for address, fields in posts.items():
        answer = desk.post(address, data=dict.fromkeys(fields, odd))
        assert answer.status_code in (303, 409, 422), (address, odd[:20], answer.status_code)


@pytest.mark.parametrize("page", ["-1", "0", "x", str(2**63), "\x00"])
def test_lists_have_pages_whatever_is_asked(
    world: dict[str, Any], sign_in: SignIn, page: str
) -> None:
    browser, desk = sign_in(world["owner"], world["partner"]), sign_in(world["manager"])
    for address in (
        "/partner/certifications",
        "/partner/managed-services",
        "/partner/authorizations",
        "/partner/seats",
    ):
        assert browser.get(address, query_string={"page": page, "q": page}).status_code == 200
    for address in (
        "/staff/verifications",
        "/staff/verifications/disputes",
        "/staff/certifications",
        "/staff/certifications/programs",
        "/staff/certifications/evidence",
        "/staff/certifications/authorizations",
    ):
        answer = desk.get(address, query_string={"page": page, "show": page, "q": page})
        assert answer.status_code == 200


def test_what_was_typed_stays_beside_its_message(world: dict[str, Any], sign_in: SignIn) -> None:
    browser = sign_in(world["owner"], world["partner"])
    refused = browser.post(
        "/partner/verification/domains", data={"domain": "co.uk", "method": "dns"}
    )
    text = refused.get_data(as_text=True)
    assert refused.status_code == 422
    assert 'value="co.uk"' in text
    assert "Everybody can register names below this one" in text
    refused = browser.post(
        "/partner/verification/documents",
        data={"kind": "tax", "file": (io.BytesIO(b"MZ a program"), "invoice.pdf")},
    )
    assert refused.status_code == 422
    assert "Use a PDF, PNG or JPEG file" in refused.get_data(as_text=True)


def test_a_strangers_link_confirms_nothing(app: Any) -> None:
    visitor = app.test_client()
    assert visitor.get("/verification/no-such-token").status_code == 404
    assert visitor.post("/verification/no-such-token").status_code == 409
    assert visitor.get(f"/verification/{'x' * 5_000}").status_code == 404


def test_a_documents_file_is_for_its_owners_and_reviewers_alone(
    world: dict[str, Any], app: Any, sign_in: SignIn
) -> None:
    own = f"/partner/verification/documents/{world['verification_document_id']}"
    assert sign_in(world["owner"], world["partner"]).get(own).status_code == 200
    editor = make_member(world["partner"], Role.EDITOR)
    assert sign_in(editor, world["partner"]).get(own).status_code == 404
    rivals = make_organization("Rivals")
    assert sign_in(make_member(rivals), rivals).get(own).status_code == 404
    assert app.test_client().get(own).status_code == 302
    key = f"private/verification/{world['verification_document_id']}.pdf"
    assert storage().get(key) is not None
    assert app.test_client().get(f"/media/{key}").status_code == 404


def test_a_renewal_that_waits_keeps_the_mark(app: Any, sign_in: SignIn) -> None:
    partner = make_organization("Quayside", verified_at=None)
    make_member(partner)
    make_proof(partner, "harbor.example")
    found = make_submitted(partner)
    desk = sign_in(make_member(make_platform(), Role.REVIEWER))
    address = f"/staff/verifications/{found.public_id}/approval"
    assert desk.post(address).status_code == 409
    answer = desk.post(address, data={"seen": verifying.shown_of(found)})
    assert answer.status_code == 303
    again = desk.post(address, follow_redirects=True)
    assert "decided already" in again.get_data(as_text=True)


def test_a_file_is_taken_back_where_it_was_given(app: Any, sign_in: SignIn) -> None:
    partner = make_organization("Quayside")
    browser = sign_in(make_member(partner), partner)
    program = make_program(
        [{"key": "report", "title": "A report", "evidence": "file"}], subject="organization"
    )
    found = gathering.start(program, partner, by_user_id=None)
    db.session.commit()
    item = f"/partner/certifications/{found.public_id}/items/report"
    assert browser.post(f"{item}/file/removal").status_code == 303
    given = browser.post(item, data={"report-file": (io.BytesIO(PDF), "report.pdf")})
    assert given.status_code == 303
    shown = browser.get(f"/partner/certifications/{found.public_id}").get_data(as_text=True)
    assert f"{item}/file/removal" in shown
    assert browser.get(f"{item}/file").data == PDF
    assert browser.post(f"{item}/file/removal").status_code == 303
    assert browser.get(f"{item}/file").status_code == 404


def test_what_was_renewed_can_be_revoked_while_it_counts(app: Any, sign_in: SignIn) -> None:
    partner = make_organization("Quayside")
    make_member(partner)
    program = make_program(subject="organization")
    first = make_certified(program, partner)
    desk = sign_in(make_member(make_platform(), Role.REVIEWER))
    renewal = make_certified(program, partner)
    assert renewal.renews_id == first.id
    db.session.commit()
    case = f"/staff/certifications/{first.public_id}"
    assert f"{case}/revocation" in desk.get(case).get_data(as_text=True)
    revoked = desk.post(f"{case}/revocation", data={"reason": "It leaks."})
    assert revoked.status_code == 303
    assert certifications_of(partner.id) == []
    assert f"{case}/revocation" not in desk.get(case).get_data(as_text=True)
