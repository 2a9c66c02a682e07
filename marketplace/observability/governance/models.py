"""Verifications of the audit chain."""

import enum
from datetime import datetime
from typing import Any

from sqlalchemy import String, Text
from sqlalchemy.orm import Mapped, mapped_column

from marketplace.core import clock
from marketplace.core.database import Base, Id, text_enum


class CheckState(enum.StrEnum):
    """Where a verification is."""

    WAITING = "waiting"
    RUNNING = "running"
    # Every fact is what was recorded.
    PASSED = "passed"
    # At least one is not, or it could not be finished (`problem` says why).
    FAILED = "failed"


class ChainCheck(Base):
    """One walk over all facts. `open_slot` is 1 while it is not over: one walk at a time."""

    __tablename__ = "chain_check"

    id: Mapped[int] = mapped_column(Id, primary_key=True, autoincrement=True)
    public_id: Mapped[str] = mapped_column(String(40), unique=True)
    state: Mapped[CheckState] = mapped_column(text_enum(CheckState), default=CheckState.WAITING)
    open_slot: Mapped[int | None] = mapped_column(unique=True)
    asked_at: Mapped[datetime] = mapped_column(default=clock.now)
    # Empty: the daily one.
    asked_by_id: Mapped[int | None] = mapped_column(Id)
    started_at: Mapped[datetime | None]
    finished_at: Mapped[datetime | None]
    looked_at: Mapped[int] = mapped_column(default=0)
    # How many facts there were when it began.
    total: Mapped[int] = mapped_column(default=0)
    # {"fact_id", "reason"}, the first hundred.
    broken: Mapped[list[dict[str, Any]]] = mapped_column(default=list)
    broken_count: Mapped[int] = mapped_column(default=0)
    # Why it could not be finished: the latest try of one that is under way, or the last of all.
    problem: Mapped[str] = mapped_column(Text, default="")
