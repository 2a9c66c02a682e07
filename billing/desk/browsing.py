"""Reading the ledger: accounts with their balances, entries with a running balance, transactions.

Lists are in the order of posting, newest first, and go on from an id rather than by counting, so
that the last page costs what the first does.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from sqlalchemy import Select, case, func, select
from sqlalchemy.orm import selectinload

from billing.accounts import CHART, AccountType
from billing.models import (
    LedgerAccount,
    LedgerEntry,
    LedgerTransaction,
    Order,
    Period,
    Side,
)
from marketplace.core.database import db

PER_PAGE = 50
CSV_CHUNK = 2_000
MAX_KINDS = 100


@dataclass(frozen=True)
class Filter:
    """Which entries: all that is None or empty does not matter.

    `since` and `until` are moments of `effective_at`, the latter not included; `source` is like
    ("refund", "12").
    """

    code: str = ""
    owner: int | None = None
    currency: str = ""
    kind: str = ""
    order_id: int | None = None
    since: datetime | None = None
    until: datetime | None = None
    source: tuple[str, str] | None = None

    @property
    def is_one_account(self) -> bool:
        """Whether these are entries of one account alone, none left out but by date: then they
        have a running balance."""
        known = CHART.get(self.code)
        return (
            known is not None
            and bool(self.currency)
            and (self.owner is not None or not known.per_partner)
            and not self.kind
            and self.order_id is None
            and self.source is None
        )


@dataclass(frozen=True)
class EntryRow:
    """An entry with all that its line shows. `balance` is its account's after it, or None."""

    id: int
    txn_id: int
    kind: str
    memo: str
    source_type: str
    source_id: str
    effective_at: datetime
    posted_at: datetime
    period: str
    order_public_id: str | None
    code: str
    owner: int
    side: Side
    amount: int
    currency: str
    balance: int | None = None

    @property
    def account(self) -> AccountType:
        """Its account in the chart."""
        return CHART[self.code]

    @property
    def debit(self) -> int | None:
        """Its amount if it is a debit."""
        return self.amount if self.side is Side.DEBIT else None

    @property
    def credit(self) -> int | None:
        """Its amount if it is a credit."""
        return self.amount if self.side is Side.CREDIT else None


@dataclass(frozen=True)
class Slice:
    """A part of a list, newest first; `newer` and `older` are ids to go on from, None at the end.

    Ask for what comes before `older`, or after `newer`.
    """

    items: Sequence[Any]
    newer: int | None
    older: int | None


@dataclass(frozen=True)
class AccountRow:
    """An account of the chart in one currency, over all its owners."""

    account: AccountType
    currency: str
    balance: int
    entries: int
    owners: int

    @property
    def debit(self) -> int:
        """Its balance, if that is on the debit side."""
        return self._on(Side.DEBIT)

    @property
    def credit(self) -> int:
        """Its balance, if that is on the credit side."""
        return self._on(Side.CREDIT)

    def _on(self, side: Side) -> int:
        own = self.balance if self.account.normal_side is side else -self.balance
        return max(0, own)


def accounts(currency: str) -> list[AccountRow]:
    """The accounts with entries in `currency`, in the order of the chart. One query."""
    rows = db.session.execute(
        select(
            LedgerAccount.code,
            func.sum(_debit()),
            func.count(),
            func.count(LedgerAccount.owner.distinct()),
        )
        .join(LedgerEntry, LedgerEntry.account_id == LedgerAccount.id)
        .where(LedgerAccount.currency == currency)
        .group_by(LedgerAccount.code)
    )
    found = {code: (int(debit), count, owners) for code, debit, count, owners in rows}
    return [
        AccountRow(
            account,
            currency,
            found[code][0] if account.normal_side is Side.DEBIT else -found[code][0],
            found[code][1],
            found[code][2],
        )
        for code, account in CHART.items()
        if code in found
    ]


