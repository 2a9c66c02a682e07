"""Activity reports: who gets them, and what they said when they were made."""

import enum
from datetime import datetime
from typing import Any

from sqlalchemy import ForeignKey, Index, String
from sqlalchemy.orm import Mapped, mapped_column

from marketplace.core import clock
from marketplace.core.append_only import append_only
from marketplace.core.database import Base, Id, text_enum


class ReportScope(enum.StrEnum):
    """Of whom a report is."""

    PARTNER = "partner"
    PROGRAM = "program"


class ReportSchedule(Base):
    """When the reports of a scope are made: on a day of the month after, at 06:00 UTC."""

    __tablename__ = "report_schedule"

    scope: Mapped[ReportScope] = mapped_column(text_enum(ReportScope), primary_key=True)
    is_on: Mapped[bool] = mapped_column(default=False)
    # Months whose moment had passed when it was switched on are left out.
    on_since: Mapped[datetime | None]
    day: Mapped[int] = mapped_column(default=1)
    # Staff who get them, beside the partners' owners and admins.
    staff_ids: Mapped[list[int]] = mapped_column(default=list)
    updated_at: Mapped[datetime] = mapped_column(default=clock.now, onupdate=clock.now)
    updated_by_id: Mapped[int | None] = mapped_column(Id)


class ActivityReport(Base):
    """A month as it stood when the report was made. Append-only: what came later changes nothing
    of it, and `digest` tells when somebody did all the same."""

    __tablename__ = "activity_report"

    id: Mapped[int] = mapped_column(Id, primary_key=True, autoincrement=True)
    public_id: Mapped[str] = mapped_column(String(40), unique=True)
    scope: Mapped[ReportScope] = mapped_column(text_enum(ReportScope))
    organization_id: Mapped[int | None] = mapped_column(ForeignKey("organization.id"))
    # Like 2026-10; a month of UTC.
    month: Mapped[str] = mapped_column(String(7), index=True)
    data: Mapped[dict[str, Any]]
    # SHA-256 of the data's canonical JSON.
    digest: Mapped[str] = mapped_column(String(64))
    made_at: Mapped[datetime] = mapped_column(default=clock.now)
    # None: the schedule made it.
    made_by_id: Mapped[int | None] = mapped_column(Id)
    # Names what made it: a month of the schedule, or the form that a person sent.
    cause: Mapped[str] = mapped_column(String(120), unique=True)

    __table_args__ = (Index("ix_activity_report_organization", "organization_id", "month"),)


append_only(ActivityReport)


class ReportSending(Base):
    """That a report was mailed to somebody."""

    __tablename__ = "report_sending"

    id: Mapped[int] = mapped_column(Id, primary_key=True, autoincrement=True)
    report_id: Mapped[int] = mapped_column(ForeignKey("activity_report.id"), index=True)
    user_id: Mapped[int] = mapped_column(Id)
    sent_at: Mapped[datetime] = mapped_column(default=clock.now)
    by_user_id: Mapped[int | None] = mapped_column(Id)
    key: Mapped[str] = mapped_column(String(120), unique=True)
