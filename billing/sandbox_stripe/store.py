"""Where the stand-in keeps its objects: JSON documents in a SQLite file, or in memory.

One lock makes each request a transaction of its own, all or nothing.
"""

import json
import secrets
import sqlite3
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from billing.sandbox_stripe.errors import missing
from marketplace.core import clock

Thing = dict[str, Any]

_SCHEMA = """
CREATE TABLE IF NOT EXISTS thing (
  seq INTEGER PRIMARY KEY AUTOINCREMENT, id TEXT NOT NULL UNIQUE, kind TEXT NOT NULL,
  account TEXT NOT NULL DEFAULT '', created INTEGER NOT NULL, parent TEXT NOT NULL DEFAULT '',
  due INTEGER, data TEXT NOT NULL);
CREATE INDEX IF NOT EXISTS thing_kind ON thing (kind, account, seq);
CREATE INDEX IF NOT EXISTS thing_parent ON thing (kind, parent, seq);
CREATE INDEX IF NOT EXISTS thing_due ON thing (kind, due) WHERE due IS NOT NULL;
CREATE TABLE IF NOT EXISTS balance (
  account TEXT NOT NULL, currency TEXT NOT NULL, pending INTEGER NOT NULL DEFAULT 0,
  available INTEGER NOT NULL DEFAULT 0, PRIMARY KEY (account, currency));
CREATE TABLE IF NOT EXISTS idem (
  key TEXT NOT NULL, account TEXT NOT NULL, hash TEXT NOT NULL, created REAL NOT NULL,
  status INTEGER, body TEXT, PRIMARY KEY (key, account));
CREATE TABLE IF NOT EXISTS delivery (
  id INTEGER PRIMARY KEY AUTOINCREMENT, event TEXT NOT NULL, endpoint TEXT NOT NULL,
  attempts INTEGER NOT NULL DEFAULT 0, due REAL NOT NULL, state TEXT NOT NULL DEFAULT 'waiting');
CREATE INDEX IF NOT EXISTS delivery_due ON delivery (state, due, id);
CREATE TABLE IF NOT EXISTS fault (id INTEGER PRIMARY KEY AUTOINCREMENT, data TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS setting (name TEXT PRIMARY KEY, value TEXT NOT NULL);
"""
_TABLES = ("thing", "balance", "idem", "delivery", "fault", "setting")


