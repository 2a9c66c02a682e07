"""Verified organizations, domains and documents, for tests. All of it is flushed."""

from billing.public_ids import new_public_id
from marketplace.accreditation.uploads import storage
from marketplace.accreditation.verification.models import (
    DocumentKind,
    DomainProof,
    ProofMethod,
    ProofState,
    Verification,
    VerificationDocument,
    VerificationState,
)
from marketplace.accreditation.verification.services import verifying
from marketplace.catalogue.models import Listing
from marketplace.core import clock
from marketplace.core.database import db
from marketplace.identity.models import Organization, User

PDF = b"%PDF-1.4\n1 0 obj << /Type /Catalog >> endobj\ntrailer << >>\n%%EOF\n"


def make_proof(
    organization: Organization,
    domain: str = "quayside.example",
    state: ProofState = ProofState.VERIFIED,
    **fields: object,
) -> DomainProof:
    """A proof by DNS; held unless told otherwise."""
    held = state in (ProofState.VERIFIED, ProofState.FAILING)
    proof = DomainProof(
        public_id=new_public_id("dom"),
        organization_id=organization.id,
        domain=domain,
        held_domain=domain if held else None,
        method=ProofMethod.DNS,
        state=state,
        challenge="challenge",
        verified_at=clock.now() if held else None,
        **fields,
    )
    db.session.add(proof)
    db.session.flush()
    return proof


def make_document(organization: Organization) -> VerificationDocument:
    """A document with its file."""
    public_id = new_public_id("doc")
    key = f"private/verification/{public_id}.pdf"
    storage().put(key, PDF, "application/pdf")
    document = VerificationDocument(
        public_id=public_id,
        organization_id=organization.id,
        kind=DocumentKind.REGISTRATION,
        file_name="register.pdf",
        content_type="application/pdf",
        size=len(PDF),
        sha256=public_id,
        storage_key=key,
    )
    db.session.add(document)
    db.session.flush()
    return document


def make_submitted(organization: Organization) -> Verification:
    """A verification that waits for a decision: a domain is proven, a document shown."""
    make_document(organization)
    return verifying.submit(organization, note="", by_user_id=None)


def make_verified(organization: Organization, domain: str = "quayside.example") -> Verification:
    """An organization that was verified now, by that domain and a document."""
    make_proof(organization, domain)
    found = make_submitted(organization)
    verifying.approve(found, by_user_id=None)
    return found


def make_verification_world(
    partner: Organization, owner: User, customer: User, listing: Listing
) -> dict[str, object]:
    """A disputed domain, a document and a verification of the partner's."""
    proof = make_proof(partner, "disputed.example", ProofState.DISPUTED)
    document = make_document(partner)
    found = verifying.verification_for(partner.id)
    found.state = VerificationState.SUBMITTED
    found.submitted_at = clock.now()
    db.session.flush()
    return {
        "proof_id": proof.public_id,
        "verification_document_id": document.public_id,
        "verification_id": found.public_id,
        "verification_token": "no-such-token",
    }
