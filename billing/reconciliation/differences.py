"""The ledger against Stripe: everything that is there, however old, in slices of bounded size.

Each detector gives findings; breaks.py makes rows of them. Nothing is taken for right because it
was right yesterday: a row that was changed since is found by the next run.
"""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy import case, exists, false, func, or_, select
from sqlalchemy.orm import aliased

from billing.accounts import SUSPENSE
from billing.ledger import next_month
from billing.models import (
    BalanceTransaction,
    BreakType,
    LedgerAccount,
    LedgerEntry,
    LedgerTransaction,
    Period,
    PeriodState,
    ReconciliationMatch,
)
from billing.reconciliation.findings import Finding, Sides, differences_of
from billing.reconciliation.kinds import (
    CORRECTION,
    FEE_ACCOUNTS,
    STRIPE_ACCOUNTS,
    STRIPE_FEE,
    SUSPENSE_KIND,
    Link,
    link_of,
)
from billing.reconciliation.matching import (
    BALANCE_TXN,
    LEDGER_TXN,
    at_stripe_amount,
    expected_keys,
    in_parts,
    signed_amount,
)
from marketplace.core.database import db

SLICE = 5_000
# A webhook may be a little later than the list of balance transactions, or earlier.
GRACE = timedelta(hours=1)


@dataclass
class Bridge:
    """By currency: what leads from the ledger's balance at Stripe to Stripe's own."""

    unmatched_stripe: Counter[str] = field(default_factory=Counter)
    unmatched_ledger: Counter[str] = field(default_factory=Counter)
    differing: Counter[str] = field(default_factory=Counter)


@dataclass(frozen=True)
class Newest:
    """The newest rows that a comparison looks at: what comes while it runs is the next one's."""

    balance_txn_id: int
    ledger_txn_id: int


def newest() -> Newest:
    """The newest rows of this moment."""
    return Newest(
        db.session.scalar(select(func.max(BalanceTransaction.id))) or 0,
        db.session.scalar(select(func.max(LedgerTransaction.id))) or 0,
    )


def find_differences(bridge: Bridge, now: datetime, bounds: Newest) -> Iterator[Finding]:
    """All between the ledger and Stripe's balance transactions; fills `bridge` on the way.

    Findings come slice by slice: the caller may commit between them.
    """
    last = bounds.balance_txn_id
    for first in range(1, last + 1, SLICE):
        # Whole lists: the caller commits between two findings, which expires loaded rows.
        yield from list(_differing(bridge, first, min(first + SLICE, last + 1)))
        yield from list(_without_ledger(bridge, now, first, min(first + SLICE, last + 1)))
        yield from list(_in_suspense(first, min(first + SLICE, last + 1)))
        yield from list(_in_another_month(first, min(first + SLICE, last + 1)))
    last = bounds.ledger_txn_id
    for first in range(1, last + 1, SLICE):
        yield from list(_without_stripe(bridge, now, first, min(first + SLICE, last + 1)))


