"""A partner takes a passport from one installation to another: two applications, two keys."""

import base64
import json
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import func, select

from billing.public_ids import new_public_id
from marketplace.accreditation.credentials import keys
from marketplace.accreditation.credentials.models import Credential
from marketplace.accreditation.credentials.services.issuing import revoke
from marketplace.accreditation.passport.models import PassportExport, Recognition
from marketplace.accreditation.verification.models import (
    DomainProof,
    ProofMethod,
    ProofState,
)
from marketplace.core import clock
from marketplace.core.database import db
from marketplace.identity.models import Organization, OrganizationKind, Role
from tests.factories.courses import make_credential
from tests.factories.forms import form_key_of
from tests.factories.installations import Installation, installation
from tests.factories.people import make_member, make_organization, make_platform
from tests.factories.program import make_policy, make_standing


def prove(organization: Organization, domain: str) -> None:
    """The organization has verified a domain."""
    db.session.add(
        DomainProof(
            public_id=new_public_id("dom"),
            organization_id=organization.id,
            domain=domain,
            held_domain=domain,
            method=ProofMethod.DNS,
            state=ProofState.VERIFIED,
            challenge="x",
            verified_at=clock.now(),
        )
    )
    db.session.flush()


@dataclass
class Two:
    """Harbor issues, Wharf receives; the partner is Quayside at both, with a rival at Wharf."""

    harbor: Installation
    wharf: Installation
    exporter: FlaskClient
    importer: FlaskClient
    partner_slug: str
    rival_slug: str

    def export(self, audience: str | None = None) -> str:
        """Sign a passport at Harbor and download it."""
        with self.harbor.app.app_context():
            made = self.exporter.post(
                "/partner/passport", data={"audience": audience or self.wharf.base}
            )
            assert made.status_code == 303, made.text
            db.session.rollback()
            newest = select(PassportExport.public_id).order_by(PassportExport.id.desc())
            public_id = db.session.scalar(newest.limit(1))
            return self.exporter.get(f"/partner/passport/{public_id}/passport.jwt").text

    def trust(self) -> None:
        """Wharf pins Harbor's key."""
        with self.harbor.app.app_context():
            thumbprint = keys.current_key()[0].kid
            db.session.commit()
        with self.wharf.app.app_context():
            added = self.importer.post(
                "/staff/passports/issuers",
                data={"address": self.harbor.base, "name": "Harbor", "thumbprint": thumbprint},
            )
            assert added.status_code == 303, added.text

    def look(self, token: str, partner: str | None = None) -> str:
        """What Wharf's staff are shown of a passport."""
        with self.wharf.app.app_context():
            return self.importer.post(
                "/staff/passports/import",
                data={"partner": partner or self.partner_slug, "token": token},
            ).text

    def accept(self, token: str, items: list[str]) -> tuple[int, str]:
        """Accept items; the status and the page."""
        with self.wharf.app.app_context():
            answer = self.importer.post(
                "/staff/passports/accept",
                data={"partner": self.partner_slug, "token": token, "items": items},
            )
            return answer.status_code, answer.text

    def recognised(self) -> int:
        """How much Wharf has recognised."""
        with self.wharf.app.app_context():
            return db.session.scalar(select(func.count()).select_from(Recognition)) or 0


@pytest.fixture
def two(tmp_path: Path) -> Iterator[Two]:
    with installation(tmp_path, "harbor") as harbor, installation(tmp_path, "wharf") as wharf:
        with harbor.app.app_context():
            make_policy()
            partner = make_organization("Quayside")
            make_standing(partner, "gold")
            owner = make_member(partner)
            make_credential(partner, owner)
            prove(partner, "quayside.example")
            exporter = harbor.sign_in(owner, partner)
        with wharf.app.app_context():
            same = make_organization("Quayside Ltd")
            make_member(same)
            rival = make_organization("Bramble")
            prove(same, "quayside.example")
            prove(rival, "bramble.example")
            manager = make_member(make_platform(), Role.PROGRAM_MANAGER)
            slugs = same.slug, rival.slug
            importer = wharf.sign_in(manager)
        yield Two(harbor, wharf, exporter, importer, *slugs)


def test_a_passport_is_exported_verified_and_recognised_once(two: Two, app: Flask) -> None:
    token = two.export()
    assert "Its issuer is not trusted here." in two.look(token)
    two.trust()
    page = two.look(token)
    assert "both sides have verified quayside.example" in page
    assert "Gold in Harbor partners" in page
    assert "Held by 1 person" in page
    assert two.recognised() == 0
    assert two.accept(token, [])[0] == 422
    status, _page = two.accept(token, ["0", "1", "7", "x", "99999"])
    assert status == 303
    assert two.recognised() == 2
    # Replayed, it is refused; so is the page that was left open.
    assert "was imported before" in two.look(token)
    status, page = two.accept(token, ["2"])
    assert status == 422
    assert "was imported before" in page
    assert two.recognised() == 2

    with two.wharf.app.app_context():
        listed = two.importer.get("/staff/passports?q=gold").text
        assert "Gold in Harbor partners" in listed
        assert "In force" in listed
        row = db.session.scalars(select(Recognition)).first()
        assert row is not None
        assert row.expires_at <= clock.now() + timedelta(days=365)
        # Harbor hears of it by a signed receipt.
        assert two.wharf.run_jobs() >= 1
        ended = two.importer.post(f"/staff/passports/recognitions/{row.public_id}/end")
        assert ended.status_code == 303
        assert "Ended" in two.importer.get("/staff/passports").text
    with two.harbor.app.app_context():
        page = two.exporter.get("/partner/passport").text
        assert "2 of 3 items" in page


