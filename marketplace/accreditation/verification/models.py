"""Proofs of domains, documents, and the verification of an organization that rests on them."""

import enum
from datetime import datetime

from sqlalchemy import ForeignKey, Index, String, Text
from sqlalchemy.orm import Mapped, mapped_column, relationship

from marketplace.core import clock
from marketplace.core.database import Base, Id, text_enum
from marketplace.identity.models import Organization


class ProofMethod(enum.StrEnum):
    """How a domain is proven."""

    DNS = "dns"  # a TXT record
    EMAIL = "email"  # a link that was sent to an address at the domain


class ProofState(enum.StrEnum):
    """Where a proof of a domain stands."""

    PENDING = "pending"
    VERIFIED = "verified"
    # Verified, but its record was not found of late; it counts until the grace ends.
    FAILING = "failing"
    # Was verified and lost it: it has to be proven again.
    REOPENED = "reopened"
    # Another organization holds the domain; staff look at who it belongs to.
    DISPUTED = "disputed"
    REMOVED = "removed"


HELD = (ProofState.VERIFIED, ProofState.FAILING)
WAITING = (ProofState.PENDING, ProofState.REOPENED)


class DomainProof(Base):
    """An organization's claim to a domain, and what came of checking it."""

    __tablename__ = "domain_proof"

    id: Mapped[int] = mapped_column(Id, primary_key=True, autoincrement=True)
    public_id: Mapped[str] = mapped_column(String(40), unique=True)
    organization_id: Mapped[int] = mapped_column(ForeignKey("organization.id"), index=True)
    # In lower case, international names as xn--.
    domain: Mapped[str] = mapped_column(String(253), index=True)
    # The domain while it is verified: one organization at a time holds it.
    held_domain: Mapped[str | None] = mapped_column(String(253), unique=True)
    method: Mapped[ProofMethod] = mapped_column(text_enum(ProofMethod))
    state: Mapped[ProofState] = mapped_column(text_enum(ProofState), default=ProofState.PENDING)
    # What the TXT record must say; everybody can read it there.
    challenge: Mapped[str] = mapped_column(String(80))
    # Of the link in a mail: the address, and the SHA-256 of its token, good once until the expiry.
    email: Mapped[str | None] = mapped_column(String(254))
    token_hash: Mapped[str | None] = mapped_column(String(64), unique=True)
    token_expires_at: Mapped[datetime | None]
    # In words, of the latest check.
    found: Mapped[str] = mapped_column(Text, default="")
    failed_checks: Mapped[int] = mapped_column(default=0)
    checked_at: Mapped[datetime | None]
    next_check_at: Mapped[datetime | None] = mapped_column(index=True)
    grace_until: Mapped[datetime | None]
    verified_at: Mapped[datetime | None]
    # What the organization writes to staff about a domain that another one holds.
    dispute: Mapped[str] = mapped_column(Text, default="")
    decided_by_id: Mapped[int | None] = mapped_column(Id)
    decision: Mapped[str] = mapped_column(Text, default="")
    created_by_id: Mapped[int | None] = mapped_column(Id)
    created_at: Mapped[datetime] = mapped_column(default=clock.now)
    removed_at: Mapped[datetime | None]

    organization: Mapped[Organization] = relationship()

    @property
    def is_held(self) -> bool:
        """Whether it counts."""
        return self.state in HELD


class DocumentKind(enum.StrEnum):
    """What a document shows."""

    REGISTRATION = "registration"
    ADDRESS = "address"
    TAX = "tax"
    ACCREDITATION = "accreditation"
    IDENTITY = "identity"
    OTHER = "other"


class VerificationDocument(Base):
    """A file that an organization showed. The file goes after a while; that it was seen stays."""

    __tablename__ = "verification_document"

    id: Mapped[int] = mapped_column(Id, primary_key=True, autoincrement=True)
    public_id: Mapped[str] = mapped_column(String(40), unique=True)
    organization_id: Mapped[int] = mapped_column(ForeignKey("organization.id"), index=True)
    kind: Mapped[DocumentKind] = mapped_column(text_enum(DocumentKind))
    file_name: Mapped[str] = mapped_column(String(120))
    content_type: Mapped[str] = mapped_column(String(60))
    size: Mapped[int]
    sha256: Mapped[str] = mapped_column(String(64))
    # None once the file was deleted.
    storage_key: Mapped[str | None] = mapped_column(String(200))
    uploaded_by_id: Mapped[int | None] = mapped_column(Id)
    uploaded_at: Mapped[datetime] = mapped_column(default=clock.now)
    delete_at: Mapped[datetime | None] = mapped_column(index=True)
    deleted_at: Mapped[datetime | None]


class VerificationState(enum.StrEnum):
    """Where an organization's verification stands."""

    OPEN = "open"
    SUBMITTED = "submitted"
    # Sent back with reasons.
    RETURNED = "returned"
    APPROVED = "approved"
    # Was approved; its time ran out or what it rested on is gone.
    LAPSED = "lapsed"
    # Staff took it back.
    REVOKED = "revoked"


class Verification(Base):
    """The verification of an organization, one row for each; its history is in the facts."""

    __tablename__ = "verification"

    id: Mapped[int] = mapped_column(Id, primary_key=True, autoincrement=True)
    public_id: Mapped[str] = mapped_column(String(40), unique=True)
    organization_id: Mapped[int] = mapped_column(ForeignKey("organization.id"), unique=True)
    state: Mapped[VerificationState] = mapped_column(
        text_enum(VerificationState), default=VerificationState.OPEN
    )
    note: Mapped[str] = mapped_column(Text, default="")
    submitted_at: Mapped[datetime | None]
    submitted_by_id: Mapped[int | None] = mapped_column(Id)
    reason: Mapped[str] = mapped_column(Text, default="")
    decided_at: Mapped[datetime | None]
    decided_by_id: Mapped[int | None] = mapped_column(Id)
    # True: staff verified it without a domain and documents.
    by_hand: Mapped[bool] = mapped_column(default=False)
    verified_at: Mapped[datetime | None]
    # When it has to be verified again; None: while what it rests on holds.
    expires_at: Mapped[datetime | None] = mapped_column(index=True)
    # When it ended before its time.
    ended_at: Mapped[datetime | None]
    # How many days before the expiry the last reminder went out.
    reminded_days: Mapped[int | None]
    created_at: Mapped[datetime] = mapped_column(default=clock.now)

    organization: Mapped[Organization] = relationship()

    __table_args__ = (Index("ix_verification_state", "state", "submitted_at"),)

    def holds_at(self, at: datetime) -> bool:
        """Whether it is in force at a moment."""
        return (
            self.verified_at is not None
            and self.ended_at is None
            and (self.expires_at is None or self.expires_at > at)
        )
