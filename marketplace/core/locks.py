"""Holding a row, on both databases: SQLite knows no FOR UPDATE and ignores it without a word."""

from typing import TypeVar

from sqlalchemy import ColumnElement, false, func, inspect, select, update

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


def take_turn(family: int, number: int, writing: type[Base], *, shared: bool = False) -> None:
    """Go on alone among all who take the turn of this number, until the transaction ends.

    `family` tells apart what turns are taken for, `number` (up to 2**31) whose turn it is; those
    who take it `shared` wait only for one who does not. For what is found by reading and must not
    be found twice, where there is no row yet to lock. On SQLite an update of nothing in the table
    of `writing` makes this the one writer of the database.
    """
    if db.session.get_bind().dialect.name == "postgresql":
        lock = func.pg_advisory_xact_lock_shared if shared else func.pg_advisory_xact_lock
        db.session.execute(select(lock(family, number)))
    else:
        key = inspect(writing).primary_key[0]
        db.session.execute(
            update(writing)
            .where(false())
            .values({key.name: key})
            .execution_options(synchronize_session=False)
        )
