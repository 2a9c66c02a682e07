"""Reconciliation: 20,000 and 200,000 balance transactions, each in a process of its own.

    python -m benchmarks.reconciliation              both, and the ratios between them
    python -m benchmarks.reconciliation --size 20000 one of them

Prints the section `reconciliation` of the results as JSON. Stripe's list is generated while it is
read, so that what grows is our memory and not the stand-in's. A whole first run copies, matches,
books and compares everything; the next day's run reads three days again and compares everything.
The floor is one INSERT of the same rows in batches, and one aggregate over the entries.

Aims: ten times the rows take at most twelve times the processor's time (whatever else the machine
does), and less than twice the memory.
"""

import argparse
import json
import logging
import resource
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from flask import Flask
from sqlalchemy import func, insert, select, text

from benchmarks.fresh_process import measured_in_a_process

SIZES = (20_000, 200_000)
BEGAN = datetime(2026, 9, 1, tzinfo=UTC)
NOW = datetime(2026, 11, 3, tzinfo=UTC)
BATCH = 1_000
TOTAL, FEE = 10_000, 175
# One in so many is not in the ledger, and one in so many has another fee there.
MISSING_EVERY, FEE_EVERY = 5_000, 7_000


def main() -> int:
    """Measure, print JSON; the exit status is 1 when a break was missed or an aim is."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.reconciliation")
    parser.add_argument("--size", type=int)
    options = parser.parse_args()
    if options.size:
        print(json.dumps(_measured(options.size)))
        return 0
    found = {
        str(size): measured_in_a_process("benchmarks.reconciliation", "--size", size)
        for size in SIZES
    }
    small, large = (found[str(size)] for size in SIZES)
    rows = SIZES[1] / SIZES[0]
    ratios = {
        "rows": rows,
        "first_run": round(large["first_run_cpu_s"] / small["first_run_cpu_s"], 2),
        "next_run": round(large["next_run_cpu_s"] / small["next_run_cpu_s"], 2),
        "memory": round(large["memory_mb"] / small["memory_mb"], 2),
    }
    missed = any(each["breaks"] != each["breaks_expected"] for each in found.values())
    most = max(ratios["first_run"], ratios["next_run"])
    kept = most <= rows * 1.2 and ratios["memory"] < 2
    print(json.dumps({"sizes": found, "ratios": ratios, "aims_kept": kept and not missed}))
    return 1 if missed or not kept else 0


def _measured(size: int) -> dict[str, Any]:
    from billing.gateway import StripeSettings, configure_gateway
    from billing.models import ReconciliationBreak
    from marketplace.app import create_app
    from marketplace.core import clock
    from marketplace.core.database import db

    logging.disable(logging.CRITICAL)
    app: Flask = create_app()
    with app.app_context():
        db.create_all()
        _fill(size)
        floor = _floor(size)
        stripe = GeneratedStripe(size)
        configure_gateway(StripeSettings(), instead=stripe)  # type: ignore[arg-type]  # what a run asks
        before = _memory_mb()
        with clock.frozen(NOW):
            first, first_cpu, outcome = _timed_run()
        with clock.frozen(NOW + timedelta(days=1)):
            following, following_cpu, _ = _timed_run()
        breaks = db.session.scalar(select(func.count(ReconciliationBreak.id)))
    return {
        "rows": size,
        "first_run_s": round(first, 2),
        "next_run_s": round(following, 2),
        "first_run_cpu_s": round(first_cpu, 2),
        "next_run_cpu_s": round(following_cpu, 2),
        "rows_a_second": round(size / first),
        "bare_insert_s": round(floor[0], 2),
        "bare_aggregate_s": round(floor[1], 2),
        "memory_before_mb": before,
        "memory_mb": _memory_mb(),
        "matched": outcome.figures["matched"],
        "breaks": breaks,
        "breaks_expected": len([n for n in range(size) if n % MISSING_EVERY == 1])
        + len([n for n in range(size) if n % FEE_EVERY == 2]),
    }


def _timed_run() -> tuple[float, float, Any]:
    """Seconds, seconds of the processor (SQLite works in ours), and the outcome."""
    from billing.reconciliation.runs import begin, go_on
    from marketplace.core.unit_of_work import unit_of_work

    started, worked = time.perf_counter(), time.process_time()
    with unit_of_work():
        run_id = begin()
    outcome = go_on(run_id)
    return time.perf_counter() - started, time.process_time() - worked, outcome


class GeneratedStripe:
    """Charges `ch_0` to `ch_<size - 1>` in equal steps of time, made while they are read."""

    livemode = False

    def __init__(self, size: int) -> None:
        self._size = size
        self._step = (NOW - timedelta(hours=2) - BEGAN) / size

    def created(self, number: int) -> int:
        """When a charge was made, in seconds since 1970."""
        return int((BEGAN + self._step * number).timestamp())

    def pages(self, resource: str, **params: Any) -> Iterator[dict[str, Any]]:
        """The list of balance transactions, newest first; no payouts."""
        if resource != "balance_transactions":
            return
        window: Mapping[str, int] = params["created"]
        for number in range(self._size - 1, -1, -1):
            created = self.created(number)
            if window.get("gte", 0) <= created < window["lt"]:
                yield {
                    "id": f"txn_{number}",
                    "type": "charge",
                    "source": f"ch_{number}",
                    "amount": TOTAL,
                    "fee": FEE,
                    "net": TOTAL - FEE,
                    "currency": "eur",
                    "created": created,
                    "available_on": created + 2 * 86_400,
                }

    def retrieve(
        self, resource: str, stripe_id: str = "", *, expand: Sequence[str] = (), **_more: Any
    ) -> dict[str, Any]:
        """The balance; and charges that name no order."""
        if resource == "balance":
            amount = self._size * (TOTAL - FEE)
            return {"available": [{"currency": "eur", "amount": amount}], "pending": []}
        return {"id": stripe_id, "metadata": {}}


def _fill(size: int) -> None:
    """Orders, and what was posted for them, by plain INSERTs."""
    from billing.accounts import PARTNER_HELD, PLATFORM_FEE, PROCESSING_FEE, STRIPE_PENDING
    from billing.ledger import account_ids
    from billing.models import LedgerEntry, LedgerTransaction, Order, Period, Side
    from marketplace.core.database import db
    from marketplace.core.unit_of_work import unit_of_work

    stripe = GeneratedStripe(size)
    with unit_of_work():
        keys = [(PARTNER_HELD, partner, "EUR") for partner in range(1, 101)]
        keys += [(code, 0, "EUR") for code in (PLATFORM_FEE, PROCESSING_FEE, STRIPE_PENDING)]
        accounts = account_ids(keys)
        for month in (9, 10, 11):
            db.session.add(Period(id=month, code=f"2026-{month:02d}", closing={}))
    for start in range(0, size, BATCH):
        numbers = range(start, min(start + BATCH, size))
        with unit_of_work():
            db.session.execute(insert(Order), [_order(n, stripe) for n in numbers])
            txns: list[dict[str, Any]] = []
            entries: list[dict[str, Any]] = []
            for n in numbers:
                if n % MISSING_EVERY == 1:
                    continue
                at = datetime.fromtimestamp(stripe.created(n), UTC)
                held = accounts[(PARTNER_HELD, n % 100 + 1, "EUR")]
                fee = FEE - 1 if n % FEE_EVERY == 2 else FEE
                pending = accounts[(STRIPE_PENDING, 0, "EUR")]
                txns.append(_txn(2 * n + 1, "sale", f"order:{n + 1}:paid", at))
                txns.append(_txn(2 * n + 2, "processing_fee", f"charge:ch_{n}:fee", at))
                for txn, account, side, amount in (
                    (2 * n + 1, pending, Side.DEBIT, TOTAL),
                    (2 * n + 1, held, Side.CREDIT, 8_000),
                    (2 * n + 1, accounts[(PLATFORM_FEE, 0, "EUR")], Side.CREDIT, 2_000),
                    (2 * n + 2, accounts[(PROCESSING_FEE, 0, "EUR")], Side.DEBIT, fee),
                    (2 * n + 2, pending, Side.CREDIT, fee),
                ):
                    entries.append(
                        {"txn_id": txn, "account_id": account, "side": side, "amount": amount,
                         "currency": "EUR"}
                    )  # fmt: skip
            db.session.execute(insert(LedgerTransaction), txns)
            db.session.execute(insert(LedgerEntry), entries)


def _order(number: int, stripe: GeneratedStripe) -> dict[str, Any]:
    at = datetime.fromtimestamp(stripe.created(number), UTC)
    return {
        "id": number + 1, "public_id": f"ord_{number}", "kind": "purchase", "state": "paid",
        "organization_id": 1, "currency": "EUR", "subtotal": TOTAL, "total": TOTAL,
        "charge_id": f"ch_{number}", "created_at": at, "paid_at": at,
    }  # fmt: skip


def _txn(row_id: int, kind: str, key: str, at: datetime) -> dict[str, Any]:
    return {
        "id": row_id, "kind": kind, "source_type": "order", "source_id": key, "idem_key": key,
        "memo": "", "effective_at": at, "posted_at": at, "period_id": at.month,
    }  # fmt: skip


def _floor(size: int) -> tuple[float, float]:
    """Seconds of one INSERT of the same rows in batches, and of one aggregate over the entries."""
    from billing.models import BalanceTransaction
    from billing.reconciliation.mirror import balance_transaction_row
    from marketplace.core.database import db
    from marketplace.core.unit_of_work import roll_back

    stripe = GeneratedStripe(size)
    rows = stripe.pages("balance_transactions", created={"lt": 10**11})
    started = time.perf_counter()
    batch = []
    for each in rows:
        batch.append(balance_transaction_row(each) | {"mirrored_at": NOW})
        if len(batch) == BATCH:
            db.session.execute(insert(BalanceTransaction), batch)
            batch = []
    inserted = time.perf_counter() - started
    roll_back(db.session())
    started = time.perf_counter()
    db.session.execute(
        text("SELECT account_id, side, sum(amount) FROM ledger_entry GROUP BY account_id, side")
    ).all()
    aggregated = time.perf_counter() - started
    roll_back(db.session())
    return inserted, aggregated


def _memory_mb() -> int:
    """The most this process ever held."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024


if __name__ == "__main__":
    sys.exit(main())
