"""Holding a row, on both databases: SQLite knows no FOR UPDATE and ignores it without a word."""

from typing import TypeVar

from sqlalchemy import ColumnElement, inspect, select, update

from marketplace.core.database import Base, db

Row = TypeVar("Row", bound=Base)


def lock_row(model: type[Row], *which: ColumnElement[bool]) -> Row | None:
    """The one row of `model` for which all of `which` holds, read anew; None without one.

    Nobody else who locks it goes on until this transaction ends. Lock before you decide by what
    the row says. On SQLite this takes the one write lock of the database; where another has
    written since this transaction began to read, it fails ("database is locked") and nothing is
    decided by what was old.
    """
    db.session.flush()
    query = select(model).where(*which).execution_options(populate_existing=True)
    if db.session.get_bind().dialect.name == "sqlite":
        key = inspect(model).primary_key[0]
        db.session.execute(
            update(model)
            .where(*which)
            .values({key.name: key})
            .execution_options(synchronize_session=False)
        )
    else:
        query = query.with_for_update()
    return db.session.scalars(query).unique().one_or_none()
