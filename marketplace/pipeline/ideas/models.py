"""Ideas: what customers ask for, who builds it, and what came of it."""

import enum
from datetime import datetime

from sqlalchemy import ForeignKey, Index, String, Text, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from marketplace.core import clock
from marketplace.core.append_only import append_only
from marketplace.core.database import Base, Id, text_enum


class IdeaState(enum.StrEnum):
    """Where an idea stands."""

    # Somebody proposed it; the staff has not looked yet, and nobody else sees it.
    PROPOSED = "proposed"
    OPEN = "open"
    CLAIMED = "claimed"
    # A listing does it now.
    LISTED = "listed"
    DECLINED = "declined"


# What the public sees.
SHOWN = (IdeaState.OPEN, IdeaState.CLAIMED, IdeaState.LISTED)
BUILDABLE = (IdeaState.OPEN, IdeaState.CLAIMED)


class Idea(Base):
    """Something to build. Requests of customers and votes of its own stand behind it."""

    __tablename__ = "idea"

    id: Mapped[int] = mapped_column(Id, primary_key=True, autoincrement=True)
    public_id: Mapped[str] = mapped_column(String(40), unique=True)
    title: Mapped[str] = mapped_column(String(120))
    text: Mapped[str] = mapped_column(Text, default="")
    state: Mapped[IdeaState] = mapped_column(text_enum(IdeaState), default=IdeaState.OPEN)
    # What the staff says of it, e.g. why it was declined.
    note: Mapped[str] = mapped_column(Text, default="")
    created_at: Mapped[datetime] = mapped_column(default=clock.now)
    created_by_id: Mapped[int | None] = mapped_column(ForeignKey("user_account.id"))
    opened_at: Mapped[datetime | None]
    listing_id: Mapped[int | None] = mapped_column(ForeignKey("listing.id"), index=True)
    listed_at: Mapped[datetime | None]
    # When everybody who asked or voted was told of the listing.
    told_at: Mapped[datetime | None]
    # Its own votes; those of its requests come on top.
    vote_count: Mapped[int] = mapped_column(default=0)

    __table_args__ = (Index("ix_idea_state", "state", "id"),)


class IdeaRequest(Base):
    """A customers' request that an idea answers. A request belongs to one idea."""

    __tablename__ = "idea_request"

    request_id: Mapped[int] = mapped_column(
        ForeignKey("integration_request.id", ondelete="CASCADE"), primary_key=True
    )
    idea_id: Mapped[int] = mapped_column(ForeignKey("idea.id"), index=True)
    created_at: Mapped[datetime] = mapped_column(default=clock.now)


class IdeaVote(Base):
    """A person's vote for an idea, one each."""

    __tablename__ = "idea_vote"

    idea_id: Mapped[int] = mapped_column(ForeignKey("idea.id"), primary_key=True)
    user_id: Mapped[int] = mapped_column(ForeignKey("user_account.id"), primary_key=True)
    organization_id: Mapped[int | None] = mapped_column(ForeignKey("organization.id"))
    created_at: Mapped[datetime] = mapped_column(default=clock.now)


class ClaimState(enum.StrEnum):
    """Where a claim stands."""

    ACTIVE = "active"
    # Its day passed without a report.
    LAPSED = "lapsed"
    RELEASED = "released"
    # The listing is there.
    FULFILLED = "fulfilled"


class IdeaClaim(Base):
    """A partner builds it. `active_idea_id` is the idea's id while the claim is active: there is
    one at a time."""

    __tablename__ = "idea_claim"

    id: Mapped[int] = mapped_column(Id, primary_key=True, autoincrement=True)
    public_id: Mapped[str] = mapped_column(String(40), unique=True)
    idea_id: Mapped[int] = mapped_column(ForeignKey("idea.id"), index=True)
    active_idea_id: Mapped[int | None] = mapped_column(Id, unique=True)
    organization_id: Mapped[int] = mapped_column(ForeignKey("organization.id"), index=True)
    by_user_id: Mapped[int | None] = mapped_column(Id)
    state: Mapped[ClaimState] = mapped_column(text_enum(ClaimState), default=ClaimState.ACTIVE)
    claimed_at: Mapped[datetime] = mapped_column(default=clock.now)
    # Nobody else can claim it until then; a report of progress moves it on.
    protected_until: Mapped[datetime] = mapped_column(index=True)
    reminded_at: Mapped[datetime | None]
    ended_at: Mapped[datetime | None]


class IdeaReport(Base):
    """What a partner says of its progress. Append-only."""

    __tablename__ = "idea_report"

    id: Mapped[int] = mapped_column(Id, primary_key=True, autoincrement=True)
    claim_id: Mapped[int] = mapped_column(ForeignKey("idea_claim.id"), index=True)
    text: Mapped[str] = mapped_column(Text)
    by_user_id: Mapped[int | None] = mapped_column(Id)
    at: Mapped[datetime] = mapped_column(default=clock.now)


class LinkKind(enum.StrEnum):
    """A step on the way from an idea to a listing."""

    PROOF = "proof"  # a place in a round of proofs of concept
    FUNDING = "funding"  # a place in a round of grants, an incubator or an accelerator
    LISTING = "listing"


class IdeaLink(Base):
    """What an idea led to: the id of a `round_place` or of a listing."""

    __tablename__ = "idea_link"

    id: Mapped[int] = mapped_column(Id, primary_key=True, autoincrement=True)
    idea_id: Mapped[int] = mapped_column(ForeignKey("idea.id"))
    claim_id: Mapped[int] = mapped_column(ForeignKey("idea_claim.id"))
    kind: Mapped[LinkKind] = mapped_column(text_enum(LinkKind))
    target_id: Mapped[int] = mapped_column(Id)
    by_user_id: Mapped[int | None] = mapped_column(Id)
    created_at: Mapped[datetime] = mapped_column(default=clock.now)

    __table_args__ = (
        UniqueConstraint("claim_id", "kind"),
        Index("ix_idea_link_target", "kind", "target_id"),
    )


class IdeaWatch(Base):
    """Somebody of a partner wants to know when an idea is free again."""

    __tablename__ = "idea_watch"

    idea_id: Mapped[int] = mapped_column(ForeignKey("idea.id"), primary_key=True)
    user_id: Mapped[int] = mapped_column(ForeignKey("user_account.id"), primary_key=True)
    created_at: Mapped[datetime] = mapped_column(default=clock.now)


append_only(IdeaReport)
