"""Rows that exist at most once, however often somebody clicks."""

from typing import Any

from sqlalchemy import inspect
from sqlalchemy.dialects.postgresql import insert as postgresql_insert
from sqlalchemy.dialects.sqlite import insert as sqlite_insert

from marketplace.core.database import db


def insert_if_new(model: Any, **values: Any) -> int | None:
    """Insert a row unless a unique rule already has it; its (first) primary key, or None.

    Two requests at once are harmless: the second waits for the first and then finds its row.
    """
    dialect = db.session.get_bind().dialect.name
    insert = postgresql_insert if dialect == "postgresql" else sqlite_insert
    key = inspect(model).primary_key[0]
    # RETURNING gives a row for a new one only; row counts of inserts differ between drivers.
    written = insert(model).values(**values).on_conflict_do_nothing().returning(key)
    found: int | None = db.session.execute(written).scalar_one_or_none()
    return found