def _differing(bridge: Bridge, first: int, end: int) -> Iterator[Finding]:
    """Matched, but amount, fee or currency is not the same."""
    at_stripe = LedgerAccount.code.in_(STRIPE_ACCOUNTS)
    same = LedgerEntry.currency == BalanceTransaction.currency
    signed = signed_amount()
    moved = func.coalesce(func.sum(case((at_stripe & same, signed), else_=0)), 0)
    elsewhere = func.coalesce(func.sum(case((at_stripe & ~same, signed), else_=0)), 0)
    fee_booked = func.coalesce(
        func.sum(
            case(
                (
                    LedgerAccount.code.in_(FEE_ACCOUNTS)
                    & same
                    & (LedgerTransaction.kind != STRIPE_FEE),
                    signed,
                ),
                else_=0,
            )
        ),
        0,
    )
    rows = db.session.execute(
        select(
            BalanceTransaction.id,
            moved.label("moved"),
            elsewhere.label("elsewhere"),
            fee_booked.label("fee_booked"),
        )
        .join(
            ReconciliationMatch,
            (ReconciliationMatch.left_type == BALANCE_TXN)
            & (ReconciliationMatch.right_type == LEDGER_TXN)
            & (ReconciliationMatch.left_id == BalanceTransaction.id),
        )
        # Outer joins: what was deleted in the ledger counts as nothing.
        .outerjoin(LedgerTransaction, LedgerTransaction.id == ReconciliationMatch.right_id)
        .outerjoin(LedgerEntry, LedgerEntry.txn_id == LedgerTransaction.id)
        .outerjoin(LedgerAccount, LedgerAccount.id == LedgerEntry.account_id)
        .where(BalanceTransaction.id >= first, BalanceTransaction.id < end)
        .group_by(BalanceTransaction.id)
        .having(
            or_(
                moved != BalanceTransaction.net,
                elsewhere != 0,
                fee_booked != BalanceTransaction.fee,
                BalanceTransaction.net != BalanceTransaction.amount - BalanceTransaction.fee,
            )
        )
    ).all()
    found = {
        each.id: each
        for part in in_parts([row.id for row in rows])
        for each in db.session.scalars(
            select(BalanceTransaction).where(BalanceTransaction.id.in_(part))
        )
    }
    foreign = _moved_elsewhere([row.id for row in rows if row.elsewhere])
    for (_, currency), amount in foreign.items():
        bridge.differing[currency] -= amount
    for row in rows:
        stripe = found[row.id]
        whole = link_of(stripe.type, stripe.source_id) in {Link.FEE, Link.UNKNOWN}
        sides = Sides(
            # A fee of Stripe's own is one movement; its parts are no matter of ours.
            amount=stripe.net if whole else stripe.amount,
            fee=0 if whole else stripe.fee,
            net=stripe.net,
            moved=int(row.moved),
            fee_booked=0 if whole else int(row.fee_booked),
            elsewhere=int(row.elsewhere),
        )
        bridge.differing[stripe.currency] += stripe.net - sides.moved
        for type_, amount in differences_of(sides):
            yield _of_stripe(
                stripe,
                type_,
                amount,
                ledger_moved=sides.moved,
                ledger_fee=sides.fee_booked,
                ledger_elsewhere=sides.elsewhere,
            )


def _moved_elsewhere(balance_txn_ids: list[int]) -> dict[tuple[int, str], int]:
    """What the ledger moved at Stripe in other currencies than the balance transaction's."""
    found: dict[tuple[int, str], int] = {}
    for part in in_parts(balance_txn_ids):
        rows = db.session.execute(
            select(BalanceTransaction.id, LedgerEntry.currency, func.sum(signed_amount()))
            .join(ReconciliationMatch, ReconciliationMatch.left_id == BalanceTransaction.id)
            .join(LedgerEntry, LedgerEntry.txn_id == ReconciliationMatch.right_id)
            .join(LedgerAccount, LedgerAccount.id == LedgerEntry.account_id)
            .where(
                BalanceTransaction.id.in_(part),
                ReconciliationMatch.left_type == BALANCE_TXN,
                ReconciliationMatch.right_type == LEDGER_TXN,
                LedgerAccount.code.in_(STRIPE_ACCOUNTS),
                LedgerEntry.currency != BalanceTransaction.currency,
            )
            .group_by(BalanceTransaction.id, LedgerEntry.currency)
        )
        found |= {(row_id, currency): int(amount) for row_id, currency, amount in rows}
    return found


def _without_ledger(bridge: Bridge, now: datetime, first: int, end: int) -> Iterator[Finding]:
    """At Stripe, but nothing in the ledger is it."""
    rows = db.session.scalars(
        select(BalanceTransaction)
        .where(
            BalanceTransaction.id >= first,
            BalanceTransaction.id < end,
            ~exists().where(
                ReconciliationMatch.left_type == BALANCE_TXN,
                ReconciliationMatch.left_id == BalanceTransaction.id,
            ),
        )
        .order_by(BalanceTransaction.id)
    ).all()
    for row in rows:
        bridge.unmatched_stripe[row.currency] += row.net
    old = [row for row in rows if row.created_at <= now - GRACE and row.net]
    doubles = _doubles(old)
    for row in old:
        twin = doubles.get(row.id)
        if twin:
            yield _of_stripe(row, BreakType.DUPLICATE, row.net, same_as=twin)
        else:
            yield _of_stripe(row, BreakType.MISSING_IN_LEDGER, row.net)


def _doubles(rows: list[BalanceTransaction]) -> dict[int, str]:
    """Those that lead to a ledger transaction that another one already is: id to that key."""
    keys = expected_keys(rows) if rows else {}
    wanted = sorted({key for each in keys.values() for key in each})
    there = {
        key
        for part in in_parts(wanted)
        for key in db.session.scalars(
            select(LedgerTransaction.idem_key).where(LedgerTransaction.idem_key.in_(part))
        )
    }
    return {
        row_id: next(key for key in each if key in there)
        for row_id, each in keys.items()
        if any(key in there for key in each)
    }


