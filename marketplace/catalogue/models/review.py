"""Ratings and reviews by organizations that use a listing."""

import enum
from datetime import datetime

from sqlalchemy import CheckConstraint, ForeignKey, Index, String, Text, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column, relationship

from marketplace.catalogue.models.listing import Listing
from marketplace.core import clock
from marketplace.core.database import Base, Id, text_enum
from marketplace.identity.models import Organization, User


class ReviewState(enum.StrEnum):
    """Whether a review is shown."""

    PUBLISHED = "published"
    REMOVED = "removed"


class FlagState(enum.StrEnum):
    """What became of a flag."""

    OPEN = "open"
    UPHELD = "upheld"
    DISMISSED = "dismissed"


class ListingReview(Base):
    """One organization's rating (1 to 5) and words on a listing."""

    __tablename__ = "listing_review"
    __table_args__ = (
        UniqueConstraint("listing_id", "organization_id"),
        CheckConstraint("rating BETWEEN 1 AND 5", name="rating_range"),
        Index("ix_listing_review_listing_created", "listing_id", "created_at"),
    )

    id: Mapped[int] = mapped_column(Id, primary_key=True, autoincrement=True)
    listing_id: Mapped[int] = mapped_column(ForeignKey("listing.id"))
    organization_id: Mapped[int] = mapped_column(ForeignKey("organization.id"), index=True)
    author_id: Mapped[int | None] = mapped_column(ForeignKey("user_account.id"))
    author_name: Mapped[str] = mapped_column(String(120))
    rating: Mapped[int]
    title: Mapped[str] = mapped_column(String(100), default="")
    body: Mapped[str] = mapped_column(Text, default="")
    state: Mapped[ReviewState] = mapped_column(
        text_enum(ReviewState), default=ReviewState.PUBLISHED
    )
    removed_reason: Mapped[str] = mapped_column(Text, default="")
    answer: Mapped[str] = mapped_column(Text, default="")
    answered_at: Mapped[datetime | None]
    answered_by_id: Mapped[int | None] = mapped_column(ForeignKey("user_account.id"))
    created_at: Mapped[datetime] = mapped_column(default=clock.now)
    edited_at: Mapped[datetime | None]

    listing: Mapped[Listing] = relationship()
    organization: Mapped[Organization] = relationship()
    author: Mapped[User | None] = relationship(foreign_keys=[author_id])


class ReviewFlag(Base):
    """A person's complaint about a review, one each."""

    __tablename__ = "review_flag"
    __table_args__ = (UniqueConstraint("review_id", "user_id"),)

    id: Mapped[int] = mapped_column(Id, primary_key=True, autoincrement=True)
    review_id: Mapped[int] = mapped_column(ForeignKey("listing_review.id"))
    user_id: Mapped[int] = mapped_column(ForeignKey("user_account.id"))
    reason: Mapped[str] = mapped_column(String(40))
    details: Mapped[str] = mapped_column(Text, default="")
    state: Mapped[FlagState] = mapped_column(text_enum(FlagState), default=FlagState.OPEN)
    decided_by_id: Mapped[int | None] = mapped_column(ForeignKey("user_account.id"))
    decided_at: Mapped[datetime | None]
    created_at: Mapped[datetime] = mapped_column(default=clock.now)

    review: Mapped[ListingReview] = relationship()
    user: Mapped[User] = relationship(foreign_keys=[user_id])
