"""Figures over time, read from the ledger: what customers paid, and where it went.

Months are the ledger's periods, so that they agree with the books once they are closed; days are
the days (UTC) on which things happened.
"""

from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from enum import StrEnum
from typing import Any

from sqlalchemy import ColumnElement, Select, case, func, select

from billing.accounts import (
    PARTNER_HELD,
    PLATFORM_FEE,
    PROCESSING_FEE,
    REFUND_CLEARING,
    STRIPE_PENDING,
)
from billing.ledger import next_month
from billing.models import (
    Earning,
    EarningKind,
    LedgerAccount,
    LedgerEntry,
    LedgerTransaction,
    Period,
    Side,
)
from marketplace.core.database import db

MAX_DAYS = 92


class Step(StrEnum):
    """How wide a bar is."""

    MONTH = "month"
    DAY = "day"


@dataclass(frozen=True)
class Figures:
    """Amounts for each bucket, in minor units of one currency.

    gross: what customers paid, with tax. fees: the platform's income, less what refunds took of
    it. publishers, resellers, commissions: what partners earned by sales, before refunds.
    refunds: what went back to customers, above zero. processing: what Stripe took.
    """

    currency: str
    buckets: tuple[str, ...]
    gross: tuple[int, ...]
    fees: tuple[int, ...]
    publishers: tuple[int, ...]
    resellers: tuple[int, ...]
    commissions: tuple[int, ...]
    refunds: tuple[int, ...]
    processing: tuple[int, ...]

    @property
    def is_empty(self) -> bool:
        """Whether nothing happened at all."""
        return not any(any(getattr(self, name)) for name in _SERIES)


_SERIES = (
    "gross",
    "fees",
    "publishers",
    "resellers",
    "commissions",
    "refunds",
    "processing",
)
_BY_EARNING = {
    EarningKind.PUBLISHER_SHARE: "publishers",
    EarningKind.RESELLER_MARGIN: "resellers",
    EarningKind.AFFILIATE_COMMISSION: "commissions",
}
_CODES = (
    STRIPE_PENDING,
    PLATFORM_FEE,
    PARTNER_HELD,
    REFUND_CLEARING,
    PROCESSING_FEE,
)
# Kinds of transactions that tell of refunds given, and of those that failed after all.
_REFUNDS = ("refund", "refund_failed")


def months_between(first: str, last: str) -> list[str]:
    """Months like 2026-10, both ends included."""
    found = [first]
    while found[-1] < last:
        found.append(next_month(found[-1]))
    return found


def days_between(first: date, last: date) -> list[str]:
    """Days like 2026-10-05, both ends included, at most MAX_DAYS of them: the last ones."""
    count = min((last - first).days + 1, MAX_DAYS)
    return [(last - timedelta(days=count - 1 - n)).isoformat() for n in range(count)]


def currencies_in_use() -> list[str]:
    """The currencies that something was sold in, the most used first."""
    return list(
        db.session.scalars(
            select(LedgerAccount.currency)
            .group_by(LedgerAccount.currency)
            .order_by(func.count().desc(), LedgerAccount.currency)
        )
    )


def figures_of_months(currency: str, first: str, last: str) -> Figures:
    """The figures of each period from `first` to `last`, like 2026-10. One query."""
    query = (
        _sums(Period.code)
        .join(Period, Period.id == LedgerTransaction.period_id)
        .where(Period.code >= first, Period.code <= last)
    )
    return _read(currency, months_between(first, last), query)


def figures_of_days(currency: str, first: date, last: date) -> Figures:
    """The figures of each day (UTC) from `first` to `last`. One query."""
    buckets = days_between(first, last)
    start = datetime.combine(date.fromisoformat(buckets[0]), datetime.min.time(), UTC)
    end = datetime.combine(last + timedelta(days=1), datetime.min.time(), UTC)
    query = _sums(_day(LedgerTransaction.effective_at)).where(
        LedgerTransaction.effective_at >= start, LedgerTransaction.effective_at < end
    )
    return _read(currency, buckets, query)


def _sums(bucket: Any) -> Select[Any]:
    credit = case((LedgerEntry.side == Side.CREDIT, LedgerEntry.amount), else_=-LedgerEntry.amount)
    keys = (bucket, LedgerAccount.code, LedgerTransaction.kind, Earning.kind)
    return (
        select(*keys, func.sum(credit))
        .select_from(LedgerEntry)
        .join(LedgerAccount, LedgerAccount.id == LedgerEntry.account_id)
        .join(LedgerTransaction, LedgerTransaction.id == LedgerEntry.txn_id)
        .outerjoin(Earning, Earning.id == LedgerEntry.earning_id)
        .where(LedgerAccount.code.in_(_CODES))
        .group_by(*keys)
    )


def _read(currency: str, buckets: list[str], query: Select[Any]) -> Figures:
    sums = {name: dict.fromkeys(buckets, 0) for name in _SERIES}
    for bucket, code, kind, earning, credit in db.session.execute(
        query.where(LedgerEntry.currency == currency)
    ):
        name, sign = _series_of(code, kind, earning)
        if name and bucket in sums[name]:
            sums[name][bucket] += sign * int(credit)
    return Figures(
        currency, tuple(buckets), *(tuple(sums[name][each] for each in buckets) for name in _SERIES)
    )


def _series_of(code: str, kind: str, earning: EarningKind | None) -> tuple[str, int]:
    """The series that an entry counts in, and the sign of its credit there."""
    if code == PLATFORM_FEE:
        return ("fees", 1)
    if code == PROCESSING_FEE:
        return ("processing", -1)
    if code == REFUND_CLEARING and kind in _REFUNDS:
        return ("refunds", 1)
    if code == STRIPE_PENDING and kind == "sale":
        return ("gross", -1)
    if code == PARTNER_HELD and kind == "sale" and earning is not None:
        return (_BY_EARNING[earning], 1)
    return ("", 0)


def _day(column: Any) -> ColumnElement[str]:
    """A moment's day in UTC, like 2026-10-05."""
    if db.engine.dialect.name == "postgresql":
        return func.to_char(func.timezone("UTC", column), "YYYY-MM-DD")
    return func.substr(column, 1, 10)