def balances_of_owner(owner: int) -> list[AccountRow]:
    """The accounts of one partner, in every currency. One query."""
    rows = db.session.execute(
        select(LedgerAccount.code, LedgerAccount.currency, func.sum(_debit()), func.count())
        .join(LedgerEntry, LedgerEntry.account_id == LedgerAccount.id)
        .where(LedgerAccount.owner == owner)
        .group_by(LedgerAccount.code, LedgerAccount.currency)
    )
    found = [
        AccountRow(
            CHART[code],
            currency,
            int(debit) if CHART[code].normal_side is Side.DEBIT else -int(debit),
            count,
            1,
        )
        for code, currency, debit, count in rows
    ]
    return sorted(found, key=lambda row: (row.currency, row.account.number))


def entries(wanted: Filter, *, before: int | None = None, after: int | None = None) -> Slice:
    """A page of entries: the newest, those `before` an id, or those next `after` one.

    Two queries, a third for a running balance.
    """
    part = _slice(_entries(wanted), LedgerEntry.id, before, after)
    rows = [EntryRow(*row) for row in part.items]
    return Slice(_with_balances(rows, wanted), part.newer, part.older)


def all_entries(wanted: Filter) -> Iterator[EntryRow]:
    """Every entry, oldest first, read in chunks; without running balances."""
    last = 0
    query = _entries(wanted).order_by(LedgerEntry.id).limit(CSV_CHUNK)
    while True:
        rows = db.session.execute(query.where(LedgerEntry.id > last)).all()
        for row in rows:
            yield EntryRow(*row)
        if len(rows) < CSV_CHUNK:
            return
        last = rows[-1][0]


def transactions(wanted: Filter, *, before: int | None = None, after: int | None = None) -> Slice:
    """A page of transactions with their entries. A constant number of queries."""
    query = select(LedgerTransaction).options(
        selectinload(LedgerTransaction.entries).joinedload(LedgerEntry.account),
        selectinload(LedgerTransaction.period),
    )
    for condition in _transaction_conditions(wanted):
        query = query.where(condition)
    if wanted.code or wanted.owner is not None or wanted.currency:
        inside = select(LedgerEntry.txn_id).join(LedgerAccount)
        for condition in _account_conditions(wanted):
            inside = inside.where(condition)
        query = query.where(LedgerTransaction.id.in_(inside))
    return _slice(query, LedgerTransaction.id, before, after, scalars=True)


def find_transaction(txn_id: int) -> LedgerTransaction | None:
    """A transaction with its entries."""
    return db.session.scalar(
        select(LedgerTransaction)
        .where(LedgerTransaction.id == txn_id)
        .options(selectinload(LedgerTransaction.entries).joinedload(LedgerEntry.account))
    )


def reversal_of(txn: LedgerTransaction) -> LedgerTransaction | None:
    """The transaction that reverses this one."""
    return db.session.scalar(
        select(LedgerTransaction).where(LedgerTransaction.reverses_id == txn.id)
    )


def order_of(txn: LedgerTransaction) -> Order | None:
    """The order that a transaction belongs to."""
    return db.session.get(Order, txn.order_id) if txn.order_id else None


def transactions_of_order(order_id: int) -> Sequence[LedgerTransaction]:
    """All that the ledger says of an order, oldest first. A constant number of queries."""
    return db.session.scalars(
        select(LedgerTransaction)
        .where(LedgerTransaction.order_id == order_id)
        .options(selectinload(LedgerTransaction.entries).joinedload(LedgerEntry.account))
        .order_by(LedgerTransaction.id)
        .limit(200)
    ).all()


def kinds() -> list[str]:
    """The kinds of transactions that there are, for the filter."""
    return list(
        db.session.scalars(
            select(LedgerTransaction.kind)
            .group_by(LedgerTransaction.kind)
            .order_by(LedgerTransaction.kind)
            .limit(MAX_KINDS)
        )
    )


def order_id_of(public_id: str) -> int | None:
    """The row id of an order, by its public id or its invoice's number."""
    return db.session.scalar(
        select(Order.id).where((Order.public_id == public_id) | (Order.invoice_number == public_id))
    )


