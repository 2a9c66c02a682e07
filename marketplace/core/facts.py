"""Facts: what happened, append-only and hash-chained.

`record_fact` collects facts during a transaction; they are written and chained at its commit,
so that the chain's head is locked for as short a time as possible. UPDATE and DELETE of a fact
are refused by triggers on both databases (see the migrations); `verify_chain` finds a row that
was changed all the same.
"""

import hashlib
import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Connection,
    ForeignKey,
    Index,
    String,
    event,
    insert,
    select,
    text,
    update,
)
from sqlalchemy.exc import OperationalError
from sqlalchemy.orm import Mapped, Session, mapped_column

from marketplace.core import clock
from marketplace.core.database import Base, Id, db
from marketplace.core.unit_of_work import PENDING_FACTS

GENESIS = "0" * 64


class Fact(Base):
    """One thing that happened. Ids of people and organizations are kept without a foreign key:
    a fact outlives what it speaks of."""

    __tablename__ = "fact"

    id: Mapped[int] = mapped_column(Id, primary_key=True, autoincrement=True)
    kind: Mapped[str] = mapped_column(String(80), index=True)
    subject_type: Mapped[str] = mapped_column(String(40))
    subject_id: Mapped[str] = mapped_column(String(64))
    actor_user_id: Mapped[int | None] = mapped_column(Id)
    organization_id: Mapped[int | None] = mapped_column(Id, index=True)
    data: Mapped[dict[str, Any]] = mapped_column(default=dict)
    idempotency_key: Mapped[str | None] = mapped_column(String(120), unique=True)
    happened_at: Mapped[datetime]
    previous_hash: Mapped[str] = mapped_column(String(64))
    hash: Mapped[str] = mapped_column(String(64), unique=True)

    __table_args__ = (Index("ix_fact_subject", "subject_type", "subject_id"),)


class FactHead(Base):
    """The one row that holds the hash of the newest fact; its lock orders the writers."""

    __tablename__ = "fact_head"

    id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    hash: Mapped[str] = mapped_column(String(64))
    fact_id: Mapped[int | None] = mapped_column(Id, ForeignKey("fact.id"))


@dataclass(frozen=True)
class BrokenLink:
    """A fact whose content or place in the chain is not what was written."""

    fact_id: int
    reason: str


def record_fact(
    kind: str,
    *,
    subject: tuple[str, object],
    actor_user_id: int | None = None,
    organization_id: int | None = None,
    data: dict[str, Any] | None = None,
    idempotency_key: str | None = None,
) -> None:
    """Record that something happened, at the commit of the current transaction.

    `kind` is a dotted past-tense name (`listing.published`), `subject` a type and an id. A fact
    whose `idempotency_key` was recorded before is skipped. `data` is JSON without secrets and
    without personal data beyond ids.
    """
    db.session().info.setdefault(PENDING_FACTS, []).append(
        {
            "kind": kind,
            "subject_type": subject[0],
            "subject_id": str(subject[1]),
            "actor_user_id": actor_user_id,
            "organization_id": organization_id,
            "data": data or {},
            "idempotency_key": idempotency_key,
            "happened_at": clock.now(),
        }
    )


