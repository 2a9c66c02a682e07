"""Applications: for joining, and for a place in a round. Form and stages are frozen in the row."""

import enum
from datetime import datetime
from typing import Any

from sqlalchemy import BigInteger, ForeignKey, Index, String, Text, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from marketplace.core import clock
from marketplace.core.append_only import append_only
from marketplace.core.database import Base, Id, text_enum


class ApplicationState(enum.StrEnum):
    """Where an application stands. The last three are final."""

    # Waits for its fee; nobody looks at it, and the review clock stands.
    FEE_DUE = "fee_due"
    IN_REVIEW = "in_review"
    # The applicant was asked something; the review clock stands.
    MORE_ASKED = "more_asked"
    ACCEPTED = "accepted"
    DECLINED = "declined"
    WITHDRAWN = "withdrawn"


OPEN = (ApplicationState.FEE_DUE, ApplicationState.IN_REVIEW, ApplicationState.MORE_ASKED)
FINAL = (ApplicationState.ACCEPTED, ApplicationState.DECLINED, ApplicationState.WITHDRAWN)


class Application(Base):
    """One application.

    `kind`: "admission:<partner type>" for joining, "program:<public id of the round>" for a place
    in a round. `stage` is the key of the stage it is in, empty when there are none.
    """

    __tablename__ = "application"

    id: Mapped[int] = mapped_column(Id, primary_key=True, autoincrement=True)
    public_id: Mapped[str] = mapped_column(String(40), unique=True)
    kind: Mapped[str] = mapped_column(String(60), index=True)
    title: Mapped[str] = mapped_column(String(160))
    # None: somebody who has no organization here yet.
    organization_id: Mapped[int | None] = mapped_column(ForeignKey("organization.id"), index=True)
    applicant_user_id: Mapped[int | None] = mapped_column(ForeignKey("user_account.id"))
    email: Mapped[str] = mapped_column(String(254), default="")
    name: Mapped[str] = mapped_column(String(120), default="")
    answers: Mapped[dict[str, Any]]
    # `FormField`s and `Stage`s of the policy or the round, as they were when it was opened.
    form: Mapped[list[dict[str, Any]]]
    stages: Mapped[list[dict[str, Any]]]
    stage: Mapped[str] = mapped_column(String(40), default="")
    state: Mapped[ApplicationState] = mapped_column(
        text_enum(ApplicationState), default=ApplicationState.IN_REVIEW
    )
    # SHA-256 of the secret in the status link.
    status_token_hash: Mapped[str] = mapped_column(String(64), unique=True)
    # The secret itself, sealed, for the links in later mails.
    status_token_sealed: Mapped[str] = mapped_column(String(300))
    # Who applies for what, while it is not decided; nobody applies twice at once.
    open_key: Mapped[str | None] = mapped_column(String(330), unique=True)
    round_id: Mapped[int | None] = mapped_column(ForeignKey("program_round.id"), index=True)
    submitted_at: Mapped[datetime] = mapped_column(default=clock.now)
    # When it came into the queue: the fee was paid, or none was due.
    queued_at: Mapped[datetime | None] = mapped_column(index=True)
    # Days within which a decision is promised; None: nothing is promised.
    review_days: Mapped[int | None]
    # By when the operator promised a decision; moved on by the time it waited for the applicant.
    promised_until: Mapped[datetime | None] = mapped_column(index=True)
    asked_at: Mapped[datetime | None]
    missed_at: Mapped[datetime | None]
    decided_at: Mapped[datetime | None]
    decided_by_id: Mapped[int | None] = mapped_column(Id)
    # What the applicant was written with the decision.
    letter: Mapped[str] = mapped_column(Text, default="")
    # The fee: minor units without tax as they stood when it became due, and the order that paid it.
    fee_amount: Mapped[int] = mapped_column(BigInteger, default=0)
    fee_currency: Mapped[str] = mapped_column(String(3), default="")
    fee_order_id: Mapped[int | None] = mapped_column(Id, unique=True)
    fee_refunded_at: Mapped[datetime | None]

    __table_args__ = (
        Index("ix_application_state_queued", "state", "queued_at"),
        Index("ix_application_organization_kind", "organization_id", "kind"),
    )

    @property
    def is_open(self) -> bool:
        """Whether it is not decided yet."""
        return self.state in OPEN


