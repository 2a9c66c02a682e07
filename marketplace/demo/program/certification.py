"""The demo's certifications: programs, one certified listing, one that waits, evidence of a managed
service, and authorizations for public buyers."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

from flask import current_app
from sqlalchemy import func, select

from marketplace.accreditation.authorizations import services as authorizations
from marketplace.accreditation.certification.listings import ListingFacts, listings_of
from marketplace.accreditation.certification.models import (
    Certification,
    CertificationProgram,
)
from marketplace.accreditation.certification.services import deciding, gathering, programs
from marketplace.accreditation.certification.services.programs import ProgramTerms
from marketplace.accreditation.managed_services import services as managed_services
from marketplace.core import clock
from marketplace.core.database import db
from marketplace.core.pdf import PdfDocument
from marketplace.core.unit_of_work import unit_of_work
from marketplace.demo.acting import organization, person
from marketplace.identity.models import Organization

REVIEW: tuple[dict[str, Any], ...] = (
    {"key": "security", "title": "How do you keep data safe?", "weight": 4,
     "text": "Where data are kept, who can read them, how they are encrypted and deleted."},
    {"key": "documents", "title": "Where are your documents for administrators?", "weight": 2,
     "evidence": "link"},
    {"key": "errors", "title": "What does a customer see when your side fails?", "weight": 2,
     "text": "Name the texts and the address of your status page."},
    {"key": "limits", "title": "How do you stay within our limits?", "weight": 1,
     "mandatory": False},
    {"key": "verified", "title": "The organization is verified", "weight": 1,
     "evidence": "automatic", "check": "verified"},
)  # fmt: skip
PROVEN: tuple[dict[str, Any], ...] = (
    {"key": "installs", "title": "Three customers use it", "evidence": "automatic",
     "check": "live_installs", "least": 3},
    {"key": "story", "title": "What did it change for one of them?",
     "text": "A paragraph that we may quote."},
)  # fmt: skip
EXPERT: tuple[dict[str, Any], ...] = (
    {"key": "project", "title": "Describe a project that you led", "weight": 3},
    {"key": "reference", "title": "Where can we read about it?", "evidence": "link",
     "mandatory": False},
)  # fmt: skip
ANSWERS = {
    "security": "Data stay in Frankfurt, encrypted at rest. Two people can read them, each access "
    "is logged. What a customer deletes is gone after thirty days.",
    "documents": "https://tidewater-labs.example/docs/administrators",
    "errors": "A sentence in the app that says what failed and when we try again; "
    "status.tidewater-labs.example.",
    "limits": "One call in a second for each customer, and we wait when we are told to.",
}


def load(tell: Callable[[str], None]) -> None:
    """Write programs and certify. Commits; does nothing when there are programs."""
    if db.session.scalar(select(func.count()).select_from(CertificationProgram)):
        return
    partner, reviewer = organization("tidewater-labs"), person("reviewer")
    manager = person("program-manager")
    if partner is None or reviewer is None or manager is None:
        return
    listings = [each for each in listings_of(partner.id) if each.is_public]
    if len(listings) < 2:
        return
    with unit_of_work():
        review = _program("Reviewed app", "Works as it says and keeps data safe.", REVIEW)
        _program(
            "Proven integration",
            "At least three customers rely on it.",
            PROVEN,
            partner_types=("integration", "technology"),
        )
        _program("Platform expert", "Has led projects on our platform.", EXPERT, subject="person")
        done = _gather(review, partner, listings[0])
        for item in gathering.items_of(done):
            if item.evidence != "automatic":
                deciding.judge(done, item.key, accepts=True, remark="", by_user_id=reviewer.id)
        deciding.certify(done, by_user_id=reviewer.id)
        _gather(review, partner, listings[1])
        _authorize(partner, listings[0], reviewer.id)
        _serve(partner, reviewer.id)
    tell("Three certification programs, one certified listing, evidence and authorizations.")


def _program(
    title: str, summary: str, items: tuple[dict[str, Any], ...], **terms: Any
) -> CertificationProgram:
    program = programs.create_program(
        ProgramTerms(title=title, summary=summary, **terms), by_user_id=None, items=items
    )
    programs.publish(programs.draft_of(program), by_user_id=None)
    return program


def _gather(
    program: CertificationProgram, partner: Organization, listing: ListingFacts
) -> Certification:
    found = gathering.start(program, partner, listing_id=listing.id, by_user_id=None)
    for key, value in ANSWERS.items():
        gathering.give(found, key, value=value, by_user_id=None)
    gathering.submit(found, by_user_id=None)
    return found


def _authorize(partner: Organization, listing: ListingFacts, reviewer_id: int) -> None:
    today = clock.now().date()
    for level, status, sponsor, since in (
        ("fedramp-moderate", "authorized", "Department of Harbors", today - timedelta(days=200)),
        ("bsi-c5-type2", "in_process", "", None),
    ):
        row = authorizations.save(
            partner,
            None,
            authorizations.Claim(
                listing_id=listing.id,
                level=level,
                status=status,
                sponsor=sponsor,
                evidence_url=f"https://authority.example/{level}/{listing.slug}",
                authorized_on=since,
                expires_on=today + timedelta(days=500) if since else None,
            ),
            by_user_id=None,
        )
        authorizations.accept(row, by_user_id=reviewer_id)
    authorizations.save_profile(
        partner,
        {
            "legal_name": "Tidewater Laboratories AB",
            "registration_number": "556677-8899",
            "address": "Skeppsbron 12\n111 30 Stockholm",
            "security_contact": "Security team",
            "security_email": "security@tidewater-labs.example",
            "security_url": "https://tidewater-labs.example/security",
        },
        by_user_id=None,
    )


def _serve(partner: Organization, reviewer_id: int) -> None:
    service = managed_services.save_service(
        partner,
        None,
        title="Sync around the clock",
        description="We watch the sync of customers, mend what fails and tell them.",
        hours="Every day, around the clock",
        response_minutes=30,
        availability_bps=9_990,
        by_user_id=None,
    )
    for days_ago, accepted in ((70, True), (5, False)):
        day = (clock.now() - timedelta(days=days_ago)).date()
        report = PdfDocument(
            f"Service level, {day:%B %Y}",
            made_at=clock.now(),
            site_name=str(current_app.config["SITE_NAME"]),
            subtitle="Made up for the demo.",
        )
        report.pairs([("Availability", "99.97 %"), ("Longest wait", "21 minutes")])
        evidence = managed_services.add_evidence(
            service,
            kind="sla_report",
            dated_on=day,
            response_minutes=21,
            availability_bps=9_997,
            note="",
            file=(f"service-level-{day}.pdf", report.bytes()),
            by_user_id=None,
        )
        if accepted:
            managed_services.accept(evidence, by_user_id=reviewer_id)
