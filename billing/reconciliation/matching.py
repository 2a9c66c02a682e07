"""Which ledger transactions each balance transaction is, by source and type, then by metadata.

Amounts are not looked at here: what belongs together is matched, and differences.py says whether
it agrees. A ledger transaction belongs to one balance transaction at most, so that what happened
twice at Stripe stays without a match and is found.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import and_, case, exists, func, insert, or_, select

from billing.models import (
    BalanceTransaction,
    BreakState,
    Dispute,
    LedgerAccount,
    LedgerEntry,
    LedgerTransaction,
    Order,
    Payout,
    ReconciliationBreak,
    ReconciliationMatch,
    ReconciliationRun,
    Refund,
    Side,
    TransferReversal,
)
from billing.reconciliation.kinds import STRIPE_ACCOUNTS, Link, link_of
from marketplace.core import clock
from marketplace.core.database import db

BALANCE_TXN, LEDGER_TXN = "balance_txn", "ledger_txn"
BATCH = 1_000
IN_LIST = 500


@dataclass
class Matched:
    """What one batch came to."""

    new: int = 0
    # Those that lead to nothing in the ledger.
    without: list[BalanceTransaction] = field(default_factory=list)


def batch_to_match(
    run: ReconciliationRun, after_id: int, limit: int = BATCH
) -> Sequence[BalanceTransaction]:
    """The next ones to look at: of the run's window, without a match, or with a break."""
    matched = exists().where(
        ReconciliationMatch.left_type == BALANCE_TXN,
        ReconciliationMatch.left_id == BalanceTransaction.id,
    )
    broken = exists().where(
        ReconciliationBreak.state != BreakState.RESOLVED,
        ReconciliationBreak.subject_type == BALANCE_TXN,
        ReconciliationBreak.subject_id == BalanceTransaction.stripe_id,
    )
    return db.session.scalars(
        select(BalanceTransaction)
        .where(
            BalanceTransaction.id > after_id,
            or_(BalanceTransaction.created_at >= run.window_start, ~matched, broken),
        )
        .order_by(BalanceTransaction.id)
        .limit(limit)
    ).all()


def match_batch(batch: Sequence[BalanceTransaction]) -> Matched:
    """Match these and give those without any match. A few statements for all of them."""
    keys = expected_keys(batch)
    wanted = {key for each in keys.values() for key in each}
    txns = _by_key(wanted)
    taken = _taken({txn_id for txn_id, _ in txns.values()})
    there = _already({each.id for each in batch})
    result = Matched()
    rows: list[dict[str, Any]] = []
    for each in batch:
        mine = there.get(each.id, set())
        for key in keys[each.id]:
            found = txns.get(key)
            if found is None or found[0] in mine or taken.get(found[0], each.id) != each.id:
                continue
            mine.add(found[0])
            taken[found[0]] = each.id
            rows.append(match_row(each.id, found[0], found[1].get(each.currency, 0)))
        if not mine:
            result.without.append(each)
    if rows:
        db.session.execute(insert(ReconciliationMatch), rows)
    result.new = len(rows)
    return result


def match_row(balance_txn_id: int, ledger_txn_id: int, amount: int, rule: str = "source") -> Any:
    """A match as a row; `amount` is what the ledger moved at Stripe, signed."""
    return {
        "left_type": BALANCE_TXN,
        "left_id": balance_txn_id,
        "right_type": LEDGER_TXN,
        "right_id": ledger_txn_id,
        "amount": amount,
        "rule": rule,
        "matched_at": clock.now(),
    }


def expected_keys(batch: Sequence[BalanceTransaction]) -> dict[int, list[str]]:
    """The keys that the ledger's transactions for each of these have, if they were posted."""
    sources: dict[Link, set[str]] = {}
    for each in batch:
        sources.setdefault(link_of(each.type, each.source_id), set()).add(each.source_id)
    orders = _ids(Order.charge_id, Order.id, sources.get(Link.CHARGE, ()))
    orders |= _orders_by_reference(batch, orders)
    refunds = _ids(
        Refund.stripe_id,
        Refund.id,
        sources.get(Link.REFUND, set()) | sources.get(Link.REFUND_FAILURE, set()),
    )
    disputes = _ids(Dispute.stripe_id, Dispute.id, sources.get(Link.DISPUTE, ()))
    payouts = _ids(Payout.transfer_id, Payout.id, sources.get(Link.TRANSFER, ()))
    reversals = _reversals(sources.get(Link.REVERSAL, ()))
    keys: dict[int, list[str]] = {}
    for each in batch:
        link = link_of(each.type, each.source_id)
        found: list[str] = []
        source = each.source_id
        if link is Link.CHARGE and source in orders:
            found = [f"order:{orders[source]}:paid", f"charge:{source}:fee", f"charge:{source}:fx"]
        elif link is Link.REFUND and source in refunds:
            found = [f"refund:{refunds[source]}:paid", f"refund:{refunds[source]}:fee"]
        elif link is Link.REFUND_FAILURE and source in refunds:
            found = [f"refund:{refunds[source]}:unpaid"]
        elif link is Link.DISPUTE and source in disputes:
            found = [f"dispute:{disputes[source]}:{'open' if each.net < 0 else 'won'}"]
        elif link is Link.TRANSFER:
            known = f"payout:{payouts[source]}:transferred" if source in payouts else ""
            found = [known or f"surplus:{source}"]
        elif link is Link.REVERSAL:
            found = reversals.get(source, [f"surplus_reversal:{source}"])
        elif link is Link.PAYOUT:
            found = [f"stripe_payout:{source}:sent"]
        elif link is Link.PAYOUT_FAILURE:
            found = [f"stripe_payout:{source}:failed"]
        elif link in {Link.FEE, Link.UNKNOWN}:
            found = [f"balance_txn:{each.stripe_id}"]
        keys[each.id] = found
    return keys


