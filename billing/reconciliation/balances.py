"""By currency: opening + movements = closing, and the ledger's balance at Stripe against Stripe's.

The bridge from one to the other names every part: at Stripe and not in the ledger, in the ledger
and not at Stripe, in both but with another amount. What is left after that must be nothing.
"""

from collections.abc import Iterator
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import case, func, select

from billing.accounts import BANK, STRIPE_AVAILABLE, STRIPE_IN_TRANSIT, STRIPE_PENDING, SUSPENSE
from billing.gateway import gateway
from billing.models import (
    BalanceTransaction,
    BreakType,
    LedgerAccount,
    LedgerEntry,
    ReconciliationRun,
)
from billing.reconciliation.differences import Bridge, Newest
from billing.reconciliation.findings import Finding
from billing.reconciliation.matching import signed_amount
from billing.reconciliation.mirror import mirror_balance_transactions
from marketplace.core import clock
from marketplace.core.database import db

# How often Stripe's balance is asked again when something moved meanwhile.
TRIES = 3
ACCOUNTS = (STRIPE_PENDING, STRIPE_AVAILABLE, STRIPE_IN_TRANSIT, BANK, SUSPENSE)


@dataclass
class Balances:
    """One currency, in minor units. `closing` is the sum of Stripe's list, `opening` that of the
    run before; `stripe_…` is what Stripe says now, None when it could not be asked at rest."""

    currency: str
    opening: int = 0
    movements: int = 0
    closing: int = 0
    stripe_pending: int | None = None
    stripe_available: int | None = None
    ledger_pending: int = 0
    ledger_available: int = 0
    in_transit: int = 0
    bank: int = 0
    suspense: int = 0
    unmatched_stripe: int = 0
    unmatched_ledger: int = 0
    differing: int = 0

    @property
    def stripe_total(self) -> int | None:
        """Stripe's whole balance."""
        if self.stripe_pending is None or self.stripe_available is None:
            return None
        return self.stripe_pending + self.stripe_available

    @property
    def ledger_total(self) -> int:
        """The ledger's whole balance at Stripe."""
        return self.ledger_pending + self.ledger_available

    @property
    def unexplained(self) -> int:
        """What no single difference explains between the ledger and Stripe's list."""
        return (
            self.closing
            - self.ledger_total
            - self.unmatched_stripe
            + self.unmatched_ledger
            - self.differing
        )

    def as_figures(self) -> dict[str, Any]:
        """As kept with the run."""
        return asdict(self)


def from_figures(figures: dict[str, Any]) -> list[Balances]:
    """What a run kept, by currency."""
    return [Balances(**each) for _, each in sorted((figures.get("balances") or {}).items())]


def ask_stripe(run_end: datetime) -> tuple[int, dict[str, tuple[int, int]] | None]:
    """How many were mirrored since `run_end`, and (pending, available) by currency at rest.

    Asked with the list read before and after it; when something moved meanwhile, again. None when
    it never rested. Raises the gateway's errors. No transaction may be open.
    """
    since = run_end - timedelta(minutes=2)
    before = mirror_balance_transactions(since, _soon())
    total = before
    for _ in range(TRIES):
        answer = gateway().retrieve("balance")
        after = mirror_balance_transactions(since, _soon())
        total = max(total, after)
        if after == before:
            return total, _by_currency(answer)
        before = after
    return total, None


def _soon() -> datetime:
    return clock.now() + timedelta(minutes=1)


def _by_currency(answer: dict[str, Any]) -> dict[str, tuple[int, int]]:
    found: dict[str, list[int]] = {}
    for place, name in enumerate(("pending", "available")):
        for each in answer.get(name) or []:
            found.setdefault(each["currency"].upper(), [0, 0])[place] += int(each["amount"])
    return {currency: (pending, available) for currency, (pending, available) in found.items()}


def weigh(
    run: ReconciliationRun,
    bridge: Bridge,
    stripe: dict[str, tuple[int, int]] | None,
    bounds: Newest,
) -> dict[str, Balances]:
    """The balances of every currency that anything ever moved in, up to the same newest rows
    that `bridge` was made of."""
    previous = db.session.scalar(
        select(ReconciliationRun)
        .where(ReconciliationRun.id < run.id, ReconciliationRun.step == "done")
        .order_by(ReconciliationRun.id.desc())
        .limit(1)
    )
    kept = previous.figures if previous else {}
    # By what was copied since, not by its time: what Stripe listed late is a movement of today.
    seen = int(kept.get("last_balance_txn_id", 0))
    found: dict[str, Balances] = {}

    def of(currency: str) -> Balances:
        return found.setdefault(currency, Balances(currency))

    new = BalanceTransaction.id > seen
    rows = db.session.execute(
        select(
            BalanceTransaction.currency,
            func.sum(case((new, BalanceTransaction.net), else_=0)),
            func.sum(BalanceTransaction.net),
        )
        .where(BalanceTransaction.id <= bounds.balance_txn_id)
        .group_by(BalanceTransaction.currency)
    )
    for currency, movements, closing in rows:
        each = of(currency)
        each.movements, each.closing = int(movements), int(closing)
    for before in from_figures(kept):
        of(before.currency).opening = before.closing
    names = {
        STRIPE_PENDING: "ledger_pending",
        STRIPE_AVAILABLE: "ledger_available",
        STRIPE_IN_TRANSIT: "in_transit",
        BANK: "bank",
        SUSPENSE: "suspense",
    }
    totals = db.session.execute(
        select(LedgerAccount.code, LedgerEntry.currency, func.sum(signed_amount()))
        .join(LedgerEntry, LedgerEntry.account_id == LedgerAccount.id)
        .where(LedgerAccount.code.in_(ACCOUNTS), LedgerEntry.txn_id <= bounds.ledger_txn_id)
        .group_by(LedgerAccount.code, LedgerEntry.currency)
    )
    for code, currency, total in totals:
        setattr(of(currency), names[code], int(total))
    for currency, (pending, available) in (stripe or {}).items():
        if pending or available or currency in found:
            each = of(currency)
            each.stripe_pending, each.stripe_available = pending, available
    for currency in {*bridge.unmatched_stripe, *bridge.unmatched_ledger, *bridge.differing}:
        each = of(currency)
        each.unmatched_stripe = bridge.unmatched_stripe[currency]
        each.unmatched_ledger = bridge.unmatched_ledger[currency]
        each.differing = bridge.differing[currency]
    if stripe is not None:
        for each in found.values():
            if each.stripe_pending is None:
                each.stripe_pending = each.stripe_available = 0
    return found


def find_in_balances(balances: dict[str, Balances], at: datetime) -> Iterator[Finding]:
    """Totals that do not agree: what no single row shows."""
    for currency, each in sorted(balances.items()):
        parts: dict[str, tuple[int, dict[str, Any]]] = {
            "opening": (
                each.closing - each.opening - each.movements,
                {"opening": each.opening, "movements": each.movements, "closing": each.closing},
            ),
            "stripe": (
                0 if each.stripe_total is None else each.stripe_total - each.closing,
                {"stripe": each.stripe_total, "listed": each.closing},
            ),
            "ledger": (
                each.unexplained,
                {"ledger": each.ledger_total, "listed": each.closing},
            ),
        }
        for name, (amount, details) in parts.items():
            if amount:
                yield Finding(
                    BreakType.AMOUNT, "balance", f"{currency}:{name}", amount, currency, at, details
                )
