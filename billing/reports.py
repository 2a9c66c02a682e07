"""Trial balance and the age of what we owe partners, as of any month's end or any moment."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import case, func, select

from billing.accounts import CHART, PARTNER_HELD, PARTNER_PAYABLE, AccountType
from billing.models import LedgerAccount, LedgerEntry, LedgerTransaction, Period, Side
from marketplace.core.database import db

# Days since the money was released (payable) or earned (held); the last one is open.
AGES = (30, 60, 90)


@dataclass(frozen=True)
class TrialLine:
    """One account of one currency: the sums of its two sides, and of the month alone."""

    account: AccountType
    currency: str
    debit: int
    credit: int
    month_debit: int = 0
    month_credit: int = 0

    @property
    def balance(self) -> int:
        """On the account's normal side."""
        net = self.debit - self.credit
        return net if self.account.normal_side is Side.DEBIT else -net

    @property
    def debit_balance(self) -> int:
        """What stands in the debit column of a trial balance."""
        return max(self.debit - self.credit, 0)

    @property
    def credit_balance(self) -> int:
        """What stands in the credit column of a trial balance."""
        return max(self.credit - self.debit, 0)


@dataclass(frozen=True)
class TrialBalance:
    """The balances of one currency."""

    currency: str
    lines: tuple[TrialLine, ...]

    @property
    def debit(self) -> int:
        return sum(line.debit_balance for line in self.lines)

    @property
    def credit(self) -> int:
        return sum(line.credit_balance for line in self.lines)

    @property
    def is_balanced(self) -> bool:
        """Debits equal credits."""
        return self.debit == self.credit


def trial_balance(
    *, through: str | None = None, posted_until: datetime | None = None
) -> list[TrialBalance]:
    """The balances after the month `through` (like 2026-10), or of what was posted up to
    `posted_until`; of everything without either. By currency, in the order of the chart."""
    debits = case((LedgerEntry.side == Side.DEBIT, LedgerEntry.amount), else_=0)
    credits_ = case((LedgerEntry.side == Side.CREDIT, LedgerEntry.amount), else_=0)
    of_month = Period.code == (through or "")
    query = (
        select(
            LedgerAccount.code,
            LedgerAccount.currency,
            func.sum(debits),
            func.sum(credits_),
            func.sum(case((of_month, debits), else_=0)),
            func.sum(case((of_month, credits_), else_=0)),
        )
        .join(LedgerEntry, LedgerEntry.account_id == LedgerAccount.id)
        .join(LedgerTransaction, LedgerTransaction.id == LedgerEntry.txn_id)
        .join(Period, Period.id == LedgerTransaction.period_id)
        .group_by(LedgerAccount.code, LedgerAccount.currency)
    )
    if through is not None:
        query = query.where(Period.code <= through)
    if posted_until is not None:
        query = query.where(LedgerTransaction.posted_at <= posted_until)
    by_currency: dict[str, list[TrialLine]] = {}
    for code, currency, debit, credit, month_debit, month_credit in db.session.execute(query):
        by_currency.setdefault(currency, []).append(
            TrialLine(
                CHART[code], currency, int(debit), int(credit), int(month_debit), int(month_credit)
            )
        )
    return [
        TrialBalance(currency, tuple(sorted(lines, key=lambda line: line.account.number)))
        for currency, lines in sorted(by_currency.items())
    ]


@dataclass(frozen=True)
class AgeLine:
    """What one partner is owed in one currency, by age; minor units. `ages[0]` is up to 30 days,
    the last more than 90; an amount below zero is owed by the partner."""

    partner_id: int
    currency: str
    held: int
    ages: tuple[int, ...]

    @property
    def payable(self) -> int:
        return sum(self.ages)

    @property
    def total(self) -> int:
        return self.held + self.payable