class Store:
    """The objects. Every use is inside `transaction()`; a nested one joins the outer."""

    def __init__(self, path: str = ":memory:") -> None:
        self._connection = sqlite3.connect(path, check_same_thread=False, isolation_level=None)
        self._connection.execute("PRAGMA journal_mode=WAL")
        self._connection.execute("PRAGMA synchronous=NORMAL")
        self._connection.executescript(_SCHEMA)
        self._lock = threading.RLock()
        self._depth = 0
        # Where it is served; what is kept says only the path of a page.
        self.base_url = ""

    def close(self) -> None:
        """Let go of the file."""
        with self._lock:
            self._connection.close()

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """All of the block or nothing; one at a time."""
        with self._lock:
            if self._depth == 0:
                self._connection.execute("BEGIN IMMEDIATE")
            self._depth += 1
            try:
                yield
            except BaseException:
                self._depth -= 1
                if self._depth == 0:
                    self._connection.execute("ROLLBACK")
                raise
            self._depth -= 1
            if self._depth == 0:
                self._connection.execute("COMMIT")

    def wipe(self) -> None:
        """Forget everything."""
        with self.transaction():
            for table in _TABLES:
                self._connection.execute(f"DELETE FROM {table}")  # noqa: S608 - our own names

    def execute(self, statement: str, *values: object) -> sqlite3.Cursor:
        """Run one statement on the tables beside `thing`."""
        return self._connection.execute(statement, values)

    def add(
        self,
        kind: str,
        prefix: str,
        values: Mapping[str, Any],
        *,
        account: str = "",
        parent: str = "",
        due: int | None = None,
        thing_id: str = "",
        at: int | None = None,
    ) -> Thing:
        """Keep a new object, with its id, kind and time. `due`: when the tick must look at it."""
        now = timestamp() if at is None else at
        thing = {
            "id": thing_id or f"{prefix}_{secrets.token_hex(12)}",
            "object": kind,
            "created": now,
            "livemode": False,
            **values,
        }
        self._connection.execute(
            "INSERT INTO thing (id, kind, account, created, parent, due, data) "
            "VALUES (?, ?, ?, ?, ?, ?, ?)",
            (thing["id"], kind, account, now, parent, due, json.dumps(thing)),
        )
        return thing

    def save(self, thing: Thing, *, due: int | None = None) -> Thing:
        """Keep what an object became; `due` as in `add` (not given: not due any more)."""
        self._connection.execute(
            "UPDATE thing SET data = ?, due = ? WHERE id = ?",
            (json.dumps(thing), due, thing["id"]),
        )
        return thing

    def find(self, thing_id: str, kind: str | None = None) -> Thing | None:
        """The object of that id (and kind), or None."""
        row = self._connection.execute(
            "SELECT data, kind FROM thing WHERE id = ?", (thing_id,)
        ).fetchone()
        if row is None or (kind is not None and row[1] != kind):
            return None
        found: Thing = json.loads(row[0])
        return found

    def get(self, kind: str, thing_id: Any, param: str = "id") -> Thing:
        """The object. Raises ApiError (resource_missing)."""
        found = self.find(str(thing_id), kind)
        if found is None:
            raise missing(kind, thing_id, param)
        return found

    def account_of(self, thing_id: str) -> str:
        """The connected account that an object belongs to; empty: the platform's."""
        row = self._connection.execute(
            "SELECT account FROM thing WHERE id = ?", (thing_id,)
        ).fetchone()
        return str(row[0]) if row else ""

    def all(
        self, kind: str, *, parent: str | None = None, account: str | None = None
    ) -> list[Thing]:
        """All objects of a kind, oldest first."""
        where, values = ["kind = ?"], [kind]
        if parent is not None:
            where.append("parent = ?")
            values.append(parent)
        if account is not None:
            where.append("account = ?")
            values.append(account)
        rows = self._connection.execute(
            f"SELECT data FROM thing WHERE {' AND '.join(where)} ORDER BY seq",  # noqa: S608 - constants
            values,
        ).fetchall()
        return [json.loads(row[0]) for row in rows]

    def page(
        self,
        kind: str,
        *,
        account: str,
        created: Mapping[str, int],
        after: str = "",
        before: str = "",
        limit: int | None = None,
    ) -> Iterator[Thing]:
        """Objects of an account, newest first, between two of them; read lazily."""
        where = ["kind = ?", "account = ?"]
        values: list[object] = [kind, account]
        signs = {"gt": ">", "gte": ">=", "lt": "<", "lte": "<=", "eq": "="}
        for name, value in created.items():
            where.append(f"created {signs[name]} ?")
            values.append(int(value))
        for pivot, sign in ((after, "<"), (before, ">")):
            if pivot:
                row = self._connection.execute(
                    "SELECT seq FROM thing WHERE id = ?", (pivot,)
                ).fetchone()
                if row is None:
                    raise missing(kind, pivot, "starting_after")
                where.append(f"seq {sign} ?")
                values.append(row[0])
        direction = "ASC" if before else "DESC"
        rows = self._connection.execute(
            f"SELECT data FROM thing WHERE {' AND '.join(where)} "  # noqa: S608 - constants
            f"ORDER BY seq {direction}" + (f" LIMIT {limit}" if limit else ""),
            values,
        )
        for row in rows:
            yield json.loads(row[0])

    def due(self, kind: str, until: int) -> list[Thing]:
        """Objects of a kind whose time has come, the oldest time first."""
        rows = self._connection.execute(
            "SELECT data FROM thing WHERE kind = ? AND due IS NOT NULL AND due <= ? "
            "ORDER BY due, seq",
            (kind, until),
        ).fetchall()
        return [json.loads(row[0]) for row in rows]

    def setting(self, name: str, default: Any = None) -> Any:
        """A setting of the control pages."""
        row = self._connection.execute(
            "SELECT value FROM setting WHERE name = ?", (name,)
        ).fetchone()
        return default if row is None else json.loads(row[0])

    def set(self, name: str, value: Any) -> None:
        """Keep a setting."""
        self._connection.execute(
            "INSERT INTO setting (name, value) VALUES (?, ?) "
            "ON CONFLICT (name) DO UPDATE SET value = excluded.value",
            (name, json.dumps(value)),
        )


def timestamp() -> int:
    """Now, in seconds since 1970."""
    return int(clock.now().timestamp())
