"""Revisions: what a listing shall say next, and how its review went."""

import enum
from datetime import datetime
from typing import Any

from sqlalchemy import ForeignKey, Index, String, Text, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column, relationship

from marketplace.catalogue.models.listing import Listing
from marketplace.core import clock
from marketplace.core.database import Base, Id, text_enum
from marketplace.identity.models import User


class RevisionState(enum.StrEnum):
    """draft > submitted > in_review > approved > published; changes_requested goes round again."""

    DRAFT = "draft"
    SUBMITTED = "submitted"
    IN_REVIEW = "in_review"
    CHANGES_REQUESTED = "changes_requested"
    APPROVED = "approved"
    PUBLISHED = "published"
    DISCARDED = "discarded"


OPEN_STATES = (
    RevisionState.DRAFT,
    RevisionState.SUBMITTED,
    RevisionState.IN_REVIEW,
    RevisionState.CHANGES_REQUESTED,
    RevisionState.APPROVED,
)


class Revision(Base):
    """One proposed content of a listing. A listing has at most one open revision."""

    __tablename__ = "revision"
    __table_args__ = (
        UniqueConstraint("listing_id", "number"),
        Index(
            "uq_revision_open",
            "listing_id",
            unique=True,
            sqlite_where=text("state NOT IN ('published', 'discarded')"),
            postgresql_where=text("state NOT IN ('published', 'discarded')"),
        ),
        Index("ix_revision_state_submitted_at", "state", "submitted_at"),
    )

    id: Mapped[int] = mapped_column(Id, primary_key=True, autoincrement=True)
    listing_id: Mapped[int] = mapped_column(ForeignKey("listing.id"))
    number: Mapped[int]
    state: Mapped[RevisionState] = mapped_column(
        text_enum(RevisionState), default=RevisionState.DRAFT
    )
    # May be incomplete while it is a draft; validated as ListingContent at submission.
    content: Mapped[dict[str, Any]] = mapped_column(default=dict)
    # What the listing said when the draft began: the difference is shown against it.
    base_content: Mapped[dict[str, Any]] = mapped_column(default=dict)
    # Counts saves; an editor who saves over somebody else's save is told.
    lock_version: Mapped[int] = mapped_column(default=1)
    created_by_id: Mapped[int | None] = mapped_column(ForeignKey("user_account.id"))
    updated_by_id: Mapped[int | None] = mapped_column(ForeignKey("user_account.id"))
    submitted_by_id: Mapped[int | None] = mapped_column(ForeignKey("user_account.id"))
    reviewer_id: Mapped[int | None] = mapped_column(ForeignKey("user_account.id"))
    first_approval_by_id: Mapped[int | None] = mapped_column(ForeignKey("user_account.id"))
    changed_fields: Mapped[list[str]] = mapped_column(default=list)
    # Why it needs review or a second pair of eyes: new_listing, sensitive, new_scopes, close_name …
    review_reasons: Mapped[list[str]] = mapped_column(default=list)
    needs_second_approval: Mapped[bool] = mapped_column(default=False)
    sampled: Mapped[bool] = mapped_column(default=False)
    sample_checked_at: Mapped[datetime | None]
    checklist: Mapped[dict[str, Any]] = mapped_column(default=dict)
    note_to_reviewer: Mapped[str] = mapped_column(Text, default="")
    created_at: Mapped[datetime] = mapped_column(default=clock.now)
    updated_at: Mapped[datetime] = mapped_column(default=clock.now, onupdate=clock.now)
    submitted_at: Mapped[datetime | None]
    review_started_at: Mapped[datetime | None]
    decided_at: Mapped[datetime | None]
    published_at: Mapped[datetime | None]

    listing: Mapped[Listing] = relationship(foreign_keys=[listing_id])
    created_by: Mapped[User | None] = relationship(foreign_keys=[created_by_id])
    updated_by: Mapped[User | None] = relationship(foreign_keys=[updated_by_id])
    submitted_by: Mapped[User | None] = relationship(foreign_keys=[submitted_by_id])
    reviewer: Mapped[User | None] = relationship(foreign_keys=[reviewer_id])
    events: Mapped[list["RevisionEvent"]] = relationship(
        back_populates="revision", order_by="RevisionEvent.id"
    )

    @property
    def is_open(self) -> bool:
        return self.state in OPEN_STATES

    @property
    def is_editable(self) -> bool:
        """Whether its publisher may change it now."""
        return self.state in (RevisionState.DRAFT, RevisionState.CHANGES_REQUESTED)


class RevisionEvent(Base):
    """A step or a note in a revision's review. Notes with `for_partner` are theirs to read."""

    __tablename__ = "revision_event"

    id: Mapped[int] = mapped_column(Id, primary_key=True, autoincrement=True)
    revision_id: Mapped[int] = mapped_column(ForeignKey("revision.id"), index=True)
    # submitted, withdrawn, review_started, note, changes_requested, approved, published …
    kind: Mapped[str] = mapped_column(String(40))
    author_id: Mapped[int | None] = mapped_column(ForeignKey("user_account.id"))
    body: Mapped[str] = mapped_column(Text, default="")
    # Comments at fields, by the field's name.
    field_notes: Mapped[dict[str, Any]] = mapped_column(default=dict)
    for_partner: Mapped[bool] = mapped_column(default=True)
    created_at: Mapped[datetime] = mapped_column(default=clock.now)

    revision: Mapped[Revision] = relationship(back_populates="events")
    author: Mapped[User | None] = relationship()
