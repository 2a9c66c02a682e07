"""Managed services, authorizations and seats, for tests. All of it is flushed."""

from datetime import timedelta

from billing.public_ids import new_public_id
from marketplace.accreditation.authorizations.models import (
    Authorization,
    AuthorizationStatus,
    CheckState,
)
from marketplace.accreditation.managed_services.models import (
    EvidenceKind,
    ManagedService,
    ServiceEvidence,
)
from marketplace.accreditation.seats.models import Seat
from marketplace.accreditation.uploads import storage
from marketplace.catalogue.models import Listing
from marketplace.core import clock
from marketplace.core.database import db
from marketplace.identity.models import Organization, User
from tests.factories.people import make_user


def make_authorization(
    listing: Listing, level: str = "fedramp-moderate", **fields: object
) -> Authorization:
    """An authorization that was accepted, for a year."""
    today = clock.now().date()
    values: dict[str, object] = {
        "status": AuthorizationStatus.AUTHORIZED,
        "check": CheckState.ACCEPTED,
        "authorized_on": today - timedelta(days=30),
        "expires_on": today + timedelta(days=335),
        **fields,
    }
    row = Authorization(
        public_id=new_public_id("auth"),
        organization_id=listing.publisher_id,
        listing_id=listing.id,
        level=level,
        evidence_url="https://authority.example/tides",
        **values,
    )
    db.session.add(row)
    db.session.flush()
    return row


def make_service(organization: Organization) -> ManagedService:
    """A managed service."""
    service = ManagedService(
        public_id=new_public_id("msv"),
        organization_id=organization.id,
        title="Berths around the clock",
        description="We run the booking of berths.",
        hours="Every day",
        response_minutes=15,
        availability_bps=9_990,
    )
    db.session.add(service)
    db.session.flush()
    return service


def make_evidence(service: ManagedService, days_ago: int = 10) -> ServiceEvidence:
    """Evidence that waits for a decision, with its file."""
    public_id = new_public_id("evd")
    key = f"private/evidence/{public_id}.pdf"
    storage().put(key, b"%PDF-1.4\n%%EOF\n", "application/pdf")
    evidence = ServiceEvidence(
        public_id=public_id,
        service_id=service.id,
        kind=EvidenceKind.SLA_REPORT,
        dated_on=(clock.now() - timedelta(days=days_ago)).date(),
        file_name="report.pdf",
        content_type="application/pdf",
        storage_key=key,
    )
    db.session.add(evidence)
    db.session.flush()
    return evidence


def make_evidence_world(
    partner: Organization, owner: User, customer: User, listing: Listing
) -> dict[str, object]:
    """One of each, of the partner's."""
    student = make_user("Sven Ek")
    seat = Seat(
        public_id=new_public_id("seat"),
        organization_id=partner.id,
        user_id=student.id,
        held_key=f"{partner.id}:{student.id}",
    )
    db.session.add(seat)
    service = make_service(partner)
    return {
        "managed_service_id": service.public_id,
        "service_evidence_id": make_evidence(service).public_id,
        "authorization_id": make_authorization(listing, check=CheckState.SUBMITTED).public_id,
        "procurement_slug": listing.slug,
        "seat_id": seat.public_id,
        "school_slug": partner.slug,
    }
