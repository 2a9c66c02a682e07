"""A partner's statement of a month, as the ledger had it at a moment: always the same again.

A line is a transaction that changes what the partner has coming: held + payable - owed. Moving
between the three (a release, a netting) is no line, but the balances on top show it. A month is
an accounting period in UTC: what is booked late stands in the first month that was open, so the
statement of a closed month never changes.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, String, case, cast, func, select

from billing.accounts import PARTNER_HELD, PARTNER_PAYABLE, PARTNER_RECEIVABLE
from billing.models import (
    Earning,
    EarningKind,
    LedgerAccount,
    LedgerEntry,
    LedgerTransaction,
    Order,
    OrderLine,
    Payout,
    Period,
    Side,
)
from marketplace.core.database import db

_ACCOUNTS = (PARTNER_HELD, PARTNER_PAYABLE, PARTNER_RECEIVABLE)
# How many rows of a statement are in memory at once.
CHUNK = 1_000
# What a line is, by the kind of its transaction; anything else is a correction.
SECTIONS = {
    "sale": "earned",
    "grant": "earned",
    "refund": "taken back",
    "dispute": "taken back",
    "payout_reserve": "paid out",
    "payout_release": "paid out",
    "payout_lessened": "paid out",
    "surplus": "paid out",
    "payout_reversed": "paid out",
    "reversal": "paid out",
    "conversion": "converted",
}
SECTION_ORDER = ("earned", "taken back", "corrected", "converted", "paid out")


def section_of(kind: str) -> str:
    """The part of a statement in which transactions of this kind are added up."""
    for prefix, section in SECTIONS.items():
        if kind == prefix or kind.startswith(f"{prefix}_"):
            return section
    return "corrected"


@dataclass(frozen=True)
class Balances:
    """What a partner has coming, in minor units. `owed` is what the partner owes us."""

    held: int = 0
    payable: int = 0
    owed: int = 0

    @property
    def total(self) -> int:
        """All of it together."""
        return self.held + self.payable - self.owed


@dataclass(frozen=True)
class StatementLine:
    """One line: what happened when, and by how much the total changed, in minor units."""

    txn_id: int
    at: datetime
    kind: str
    amount: int
    memo: str
    earning_id: str | None = None
    earning_kind: EarningKind | None = None
    order_id: str | None = None
    description: str | None = None
    payout_id: str | None = None

    @property
    def section(self) -> str:
        """earned, taken back, corrected, converted or paid out."""
        return section_of(self.kind)


@dataclass(frozen=True)
class Statement:
    """opening.total + the sums = closing.total. `month` is like 2026-10; UTC."""

    partner_id: int
    currency: str
    month: str
    as_of: datetime
    opening: Balances
    closing: Balances
    lines: int
    sums: dict[str, int] = field(default_factory=dict)

    @property
    def is_balanced(self) -> bool:
        """Whether the sums explain the difference; anything else is a fault of the ledger."""
        return self.opening.total + sum(self.sums.values()) == self.closing.total


def months_of(partner_id: int) -> list[tuple[str, str]]:
    """(month, currency) of each statement that says something, newest first."""
    rows = db.session.execute(
        select(Period.code, LedgerAccount.currency)
        .select_from(LedgerEntry)
        .join(LedgerAccount, LedgerAccount.id == LedgerEntry.account_id)
        .join(LedgerTransaction, LedgerTransaction.id == LedgerEntry.txn_id)
        .join(Period, Period.id == LedgerTransaction.period_id)
        .where(LedgerAccount.owner == partner_id, LedgerAccount.code.in_(_ACCOUNTS))
        .distinct()
        .order_by(Period.code.desc(), LedgerAccount.currency)
    )
    return [(month, currency) for month, currency in rows]


def statement(partner_id: int, currency: str, month: str, *, as_of: datetime) -> Statement:
    """The statement of one month in one currency, of what was posted up to `as_of`.

    Three statements to the database, however many lines there are.
    """
    before = _balances(partner_id, currency, Period.code < month, as_of)
    until = _balances(partner_id, currency, Period.code <= month, as_of)
    # held + payable - owed grows by a credit of any of the three.
    changed = func.sum(_as_credit())
    per_txn = (
        _of_partner(
            select(LedgerTransaction.kind, changed.label("amount")), partner_id, currency, as_of
        )
        .where(Period.code == month)
        .group_by(LedgerTransaction.id, LedgerTransaction.kind, LedgerEntry.earning_id)
        .having(changed != 0)
        .subquery()
    )
    sums: dict[str, int] = {}
    lines = 0
    for kind, count, amount in db.session.execute(
        select(per_txn.c.kind, func.count(), func.sum(per_txn.c.amount)).group_by(per_txn.c.kind)
    ):
        section = section_of(kind)
        sums[section] = sums.get(section, 0) + int(amount)
        lines += count
    return Statement(partner_id, currency, month, as_of, before, until, lines, sums)


def statement_lines(
    partner_id: int, currency: str, month: str, *, as_of: datetime, limit: int | None = None
) -> Iterator[StatementLine]:
    """The lines of a statement in the order in which they were booked, read as they are used."""
    txn = LedgerTransaction
    changed = func.sum(_as_credit())
    per_txn = (
        _of_partner(
            select(txn.id, LedgerEntry.earning_id.label("earning"), changed.label("amount")),
            partner_id,
            currency,
            as_of,
        )
        .where(Period.code == month)
        .group_by(txn.id, LedgerEntry.earning_id)
        .having(changed != 0)
        .subquery()
    )
    query = (
        select(
            txn.id,
            txn.effective_at,
            txn.kind,
            per_txn.c.amount,
            txn.memo,
            Earning.public_id,
            Earning.kind,
            Order.public_id,
            OrderLine.description,
            Payout.public_id,
        )
        .join(per_txn, per_txn.c.id == txn.id)
        .outerjoin(Earning, Earning.id == per_txn.c.earning)
        .outerjoin(OrderLine, OrderLine.id == Earning.order_line_id)
        .outerjoin(Order, Order.id == txn.order_id)
        .outerjoin(
            Payout,
            (txn.source_type == "payout") & (txn.source_id == cast(Payout.id, String)),
        )
        .order_by(txn.id, per_txn.c.earning)
    )
    if limit is not None:
        query = query.limit(limit)
    for row in db.session.execute(query.execution_options(yield_per=CHUNK)):
        yield StatementLine(*row)


def balances_by_currency(partner_id: int) -> dict[str, Balances]:
    """What a partner has coming now, by currency."""
    rows = db.session.execute(
        select(LedgerAccount.currency, LedgerAccount.code, func.sum(_as_credit()))
        .join(LedgerEntry, LedgerEntry.account_id == LedgerAccount.id)
        .where(LedgerAccount.owner == partner_id, LedgerAccount.code.in_(_ACCOUNTS))
        .group_by(LedgerAccount.currency, LedgerAccount.code)
        .order_by(LedgerAccount.currency)
    )
    found: dict[str, dict[str, int]] = {}
    for currency, code, total in rows:
        found.setdefault(currency, {})[code] = int(total)
    return {currency: _as_balances(by_code) for currency, by_code in found.items()}


def _as_balances(by_code: dict[str, int]) -> Balances:
    return Balances(
        by_code.get(PARTNER_HELD, 0),
        by_code.get(PARTNER_PAYABLE, 0),
        -by_code.get(PARTNER_RECEIVABLE, 0),
    )


def _as_credit() -> ColumnElement[int]:
    return case((LedgerEntry.side == Side.CREDIT, LedgerEntry.amount), else_=-LedgerEntry.amount)


def _of_partner(query: Any, partner_id: int, currency: str, as_of: datetime) -> Any:
    return (
        query.select_from(LedgerEntry)
        .join(LedgerAccount, LedgerAccount.id == LedgerEntry.account_id)
        .join(LedgerTransaction, LedgerTransaction.id == LedgerEntry.txn_id)
        .join(Period, Period.id == LedgerTransaction.period_id)
        .where(
            LedgerAccount.owner == partner_id,
            LedgerAccount.currency == currency,
            LedgerAccount.code.in_(_ACCOUNTS),
            LedgerTransaction.posted_at <= as_of,
        )
    )


def _balances(
    partner_id: int, currency: str, when: ColumnElement[bool], as_of: datetime
) -> Balances:
    rows = db.session.execute(
        _of_partner(select(LedgerAccount.code, func.sum(_as_credit())), partner_id, currency, as_of)
        .where(when)
        .group_by(LedgerAccount.code)
    )
    return _as_balances({code: int(total) for code, total in rows})
