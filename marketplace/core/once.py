"""Rows that exist at most once, however often somebody clicks."""

import hashlib
import json
import secrets
from typing import Any

from sqlalchemy import inspect
from sqlalchemy.dialects.postgresql import insert as postgresql_insert
from sqlalchemy.dialects.sqlite import insert as sqlite_insert

from marketplace.core.database import db


def id_of_form(prefix: str, form_key: str, *content: object) -> str:
    """The public id of what a form makes: the same form with the same content, sent again, gives
    the same. Write the row with `insert_if_new`. Without a key of the form: an id of its own."""
    if not form_key:
        return f"{prefix}_{secrets.token_hex(12)}"
    words = json.dumps([form_key, *(str(each) for each in content)])
    return f"{prefix}_{hashlib.sha256(words.encode()).hexdigest()[:24]}"


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
