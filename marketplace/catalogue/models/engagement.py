"""What people do with listings: use them, follow them, ask for new ones."""

import enum
from datetime import datetime

from sqlalchemy import CheckConstraint, ForeignKey, String, Text, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column, relationship

from marketplace.catalogue.models.listing import Listing
from marketplace.core import clock
from marketplace.core.database import Base, Id, text_enum
from marketplace.identity.models import Organization, User


class ListingUse(Base):
    """An organization uses a listing, as one of its admins declared; it entitles to a review."""

    __tablename__ = "listing_use"

    listing_id: Mapped[int] = mapped_column(ForeignKey("listing.id"), primary_key=True)
    organization_id: Mapped[int] = mapped_column(
        ForeignKey("organization.id"), primary_key=True, index=True
    )
    declared_by_id: Mapped[int | None] = mapped_column(ForeignKey("user_account.id"))
    since: Mapped[datetime] = mapped_column(default=clock.now)

    listing: Mapped[Listing] = relationship()
    organization: Mapped[Organization] = relationship()


class Follow(Base):
    """A person follows a listing or a publisher and is told of news."""

    __tablename__ = "follow"
    __table_args__ = (
        UniqueConstraint("user_id", "listing_id"),
        UniqueConstraint("user_id", "publisher_id"),
        CheckConstraint(
            "(listing_id IS NULL) <> (publisher_id IS NULL)", name="one_thing_is_followed"
        ),
    )

    id: Mapped[int] = mapped_column(Id, primary_key=True, autoincrement=True)
    user_id: Mapped[int] = mapped_column(ForeignKey("user_account.id"), index=True)
    listing_id: Mapped[int | None] = mapped_column(ForeignKey("listing.id"), index=True)
    publisher_id: Mapped[int | None] = mapped_column(ForeignKey("organization.id"), index=True)
    created_at: Mapped[datetime] = mapped_column(default=clock.now)
    # When the person was last mailed about it; news after this (or the follow) is untold.
    told_at: Mapped[datetime | None]

    user: Mapped[User] = relationship()
    listing: Mapped[Listing | None] = relationship()
    publisher: Mapped[Organization | None] = relationship()


class RequestState(enum.StrEnum):
    """What became of a requested integration."""

    OPEN = "open"
    PLANNED = "planned"
    BUILDING = "building"
    LISTED = "listed"
    DECLINED = "declined"


class IntegrationRequest(Base):
    """An integration that customers miss, with votes."""

    __tablename__ = "integration_request"

    id: Mapped[int] = mapped_column(Id, primary_key=True, autoincrement=True)
    name: Mapped[str] = mapped_column(String(80))
    # Case-folded, without punctuation: the same wish is one row.
    name_key: Mapped[str] = mapped_column(String(80), unique=True)
    details: Mapped[str] = mapped_column(Text, default="")
    state: Mapped[RequestState] = mapped_column(text_enum(RequestState), default=RequestState.OPEN)
    state_note: Mapped[str] = mapped_column(Text, default="")
    listing_id: Mapped[int | None] = mapped_column(ForeignKey("listing.id"))
    requested_by_id: Mapped[int | None] = mapped_column(ForeignKey("user_account.id"))
    vote_count: Mapped[int] = mapped_column(default=0, index=True)
    created_at: Mapped[datetime] = mapped_column(default=clock.now)

    listing: Mapped[Listing | None] = relationship()


class RequestVote(Base):
    """A person's vote for a requested integration, one each."""

    __tablename__ = "request_vote"

    request_id: Mapped[int] = mapped_column(ForeignKey("integration_request.id"), primary_key=True)
    user_id: Mapped[int] = mapped_column(ForeignKey("user_account.id"), primary_key=True)
    organization_id: Mapped[int | None] = mapped_column(ForeignKey("organization.id"))
    created_at: Mapped[datetime] = mapped_column(default=clock.now)
