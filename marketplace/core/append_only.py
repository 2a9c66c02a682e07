"""Tables that only grow: the database itself refuses to change or delete a row."""

from typing import Any

from sqlalchemy import Connection, event, text

_TABLES: list[str] = []


def append_only(model: type[Any]) -> None:
    """Refuse UPDATE and DELETE on the table of `model`, wherever the schema is created."""
    name = model.__tablename__
    _TABLES.append(name)

    def create(_table: Any, connection: Connection, **_options: Any) -> None:
        sqlite = connection.dialect.name == "sqlite"
        for statement in (sqlite_triggers if sqlite else postgresql_triggers)(name):
            connection.execute(text(statement))

    event.listen(model.__table__, "after_create", create)


def append_only_tables() -> tuple[str, ...]:
    """The names of all such tables."""
    return tuple(sorted(_TABLES))


def sqlite_triggers(table: str) -> list[str]:
    """The statements that guard a table, for a migration too."""
    return [
        f"CREATE TRIGGER {table}_refuses_{verb.lower()} BEFORE {verb} ON {table} "
        f"BEGIN SELECT RAISE(ABORT, '{table} is append-only'); END"
        for verb in ("UPDATE", "DELETE")
    ]


def postgresql_triggers(table: str) -> list[str]:
    """The statements that guard a table, for a migration too."""
    return [
        "CREATE OR REPLACE FUNCTION row_is_append_only() RETURNS trigger LANGUAGE plpgsql AS "
        "$$ BEGIN RAISE EXCEPTION '% is append-only', TG_TABLE_NAME; END $$",
        f"CREATE TRIGGER {table}_refuses_change BEFORE UPDATE OR DELETE ON {table} "
        "FOR EACH ROW EXECUTE FUNCTION row_is_append_only()",
    ]
