"""Replays of the past under another policy, and what they found."""

import enum
from datetime import datetime
from typing import Any

from sqlalchemy import ForeignKey, Index, String
from sqlalchemy.orm import Mapped, mapped_column

from marketplace.core import clock
from marketplace.core.database import Base, Id, text_enum
from marketplace.program.standing.models import MoveKind


class ReplayState(enum.StrEnum):
    """Where a replay is."""

    RUNNING = "running"
    DONE = "done"
    # A person stopped it; what it found until then is not kept.
    STOPPED = "stopped"


class ReplayTrack(enum.StrEnum):
    """By which rules a move was made: the replayed policy's, or those that were in force."""

    DRAFT = "draft"
    LIVE = "live"


class Replay(Base):
    """The last months again, day by day, for all partners: by `document`, and beside it by the
    policies that were in force. It goes from batch to batch; `last_organization_id` is how far."""

    __tablename__ = "policy_replay"

    id: Mapped[int] = mapped_column(Id, primary_key=True, autoincrement=True)
    public_id: Mapped[str] = mapped_column(String(40), unique=True)
    name: Mapped[str] = mapped_column(String(120))
    # The policy as it was when the replay began; a draft may have changed since.
    document: Mapped[dict[str, Any]]
    digest: Mapped[str] = mapped_column(String(64))
    version_id: Mapped[int | None] = mapped_column(ForeignKey("policy_version.id"))
    months: Mapped[int]
    # Everybody for the whole time, as if they had joined before it.
    whole_period: Mapped[bool] = mapped_column(default=False)
    starts_at: Mapped[datetime]
    ends_at: Mapped[datetime]
    state: Mapped[ReplayState] = mapped_column(
        text_enum(ReplayState), default=ReplayState.RUNNING, index=True
    )
    total: Mapped[int] = mapped_column(default=0)
    done: Mapped[int] = mapped_column(default=0)
    last_organization_id: Mapped[int] = mapped_column(Id, default=0)
    # {"months": [labels], "draft": {tier: [partners at the end of each month]}, "live": likewise,
    # "draft_cost", "live_cost": [minor units a year], "agree": partners whose replayed tier is the
    # one that they have}.
    figures: Mapped[dict[str, Any]] = mapped_column(default=dict)
    created_by_id: Mapped[int | None] = mapped_column(Id)
    created_at: Mapped[datetime] = mapped_column(default=clock.now)
    finished_at: Mapped[datetime | None]


class ReplayMove(Base):
    """A move that a partner would have made, or made again, in a replay."""

    __tablename__ = "policy_replay_move"
    __table_args__ = (Index("ix_policy_replay_move_replay", "replay_id", "track", "at", "id"),)

    id: Mapped[int] = mapped_column(Id, primary_key=True, autoincrement=True)
    replay_id: Mapped[int] = mapped_column(ForeignKey("policy_replay.id"))
    track: Mapped[ReplayTrack] = mapped_column(text_enum(ReplayTrack))
    organization_id: Mapped[int] = mapped_column(Id)
    at: Mapped[datetime]
    kind: Mapped[MoveKind] = mapped_column(text_enum(MoveKind))
    from_tier: Mapped[str | None] = mapped_column(String(40))
    to_tier: Mapped[str | None] = mapped_column(String(40))


class ReplayDifference(Base):
    """A partner that ends a replay at another tier than by the rules that were in force. A tier is
    empty for who is out of the program by then."""

    __tablename__ = "policy_replay_difference"
    __table_args__ = (Index("ix_policy_replay_difference_replay", "replay_id", "id"),)

    id: Mapped[int] = mapped_column(Id, primary_key=True, autoincrement=True)
    replay_id: Mapped[int] = mapped_column(ForeignKey("policy_replay.id"))
    organization_id: Mapped[int] = mapped_column(Id)
    live_tier: Mapped[str] = mapped_column(String(40), default="")
    draft_tier: Mapped[str] = mapped_column(String(40), default="")
    points: Mapped[int] = mapped_column(default=0)


class MoversPreview(Base):
    """Who a draft would move, worked out batch by batch before it is published: for many partners
    that takes longer than a page may. Kept for a day."""

    __tablename__ = "policy_preview"

    id: Mapped[int] = mapped_column(Id, primary_key=True, autoincrement=True)
    public_id: Mapped[str] = mapped_column(String(40), unique=True)
    # No foreign key: a draft can be discarded meanwhile.
    version_id: Mapped[int] = mapped_column(Id, index=True)
    # The draft as it was then, and the public id of the version that it is compared with.
    document: Mapped[dict[str, Any]]
    digest: Mapped[str] = mapped_column(String(64))
    against: Mapped[str] = mapped_column(String(40), default="")
    # For which moment somebody asked; None: at once, which is the moment of asking.
    asked_for: Mapped[datetime | None]
    moment: Mapped[datetime]
    total: Mapped[int] = mapped_column(default=0)
    done: Mapped[int] = mapped_column(default=0)
    moved: Mapped[int] = mapped_column(default=0)
    last_organization_id: Mapped[int] = mapped_column(Id, default=0)
    created_by_id: Mapped[int | None] = mapped_column(Id)
    created_at: Mapped[datetime] = mapped_column(default=clock.now, index=True)
    finished_at: Mapped[datetime | None]


class PreviewedMove(Base):
    """A partner that a draft would move."""

    __tablename__ = "policy_preview_move"
    __table_args__ = (Index("ix_policy_preview_move_preview", "preview_id", "id"),)

    id: Mapped[int] = mapped_column(Id, primary_key=True, autoincrement=True)
    preview_id: Mapped[int] = mapped_column(ForeignKey("policy_preview.id"))
    organization_id: Mapped[int] = mapped_column(Id)
    from_tier: Mapped[str] = mapped_column(String(40), default="")
    to_tier: Mapped[str] = mapped_column(String(40), default="")
    points: Mapped[int] = mapped_column(default=0)
    anyway: Mapped[bool] = mapped_column(default=False)
