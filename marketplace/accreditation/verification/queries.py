"""Proofs, documents and verifications, as partners and reviewers see them."""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import func, select
from sqlalchemy.orm import joinedload

from marketplace.accreditation.acting import signed_in
from marketplace.accreditation.verification.domains import Likeness, lookalikes
from marketplace.accreditation.verification.models import (
    HELD,
    DomainProof,
    ProofState,
    Verification,
    VerificationDocument,
    VerificationState,
)
from marketplace.core.database import db
from marketplace.core.pagination import Page, paginate
from marketplace.identity.models import Organization, OrganizationKind

PER_PAGE = 25
QUEUES = {
    "submitted": ("Waiting", (VerificationState.SUBMITTED,)),
    "returned": ("Sent back", (VerificationState.RETURNED,)),
    "approved": ("Verified", (VerificationState.APPROVED,)),
    "ended": ("Lapsed or revoked", (VerificationState.LAPSED, VerificationState.REVOKED)),
}


def find_proof(proof_id: str) -> DomainProof | None:
    """The proof of that public id. Raises SignInRequiredError first."""
    signed_in()
    return db.session.scalar(
        select(DomainProof)
        .where(DomainProof.public_id == proof_id, DomainProof.state != ProofState.REMOVED)
        .options(joinedload(DomainProof.organization))
    )


def proof_by_token(token_hash: str) -> DomainProof | None:
    """The proof that a link in a mail is of."""
    return db.session.scalar(select(DomainProof).where(DomainProof.token_hash == token_hash))


def proofs_of(organization_id: int) -> Sequence[DomainProof]:
    """An organization's proofs, the oldest first."""
    return db.session.scalars(
        select(DomainProof)
        .where(
            DomainProof.organization_id == organization_id,
            DomainProof.state != ProofState.REMOVED,
        )
        .order_by(DomainProof.id)
    ).all()


def holder_of(domain: str, *, but: int) -> DomainProof | None:
    """The proof by which another organization holds a domain."""
    return db.session.scalar(
        select(DomainProof).where(
            DomainProof.held_domain == domain, DomainProof.organization_id != but
        )
    )


def own_hold(proof: DomainProof) -> DomainProof | None:
    """Another proof by which the same organization holds the domain."""
    return db.session.scalar(
        select(DomainProof).where(
            DomainProof.held_domain == proof.domain,
            DomainProof.organization_id == proof.organization_id,
            DomainProof.id != proof.id,
        )
    )


def due_proof_ids(at: datetime, limit: int) -> Sequence[int]:
    """Proofs whose next check is due."""
    return db.session.scalars(
        select(DomainProof.id)
        .where(DomainProof.next_check_at <= at)
        .order_by(DomainProof.next_check_at, DomainProof.id)
        .limit(limit)
    ).all()


def similar_to(domains: Sequence[str], organization_id: int) -> dict[str, list[Likeness]]:
    """For each domain, the domains of other organizations that it reads like. One query."""
    rows = db.session.execute(
        select(DomainProof.domain, DomainProof.organization_id).where(
            DomainProof.state.in_(HELD), DomainProof.organization_id != organization_id
        )
    ).all()
    others = [(domain, each) for domain, each in rows]
    return {domain: lookalikes(domain, others) for domain in domains}


def find_document(verification_document_id: str) -> VerificationDocument | None:
    """The document of that public id. Raises SignInRequiredError first."""
    signed_in()
    return db.session.scalar(
        select(VerificationDocument).where(
            VerificationDocument.public_id == verification_document_id
        )
    )


def documents_of(organization_id: int) -> Sequence[VerificationDocument]:
    """An organization's documents, the newest first; those whose file is gone at the end."""
    rows = db.session.scalars(
        select(VerificationDocument)
        .where(VerificationDocument.organization_id == organization_id)
        .order_by(VerificationDocument.id.desc())
        .limit(100)
    ).all()
    return sorted(rows, key=lambda row: row.deleted_at is not None)


def verification_of(organization_id: int) -> Verification | None:
    """An organization's verification, if it ever began one."""
    return db.session.scalar(
        select(Verification).where(Verification.organization_id == organization_id)
    )


def find_verification(verification_id: str) -> Verification | None:
    """The verification of that public id. Raises SignInRequiredError first."""
    signed_in()
    return db.session.scalar(
        select(Verification)
        .where(Verification.public_id == verification_id)
        .options(joinedload(Verification.organization))
    )


def page_of_verifications(queue: str, page: int) -> Page[Verification]:
    """One queue, who waits longest first. Two queries."""
    return paginate(
        select(Verification)
        .where(Verification.state.in_(QUEUES[queue][1]))
        .options(joinedload(Verification.organization))
        .order_by(Verification.submitted_at, Verification.id),
        page=page,
        per_page=PER_PAGE,
    )


def queue_counts() -> dict[str, int]:
    """How many are in each queue, and how many domains are disputed. Two queries."""
    rows = db.session.execute(select(Verification.state, func.count()).group_by(Verification.state))
    counts = {row[0]: row[1] for row in rows}
    found = {
        key: sum(counts.get(state, 0) for state in states) for key, (_, states) in QUEUES.items()
    }
    disputed = select(func.count()).where(DomainProof.state == ProofState.DISPUTED)
    return {**found, "disputed": db.session.scalar(disputed) or 0}


def page_of_disputes(page: int) -> Page[DomainProof]:
    """Disputed domains, the oldest first. Two queries."""
    return paginate(
        select(DomainProof)
        .where(DomainProof.state == ProofState.DISPUTED)
        .options(joinedload(DomainProof.organization))
        .order_by(DomainProof.id),
        page=page,
        per_page=PER_PAGE,
    )


def holders_of(domains: Sequence[str]) -> dict[str, DomainProof]:
    """Who holds these domains, in one query."""
    rows = db.session.scalars(
        select(DomainProof)
        .where(DomainProof.held_domain.in_(list(domains)))
        .options(joinedload(DomainProof.organization))
    )
    return {row.domain: row for row in rows}


def own_partner(organization_id: int | None) -> Organization | None:
    """The partner that a person acts for."""
    return db.session.scalar(
        select(Organization).where(
            Organization.id == organization_id, Organization.kind == OrganizationKind.PARTNER
        )
    )


def due_verifications(at: datetime, limit: int) -> Sequence[Verification]:
    """Verifications whose time has run out and that nobody has ended."""
    return db.session.scalars(
        select(Verification)
        .where(Verification.expires_at <= at, Verification.ended_at.is_(None))
        .order_by(Verification.id)
        .limit(limit)
    ).all()


def ending_verifications(after: datetime, until: datetime) -> Sequence[Verification]:
    """Verifications that run out in this time."""
    return db.session.scalars(
        select(Verification)
        .where(
            Verification.expires_at > after,
            Verification.expires_at <= until,
            Verification.ended_at.is_(None),
        )
        .order_by(Verification.id)
    ).all()


def due_documents(at: datetime, limit: int) -> Sequence[VerificationDocument]:
    """Documents whose file is to be deleted."""
    return db.session.scalars(
        select(VerificationDocument)
        .where(VerificationDocument.delete_at <= at, VerificationDocument.storage_key.is_not(None))
        .order_by(VerificationDocument.id)
        .limit(limit)
    ).all()


def organizations_by_id(ids: Sequence[int]) -> dict[int, Organization]:
    """Organizations by their ids, in one query."""
    rows = db.session.scalars(select(Organization).where(Organization.id.in_(set(ids))))
    return {row.id: row for row in rows}
