"""Seats of students."""

import enum
from datetime import datetime

from sqlalchemy import ForeignKey, String
from sqlalchemy.orm import Mapped, mapped_column, relationship

from marketplace.core import clock
from marketplace.core.database import Base, Id, text_enum
from marketplace.identity.models import Organization, User


class SeatState(enum.StrEnum):
    """Whether a seat gives what it should."""

    ACTIVE = "active"
    # The school is not verified now; the seat is kept, and gives nothing.
    FROZEN = "frozen"
    # Given back, or taken away.
    ENDED = "ended"


class Seat(Base):
    """A student's seat at a school, with the lab that it gives: an organization of the student's
    own, for training and the developer tools."""

    __tablename__ = "seat"

    id: Mapped[int] = mapped_column(Id, primary_key=True, autoincrement=True)
    public_id: Mapped[str] = mapped_column(String(40), unique=True)
    organization_id: Mapped[int] = mapped_column(ForeignKey("organization.id"), index=True)
    user_id: Mapped[int] = mapped_column(ForeignKey("user_account.id"), index=True)
    # School and person, while the seat is not ended: one seat each.
    held_key: Mapped[str | None] = mapped_column(String(60), unique=True)
    state: Mapped[SeatState] = mapped_column(text_enum(SeatState), default=SeatState.ACTIVE)
    lab_id: Mapped[int | None] = mapped_column(ForeignKey("organization.id"), index=True)
    taken_at: Mapped[datetime] = mapped_column(default=clock.now)
    frozen_at: Mapped[datetime | None]
    ended_at: Mapped[datetime | None]
    ended_by_id: Mapped[int | None] = mapped_column(Id)

    organization: Mapped[Organization] = relationship(foreign_keys=[organization_id])
    user: Mapped[User] = relationship()
    lab: Mapped[Organization | None] = relationship(foreign_keys=[lab_id])