class ApplicationReview(Base):
    """What one reviewer found in one stage. `score` is the mean of `scores`, in percent; None for
    a review without scores."""

    __tablename__ = "application_review"

    id: Mapped[int] = mapped_column(Id, primary_key=True, autoincrement=True)
    application_id: Mapped[int] = mapped_column(ForeignKey("application.id"))
    stage: Mapped[str] = mapped_column(String(40))
    reviewer_id: Mapped[int] = mapped_column(ForeignKey("user_account.id"), index=True)
    # Criterion: 0 to 100.
    scores: Mapped[dict[str, Any]]
    score: Mapped[int]
    comment: Mapped[str] = mapped_column(Text, default="")
    created_at: Mapped[datetime] = mapped_column(default=clock.now)

    __table_args__ = (UniqueConstraint("application_id", "stage", "reviewer_id"),)


class ReviewerAssignment(Base):
    """Who is to look at an application."""

    __tablename__ = "reviewer_assignment"

    id: Mapped[int] = mapped_column(Id, primary_key=True, autoincrement=True)
    application_id: Mapped[int] = mapped_column(ForeignKey("application.id"))
    user_id: Mapped[int] = mapped_column(ForeignKey("user_account.id"), index=True)
    # None: chosen by load.
    assigned_by_id: Mapped[int | None] = mapped_column(Id)
    created_at: Mapped[datetime] = mapped_column(default=clock.now)

    __table_args__ = (UniqueConstraint("application_id", "user_id"),)


class InterestConflict(Base):
    """A reviewer said that they must not judge an application. It is not taken back."""

    __tablename__ = "interest_conflict"

    id: Mapped[int] = mapped_column(Id, primary_key=True, autoincrement=True)
    application_id: Mapped[int] = mapped_column(ForeignKey("application.id"))
    user_id: Mapped[int] = mapped_column(ForeignKey("user_account.id"))
    reason: Mapped[str] = mapped_column(String(300))
    created_at: Mapped[datetime] = mapped_column(default=clock.now)

    __table_args__ = (UniqueConstraint("application_id", "user_id"),)


class EntryKind(enum.StrEnum):
    """What happened to an application."""

    SUBMITTED = "submitted"
    FEE_PAID = "fee_paid"
    ASSIGNED = "assigned"
    CONFLICT = "conflict"
    SCORED = "scored"
    ADVANCED = "advanced"
    ASKED = "asked"
    ANSWERED = "answered"
    ACCEPTED = "accepted"
    DECLINED = "declined"
    WITHDRAWN = "withdrawn"
    PROMISE_MISSED = "promise_missed"
    FEE_REFUNDED = "fee_refunded"


# What the applicant sees of the history.
FOR_APPLICANTS = (
    EntryKind.SUBMITTED,
    EntryKind.FEE_PAID,
    EntryKind.ADVANCED,
    EntryKind.ASKED,
    EntryKind.ANSWERED,
    EntryKind.ACCEPTED,
    EntryKind.DECLINED,
    EntryKind.WITHDRAWN,
    EntryKind.PROMISE_MISSED,
    EntryKind.FEE_REFUNDED,
)


class ApplicationEntry(Base):
    """A line of an application's history; questions and answers are its texts. Append-only."""

    __tablename__ = "application_entry"

    id: Mapped[int] = mapped_column(Id, primary_key=True, autoincrement=True)
    application_id: Mapped[int] = mapped_column(ForeignKey("application.id"), index=True)
    kind: Mapped[EntryKind] = mapped_column(text_enum(EntryKind))
    stage: Mapped[str] = mapped_column(String(40), default="")
    text: Mapped[str] = mapped_column(Text, default="")
    by_user_id: Mapped[int | None] = mapped_column(Id)
    at: Mapped[datetime] = mapped_column(default=clock.now)


append_only(ApplicationEntry)
