"""Sums of many rows by time, so small that the day of a reader's zone can be found afterwards."""

from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import ColumnElement, func

from marketplace.core.database import db


def ten_minutes(column: Any) -> ColumnElement[str]:
    """The ten minutes (UTC) of a moment, as a text like `2026-11-29 06:1`, on both databases.

    Every zone of today but two differs from UTC by a multiple of ten minutes.
    """
    if db.session.get_bind().dialect.name == "postgresql":
        text = func.to_char(func.timezone("UTC", column), "YYYY-MM-DD HH24:MI")
        return func.substr(text, 1, 15)
    return func.substr(column, 1, 15)


def as_moments(rows: Iterable[Any]) -> list[tuple[datetime, int]]:
    """Rows of such a text and a number, as moments and numbers."""
    return [
        (datetime.strptime(f"{text.replace('T', ' ')}0", "%Y-%m-%d %H:%M").replace(tzinfo=UTC), n)
        for text, n in ((str(row[0]), int(row[1])) for row in rows)
    ]
