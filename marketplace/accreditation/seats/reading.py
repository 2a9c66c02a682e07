"""What other domains ask about seats."""

from typing import Any

from sqlalchemy import ColumnElement, select

from marketplace.accreditation.seats.models import Seat, SeatState
from marketplace.core.database import db


def is_lab(organization_id: int) -> bool:
    """Whether the organization is a student's lab, open or closed."""
    return db.session.scalar(select(is_lab_of_seat(organization_id))) or False


def is_lab_of_seat(organization_id: Any) -> ColumnElement[bool]:
    """The same as a condition, for a larger query; `organization_id` may be a column."""
    return select(Seat.id).where(Seat.lab_id == organization_id).exists()


def has_seat(user_id: int) -> bool:
    """Whether the person has a seat that gives something now."""
    found = db.session.scalar(
        select(Seat.id).where(Seat.user_id == user_id, Seat.state == SeatState.ACTIVE).limit(1)
    )
    return found is not None
