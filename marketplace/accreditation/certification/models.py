"""Certification programs, the versions of their checklists, and certifications."""

import enum
from datetime import datetime
from typing import Any

from sqlalchemy import ForeignKey, Index, String, Text, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column, relationship

from marketplace.core import clock
from marketplace.core.database import Base, Id, text_enum
from marketplace.identity.models import Organization


class Subject(enum.StrEnum):
    """What is certified."""

    LISTING = "listing"
    ORGANIZATION = "organization"
    PERSON = "person"


class ListingRule(enum.StrEnum):
    """What the certification of a listing decides about its place in the directory."""

    BADGE = "badge"  # nothing: it earns a badge
    UNLIST = "unlist"  # once certified, it is hidden while the certification has run out
    REQUIRED = "required"  # hidden until it is certified


class CertificationProgram(Base):
    """What can be certified, and what it brings. Its checklist is in versions."""

    __tablename__ = "certification_program"

    id: Mapped[int] = mapped_column(Id, primary_key=True, autoincrement=True)
    public_id: Mapped[str] = mapped_column(String(40), unique=True)
    title: Mapped[str] = mapped_column(String(80))
    summary: Mapped[str] = mapped_column(String(300), default="")
    subject: Mapped[Subject] = mapped_column(text_enum(Subject))
    validity_months: Mapped[int] = mapped_column(default=12)
    # For partners of these types, and listings of these kinds; empty: of all.
    partner_types: Mapped[list[str]]
    listing_kinds: Mapped[list[str]]
    listing_rule: Mapped[ListingRule] = mapped_column(
        text_enum(ListingRule), default=ListingRule.BADGE
    )
    # A publisher's listings are hidden while it has fewer certified people; 0: no matter.
    people_minimum: Mapped[int] = mapped_column(default=0)
    # The certification fee of the fee schedule, where there is one, must be paid first.
    takes_fee: Mapped[bool] = mapped_column(default=False)
    is_open: Mapped[bool] = mapped_column(default=True)
    created_at: Mapped[datetime] = mapped_column(default=clock.now)
    created_by_id: Mapped[int | None] = mapped_column(Id)


class ChecklistState(enum.StrEnum):
    """Where a version of a checklist stands."""

    DRAFT = "draft"
    PUBLISHED = "published"


class Checklist(Base):
    """A version of a program's checklist; the published one with the greatest number counts for
    what is started or renewed from then on. A published one never changes."""

    __tablename__ = "certification_checklist"

    id: Mapped[int] = mapped_column(Id, primary_key=True, autoincrement=True)
    public_id: Mapped[str] = mapped_column(String(40), unique=True)
    program_id: Mapped[int] = mapped_column(ForeignKey("certification_program.id"))
    number: Mapped[int]
    state: Mapped[ChecklistState] = mapped_column(
        text_enum(ChecklistState), default=ChecklistState.DRAFT
    )
    # A list of checklist.Item as JSON.
    items: Mapped[list[dict[str, Any]]]
    # Of the weights of all items, in percent, what must be accepted.
    pass_percent: Mapped[int] = mapped_column(default=100)
    note: Mapped[str] = mapped_column(String(300), default="")
    created_at: Mapped[datetime] = mapped_column(default=clock.now)
    published_at: Mapped[datetime | None]
    published_by_id: Mapped[int | None] = mapped_column(Id)
    # Changed with each saving of a draft: two editors notice each other.
    edition: Mapped[int] = mapped_column(default=1)

    program: Mapped[CertificationProgram] = relationship()

    __table_args__ = (UniqueConstraint("program_id", "number"),)


class CertificationState(enum.StrEnum):
    """Where a certification stands."""

    DRAFT = "draft"  # evidence is being gathered
    SUBMITTED = "submitted"
    RETURNED = "returned"  # sent back with words; to be submitted again
    CERTIFIED = "certified"
    REFUSED = "refused"
    WITHDRAWN = "withdrawn"
    EXPIRED = "expired"
    REVOKED = "revoked"
    # A renewal took its place.
    RENEWED = "renewed"


