"""What the app keeps, in SQLite: installations with their tokens, webhooks, erasures."""

import json
import sqlite3
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

_TABLES = """
CREATE TABLE IF NOT EXISTS installation (
  id TEXT PRIMARY KEY, customer TEXT NOT NULL DEFAULT '', state TEXT NOT NULL DEFAULT 'active',
  scope TEXT NOT NULL DEFAULT '', access_token TEXT, refresh_token TEXT, expires_at REAL,
  problem TEXT NOT NULL DEFAULT '');
CREATE TABLE IF NOT EXISTS webhook (
  id TEXT PRIMARY KEY, type TEXT NOT NULL, installation TEXT, received_at REAL NOT NULL,
  data TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS erasure (
  id TEXT PRIMARY KEY, installation TEXT NOT NULL, erased_at REAL NOT NULL, confirmed_at REAL,
  problem TEXT NOT NULL DEFAULT '');
"""


class Store:
    """The app's database. Each `with store.begin() as db` is one transaction."""

    def __init__(self, folder: Path) -> None:
        self._path = folder / "sample_app.db"
        with self.begin() as db:
            db.executescript(_TABLES)
        # It holds tokens: for nobody else on this machine.
        self._path.chmod(0o600)

    @contextmanager
    def begin(self) -> Iterator[sqlite3.Connection]:
        """A transaction, committed when the block ends and rolled back when it raises."""
        db = sqlite3.connect(self._path, timeout=10, isolation_level=None)
        db.row_factory = sqlite3.Row
        try:
            db.execute("BEGIN IMMEDIATE")
            yield db
            if db.in_transaction:
                db.execute("COMMIT")
        except BaseException:
            if db.in_transaction:
                db.execute("ROLLBACK")
            raise
        finally:
            db.close()

    def installation(self, installation_id: str) -> sqlite3.Row | None:
        with self.begin() as db:
            row: sqlite3.Row | None = db.execute(
                "SELECT * FROM installation WHERE id = ?", (installation_id,)
            ).fetchone()
        return row

    def installations(self) -> list[sqlite3.Row]:
        with self.begin() as db:
            return db.execute("SELECT * FROM installation ORDER BY rowid DESC").fetchall()

    def webhooks(self, limit: int = 20) -> list[dict[str, Any]]:
        with self.begin() as db:
            rows = db.execute(
                "SELECT * FROM webhook ORDER BY rowid DESC LIMIT ?", (limit,)
            ).fetchall()
        return [{**dict(row), "data": json.loads(row["data"])} for row in rows]

    def erasures(self) -> list[sqlite3.Row]:
        with self.begin() as db:
            return db.execute("SELECT * FROM erasure ORDER BY rowid DESC LIMIT 20").fetchall()

    def keep_tokens(self, installation_id: str, token: Mapping[str, Any]) -> None:
        """Keep a fresh pair of tokens. The refresh token before it works no more."""
        with self.begin() as db:
            db.execute(
                "INSERT INTO installation (id) VALUES (?) ON CONFLICT DO NOTHING",
                (installation_id,),
            )
            db.execute(
                "UPDATE installation SET access_token = ?, refresh_token = ?, expires_at = ?, "
                "scope = ?, problem = '' WHERE id = ?",
                (
                    token["access_token"],
                    token.get("refresh_token"),
                    time.time() + int(token.get("expires_in", 0)),
                    str(token.get("scope", "")),
                    installation_id,
                ),
            )

    def forget_tokens(self, installation_id: str, problem: str) -> None:
        """The tokens are of no use any more; `problem` says why."""
        with self.begin() as db:
            db.execute(
                "UPDATE installation SET access_token = NULL, refresh_token = NULL, problem = ? "
                "WHERE id = ?",
                (problem, installation_id),
            )

    def name_customer(self, installation_id: str, name: str) -> None:
        """What the API said the customer is called."""
        with self.begin() as db:
            db.execute("UPDATE installation SET customer = ? WHERE id = ?", (name, installation_id))

    def open_erasures(self) -> list[str]:
        """Ids of erasures that are done here and not confirmed yet."""
        with self.begin() as db:
            rows = db.execute("SELECT id FROM erasure WHERE confirmed_at IS NULL AND problem = ''")
            return [row["id"] for row in rows]

    def close_erasure(self, erasure_id: str, problem: str = "") -> None:
        """The marketplace took the receipt, or will never take it (`problem`)."""
        with self.begin() as db:
            db.execute(
                "UPDATE erasure SET confirmed_at = ?, problem = ? WHERE id = ?",
                (None if problem else time.time(), problem, erasure_id),
            )