def partner_ageing(
    at: datetime, *, through: str | None = None, limit: int | None = None, offset: int = 0
) -> list[AgeLine]:
    """Who is owed how much, by the age of its oldest unpaid credits, largest first.

    What was paid or taken back uses up the oldest credits. `through` counts the months up to that
    one; otherwise what happened up to `at` counts.
    """
    wanted = _in_time(at, through)
    debits = (
        select(LedgerEntry.account_id, func.sum(LedgerEntry.amount).label("used"))
        .join(LedgerTransaction, LedgerTransaction.id == LedgerEntry.txn_id)
        .join(Period, Period.id == LedgerTransaction.period_id)
        .join(LedgerAccount, LedgerAccount.id == LedgerEntry.account_id)
        .where(
            LedgerEntry.side == Side.DEBIT,
            LedgerAccount.code.in_((PARTNER_PAYABLE, PARTNER_HELD)),
            wanted,
        )
        .group_by(LedgerEntry.account_id)
        .subquery()
    )
    running = func.sum(LedgerEntry.amount).over(
        partition_by=LedgerEntry.account_id,
        order_by=(LedgerTransaction.effective_at, LedgerEntry.id),
    )
    credits_ = (
        select(
            LedgerEntry.account_id,
            LedgerAccount.code,
            LedgerAccount.owner,
            LedgerAccount.currency,
            LedgerEntry.amount,
            LedgerTransaction.effective_at,
            running.label("running"),
        )
        .join(LedgerTransaction, LedgerTransaction.id == LedgerEntry.txn_id)
        .join(Period, Period.id == LedgerTransaction.period_id)
        .join(LedgerAccount, LedgerAccount.id == LedgerEntry.account_id)
        .where(
            LedgerEntry.side == Side.CREDIT,
            LedgerAccount.code.in_((PARTNER_PAYABLE, PARTNER_HELD)),
            wanted,
        )
        .subquery()
    )
    used = func.coalesce(debits.c.used, 0)
    # Of each credit, what the debits have not used up yet.
    left = case(
        (credits_.c.running <= used, 0),
        (credits_.c.running - used < credits_.c.amount, credits_.c.running - used),
        else_=credits_.c.amount,
    )
    payable = credits_.c.code == PARTNER_PAYABLE
    edges = [at - timedelta(days=days) for days in AGES]
    ages = []
    for place in range(len(AGES) + 1):
        inside = payable
        if place > 0:
            inside = inside & (credits_.c.effective_at < edges[place - 1])
        if place < len(AGES):
            inside = inside & (credits_.c.effective_at >= edges[place])
        ages.append(func.sum(case((inside, left), else_=0)).label(f"age_{place}"))
    held = func.sum(case((~payable, left), else_=0))
    total = func.sum(left)
    query = (
        select(credits_.c.owner, credits_.c.currency, held, *ages)
        .outerjoin(debits, debits.c.account_id == credits_.c.account_id)
        .group_by(credits_.c.owner, credits_.c.currency)
        .having(total > 0)
        .order_by(credits_.c.currency, total.desc(), credits_.c.owner)
        .offset(offset)
    )
    if limit is not None:
        query = query.limit(limit)
    return [
        AgeLine(owner, currency, int(held_sum), tuple(int(each) for each in sums))
        for owner, currency, held_sum, *sums in db.session.execute(query)
    ]


def _in_time(at: datetime, through: str | None) -> Any:
    if through is not None:
        return Period.code <= through
    return LedgerTransaction.effective_at <= at


def totals_of(lines: Sequence[AgeLine]) -> list[AgeLine]:
    """One line for each currency, with partner 0."""
    found: dict[str, AgeLine] = {}
    for line in lines:
        before = found.get(line.currency)
        found[line.currency] = AgeLine(
            0,
            line.currency,
            line.held + (before.held if before else 0),
            tuple(
                mine + (before.ages[place] if before else 0) for place, mine in enumerate(line.ages)
            ),
        )
    return [found[currency] for currency in sorted(found)]
