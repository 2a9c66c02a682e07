"""The ledger: accounts, transactions that sum to zero, entries that never change, and periods."""

import enum
from datetime import datetime
from typing import Any

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    Connection,
    ForeignKey,
    Index,
    String,
    UniqueConstraint,
    event,
    text,
)
from sqlalchemy.orm import Mapped, mapped_column, relationship

from marketplace.core import clock
from marketplace.core.database import Base, Id, text_enum

# `owner` of an account of the platform itself. Owners are organizations' ids.
PLATFORM = 0


class Side(enum.StrEnum):
    """The two sides of a transaction."""

    DEBIT = "debit"
    CREDIT = "credit"


class PeriodState(enum.StrEnum):
    """A closed period takes no more transactions and never opens again."""

    OPEN = "open"
    CLOSED = "closed"


class Period(Base):
    """A month in UTC, named like `2026-10`."""

    __tablename__ = "period"

    id: Mapped[int] = mapped_column(Id, primary_key=True, autoincrement=True)
    code: Mapped[str] = mapped_column(String(7), unique=True)
    state: Mapped[PeriodState] = mapped_column(text_enum(PeriodState), default=PeriodState.OPEN)
    closed_at: Mapped[datetime | None]
    closed_by_id: Mapped[int | None] = mapped_column(Id)
    # What the checklist said when it was closed: trial balance, breaks left and their reasons.
    closing: Mapped[dict[str, Any]] = mapped_column(default=dict)


class LedgerAccount(Base):
    """One account: a code of the chart (accounts.py), a currency, and whose it is."""

    __tablename__ = "ledger_account"
    __table_args__ = (UniqueConstraint("code", "owner", "currency"),)

    id: Mapped[int] = mapped_column(Id, primary_key=True, autoincrement=True)
    code: Mapped[str] = mapped_column(String(40))
    # 0 is the platform; no null, which a unique rule would let through twice.
    owner: Mapped[int] = mapped_column(Id, default=PLATFORM, index=True)
    currency: Mapped[str] = mapped_column(String(3))
    normal_side: Mapped[Side] = mapped_column(text_enum(Side))


class LedgerTransaction(Base):
    """What happened, once: `idem_key` names it. Its entries sum to zero in each currency."""

    __tablename__ = "ledger_txn"
    __table_args__ = (Index("ix_ledger_txn_source", "source_type", "source_id"),)

    id: Mapped[int] = mapped_column(Id, primary_key=True, autoincrement=True)
    kind: Mapped[str] = mapped_column(String(40), index=True)
    # What caused it: ("order", 12), ("refund", 3), ("payout", 9), ("balance_txn", "txn_…").
    source_type: Mapped[str] = mapped_column(String(40))
    source_id: Mapped[str] = mapped_column(String(80))
    idem_key: Mapped[str] = mapped_column(String(160), unique=True)
    order_id: Mapped[int | None] = mapped_column(ForeignKey("purchase_order.id"), index=True)
    memo: Mapped[str] = mapped_column(String(300), default="")
    # When it happened, and when it was written; a late one may lie in a later period.
    effective_at: Mapped[datetime] = mapped_column(index=True)
    posted_at: Mapped[datetime] = mapped_column(default=clock.now)
    period_id: Mapped[int] = mapped_column(ForeignKey("period.id"), index=True)
    reverses_id: Mapped[int | None] = mapped_column(ForeignKey("ledger_txn.id"), unique=True)

    period: Mapped[Period] = relationship()
    entries: Mapped[list["LedgerEntry"]] = relationship(
        back_populates="transaction", order_by="LedgerEntry.id"
    )


class LedgerEntry(Base):
    """One side of a transaction, in minor units, always above zero."""

    __tablename__ = "ledger_entry"
    __table_args__ = (
        CheckConstraint("amount > 0", name="amount_above_zero"),
        Index("ix_ledger_entry_account", "account_id", "id"),
    )

    id: Mapped[int] = mapped_column(Id, primary_key=True, autoincrement=True)
    txn_id: Mapped[int] = mapped_column(ForeignKey("ledger_txn.id"), index=True)
    account_id: Mapped[int] = mapped_column(ForeignKey("ledger_account.id"))
    side: Mapped[Side] = mapped_column(text_enum(Side))
    amount: Mapped[int] = mapped_column(BigInteger)
    currency: Mapped[str] = mapped_column(String(3))
    # The partner's earning that it moves, where it moves one: a statement's line leads to it.
    earning_id: Mapped[int | None] = mapped_column(ForeignKey("earning.id"), index=True)

    transaction: Mapped[LedgerTransaction] = relationship(back_populates="entries")
    account: Mapped[LedgerAccount] = relationship()

    @property
    def debit(self) -> int:
        """Its amount as a debit: negative for a credit."""
        return self.amount if self.side is Side.DEBIT else -self.amount