def _in_suspense(first: int, end: int) -> Iterator[Finding]:
    """Booked to suspense and not moved from there yet."""
    correction = aliased(LedgerTransaction)
    rows = db.session.scalars(
        select(BalanceTransaction)
        .join(
            LedgerTransaction,
            (LedgerTransaction.source_type == BALANCE_TXN)
            & (LedgerTransaction.source_id == BalanceTransaction.stripe_id)
            & (LedgerTransaction.kind == SUSPENSE_KIND),
        )
        .where(
            BalanceTransaction.id >= first,
            BalanceTransaction.id < end,
            ~exists().where(
                correction.source_type == BALANCE_TXN,
                correction.source_id == BalanceTransaction.stripe_id,
                correction.kind == CORRECTION,
            ),
        )
    )
    for row in rows.all():
        yield _of_stripe(row, BreakType.MISSING_IN_LEDGER, row.net, in_suspense=True)


def _without_stripe(bridge: Bridge, now: datetime, first: int, end: int) -> Iterator[Finding]:
    """In the ledger's accounts at Stripe, but Stripe does not have it."""
    total = func.sum(at_stripe_amount())
    matched = exists().where(
        ReconciliationMatch.left_type == BALANCE_TXN,
        ReconciliationMatch.right_type == LEDGER_TXN,
        ReconciliationMatch.right_id == LedgerTransaction.id,
        # A match with a row that is gone is none.
        ReconciliationMatch.left_id == BalanceTransaction.id,
    )
    rows = db.session.execute(
        select(LedgerTransaction.id, LedgerEntry.currency, total)
        .join(LedgerEntry, LedgerEntry.txn_id == LedgerTransaction.id)
        .join(LedgerAccount, LedgerAccount.id == LedgerEntry.account_id)
        .where(
            LedgerTransaction.id >= first,
            LedgerTransaction.id < end,
            ~matched,
        )
        .group_by(LedgerTransaction.id, LedgerEntry.currency)
        .having(total != 0)
        .order_by(LedgerTransaction.id)
    )
    amounts = [(txn_id, currency, int(amount)) for txn_id, currency, amount in rows]
    for _, currency, amount in amounts:
        bridge.unmatched_ledger[currency] += amount
    txns = _transactions([txn_id for txn_id, _, _ in amounts])
    undone = _undone(list(txns))
    due = {
        txn_id
        for txn_id, txn in txns.items()
        if txn.posted_at <= now - GRACE and txn_id not in undone
    }
    twins = _twins(sorted(due))
    for txn_id, currency, amount in amounts:
        if txn_id not in due:
            continue
        txn, twin = txns[txn_id], twins.get(txn_id)
        yield Finding(
            BreakType.DUPLICATE if twin else BreakType.MISSING_IN_STRIPE,
            LEDGER_TXN,
            str(txn_id),
            -amount,
            currency,
            txn.effective_at,
            {"kind": txn.kind, "key": txn.idem_key, "order_id": txn.order_id}
            | ({"same_as": twin} if twin else {}),
        )


def _transactions(ids: list[int]) -> dict[int, LedgerTransaction]:
    return {
        each.id: each
        for part in in_parts(ids)
        for each in db.session.scalars(
            select(LedgerTransaction).where(LedgerTransaction.id.in_(part))
        )
    }


def _undone(ids: list[int]) -> set[int]:
    """Those that reverse another or are reversed, both unknown to Stripe: together nothing."""
    other = aliased(LedgerTransaction)
    found: set[int] = set()
    for part in in_parts(ids):
        pairs = db.session.execute(
            select(LedgerTransaction.id, other.id)
            .join(
                other,
                (other.reverses_id == LedgerTransaction.id)
                | (LedgerTransaction.reverses_id == other.id),
            )
            .where(
                LedgerTransaction.id.in_(part),
                ~exists().where(
                    ReconciliationMatch.left_type == BALANCE_TXN,
                    ReconciliationMatch.right_type == LEDGER_TXN,
                    ReconciliationMatch.right_id == other.id,
                ),
            )
        )
        found |= {mine for mine, _ in pairs}
    return found


