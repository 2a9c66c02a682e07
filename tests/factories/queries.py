"""Counting what a page asks of the database."""

from collections.abc import Callable
from typing import Any

from sqlalchemy import event

from marketplace.core.database import db


def count_queries(act: Callable[[], Any]) -> int:
    """How many statements `act` sends to the database."""
    seen: list[str] = []

    def note(_connection: Any, _cursor: Any, statement: str, *_rest: Any) -> None:
        seen.append(statement)

    event.listen(db.engine, "before_cursor_execute", note)
    try:
        act()
    finally:
        event.remove(db.engine, "before_cursor_execute", note)
    return len(seen)