_IMMUTABLE = ("ledger_txn", "ledger_entry")
# Rows that may change, but not go: a month that is gone would be an open one again.
_STAYS = ("ledger_account", "period")
_SQLITE_APPEND_ONLY = tuple(
    f"CREATE TRIGGER {table}_refuses_{verb.lower()} BEFORE {verb} ON {table} "
    "BEGIN SELECT RAISE(ABORT, 'the ledger is append-only'); END"
    for table in _IMMUTABLE
    for verb in ("UPDATE", "DELETE")
) + tuple(
    f"CREATE TRIGGER {table}_refuses_delete BEFORE DELETE ON {table} "
    "BEGIN SELECT RAISE(ABORT, 'the ledger is append-only'); END"
    for table in _STAYS
)
# INSERT OR REPLACE takes away what it collides with, and no DELETE trigger hears of it. What is
# there under the same id is refused; under the same name the new row is left out, as our own
# inserts (ON CONFLICT DO NOTHING) want it.
_NAMES = {
    "ledger_txn": "idem_key = NEW.idem_key OR reverses_id = NEW.reverses_id",
    # It has no name beside its id.
    "ledger_entry": "id = NEW.id",
    "ledger_account": "code = NEW.code AND owner = NEW.owner AND currency = NEW.currency",
    "period": "code = NEW.code",
}
_REPLACES = (
    "CREATE TRIGGER TABLE_refuses_replacing BEFORE INSERT ON TABLE "
    "WHEN EXISTS (SELECT 1 FROM TABLE WHERE id = NEW.id OR NAME) "
    "BEGIN SELECT CASE WHEN EXISTS (SELECT 1 FROM TABLE WHERE id = NEW.id) "
    "THEN RAISE(ABORT, 'the ledger is append-only') ELSE RAISE(IGNORE) END; END"
)
_SQLITE_NO_REPLACING = tuple(
    _REPLACES.replace("TABLE", table).replace("NAME", name) for table, name in _NAMES.items()
)
SQLITE_TRIGGERS = (
    *_SQLITE_APPEND_ONLY,
    *_SQLITE_NO_REPLACING,
    "CREATE TRIGGER ledger_txn_period_open BEFORE INSERT ON ledger_txn "
    "WHEN (SELECT state FROM period WHERE id = NEW.period_id) <> 'open' "
    "BEGIN SELECT RAISE(ABORT, 'the period is closed'); END",
    # An entry more would change a transaction, and with it a closed month.
    "CREATE TRIGGER ledger_entry_period_open BEFORE INSERT ON ledger_entry "
    "WHEN (SELECT period.state FROM ledger_txn JOIN period ON period.id = ledger_txn.period_id "
    "WHERE ledger_txn.id = NEW.txn_id) <> 'open' "
    "BEGIN SELECT RAISE(ABORT, 'the period is closed'); END",
    "CREATE TRIGGER ledger_account_stays BEFORE UPDATE ON ledger_account "
    "WHEN OLD.code <> NEW.code OR OLD.owner <> NEW.owner OR OLD.currency <> NEW.currency "
    "BEGIN SELECT RAISE(ABORT, 'an account stays what it is'); END",
    "CREATE TRIGGER period_stays_closed BEFORE UPDATE ON period WHEN OLD.state = 'closed' "
    "BEGIN SELECT RAISE(ABORT, 'the period is closed'); END",
)
POSTGRESQL_TRIGGERS = (
    "CREATE FUNCTION ledger_is_append_only() RETURNS trigger LANGUAGE plpgsql AS "
    "$$ BEGIN RAISE EXCEPTION 'the ledger is append-only'; END $$",
    *(
        f"CREATE TRIGGER {table}_refuses_change BEFORE UPDATE OR DELETE ON {table} "
        "FOR EACH ROW EXECUTE FUNCTION ledger_is_append_only()"
        for table in _IMMUTABLE
    ),
    *(
        f"CREATE TRIGGER {table}_refuses_delete BEFORE DELETE ON {table} "
        "FOR EACH ROW EXECUTE FUNCTION ledger_is_append_only()"
        for table in _STAYS
    ),
    # It fires no trigger of rows.
    *(
        f"CREATE TRIGGER {table}_refuses_truncate BEFORE TRUNCATE ON {table} "
        "FOR EACH STATEMENT EXECUTE FUNCTION ledger_is_append_only()"
        for table in (*_IMMUTABLE, *_STAYS)
    ),
    "CREATE FUNCTION ledger_period_is_open() RETURNS trigger LANGUAGE plpgsql AS "
    "$$ BEGIN IF (SELECT state FROM period WHERE id = NEW.period_id) <> 'open' THEN "
    "RAISE EXCEPTION 'the period is closed'; END IF; RETURN NEW; END $$",
    "CREATE TRIGGER ledger_txn_period_open BEFORE INSERT ON ledger_txn "
    "FOR EACH ROW EXECUTE FUNCTION ledger_period_is_open()",
    # An entry more would change a transaction, and with it a closed month.
    "CREATE FUNCTION ledger_entry_period_is_open() RETURNS trigger LANGUAGE plpgsql AS "
    "$$ BEGIN IF (SELECT period.state FROM ledger_txn JOIN period ON period.id = period_id "
    "WHERE ledger_txn.id = NEW.txn_id) <> 'open' THEN "
    "RAISE EXCEPTION 'the period is closed'; END IF; RETURN NEW; END $$",
    "CREATE TRIGGER ledger_entry_period_open BEFORE INSERT ON ledger_entry "
    "FOR EACH ROW EXECUTE FUNCTION ledger_entry_period_is_open()",
    "CREATE FUNCTION ledger_account_stays() RETURNS trigger LANGUAGE plpgsql AS "
    "$$ BEGIN IF (OLD.code, OLD.owner, OLD.currency) <> (NEW.code, NEW.owner, NEW.currency) THEN "
    "RAISE EXCEPTION 'an account stays what it is'; END IF; RETURN NEW; END $$",
    "CREATE TRIGGER ledger_account_stays BEFORE UPDATE ON ledger_account "
    "FOR EACH ROW EXECUTE FUNCTION ledger_account_stays()",
    "CREATE FUNCTION period_stays_closed() RETURNS trigger LANGUAGE plpgsql AS "
    "$$ BEGIN IF OLD.state = 'closed' THEN RAISE EXCEPTION 'the period is closed'; END IF; "
    "RETURN NEW; END $$",
    "CREATE TRIGGER period_stays_closed BEFORE UPDATE ON period "
    "FOR EACH ROW EXECUTE FUNCTION period_stays_closed()",
    # Deferred: a transaction's entries are written one after another.
    "CREATE FUNCTION ledger_txn_is_balanced() RETURNS trigger LANGUAGE plpgsql AS "
    "$$ BEGIN IF EXISTS (SELECT 1 FROM ledger_entry WHERE txn_id = NEW.txn_id GROUP BY currency "
    "HAVING sum(CASE WHEN side = 'debit' THEN amount ELSE -amount END) <> 0) THEN "
    "RAISE EXCEPTION 'ledger transaction % is not balanced', NEW.txn_id; END IF; "
    "RETURN NULL; END $$",
    "CREATE CONSTRAINT TRIGGER ledger_entry_balances AFTER INSERT ON ledger_entry "
    "DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION ledger_txn_is_balanced()",
)
POSTGRESQL_FUNCTIONS = (
    "ledger_is_append_only",
    "ledger_period_is_open",
    "ledger_entry_period_is_open",
    "ledger_account_stays",
    "period_stays_closed",
    "ledger_txn_is_balanced",
)


@event.listens_for(LedgerEntry.__table__, "after_create")
def _create_triggers(_table: Any, connection: Connection, **_options: Any) -> None:
    sqlite = connection.dialect.name == "sqlite"
    for statement in SQLITE_TRIGGERS if sqlite else POSTGRESQL_TRIGGERS:
        connection.execute(text(statement))
