"""What a form made already, when it is sent again."""

from typing import Any, TypeVar

from sqlalchemy import select

from marketplace.core.database import db
from marketplace.core.locks import lock_row
from marketplace.identity.models import User

Row = TypeVar("Row")


def sent_before(model: type[Row], public_id: str, *, by_user_id: int | None) -> Row | None:
    """The row of an id that core.once.id_of_form gave, None when this is the first time.

    Holds the person until the transaction ends: a second click waits for what the first one makes.
    """
    if by_user_id is not None:
        lock_row(User, User.id == by_user_id)
    columns: Any = model
    return db.session.scalar(select(model).where(columns.public_id == public_id))
