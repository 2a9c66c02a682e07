"""The month's journal, for the accounting that comes after us: CSV, and Beancount's plain text.

Beancount (https://beancount.github.io/docs/beancount_language_syntax.html) is a documented
double-entry format that Fava and hledger's and ledger's converters read. Both are streamed: a
month of any size takes the memory of one slice. Amounts are in major units with all decimals.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from sqlalchemy import select

from billing.accounts import CHART, AccountType, Kind
from billing.formatting import plain_amount
from billing.models import LedgerAccount, LedgerEntry, LedgerTransaction, Period, Side
from marketplace.core.database import db

SLICE = 1_000
CSV_HEAD = (
    "date", "posted_at", "transaction", "kind", "key", "source", "account", "account_code",
    "partner", "debit", "credit", "currency", "order", "memo",
)  # fmt: skip
# Beancount knows five roots; a contra income and a clearing account have theirs by meaning.
_ROOTS = {
    Kind.ASSET: "Assets",
    Kind.LIABILITY: "Liabilities",
    Kind.INCOME: "Income",
    Kind.CONTRA_INCOME: "Income",
    Kind.EXPENSE: "Expenses",
    Kind.CLEARING: "Equity",
}


@dataclass(frozen=True)
class JournalEntry:
    """One side of a transaction, with what the journal tells of it."""

    account: AccountType
    owner: int
    side: Side
    amount: int
    currency: str


@dataclass(frozen=True)
class JournalTransaction:
    """One transaction of the journal."""

    id: int
    kind: str
    key: str
    source: str
    effective_at: datetime
    posted_at: datetime
    order_id: int | None
    memo: str
    entries: tuple[JournalEntry, ...]


def transactions_of(period_code: str) -> Iterator[JournalTransaction]:
    """The transactions that count in a month, in the order in which they were posted."""
    last = 0
    while True:
        txns = db.session.execute(
            select(
                LedgerTransaction.id,
                LedgerTransaction.kind,
                LedgerTransaction.idem_key,
                LedgerTransaction.source_type,
                LedgerTransaction.source_id,
                LedgerTransaction.effective_at,
                LedgerTransaction.posted_at,
                LedgerTransaction.order_id,
                LedgerTransaction.memo,
            )
            .join(Period, Period.id == LedgerTransaction.period_id)
            .where(Period.code == period_code, LedgerTransaction.id > last)
            .order_by(LedgerTransaction.id)
            .limit(SLICE)
        ).all()
        if not txns:
            return
        entries: dict[int, list[JournalEntry]] = {}
        rows = db.session.execute(
            select(
                LedgerEntry.txn_id,
                LedgerAccount.code,
                LedgerAccount.owner,
                LedgerEntry.side,
                LedgerEntry.amount,
                LedgerEntry.currency,
            )
            .join(LedgerAccount, LedgerAccount.id == LedgerEntry.account_id)
            .join(LedgerTransaction, LedgerTransaction.id == LedgerEntry.txn_id)
            .join(Period, Period.id == LedgerTransaction.period_id)
            .where(Period.code == period_code, LedgerEntry.txn_id.between(txns[0].id, txns[-1].id))
            .order_by(LedgerEntry.txn_id, LedgerEntry.id)
        )
        for txn_id, code, owner, side, amount, currency in rows:
            entries.setdefault(txn_id, []).append(
                JournalEntry(CHART[code], owner, side, amount, currency)
            )
        for row in txns:
            yield JournalTransaction(
                row.id,
                row.kind,
                row.idem_key,
                f"{row.source_type}:{row.source_id}",
                row.effective_at,
                row.posted_at,
                row.order_id,
                row.memo,
                tuple(entries.get(row.id, ())),
            )
        last = txns[-1].id
        if len(txns) < SLICE:
            return


def journal_rows(period_code: str) -> Iterator[Sequence[object]]:
    """The rows of the CSV file, one for each entry, under CSV_HEAD."""
    for txn in transactions_of(period_code):
        for entry in txn.entries:
            amount = plain_amount(entry.amount, entry.currency)
            is_debit = entry.side is Side.DEBIT
            yield (
                txn.effective_at.date(),
                txn.posted_at,
                txn.id,
                txn.kind,
                txn.key,
                txn.source,
                entry.account.number,
                entry.account.code,
                entry.owner or None,
                amount if is_debit else None,
                None if is_debit else amount,
                entry.currency,
                txn.order_id,
                txn.memo,
            )


def beancount_lines(period_code: str, title: str) -> Iterator[str]:
    """The same journal as a Beancount file: the accounts opened, then the transactions.

    Late transactions keep the day they happened, which may lie before the month; the accounts are
    opened long before. Each transaction carries its key, so that a file read twice is noticed.
    """
    yield f'option "title" "{_quoted(title)}"\n'
    for currency in sorted(_currencies(period_code)):
        yield f'option "operating_currency" "{currency}"\n'
    yield "\n"
    for code, owner in _accounts_of(period_code):
        yield f"1970-01-01 open {account_name(CHART[code], owner)}\n"
    for txn in transactions_of(period_code):
        day = txn.effective_at.astimezone(UTC).date().isoformat()
        memo = _quoted(txn.memo)
        yield f'\n{day} * "{txn.kind}" "{memo}"\n'
        yield f'  key: "{_quoted(txn.key)}"\n'
        yield f'  posted: "{txn.posted_at.isoformat(timespec="seconds")}"\n'
        if txn.order_id is not None:
            yield f'  order: "{txn.order_id}"\n'
        for entry in txn.entries:
            sign = "" if entry.side is Side.DEBIT else "-"
            amount = plain_amount(entry.amount, entry.currency)
            yield (
                f"  {account_name(entry.account, entry.owner):<48}{sign}{amount} {entry.currency}\n"
            )


def account_name(account: AccountType, owner: int = 0) -> str:
    """An account's name in Beancount, like Assets:Stripe-Pending or
    Liabilities:Partners-Payable:P12."""
    words = account.code.split("_")
    name = "-".join(word.capitalize() for word in words)
    return f"{_ROOTS[account.kind]}:{name}" + (f":P{owner}" if owner else "")


def _accounts_of(period_code: str) -> list[tuple[str, int]]:
    rows = db.session.execute(
        select(LedgerAccount.code, LedgerAccount.owner)
        .join(LedgerEntry, LedgerEntry.account_id == LedgerAccount.id)
        .join(LedgerTransaction, LedgerTransaction.id == LedgerEntry.txn_id)
        .join(Period, Period.id == LedgerTransaction.period_id)
        .where(Period.code == period_code)
        .distinct()
    )
    return sorted(rows.all(), key=lambda each: (CHART[each[0]].number, each[1]))


def _currencies(period_code: str) -> set[str]:
    return set(
        db.session.scalars(
            select(LedgerEntry.currency)
            .join(LedgerTransaction, LedgerTransaction.id == LedgerEntry.txn_id)
            .join(Period, Period.id == LedgerTransaction.period_id)
            .where(Period.code == period_code)
            .distinct()
        )
    )


def _quoted(text: str) -> str:
    return " ".join(text.split()).replace("\\", "\\\\").replace('"', '\\"')