def _twins(ids: list[int]) -> dict[int, str]:
    """Of these, those with an earlier one of the same kind for the same source: id to its key."""
    earlier = aliased(LedgerTransaction)
    found: dict[int, str] = {}
    for part in in_parts(ids):
        found |= dict(
            db.session.execute(
                select(LedgerTransaction.id, func.min(earlier.idem_key))
                .join(
                    earlier,
                    (earlier.source_type == LedgerTransaction.source_type)
                    & (earlier.source_id == LedgerTransaction.source_id)
                    & (earlier.kind == LedgerTransaction.kind)
                    & (earlier.id < LedgerTransaction.id),
                )
                .where(LedgerTransaction.id.in_(part))
                .group_by(LedgerTransaction.id)
            ).all()
        )
    return found


def _in_another_month(first: int, end: int) -> Iterator[Finding]:
    """Stripe has it in another month than the ledger: both months look wrong by it."""
    in_slice = (BalanceTransaction.id >= first) & (BalanceTransaction.id < end)
    oldest = db.session.scalar(select(func.min(BalanceTransaction.created_at)).where(in_slice))
    latest = db.session.scalar(select(func.max(BalanceTransaction.created_at)).where(in_slice))
    if oldest is None or latest is None:
        return
    # Rows that are next to each other are of few months: only these are asked about.
    in_its_month = [
        (LedgerTransaction.period_id == period.id)
        & (BalanceTransaction.created_at >= month_bounds(period.code)[0])
        & (BalanceTransaction.created_at < month_bounds(period.code)[1])
        for period in db.session.scalars(
            select(Period).where(Period.code.between(month_of(oldest), month_of(latest)))
        )
    ]
    rows = db.session.execute(
        select(BalanceTransaction.id, func.max(Period.code))
        .join(ReconciliationMatch, ReconciliationMatch.left_id == BalanceTransaction.id)
        .join(LedgerTransaction, LedgerTransaction.id == ReconciliationMatch.right_id)
        .join(Period, Period.id == LedgerTransaction.period_id)
        .where(
            in_slice,
            ReconciliationMatch.left_type == BALANCE_TXN,
            ReconciliationMatch.right_type == LEDGER_TXN,
            LedgerTransaction.kind != CORRECTION,
            ~or_(false(), *in_its_month),
        )
        .group_by(BalanceTransaction.id)
    ).all()
    if not rows:
        return
    closed = set(db.session.scalars(select(Period.code).where(Period.state == PeriodState.CLOSED)))
    found = {
        each.id: each
        for part in in_parts([row_id for row_id, _ in rows])
        for each in db.session.scalars(
            select(BalanceTransaction).where(BalanceTransaction.id.in_(part))
        )
    }
    for row_id, code in rows:
        row = found[row_id]
        month = month_of(row.created_at)
        reason = f"{month} was closed when it came; it counts in {code}."
        yield _of_stripe(
            row,
            BreakType.TIMING,
            row.net,
            reason=reason if month in closed else "",
            stripe_month=month,
            ledger_month=code,
        )


def suspense_balances() -> dict[str, int]:
    """What lies in suspense, by currency, as a debit."""
    rows = db.session.execute(
        select(LedgerEntry.currency, func.sum(signed_amount()))
        .join(LedgerAccount, LedgerAccount.id == LedgerEntry.account_id)
        .where(LedgerAccount.code == SUSPENSE)
        .group_by(LedgerEntry.currency)
    )
    return {currency: int(total) for currency, total in rows if total}


def _of_stripe(
    row: BalanceTransaction, type_: BreakType, amount: int, *, reason: str = "", **details: Any
) -> Finding:
    return Finding(
        type_,
        BALANCE_TXN,
        row.stripe_id,
        amount,
        row.currency,
        row.created_at,
        {
            "type": row.type,
            "source_id": row.source_id,
            "amount": row.amount,
            "fee": row.fee,
            "net": row.net,
            **details,
        },
        reason,
    )


def month_of(at: datetime) -> str:
    """The month of a time, in UTC, like 2026-10."""
    at = at.astimezone(UTC)
    return f"{at.year:04d}-{at.month:02d}"


def month_bounds(code: str) -> tuple[datetime, datetime]:
    """Where a month begins, and where the next one does, in UTC. Raises ValueError."""
    following = next_month(code)
    return (
        datetime(int(code[:4]), int(code[5:]), 1, tzinfo=UTC),
        datetime(int(following[:4]), int(following[5:]), 1, tzinfo=UTC),
    )