def test_a_passport_that_is_asked_for_again_is_signed_once(two: Two, app: Flask) -> None:
    with two.harbor.app.app_context():
        key = form_key_of(two.exporter.get("/partner/passport").text)
        data = {"audience": two.wharf.base, "form_key": key}
        for _ in range(3):
            assert two.exporter.post("/partner/passport", data=data).status_code == 303
        db.session.rollback()
        assert db.session.scalar(select(func.count()).select_from(PassportExport)) == 1


def test_what_is_not_right_is_refused_with_its_reason(two: Two, app: Flask) -> None:
    two.trust()
    token = two.export()
    head, body, tail = token.split(".")
    claims = json.loads(base64.urlsafe_b64decode(body + "=" * (-len(body) % 4)))
    claims["credentialSubject"]["domains"] = ["bramble.example"]
    forged = base64.urlsafe_b64encode(json.dumps(claims).encode()).decode().rstrip("=")
    assert "changed after it was signed" in two.look(f"{head}.{forged}.{tail}")
    # For another organization: it has verified none of the passport's domains.
    assert "may be another organization" in two.look(token, two.rival_slug)
    # For another installation.
    assert "made for another installation" in two.look(two.export("https://elsewhere.example"))
    # Out of date.
    begin = clock.now()
    with clock.frozen(begin + timedelta(days=31)):
        with two.wharf.app.app_context():
            manager = make_member(platform(), Role.PROGRAM_MANAGER)
            browser = two.wharf.sign_in(manager)
            answer = browser.post(
                "/staff/passports/import",
                data={"partner": two.partner_slug, "token": token},
            )
        assert "It has expired" in answer.text
    # A key that was not pinned.
    with two.harbor.app.app_context():
        keys.rotate(by_user_id=None)
        db.session.commit()
    assert "not pinned" in two.look(two.export())
    assert "none of its domains" not in two.look(token)
    for text in ("", "hello", "a.b.c", "x" * 70_000, "\x00"):
        with two.wharf.app.app_context():
            answer = two.importer.post(
                "/staff/passports/import", data={"partner": two.partner_slug, "token": text}
            )
            assert answer.status_code == 422
    assert two.recognised() == 0


def test_what_was_taken_back_since_the_export_is_not_recognised(two: Two, app: Flask) -> None:
    two.trust()
    token = two.export()
    with two.harbor.app.app_context():
        row = db.session.scalars(select(Credential)).one()
        revoke(row, reason="Copied answers", by_user_id=None)
        db.session.commit()
    page = two.look(token)
    assert page.count("Its issuer has taken it back.") == 1
    status, _page = two.accept(token, ["0", "1", "2"])
    assert status == 303
    assert two.recognised() == 2
    with two.harbor.app.app_context():
        anybody = two.harbor.app.test_client()
        assert anybody.get("/passports/pas_unknown").status_code == 404


def test_nobody_recognises_for_a_partner_of_their_own(two: Two, app: Flask) -> None:
    two.trust()
    token = two.export()
    with two.wharf.app.app_context():
        partner = db.session.scalars(
            select(Organization).where(Organization.slug == two.partner_slug)
        ).one()
        manager = make_member(platform(), Role.PROGRAM_MANAGER)
        make_member(partner, Role.EDITOR, user=manager)
        answer = two.wharf.sign_in(manager).post(
            "/staff/passports/accept",
            data={"partner": two.partner_slug, "token": token, "items": ["0"]},
        )
        assert answer.status_code == 422
        assert "somebody else decides" in answer.text
    assert two.recognised() == 0


def platform() -> Organization:
    """The platform that there is."""
    return db.session.scalars(
        select(Organization).where(Organization.kind == OrganizationKind.PLATFORM)
    ).one()


def test_only_a_key_that_the_other_side_publishes_is_pinned(two: Two, app: Flask) -> None:
    with two.wharf.app.app_context():
        for data, message in (
            ({"address": two.harbor.base, "thumbprint": "x" * 43}, "publish"),
            ({"address": two.wharf.base, "thumbprint": "x"}, "That is this installation."),
            ({"address": "http://10.0.0.1", "thumbprint": "x"}, "public internet"),
            ({"address": "http://a.example", "thumbprint": "x"}, "must begin with https"),
            ({"address": "file:///etc/passwd", "thumbprint": "x"}, "begin with https"),
            ({"address": "https://a.example/?q=1", "thumbprint": "x"}, "first page"),
            ({"address": "", "thumbprint": ""}, "Enter its address."),
            ({"address": "a" * 300, "thumbprint": "x"}, "at most 250"),
        ):
            answer = two.importer.post("/staff/passports/issuers", data=data)
            assert answer.status_code == 422, data
            assert message in answer.text, (data, answer.text[-3000:])


def test_a_receipt_counts_only_from_the_receiver(two: Two, app: Flask) -> None:
    token = two.export()
    with two.harbor.app.app_context():
        anybody = two.harbor.app.test_client()
        for body in (b"", b"hello", b"a.b.c", token.encode(), b"x" * 20_000):
            assert anybody.post("/passports/receipts", data=body).status_code == 400
        row = db.session.scalars(select(PassportExport)).one()
        assert row.accepted_at is None


def test_without_a_domain_there_is_nothing_to_bind_a_passport_to(two: Two, app: Flask) -> None:
    with two.harbor.app.app_context():
        db.session.query(DomainProof).delete()
        db.session.commit()
        page = two.exporter.get("/partner/passport").text
        assert "Prove that a domain is yours first." in page
        answer = two.exporter.post("/partner/passport", data={"audience": two.wharf.base})
        assert answer.status_code == 422