OPEN = (CertificationState.DRAFT, CertificationState.SUBMITTED, CertificationState.RETURNED)
EDITABLE = (CertificationState.DRAFT, CertificationState.RETURNED)


class Certification(Base):
    """One certification of a listing, an organization or a person, from its start to its end.

    Without a program it was given by staff at once and stands until they take it back.
    """

    __tablename__ = "certification"

    id: Mapped[int] = mapped_column(Id, primary_key=True, autoincrement=True)
    public_id: Mapped[str] = mapped_column(String(40), unique=True)
    program_id: Mapped[int | None] = mapped_column(
        ForeignKey("certification_program.id"), index=True
    )
    checklist_id: Mapped[int | None] = mapped_column(ForeignKey("certification_checklist.id"))
    organization_id: Mapped[int] = mapped_column(ForeignKey("organization.id"), index=True)
    subject: Mapped[Subject] = mapped_column(text_enum(Subject))
    # No foreign key: the catalogue is a room above.
    listing_id: Mapped[int | None] = mapped_column(Id, index=True)
    user_id: Mapped[int | None] = mapped_column(Id, index=True)
    # What is certified, while it is open: one at a time of each subject and program.
    open_key: Mapped[str | None] = mapped_column(String(120), unique=True)
    state: Mapped[CertificationState] = mapped_column(
        text_enum(CertificationState), default=CertificationState.DRAFT
    )
    renews_id: Mapped[int | None] = mapped_column(ForeignKey("certification.id"))
    submitted_at: Mapped[datetime | None]
    decided_at: Mapped[datetime | None]
    decided_by_id: Mapped[int | None] = mapped_column(Id)
    decision: Mapped[str] = mapped_column(Text, default="")
    certified_at: Mapped[datetime | None]
    # Exclusive; None: no end.
    expires_at: Mapped[datetime | None] = mapped_column(index=True)
    # When it ended before its time.
    ended_at: Mapped[datetime | None]
    # The order of the fee, used once.
    fee_order_id: Mapped[int | None] = mapped_column(Id, unique=True)
    credential_id: Mapped[int | None] = mapped_column(Id)
    # How many days before the expiry the last reminder went out.
    reminded_days: Mapped[int | None]
    created_at: Mapped[datetime] = mapped_column(default=clock.now)
    created_by_id: Mapped[int | None] = mapped_column(Id)

    organization: Mapped[Organization] = relationship()
    program: Mapped[CertificationProgram | None] = relationship()
    checklist: Mapped[Checklist | None] = relationship()

    __table_args__ = (Index("ix_certification_state", "state", "submitted_at"),)


class EvidenceState(enum.StrEnum):
    """What the reviewer said of an item."""

    GIVEN = "given"
    ACCEPTED = "accepted"
    RETURNED = "returned"


class CertificationEvidence(Base):
    """What was given for an item of the checklist, and what the reviewer said of it."""

    __tablename__ = "certification_evidence"

    id: Mapped[int] = mapped_column(Id, primary_key=True, autoincrement=True)
    certification_id: Mapped[int] = mapped_column(ForeignKey("certification.id"))
    item_key: Mapped[str] = mapped_column(String(40))
    # A text, an address, or the outcome of an automatic check in words.
    value: Mapped[str] = mapped_column(Text, default="")
    file_name: Mapped[str | None] = mapped_column(String(120))
    content_type: Mapped[str | None] = mapped_column(String(60))
    storage_key: Mapped[str | None] = mapped_column(String(200))
    # Of automatic checks.
    passed: Mapped[bool | None]
    state: Mapped[EvidenceState] = mapped_column(
        text_enum(EvidenceState), default=EvidenceState.GIVEN
    )
    remark: Mapped[str] = mapped_column(Text, default="")
    given_at: Mapped[datetime] = mapped_column(default=clock.now)
    reviewed_by_id: Mapped[int | None] = mapped_column(Id)
    reviewed_at: Mapped[datetime | None]

    __table_args__ = (UniqueConstraint("certification_id", "item_key"),)
