"""Rounds of grants, incubators, accelerators and proofs of concept, and who takes part."""

import enum
from datetime import datetime
from typing import Any

from sqlalchemy import BigInteger, ForeignKey, Index, String, Text, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from marketplace.core import clock
from marketplace.core.append_only import append_only
from marketplace.core.database import Base, Id, text_enum


class RoundKind(enum.StrEnum):
    """What a round offers."""

    GRANT = "grant"  # money, by milestones
    INCUBATOR = "incubator"  # a mentor, and gates until graduation
    ACCELERATOR = "accelerator"  # terms, and a timed track of figures
    PROOF_OF_CONCEPT = "proof_of_concept"  # approvals in order, then criteria to meet


class RoundState(enum.StrEnum):
    """Whether partners see a round and can apply."""

    DRAFT = "draft"
    OPEN = "open"
    CLOSED = "closed"


class ProgramRound(Base):
    """One round. Form, stages and steps are copied into applications and places when they begin:
    a change counts for the ones that follow."""

    __tablename__ = "program_round"

    id: Mapped[int] = mapped_column(Id, primary_key=True, autoincrement=True)
    public_id: Mapped[str] = mapped_column(String(40), unique=True)
    kind: Mapped[RoundKind] = mapped_column(text_enum(RoundKind))
    state: Mapped[RoundState] = mapped_column(text_enum(RoundState), default=RoundState.DRAFT)
    name: Mapped[str] = mapped_column(String(120))
    text: Mapped[str] = mapped_column(Text, default="")
    opens_at: Mapped[datetime]
    closes_at: Mapped[datetime] = mapped_column(index=True)
    # Types of partners that can apply; empty: all. The least tier; empty: any partner.
    types: Mapped[list[str]]
    least_tier: Mapped[str] = mapped_column(String(40), default="")
    form: Mapped[list[dict[str, Any]]]
    stages: Mapped[list[dict[str, Any]]]
    # What is given away in all, in minor units; grants alone have it.
    budget: Mapped[int] = mapped_column(BigInteger, default=0)
    currency: Mapped[str] = mapped_column(String(3), default="EUR")
    # How many can be accepted; None: as many as fit.
    places: Mapped[int | None]
    terms: Mapped[str] = mapped_column(Text, default="")
    # Raised with every change of the terms' text; 0: there are no terms.
    terms_version: Mapped[int] = mapped_column(default=0)
    # Gates of an incubator, in order: [{"title", "text", "days"}], days after the place began.
    gates: Mapped[list[dict[str, Any]]]
    # The figures of an accelerator: [{"metric", "target"}], metrics of the policy.
    figures: Mapped[list[dict[str, Any]]]
    track_days: Mapped[int] = mapped_column(default=90)
    # Days within which a decision is promised; None: nothing is promised.
    review_days: Mapped[int | None]
    created_at: Mapped[datetime] = mapped_column(default=clock.now)
    created_by_id: Mapped[int | None] = mapped_column(Id)
    # Changed with each saving: two editors notice each other.
    edition: Mapped[int] = mapped_column(default=1)

    __table_args__ = (Index("ix_program_round_state", "state", "closes_at"),)


class RoundTerms(Base):
    """A version of a round's terms. Append-only: what was accepted stays readable."""

    __tablename__ = "round_terms"

    id: Mapped[int] = mapped_column(Id, primary_key=True, autoincrement=True)
    round_id: Mapped[int] = mapped_column(ForeignKey("program_round.id"))
    version: Mapped[int]
    text: Mapped[str] = mapped_column(Text)
    created_at: Mapped[datetime] = mapped_column(default=clock.now)

    __table_args__ = (UniqueConstraint("round_id", "version"),)


class PlaceState(enum.StrEnum):
    """Where a partner stands in a round that accepted it."""

    # Accepted, but must still do something first: accept the terms, or take the award.
    OFFERED = "offered"
    ACTIVE = "active"
    # All is done: paid out, graduated, track ended, criteria met.
    COMPLETED = "completed"
    # Left, or was let go.
    ENDED = "ended"