# In the order of EntryRow.
_COLUMNS: tuple[Any, ...] = (
    LedgerEntry.id,
    LedgerEntry.txn_id,
    LedgerTransaction.kind,
    LedgerTransaction.memo,
    LedgerTransaction.source_type,
    LedgerTransaction.source_id,
    LedgerTransaction.effective_at,
    LedgerTransaction.posted_at,
    Period.code,
    Order.public_id,
    LedgerAccount.code,
    LedgerAccount.owner,
    LedgerEntry.side,
    LedgerEntry.amount,
    LedgerEntry.currency,
)


def _entries(wanted: Filter) -> Select[Any]:
    query: Select[Any] = (
        select(*_COLUMNS)
        .select_from(LedgerEntry)
        .join(LedgerAccount, LedgerAccount.id == LedgerEntry.account_id)
        .join(LedgerTransaction, LedgerTransaction.id == LedgerEntry.txn_id)
        .join(Period, Period.id == LedgerTransaction.period_id)
        .outerjoin(Order, Order.id == LedgerTransaction.order_id)
    )
    for condition in (*_account_conditions(wanted), *_transaction_conditions(wanted)):
        query = query.where(condition)
    return query


def _account_conditions(wanted: Filter) -> Iterator[Any]:
    if wanted.code:
        yield LedgerAccount.code == wanted.code
    if wanted.owner is not None:
        yield LedgerAccount.owner == wanted.owner
    if wanted.currency:
        yield LedgerAccount.currency == wanted.currency


def _transaction_conditions(wanted: Filter) -> Iterator[Any]:
    if wanted.kind:
        yield LedgerTransaction.kind == wanted.kind
    if wanted.order_id is not None:
        yield LedgerTransaction.order_id == wanted.order_id
    if wanted.since is not None:
        yield LedgerTransaction.effective_at >= wanted.since
    if wanted.until is not None:
        yield LedgerTransaction.effective_at < wanted.until
    if wanted.source is not None:
        yield LedgerTransaction.source_type == wanted.source[0]
        yield LedgerTransaction.source_id == wanted.source[1]


def _slice(
    query: Select[Any],
    key: Any,
    before: int | None,
    after: int | None,
    *,
    scalars: bool = False,
) -> Slice:
    """One more than a page is read, which tells whether the list goes on."""

    def read(ordered: Select[Any]) -> list[Any]:
        limited = ordered.limit(PER_PAGE + 1)
        if scalars:
            return list(db.session.scalars(limited))
        return list(db.session.execute(limited))

    def id_of(row: Any) -> int:
        return int(row.id if scalars else row[0])

    if after is not None:
        rows = read(query.where(key > after).order_by(key))
        more = len(rows) > PER_PAGE
        rows = rows[:PER_PAGE][::-1]
        if not rows:
            return _slice(query, key, None, None, scalars=scalars)
        return Slice(rows, id_of(rows[0]) if more else None, id_of(rows[-1]))
    rows = read((query.where(key < before) if before is not None else query).order_by(key.desc()))
    more = len(rows) > PER_PAGE
    rows = rows[:PER_PAGE]
    newer = id_of(rows[0]) if before is not None and rows else None
    return Slice(rows, newer, id_of(rows[-1]) if more else None)


def _with_balances(rows: list[EntryRow], wanted: Filter) -> list[EntryRow]:
    """The rows with their account's balance after each, of all its entries and not the shown."""
    if not rows or not wanted.is_one_account:
        return rows
    of_account = (
        select(LedgerEntry.id, func.sum(_debit()).over(order_by=LedgerEntry.id).label("balance"))
        .join(LedgerAccount, LedgerAccount.id == LedgerEntry.account_id)
        .where(LedgerEntry.id <= rows[0].id)
    )
    for condition in _account_conditions(wanted):
        of_account = of_account.where(condition)
    known = of_account.subquery()
    found = {
        entry_id: int(balance)
        for entry_id, balance in db.session.execute(
            select(known.c.id, known.c.balance).where(known.c.id >= rows[-1].id)
        )
    }
    sign = 1 if CHART[wanted.code].normal_side is Side.DEBIT else -1
    return [replace(row, balance=sign * found[row.id]) for row in rows]


def _debit() -> Any:
    return case((LedgerEntry.side == Side.DEBIT, LedgerEntry.amount), else_=-LedgerEntry.amount)
