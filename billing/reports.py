"""Trial balance and the age of what we owe partners, as of any month's end or any moment."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import pairwise
from typing import Any

from sqlalchemy import case, func, select

from billing.accounts import CHART, PARTNER_HELD, PARTNER_PAYABLE, AccountType
from billing.models import (
    LedgerAccount,
    LedgerEntry,
    LedgerTransaction,
    Period,
    PeriodState,
    Side,
)
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
    `posted_until`; of everything without either. By currency, in the order of the chart.

    What the last closed month before it kept is not added up again: it cannot have changed, and
    `billing verify` looks whether it did.
    """
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
    kept: dict[tuple[str, str], int] = {}
    if posted_until is not None:
        query = query.where(LedgerTransaction.posted_at <= posted_until)
    else:
        closed, kept = _kept_before(through)
        query = query.where(Period.code > closed)
    if through is not None:
        query = query.where(Period.code <= through)
    found = {
        (currency, code): [int(each) for each in sums]
        for code, currency, *sums in db.session.execute(query)
    }
    for key, balance in kept.items():
        sums = found.setdefault(key, [0, 0, 0, 0])
        sums[0 if balance > 0 else 1] += abs(balance)
    by_currency: dict[str, list[TrialLine]] = {}
    for (currency, code), sums in found.items():
        by_currency.setdefault(currency, []).append(TrialLine(CHART[code], currency, *sums))
    return [
        TrialBalance(currency, tuple(sorted(lines, key=lambda line: line.account.number)))
        for currency, lines in sorted(by_currency.items())
    ]


def _kept_before(month: str | None) -> tuple[str, dict[tuple[str, str], int]]:
    """The last closed month before this one (of all, without one), and the balances that it kept
    by currency and account, as debits; an empty name without one."""
    query = select(Period.code, Period.closing).where(Period.state == PeriodState.CLOSED)
    if month is not None:
        query = query.where(Period.code < month)
    found = db.session.execute(query.order_by(Period.code.desc()).limit(1)).one_or_none()
    if found is None or "trial_balance" not in found.closing:
        return "", {}
    return found.code, {
        (currency, code): int(balance)
        for currency, each in found.closing["trial_balance"].items()
        for code, balance in each["accounts"].items()
    }


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
    """Who is owed how much, by the age of its unpaid credits, largest first.

    What was paid or taken back uses up the oldest credits. `through` counts the months up to that
    one; otherwise what happened up to `at` counts.
    """
    left = _left(at, through)
    total = func.sum(left.c.balance)
    rows = db.session.execute(
        select(left.c.owner, left.c.currency, *_sums(left))
        .group_by(left.c.owner, left.c.currency)
        .having(total > 0)
        .order_by(left.c.currency, total.desc(), left.c.owner)
        .limit(limit)
        .offset(offset)
    )
    return [
        AgeLine(owner, currency, int(held), tuple(int(each) for each in ages))
        for owner, currency, held, *ages in rows
    ]


def ageing_totals(at: datetime, *, through: str | None = None) -> list[tuple[AgeLine, int]]:
    """What `partner_ageing` sums to, for each currency with partner 0; and of how many partners."""
    left = _left(at, through)
    rows = db.session.execute(
        select(left.c.currency, func.count(left.c.owner.distinct()), *_sums(left))
        .where(left.c.balance > 0)
        .group_by(left.c.currency)
        .order_by(left.c.currency)
    )
    return [
        (AgeLine(0, currency, int(held), tuple(int(each) for each in ages)), count)
        for currency, count, held, *ages in rows
    ]


def _left(at: datetime, through: str | None) -> Any:
    """By account of a partner: its balance, and what of it is not older than each age.

    What uses up the oldest credits leaves the newest ones: those that sum to the balance. So no
    credit has to be looked at by itself.
    """
    signed = case((LedgerEntry.side == Side.CREDIT, LedgerEntry.amount), else_=-LedgerEntry.amount)
    recent = [
        func.sum(
            case(
                (
                    (LedgerEntry.side == Side.CREDIT)
                    & (LedgerTransaction.effective_at >= at - timedelta(days=days)),
                    LedgerEntry.amount,
                ),
                else_=0,
            )
        ).label(f"to_{days}")
        for days in AGES
    ]
    accounts = (
        select(
            LedgerAccount.code,
            LedgerAccount.owner,
            LedgerAccount.currency,
            func.sum(signed).label("signed"),
            *recent,
        )
        .join(LedgerEntry, LedgerEntry.account_id == LedgerAccount.id)
        .join(LedgerTransaction, LedgerTransaction.id == LedgerEntry.txn_id)
        .join(Period, Period.id == LedgerTransaction.period_id)
        .where(
            LedgerAccount.code.in_((PARTNER_PAYABLE, PARTNER_HELD)),
            Period.code <= through if through is not None else LedgerTransaction.effective_at <= at,
        )
        .group_by(LedgerAccount.code, LedgerAccount.owner, LedgerAccount.currency)
        .subquery()
    )
    balance = case((accounts.c.signed > 0, accounts.c.signed), else_=0)
    return select(
        accounts.c.code,
        accounts.c.owner,
        accounts.c.currency,
        balance.label("balance"),
        *(
            case(
                (accounts.c[f"to_{days}"] < balance, accounts.c[f"to_{days}"]), else_=balance
            ).label(f"to_{days}")
            for days in AGES
        ),
    ).subquery()


def _sums(left: Any) -> list[Any]:
    """Held, and what is payable by age."""
    edges = [0, *(left.c[f"to_{days}"] for days in AGES), left.c.balance]
    payable = left.c.code == PARTNER_PAYABLE
    return [
        func.sum(case((~payable, left.c.balance), else_=0)),
        *(func.sum(case((payable, older - newer), else_=0)) for newer, older in pairwise(edges)),
    ]
