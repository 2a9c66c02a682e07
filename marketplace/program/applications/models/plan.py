"""Business plans: what a partner and the operator mean to do together in a year."""

import enum
from datetime import date, datetime
from typing import Any

from sqlalchemy import Date, ForeignKey, String, Text, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from marketplace.core import clock
from marketplace.core.database import Base, Id, text_enum


class PlanState(enum.StrEnum):
    """Where a plan stands."""

    DRAFT = "draft"
    SUBMITTED = "submitted"
    # The operator asks for changes.
    RETURNED = "returned"
    APPROVED = "approved"


class BusinessPlan(Base):
    """A partner's plan for a calendar year (UTC). `goals`: [{"metric", "name", "unit", "target"}]
    on metrics of the policy; an approved plan keeps them as they were."""

    __tablename__ = "business_plan"

    id: Mapped[int] = mapped_column(Id, primary_key=True, autoincrement=True)
    public_id: Mapped[str] = mapped_column(String(40), unique=True)
    organization_id: Mapped[int] = mapped_column(ForeignKey("organization.id"))
    year: Mapped[int]
    state: Mapped[PlanState] = mapped_column(text_enum(PlanState), default=PlanState.DRAFT)
    summary: Mapped[str] = mapped_column(Text, default="")
    goals: Mapped[list[dict[str, Any]]]
    # What the operator wrote with its last decision.
    note: Mapped[str] = mapped_column(Text, default="")
    created_at: Mapped[datetime] = mapped_column(default=clock.now)
    created_by_id: Mapped[int | None] = mapped_column(Id)
    submitted_at: Mapped[datetime | None] = mapped_column(index=True)
    submitted_by_id: Mapped[int | None] = mapped_column(Id)
    decided_at: Mapped[datetime | None]
    decided_by_id: Mapped[int | None] = mapped_column(Id)
    edition: Mapped[int] = mapped_column(default=1)

    __table_args__ = (UniqueConstraint("organization_id", "year"),)


class PlanActivity(Base):
    """Something that one side of a plan does by a day."""

    __tablename__ = "plan_activity"

    id: Mapped[int] = mapped_column(Id, primary_key=True, autoincrement=True)
    plan_id: Mapped[int] = mapped_column(ForeignKey("business_plan.id"), index=True)
    title: Mapped[str] = mapped_column(String(160))
    due_on: Mapped[date] = mapped_column(Date)
    # "partner" or "operator".
    side: Mapped[str] = mapped_column(String(10), default="partner")
    done_at: Mapped[datetime | None]
    done_by_id: Mapped[int | None] = mapped_column(Id)
