"""The demo's verifications: a partner that went the whole way, one that waits for a decision, one
whose record is wrong, and a domain that two claim."""

from collections.abc import Callable

from flask import current_app
from sqlalchemy import func, select

from marketplace.accreditation.verification.models import DomainProof
from marketplace.accreditation.verification.records import Answer, record_text
from marketplace.accreditation.verification.services import documents, proving, verifying
from marketplace.core import clock
from marketplace.core.database import db
from marketplace.core.pdf import PdfDocument
from marketplace.core.unit_of_work import unit_of_work
from marketplace.demo.acting import organization, person
from marketplace.identity.models import Organization


def load(tell: Callable[[str], None]) -> None:
    """Prove domains, show documents, decide. Commits; does nothing when there are proofs."""
    if db.session.scalar(select(func.count()).select_from(DomainProof)):
        return
    tidewater, quillbright = organization("tidewater-labs"), organization("quillbright")
    kitewell, meridian = organization("kitewell"), organization("meridian-quay")
    reviewer = person("reviewer")
    if not (tidewater and quillbright and kitewell and meridian and reviewer):
        return
    with unit_of_work():
        _prove(tidewater, "tidewater-labs.example")
        _show(tidewater)
        found = verifying.submit(
            tidewater, note="We moved to a new office in May.", by_user_id=None
        )
        verifying.approve(found, by_user_id=reviewer.id)
        _prove(meridian, "meridian-quay.example")
        _show(meridian)
        verifying.submit(meridian, note="Our parent company has the same address.", by_user_id=None)
        wrong = proving.claim_domain(
            kitewell, domain="kitewell.example", method="dns", by_user_id=None
        )
        proving.apply_answer(
            wrong.id, Answer(matches=False, found=("v=spf1 include:mail.example -all",))
        )
        disputed = _prove(quillbright, "tidewater-labs.example")
        proving.write_dispute(
            disputed,
            "Tidewater sold us the domain with their old product in March. The contract is "
            "among our documents.",
        )
    tell("Verified one partner; one waits, one record is wrong, one domain is disputed.")


def _prove(partner: Organization, domain: str) -> DomainProof:
    proof = proving.claim_domain(partner, domain=domain, method="dns", by_user_id=None)
    proving.apply_answer(proof.id, Answer(True, (record_text(proof.challenge),)))
    return proof


def _show(partner: Organization) -> None:
    document = PdfDocument(
        f"Extract of the register: {partner.name}",
        made_at=clock.now(),
        site_name=str(current_app.config["SITE_NAME"]),
        subtitle="Made up for the demo.",
    )
    document.pairs([("Company", partner.name), ("Country", partner.country or "–")])
    documents.add_document(
        partner,
        kind="registration",
        name="register-extract.pdf",
        upload=document.bytes(),
        by_user_id=None,
    )