def _ids(by: Any, row_id: Any, values: Iterable[str]) -> dict[str, int]:
    """Row ids by the Stripe id in column `by`."""
    found: dict[str, int] = {}
    for part in in_parts(sorted(values)):
        found |= dict(db.session.execute(select(by, row_id).where(by.in_(part))).all())
    return found


def _orders_by_reference(
    batch: Sequence[BalanceTransaction], known: Mapping[str, int]
) -> dict[str, int]:
    """Orders that the charge itself names, for charges that no order knows."""
    names = {
        each.source_id: each.order_reference
        for each in batch
        if each.order_reference and each.source_id not in known
    }
    if not names:
        return {}
    by_public_id = _ids(Order.public_id, Order.id, set(names.values()))
    numbers = {int(name) for name in names.values() if name.isdigit() and len(name) < 19}
    by_number = set(db.session.scalars(select(Order.id).where(Order.id.in_(numbers))))
    found = {}
    for source, name in names.items():
        if name in by_public_id:
            found[source] = by_public_id[name]
        elif name.isdigit() and int(name) in by_number:
            found[source] = int(name)
    return found


def _reversals(values: Iterable[str]) -> dict[str, list[str]]:
    """Keys of what a transfer's reversal posted: a part of it, or the whole payout's."""
    found: dict[str, list[str]] = {}
    for part in in_parts(sorted(values)):
        rows = db.session.scalars(
            select(TransferReversal).where(TransferReversal.stripe_id.in_(part))
        )
        for row in rows:
            whole = row.refund_id is None and row.dispute_id is None
            found[row.stripe_id or ""] = [
                f"reversal:{row.id}",
                *([f"payout:{row.payout_id}:reversed"] if whole else []),
            ]
    return found


def _by_key(keys: Iterable[str]) -> dict[str, tuple[int, dict[str, int]]]:
    """Transactions by key: id, and what each moved at Stripe by currency."""
    ids: dict[str, int] = {}
    for part in in_parts(sorted(keys)):
        ids |= dict(
            db.session.execute(
                select(LedgerTransaction.idem_key, LedgerTransaction.id).where(
                    LedgerTransaction.idem_key.in_(part)
                )
            ).all()
        )
    moved = moved_at_stripe(ids.values())
    return {key: (txn_id, moved.get(txn_id, {})) for key, txn_id in ids.items()}


def signed_amount() -> Any:
    """An entry's amount as a debit, in SQL."""
    return case((LedgerEntry.side == Side.DEBIT, LedgerEntry.amount), else_=-LedgerEntry.amount)


def at_stripe_amount() -> Any:
    """Like `signed_amount` in the accounts at Stripe, and nothing in others.

    As a condition, the account's code would make SQLite begin with all entries of that account.
    """
    return case((LedgerAccount.code.in_(STRIPE_ACCOUNTS), signed_amount()), else_=0)


def moved_at_stripe(txn_ids: Iterable[int]) -> dict[int, dict[str, int]]:
    """What each of these transactions moved in the two accounts at Stripe, by currency."""
    found: dict[int, dict[str, int]] = {}
    for part in in_parts(sorted(txn_ids)):
        rows = db.session.execute(
            select(LedgerEntry.txn_id, LedgerEntry.currency, func.sum(at_stripe_amount()))
            .join(LedgerAccount, LedgerAccount.id == LedgerEntry.account_id)
            .where(LedgerEntry.txn_id.in_(part))
            .group_by(LedgerEntry.txn_id, LedgerEntry.currency)
        )
        for txn_id, currency, amount in rows:
            found.setdefault(txn_id, {})[currency] = int(amount)
    return found


def _taken(txn_ids: set[int]) -> dict[int, int]:
    """Which of these ledger transactions are matched already, and with what that still exists."""
    found: dict[int, int] = {}
    for part in in_parts(sorted(txn_ids)):
        # By the right side alone, and not joined: with the left side's type, or the balance
        # transactions, SQLite would begin with all of them for each batch.
        rows = db.session.execute(
            select(
                ReconciliationMatch.right_id,
                ReconciliationMatch.left_id,
                ReconciliationMatch.left_type,
            ).where(
                ReconciliationMatch.right_type == LEDGER_TXN,
                ReconciliationMatch.right_id.in_(part),
            )
        )
        matches = [(right, left) for right, left, type_ in rows if type_ == BALANCE_TXN]
        there = set(
            db.session.scalars(
                select(BalanceTransaction.id).where(
                    BalanceTransaction.id.in_({left for _, left in matches})
                )
            )
        )
        found |= {right: left for right, left in matches if left in there}
    return found


def _already(balance_txn_ids: set[int]) -> dict[int, set[int]]:
    """The ledger transactions that each of these is matched with."""
    found: dict[int, set[int]] = {}
    for part in in_parts(sorted(balance_txn_ids)):
        rows = db.session.execute(
            select(ReconciliationMatch.left_id, ReconciliationMatch.right_id).where(
                and_(
                    ReconciliationMatch.left_type == BALANCE_TXN,
                    ReconciliationMatch.left_id.in_(part),
                )
            )
        )
        for left, right in rows:
            found.setdefault(left, set()).add(right)
    return found


def in_parts(values: Sequence[Any], size: int = IN_LIST) -> Iterable[Sequence[Any]]:
    """`values` in parts that fit into one statement."""
    return (values[start : start + size] for start in range(0, len(values), size))