def fact_hash(previous_hash: str, fact: dict[str, Any]) -> str:
    """The SHA-256 hex digest that chains `fact` to the one before it."""
    content = {
        **{key: fact[key] for key in _HASHED if key != "happened_at"},
        "happened_at": fact["happened_at"].isoformat(timespec="microseconds"),
        "previous_hash": previous_hash,
    }
    encoded = json.dumps(content, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return hashlib.sha256(encoded.encode()).hexdigest()


_HASHED = (
    "kind",
    "subject_type",
    "subject_id",
    "actor_user_id",
    "organization_id",
    "data",
    "idempotency_key",
    "happened_at",
)


@event.listens_for(Session, "before_commit")
def _write_pending(session: Session) -> None:
    pending = session.info.pop(PENDING_FACTS, None)
    if not pending:
        return
    session.flush()
    # Updating the head first takes its lock (row lock on PostgreSQL, write lock on SQLite), so
    # no other writer can read the same head before this transaction ends.
    locked = session.execute(update(FactHead).where(FactHead.id == 1).values(id=1))
    if getattr(locked, "rowcount", 0) == 0:
        session.execute(insert(FactHead).values(id=1, hash=GENESIS, fact_id=None))
    head = session.execute(select(FactHead.hash, FactHead.fact_id).where(FactHead.id == 1)).one()
    previous, last_id = head.hash, head.fact_id
    keys = [fact["idempotency_key"] for fact in pending if fact["idempotency_key"]]
    seen: set[str | None] = set()
    if keys:
        seen = set(
            session.scalars(select(Fact.idempotency_key).where(Fact.idempotency_key.in_(keys)))
        )
    for fact in pending:
        if fact["idempotency_key"] is not None and fact["idempotency_key"] in seen:
            continue
        seen.add(fact["idempotency_key"])
        digest = fact_hash(previous, fact)
        row = Fact(**fact, previous_hash=previous, hash=digest)
        session.add(row)
        session.flush()
        previous, last_id = digest, row.id
    session.execute(update(FactHead).where(FactHead.id == 1).values(hash=previous, fact_id=last_id))


# What reading a row raises whose text is no JSON, no date or not even text. Whoever writes past
# the program can leave anything there, and it is named instead of ending the walk.
_UNREADABLE = (ValueError, TypeError, AttributeError, OverflowError, RecursionError)


@dataclass(frozen=True)
class _Written:
    """A fact as it stands in the database; no content when that cannot be read."""

    id: int
    previous_hash: str
    hash: str
    content: dict[str, Any] | None

    def digest(self, previous: str) -> str | None:
        """What its hash should be; None for what cannot be read."""
        try:
            return None if self.content is None else fact_hash(previous, self.content)
        except _UNREADABLE:
            return None


def _written_after(last_id: int, batch: int) -> list[_Written]:
    """The next facts in order: one statement, and one for each only where one cannot be read."""
    try:
        return _read(Fact.id > last_id, batch)
    except (*_UNREADABLE, OperationalError) as error:
        _raise_unless_unreadable(error)
    ids = db.session.scalars(
        select(Fact.id).where(Fact.id > last_id).order_by(Fact.id).limit(batch)
    ).all()
    return [_read_one(fact_id) for fact_id in ids]


def _read(which: ColumnElement[bool], most: int) -> list[_Written]:
    columns = [getattr(Fact, key) for key in _HASHED]
    rows = db.session.execute(
        select(Fact.id, Fact.previous_hash, Fact.hash, *columns)
        .where(which)
        .order_by(Fact.id)
        .limit(most)
    )
    return [
        _Written(row[0], row[1], row[2], dict(zip(_HASHED, row[3:], strict=True)))
        for row in rows.all()
    ]


def _read_one(fact_id: int) -> _Written:
    try:
        return _read(Fact.id == fact_id, 1)[0]
    except (*_UNREADABLE, OperationalError) as error:
        _raise_unless_unreadable(error)
    try:
        links = select(Fact.previous_hash, Fact.hash).where(Fact.id == fact_id)
        previous_hash, own = db.session.execute(links).one()
    except OperationalError as error:
        _raise_unless_unreadable(error)
        previous_hash = own = ""
    return _Written(fact_id, previous_hash, own, None)


def _raise_unless_unreadable(error: Exception) -> None:
    """SQLite reports text that is no UTF-8 as it reports a lost disk: only the former is a row."""
    if isinstance(error, OperationalError) and "decode" not in str(error).lower():
        raise error


def verify_chain(
    batch: int = 1_000, *, after_batch: Callable[[int], None] | None = None
) -> Iterator[BrokenLink]:
    """Walk the whole chain in order and yield each fact that does not fit it.

    `after_batch` is told how many facts were looked at so far; it may end the transaction.
    """
    previous, last_id, seen = GENESIS, 0, 0
    while True:
        rows = _written_after(last_id, batch)
        for row in rows:
            if row.previous_hash != previous:
                yield BrokenLink(row.id, "the fact before it is missing or was changed")
            elif row.digest(previous) is None:
                yield BrokenLink(row.id, "its content cannot be read")
            elif row.digest(previous) != row.hash:
                yield BrokenLink(row.id, "its content is not what was recorded")
            previous, last_id = row.hash, row.id
        seen += len(rows)
        full = len(rows) == batch
        if after_batch is not None:
            after_batch(seen)
        if full:
            continue
        head = db.session.scalar(select(FactHead.hash).where(FactHead.id == 1))
        if head == previous or (head is None and not last_id):
            return
        if head is None:
            # It is written together with the first fact, and never taken away.
            yield BrokenLink(last_id, "what says that it is the newest is missing")
            return
        # Somebody may have recorded more since the last batch was read.
        if db.session.scalar(select(Fact.id).where(Fact.id > last_id).limit(1)) is None:
            yield BrokenLink(last_id, "facts after it are missing")
            return


SQLITE_TRIGGERS = tuple(
    f"CREATE TRIGGER fact_refuses_{verb.lower()} BEFORE {verb} ON fact "
    "BEGIN SELECT RAISE(ABORT, 'facts are append-only'); END"
    for verb in ("UPDATE", "DELETE")
)
POSTGRESQL_TRIGGERS = (
    "CREATE FUNCTION fact_is_append_only() RETURNS trigger LANGUAGE plpgsql AS "
    "$$ BEGIN RAISE EXCEPTION 'facts are append-only'; END $$",
    "CREATE TRIGGER fact_refuses_change BEFORE UPDATE OR DELETE ON fact "
    "FOR EACH ROW EXECUTE FUNCTION fact_is_append_only()",
)


@event.listens_for(Fact.__table__, "after_create")
def _create_triggers(_table: Any, connection: Connection, **_options: Any) -> None:
    sqlite = connection.dialect.name == "sqlite"
    for statement in SQLITE_TRIGGERS if sqlite else POSTGRESQL_TRIGGERS:
        connection.execute(text(statement))
