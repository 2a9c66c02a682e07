"""Facts: append-only, in one chain, and a change is found."""

import pytest
from flask import Flask
from sqlalchemy import func, select, text
from sqlalchemy.exc import DBAPIError

from marketplace.core import jobs
from marketplace.core.database import db
from marketplace.core.facts import Fact, record_fact, verify_chain
from marketplace.core.unit_of_work import unit_of_work
from marketplace.observability.governance.checking import ask_for_check
from marketplace.observability.governance.models import ChainCheck


def record(kind: str = "listing.published", key: str | None = None, **data: object) -> None:
    with unit_of_work():
        record_fact(kind, subject=("listing", 7), data=dict(data), idempotency_key=key)


def how_many() -> int:
    return db.session.scalar(select(func.count()).select_from(Fact)) or 0


def drop_triggers() -> None:
    with db.engine.begin() as connection:
        if connection.dialect.name == "sqlite":
            connection.execute(text("DROP TRIGGER fact_refuses_update"))
            connection.execute(text("DROP TRIGGER fact_refuses_delete"))
        else:
            connection.execute(text("ALTER TABLE fact DISABLE TRIGGER fact_refuses_change"))


def restore_triggers() -> None:
    with db.engine.begin() as connection:
        if connection.dialect.name == "postgresql":
            connection.execute(text("ALTER TABLE fact ENABLE TRIGGER fact_refuses_change"))


def test_facts_form_a_chain_that_verifies(app: Flask) -> None:
    record(version="1.0", name="Zürich → Genève")
    record(version="1.1")
    rows = db.session.scalars(select(Fact).order_by(Fact.id)).all()
    assert rows[1].previous_hash == rows[0].hash
    assert list(verify_chain()) == []


def test_a_fact_of_a_rolled_back_transaction_never_was(app: Flask) -> None:
    with pytest.raises(ValueError, match="no"), unit_of_work():
        record_fact("listing.published", subject=("listing", 7))
        raise ValueError("no")
    record()
    assert how_many() == 1


def test_the_same_idempotency_key_is_recorded_once(app: Flask) -> None:
    record(key="published:7:3")
    record(key="published:7:3")
    with unit_of_work():
        record_fact("x.happened", subject=("x", 1), idempotency_key="twice")
        record_fact("x.happened", subject=("x", 1), idempotency_key="twice")
    assert how_many() == 2
    assert list(verify_chain()) == []


@pytest.mark.parametrize("statement", ["UPDATE fact SET kind = 'x.forged'", "DELETE FROM fact"])
def test_the_database_refuses_to_change_a_fact(app: Flask, statement: str) -> None:
    record()
    with pytest.raises(DBAPIError, match="append-only"):
        db.session.execute(text(statement))
    db.session.rollback()


@pytest.mark.parametrize(
    ("forgery", "reason"),
    [
        ("UPDATE fact SET kind = 'listing.rejected' WHERE id = 2", "not what was recorded"),
        ("UPDATE fact SET organization_id = 99 WHERE id = 2", "not what was recorded"),
        ("DELETE FROM fact WHERE id = 2", "missing or was changed"),
    ],
)
def test_a_forged_fact_is_named(app: Flask, forgery: str, reason: str) -> None:
    for _ in range(3):
        record()
    drop_triggers()
    try:
        with db.engine.begin() as connection:
            connection.execute(text(forgery))
        broken = list(verify_chain())
    finally:
        restore_triggers()
    assert [link.fact_id for link in broken] in ([2], [3])
    assert reason in broken[0].reason


@pytest.mark.parametrize(
    ("column", "value"),
    [
        ("data", "'{'"),
        ("data", "'{\"a\": 1e999}'"),
        ("happened_at", "'yesterday'"),
        ("happened_at", "7"),
        ("kind", "x'ff'"),
        ("kind", "CAST(x'ff' AS TEXT)"),
        ("hash", "CAST(x'ff' AS TEXT)"),
    ],
)
def test_a_fact_that_cannot_be_read_is_named_and_the_walk_goes_on(
    app: Flask, column: str, value: str
) -> None:
    if db.engine.dialect.name != "sqlite":
        pytest.skip("PostgreSQL refuses such values itself")
    for _ in range(5):
        record()
    drop_triggers()
    with db.engine.begin() as connection:
        connection.execute(text(f"UPDATE fact SET {column} = {value} WHERE id = 2"))  # noqa: S608 - of this table
        connection.execute(text("UPDATE fact SET kind = 'x.forged' WHERE id = 4"))
    broken = list(verify_chain(2))
    assert [link.fact_id for link in broken if link.fact_id != 3] == [2, 4]
    said = app.test_cli_runner().invoke(args=["facts", "verify"])
    assert said.exit_code == 1
    assert "Fact 2: " in said.output


def test_a_missing_head_is_no_whole_chain(app: Flask) -> None:
    assert list(verify_chain()) == []
    for _ in range(3):
        record()
    drop_triggers()
    try:
        with db.engine.begin() as connection:
            connection.execute(text("DELETE FROM fact_head"))
            connection.execute(text("DELETE FROM fact WHERE id = 3"))
        broken = list(verify_chain())
    finally:
        restore_triggers()
    assert [link.fact_id for link in broken] == [2]


def test_cutting_off_the_newest_facts_is_noticed(app: Flask) -> None:
    for _ in range(3):
        record()
    drop_triggers()
    try:
        with db.engine.begin() as connection:
            connection.execute(text("UPDATE fact_head SET fact_id = 2"))
            connection.execute(text("DELETE FROM fact WHERE id = 3"))
        broken = list(verify_chain())
    finally:
        restore_triggers()
    assert [link.reason for link in broken] == ["facts after it are missing"]


def test_an_end_cut_off_together_with_its_head_is_found_by_what_was_seen_before(
    app: Flask,
) -> None:
    for _ in range(3):
        record()
    with unit_of_work():
        ask_for_check(None)
    jobs.run_due()
    db.session.rollback()
    looked_at = db.session.scalars(select(ChainCheck.looked_at)).one()
    drop_triggers()
    try:
        with db.engine.begin() as connection:
            connection.execute(
                text(
                    "UPDATE fact_head SET fact_id = 2, hash = (SELECT hash FROM fact WHERE id = 2)"
                )
            )
            connection.execute(text("DELETE FROM fact WHERE id > 2"))
        assert list(verify_chain()) == []
        said = app.test_cli_runner().invoke(args=["facts", "verify"])
    finally:
        restore_triggers()
    assert said.exit_code == 1
    assert f"an earlier verification looked at {looked_at}, now there are 2" in said.output
