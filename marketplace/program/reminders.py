"""Reminders that went out: each at most once, for a thing and the day that it is due."""

from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, String, UniqueConstraint, delete, select
from sqlalchemy.orm import Mapped, mapped_column

from marketplace.core import clock
from marketplace.core.database import Base, Id, db
from marketplace.core.once import insert_if_new

# A day that lies so far back does not come again.
KEPT = timedelta(days=400)


class Reminder(Base):
    """That somebody was reminded. A thing that gets another day is reminded of again."""

    __tablename__ = "program_reminder"

    id: Mapped[int] = mapped_column(Id, primary_key=True, autoincrement=True)
    # What it is of, e.g. `gate`, and the row's id.
    kind: Mapped[str] = mapped_column(String(20))
    subject_id: Mapped[int] = mapped_column(Id)
    due_at: Mapped[datetime]
    at: Mapped[datetime] = mapped_column(default=clock.now)

    __table_args__ = (UniqueConstraint("kind", "subject_id", "due_at"),)


def not_reminded(kind: str, subject_id: Any, due_at: Any) -> ColumnElement[bool]:
    """Whether nobody was reminded of a row yet, for a query of such rows."""
    return ~(
        select(Reminder.id)
        .where(Reminder.kind == kind, Reminder.subject_id == subject_id, Reminder.due_at == due_at)
        .exists()
    )


def forget_old_ones() -> None:
    """Forget reminders of days that passed long ago."""
    db.session.execute(delete(Reminder).where(Reminder.due_at < clock.now() - KEPT))


def remind_once(kind: str, subject_id: int, due_at: datetime) -> bool:
    """Note that a reminder goes out now; False when it did before, or another worker is at it."""
    made = insert_if_new(Reminder, kind=kind, subject_id=subject_id, due_at=due_at, at=clock.now())
    return made is not None