class RoundPlace(Base):
    """A partner that was accepted in a round."""

    __tablename__ = "round_place"

    id: Mapped[int] = mapped_column(Id, primary_key=True, autoincrement=True)
    public_id: Mapped[str] = mapped_column(String(40), unique=True)
    round_id: Mapped[int] = mapped_column(ForeignKey("program_round.id"), index=True)
    application_id: Mapped[int] = mapped_column(ForeignKey("application.id"), unique=True)
    organization_id: Mapped[int] = mapped_column(ForeignKey("organization.id"), index=True)
    state: Mapped[PlaceState] = mapped_column(text_enum(PlaceState), default=PlaceState.OFFERED)
    # What was granted, in minor units of the round's currency; grants alone have it.
    award: Mapped[int] = mapped_column(BigInteger, default=0)
    mentor_user_id: Mapped[int | None] = mapped_column(ForeignKey("user_account.id"))
    # The version of the terms in force for this place; 0: none were accepted.
    terms_version: Mapped[int] = mapped_column(default=0)
    started_at: Mapped[datetime | None]
    ends_at: Mapped[datetime | None] = mapped_column(index=True)
    completed_at: Mapped[datetime | None]
    # An accelerator's figures: [{"metric", "name", "unit", "target", "start", "end"}].
    figures: Mapped[list[dict[str, Any]]]
    # What came of it, e.g. the slug of the drafted listing.
    outcome: Mapped[str] = mapped_column(String(200), default="")
    created_at: Mapped[datetime] = mapped_column(default=clock.now)


class TermsAcceptance(Base):
    """Who accepted which version of the terms, and when. Append-only."""

    __tablename__ = "terms_acceptance"

    id: Mapped[int] = mapped_column(Id, primary_key=True, autoincrement=True)
    place_id: Mapped[int] = mapped_column(ForeignKey("round_place.id"))
    version: Mapped[int]
    # SHA-256 of the text that was shown.
    digest: Mapped[str] = mapped_column(String(64))
    user_id: Mapped[int] = mapped_column(Id)
    at: Mapped[datetime] = mapped_column(default=clock.now)

    __table_args__ = (UniqueConstraint("place_id", "version"),)


class MilestoneState(enum.StrEnum):
    """Where a milestone stands."""

    OPEN = "open"
    # Evidence was handed in and waits for the operator.
    SUBMITTED = "submitted"
    # The evidence was not enough; the partner may hand in again.
    RETURNED = "returned"
    ACCEPTED = "accepted"
    # A gate whose day passed without being accepted: what follows is blocked.
    MISSED = "missed"


class Milestone(Base):
    """Something that a partner in a round must show: a milestone of a grant, a gate of an
    incubator, or a criterion of a proof of concept."""

    __tablename__ = "milestone"

    id: Mapped[int] = mapped_column(Id, primary_key=True, autoincrement=True)
    public_id: Mapped[str] = mapped_column(String(40), unique=True)
    place_id: Mapped[int] = mapped_column(ForeignKey("round_place.id"))
    position: Mapped[int]
    title: Mapped[str] = mapped_column(String(160))
    text: Mapped[str] = mapped_column(Text, default="")
    # What a criterion measures and must reach, e.g. "Orders synced in a day" and "1,000".
    target: Mapped[str] = mapped_column(String(160), default="")
    due_at: Mapped[datetime | None] = mapped_column(index=True)
    # What a grant pays for it, in minor units of the round's currency.
    amount: Mapped[int] = mapped_column(BigInteger, default=0)
    state: Mapped[MilestoneState] = mapped_column(
        text_enum(MilestoneState), default=MilestoneState.OPEN
    )
    evidence: Mapped[str] = mapped_column(Text, default="")
    evidence_url: Mapped[str] = mapped_column(String(500), default="")
    submitted_at: Mapped[datetime | None]
    submitted_by_id: Mapped[int | None] = mapped_column(Id)
    note: Mapped[str] = mapped_column(Text, default="")
    decided_at: Mapped[datetime | None]
    decided_by_id: Mapped[int | None] = mapped_column(Id)
    # The posting of the ledger that paid it.
    paid_at: Mapped[datetime | None]

    __table_args__ = (UniqueConstraint("place_id", "position"),)


append_only(RoundTerms)
append_only(TermsAcceptance)
