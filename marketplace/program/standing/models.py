"""A partner's standing, its evaluations and its moves."""

import enum
from datetime import datetime
from typing import Any

from sqlalchemy import ForeignKey, Index, String, Text
from sqlalchemy.orm import Mapped, mapped_column

from marketplace.core import clock
from marketplace.core.append_only import append_only
from marketplace.core.database import Base, Id, text_enum


class StandingState(enum.StrEnum):
    """Whether a partner takes part."""

    # Admitted, but must still pass something by `provisional_until`.
    PROVISIONAL = "provisional"
    ACTIVE = "active"
    # Its provisional time ended without what it had to pass.
    LAPSED = "lapsed"
    # Left, or was let go; may come back.
    ENDED = "ended"


class Standing(Base):
    """A partner in the program. Its type is `organization.partner_type`."""

    __tablename__ = "standing"

    id: Mapped[int] = mapped_column(Id, primary_key=True, autoincrement=True)
    organization_id: Mapped[int] = mapped_column(ForeignKey("organization.id"), unique=True)
    state: Mapped[StandingState] = mapped_column(text_enum(StandingState), index=True)
    tier: Mapped[str] = mapped_column(String(40), index=True)
    joined_at: Mapped[datetime] = mapped_column(default=clock.now)
    provisional_until: Mapped[datetime | None] = mapped_column(index=True)
    # While this lies ahead, `tier` is kept although only `grace_tier` is earned.
    grace_until: Mapped[datetime | None] = mapped_column(index=True)
    grace_tier: Mapped[str | None] = mapped_column(String(40))
    points: Mapped[int] = mapped_column(default=0)
    evaluated_at: Mapped[datetime | None]
    evaluation_id: Mapped[int | None] = mapped_column(Id)


class Evaluation(Base):
    """What a partner was found to have earned at a moment, and by which policy. Append-only: a
    later version of the policy never changes it."""

    __tablename__ = "evaluation"

    id: Mapped[int] = mapped_column(Id, primary_key=True, autoincrement=True)
    organization_id: Mapped[int] = mapped_column(Id)
    policy_id: Mapped[int] = mapped_column(ForeignKey("policy_version.id"))
    partner_type: Mapped[str | None] = mapped_column(String(40))
    at: Mapped[datetime]
    # Metric: value; a metric without a value is not there.
    values: Mapped[dict[str, Any]]
    points: Mapped[int]
    earned_tier: Mapped[str] = mapped_column(String(40))

    __table_args__ = (Index("ix_evaluation_organization_at", "organization_id", "at"),)


class MoveKind(enum.StrEnum):
    """What happened to a standing."""

    JOINED = "joined"
    PROMOTED = "promoted"
    GRACE_BEGAN = "grace_began"
    GRACE_ENDED = "grace_ended"  # it meets its tier again
    DEMOTED = "demoted"
    OVERRIDDEN = "overridden"
    OVERRIDE_ENDED = "override_ended"
    CONFIRMED = "confirmed"  # passed what it had to while provisional
    LAPSED = "lapsed"
    ENDED = "ended"
    TYPE_CHANGED = "type_changed"


class StandingMove(Base):
    """One move, and why. Append-only."""

    __tablename__ = "standing_move"

    id: Mapped[int] = mapped_column(Id, primary_key=True, autoincrement=True)
    organization_id: Mapped[int] = mapped_column(Id)
    kind: Mapped[MoveKind] = mapped_column(text_enum(MoveKind))
    from_tier: Mapped[str | None] = mapped_column(String(40))
    to_tier: Mapped[str | None] = mapped_column(String(40))
    # What the partner was then.
    partner_type: Mapped[str | None] = mapped_column(String(40))
    policy_id: Mapped[int | None] = mapped_column(ForeignKey("policy_version.id"))
    evaluation_id: Mapped[int | None] = mapped_column(Id)
    reason: Mapped[str] = mapped_column(Text, default="")
    by_user_id: Mapped[int | None] = mapped_column(Id)
    at: Mapped[datetime] = mapped_column(default=clock.now)

    __table_args__ = (Index("ix_standing_move_organization_at", "organization_id", "at"),)


class TierOverride(Base):
    """A tier given by a person for a while: the evaluation does not move it until it expires."""

    __tablename__ = "tier_override"

    id: Mapped[int] = mapped_column(Id, primary_key=True, autoincrement=True)
    public_id: Mapped[str] = mapped_column(String(40), unique=True)
    organization_id: Mapped[int] = mapped_column(ForeignKey("organization.id"), index=True)
    tier: Mapped[str] = mapped_column(String(40))
    reason: Mapped[str] = mapped_column(Text)
    by_user_id: Mapped[int | None] = mapped_column(Id)
    created_at: Mapped[datetime] = mapped_column(default=clock.now)
    expires_at: Mapped[datetime] = mapped_column(index=True)
    ended_at: Mapped[datetime | None]
    ended_by_id: Mapped[int | None] = mapped_column(Id)
    # When an evaluation moved the partner on after the end.
    settled_at: Mapped[datetime | None]


append_only(Evaluation)
append_only(StandingMove)
