"""Fee schedules: versions of what the platform takes, each in force from a day on."""

import enum
from datetime import datetime
from typing import Any

from sqlalchemy import BigInteger, ForeignKey, Index, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column, relationship

from marketplace.core import clock
from marketplace.core.database import Base, Id, text_enum


class FeeKind(enum.StrEnum):
    """What a fee is for. All but `sale` are paid by the partner at once."""

    SALE = "sale"
    APPLICATION = "application"
    CERTIFICATION = "certification"
    LISTING = "listing"
    SUPPORT_PACK = "support_pack"


class ScheduleState(enum.StrEnum):
    """A published schedule never changes."""

    DRAFT = "draft"
    PUBLISHED = "published"


class FeeSchedule(Base):
    """One version of all fees. The newest published one whose day has come is in force."""

    __tablename__ = "fee_schedule"

    id: Mapped[int] = mapped_column(Id, primary_key=True, autoincrement=True)
    version: Mapped[int] = mapped_column(unique=True)
    name: Mapped[str] = mapped_column(String(80))
    note: Mapped[str] = mapped_column(String(500), default="")
    state: Mapped[ScheduleState] = mapped_column(
        text_enum(ScheduleState), default=ScheduleState.DRAFT
    )
    effective_from: Mapped[datetime | None] = mapped_column(index=True)
    created_by_id: Mapped[int | None] = mapped_column(Id)
    created_at: Mapped[datetime] = mapped_column(default=clock.now)
    published_by_id: Mapped[int | None] = mapped_column(Id)
    published_at: Mapped[datetime | None]

    rules: Mapped[list["FeeRule"]] = relationship(
        back_populates="schedule", order_by="FeeRule.id", cascade="all, delete-orphan"
    )


class FeeRule(Base):
    """A fee for a partner type and tier; empty means any. The most exact rule counts."""

    __tablename__ = "fee_rule"
    __table_args__ = (UniqueConstraint("schedule_id", "kind", "partner_type", "tier", "currency"),)

    id: Mapped[int] = mapped_column(Id, primary_key=True, autoincrement=True)
    schedule_id: Mapped[int] = mapped_column(ForeignKey("fee_schedule.id"))
    kind: Mapped[FeeKind] = mapped_column(text_enum(FeeKind))
    partner_type: Mapped[str] = mapped_column(String(40), default="")
    tier: Mapped[str] = mapped_column(String(40), default="")
    # Empty: a share only, in every currency. A fixed amount needs its currency.
    currency: Mapped[str] = mapped_column(String(3), default="")
    bps: Mapped[int] = mapped_column(default=0)
    fixed: Mapped[int] = mapped_column(BigInteger, default=0)
    # Days that a publisher's share is held before it can be paid out (kind `sale`).
    hold_days: Mapped[int] = mapped_column(default=14)

    schedule: Mapped[FeeSchedule] = relationship(back_populates="rules")


class FeeSimulation(Base):
    """A schedule's rules on past sales, from partner to partner; `last_partner_id` is how far. The
    last one of a schedule and a number of months."""

    __tablename__ = "fee_simulation"
    __table_args__ = (UniqueConstraint("schedule_id", "months"),)

    id: Mapped[int] = mapped_column(Id, primary_key=True, autoincrement=True)
    schedule_id: Mapped[int] = mapped_column(ForeignKey("fee_schedule.id"))
    months: Mapped[int]
    # {"of": [rules]} as they were when it began; a draft may have changed since.
    rules: Mapped[dict[str, Any]]
    since: Mapped[datetime]
    until: Mapped[datetime]
    total: Mapped[int] = mapped_column(default=0)
    done: Mapped[int] = mapped_column(default=0)
    last_partner_id: Mapped[int] = mapped_column(Id, default=0)
    # {currency: {month: [lines, base, fees before, fees after]}}
    figures: Mapped[dict[str, Any]] = mapped_column(default=dict)
    created_by_id: Mapped[int | None] = mapped_column(Id)
    created_at: Mapped[datetime] = mapped_column(default=clock.now)
    finished_at: Mapped[datetime | None]


class FeeSimulationPartner(Base):
    """What a simulated schedule means for one partner in one currency; minor units."""

    __tablename__ = "fee_simulation_partner"
    __table_args__ = (Index("ix_fee_simulation_partner_of", "simulation_id", "currency"),)

    id: Mapped[int] = mapped_column(Id, primary_key=True, autoincrement=True)
    simulation_id: Mapped[int] = mapped_column(ForeignKey("fee_simulation.id"))
    partner_id: Mapped[int] = mapped_column(Id)
    # As it was when the schedule was tried.
    partner_type: Mapped[str] = mapped_column(String(40), default="")
    currency: Mapped[str] = mapped_column(String(3))
    lines: Mapped[int]
    base: Mapped[int] = mapped_column(BigInteger)
    before: Mapped[int] = mapped_column(BigInteger)
    after: Mapped[int] = mapped_column(BigInteger)

    @property
    def difference(self) -> int:
        """How much more the partner would have paid; below zero for less."""
        return self.after - self.before
