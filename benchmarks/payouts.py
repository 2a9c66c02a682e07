"""A payout run over 10,000 and 100,000 payable entries, each in a process of its own.

    python -m benchmarks.payouts                  both sizes, and the ratios
    python -m benchmarks.payouts --entries 10000  one of them, in the database of DATABASE_URL,
                                                  which must be empty

Prints the section `payouts` of the results as JSON. Ten entries for each partner, one currency,
one partner in ten without an account. The floor is the bare aggregate over the same entries (who
is due how much), without writing anything; what a run must write at least is timed beside it, as
one INSERT of the same items into a table with the same indexes. Each figure is the best of five,
on SQLite in seconds of the processor: the database is in the process, and neighbours do not count.

Aims: computing takes at most ten times the bare aggregate, and ten times the entries take less
than twice the memory.
"""

import argparse
import json
import logging
import resource
import sys
import time
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

from flask import Flask
from sqlalchemy import insert, text

from benchmarks.fresh_process import measured_in_a_process

SIZES = (10_000, 100_000)
A_PARTNER = 10
NOW = datetime(2026, 11, 3, tzinfo=UTC)
BATCH = 5_000
TIMES = 5
AGGREGATE = text(
    "SELECT a.owner, a.currency, sum(CASE WHEN e.side = 'credit' THEN e.amount ELSE -e.amount END) "
    "FROM ledger_entry e JOIN ledger_account a ON a.id = e.account_id "
    "JOIN ledger_txn t ON t.id = e.txn_id "
    "WHERE a.code = 'partner_payable' AND t.kind NOT LIKE 'payout%' AND t.posted_at <= :now "
    "AND NOT EXISTS (SELECT 1 FROM payout_item i WHERE i.entry_id = e.id AND i.is_live) "
    "GROUP BY a.owner, a.currency"
)


def main() -> int:
    """Measure, print JSON; the exit status is 1 when an aim is missed."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.payouts")
    parser.add_argument("--entries", type=int)
    options = parser.parse_args()
    if options.entries:
        print(json.dumps(_measured(options.entries)))
        return 0
    found = {
        str(size): measured_in_a_process("benchmarks.payouts", "--entries", size) for size in SIZES
    }
    small, large = (found[str(size)] for size in SIZES)
    ratios = {
        "compute_to_aggregate": large["compute_to_aggregate"],
        "memory": round(large["compute_memory_mb"] / small["compute_memory_mb"], 2),
        "compute": round(large["compute_s"] / small["compute_s"], 2),
    }
    kept = ratios["compute_to_aggregate"] <= 10 and ratios["memory"] < 2
    print(json.dumps({"sizes": found, "ratios": ratios, "aims_kept": kept}))
    return 0 if kept else 1


def _measured(entries: int) -> dict[str, Any]:
    from marketplace.app import create_app
    from marketplace.core import clock
    from marketplace.core.database import db

    logging.disable(logging.CRITICAL)
    app: Flask = create_app()
    with app.app_context():
        db.create_all()
        _fill(entries)
        with clock.frozen(NOW):
            return _run(entries)


def _fill(entries: int) -> None:
    """What partners are owed, straight into the tables, in batches."""
    from billing.models import (
        ConnectedAccount,
        LedgerAccount,
        LedgerEntry,
        LedgerTransaction,
        Period,
    )
    from marketplace.core.database import db
    from marketplace.core.unit_of_work import unit_of_work

    partners = entries // A_PARTNER
    with unit_of_work() as session:
        session.execute(insert(Period), [{"id": 1, "code": "2026-11", "closing": {}}])
        session.execute(
            insert(LedgerAccount),
            [
                {"id": 1, "code": "stripe_available", "owner": 0, "currency": "EUR",
                 "normal_side": "debit"},
                *(
                    {"id": n + 1, "code": "partner_payable", "owner": n, "currency": "EUR",
                     "normal_side": "credit"}
                    for n in range(1, partners + 1)
                ),
            ],
        )  # fmt: skip
        session.execute(
            insert(ConnectedAccount),
            [
                {"organization_id": n, "stripe_id": f"acct_{n}", "state": "ready",
                 "currencies": [], "requirements": []}
                for n in range(1, partners + 1)
                if n % 10
            ],
        )  # fmt: skip
    for start in range(0, entries, BATCH):
        numbers = range(start, min(start + BATCH, entries))
        with unit_of_work() as session:
            session.execute(
                insert(LedgerTransaction),
                [
                    {"id": n + 1, "kind": "release", "source_type": "earning",
                     "source_id": str(n), "idem_key": f"earning:{n}:release",
                     "effective_at": NOW, "posted_at": NOW, "period_id": 1}
                    for n in numbers
                ],
            )  # fmt: skip
            session.execute(
                insert(LedgerEntry),
                [
                    each
                    for n in numbers
                    for each in (
                        {"txn_id": n + 1, "account_id": 1, "side": "debit",
                         "amount": 1_000 + n % 977, "currency": "EUR"},
                        {"txn_id": n + 1, "account_id": n % (entries // A_PARTNER) + 2,
                         "side": "credit", "amount": 1_000 + n % 977, "currency": "EUR"},
                    )
                ],
            )  # fmt: skip
    if db.engine.dialect.name == "postgresql":
        with db.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
            connection.execute(text("ANALYZE"))


def _run(entries: int) -> dict[str, Any]:
    from billing.payouts.approving import approve
    from billing.payouts.computing import compute, start_run
    from billing.payouts.digest import digest_of
    from marketplace.core.database import db
    from marketplace.core.unit_of_work import roll_back, unit_of_work

    def aggregate() -> None:
        for _row in db.session.execute(AGGREGATE, {"now": NOW}):
            pass
        roll_back(db.session())

    floor = min(_timed(aggregate) for _ in range(TIMES))
    before = _memory_mb()
    times = []
    for _ in range(TIMES - 1):
        # Computed and rolled back, so that each of them finds the same.
        started = _clock()
        compute(start_run(1).id)
        times.append(_clock() - started)
        roll_back(db.session())
    started = _clock()
    with unit_of_work():
        run = compute(start_run(1).id)
        run_id, totals = run.id, run.totals["EUR"]
    times.append(_clock() - started)
    memory = _memory_mb()
    insert_only = _timed(_bare_insert)
    roll_back(db.session())

    def approving() -> None:
        with unit_of_work():
            approve(run_id, by_user_id=2, digest=digest_of(run_id))

    approval = _timed(approving)
    computing = min(times)
    return {
        "entries": entries,
        "payouts": totals["payouts"],
        "held": totals["held"],
        "aggregate_s": round(floor, 3),
        "compute_s": round(computing, 3),
        "compute_to_aggregate": round(computing / floor, 2),
        "bare_insert_s": round(insert_only, 3),
        "compute_to_aggregate_and_insert": round(computing / (floor + insert_only), 2),
        "approve_s": round(approval, 3),
        "compute_memory_mb": memory,
        "memory_added_mb": memory - before,
    }


def _bare_insert() -> None:
    """The items of the run again, into a table of the same shape."""
    from marketplace.core.database import db

    key = "BIGSERIAL" if db.engine.dialect.name == "postgresql" else "INTEGER"
    db.session.execute(
        text(
            f"CREATE TABLE bare_item (id {key} PRIMARY KEY, payout_id BIGINT, entry_id BIGINT, "
            "amount BIGINT, is_live BOOLEAN)"
        )
    )
    db.session.execute(text("CREATE INDEX bare_payout ON bare_item (payout_id)"))
    db.session.execute(text("CREATE INDEX bare_entry ON bare_item (entry_id)"))
    db.session.execute(text("CREATE UNIQUE INDEX bare_live ON bare_item (entry_id) WHERE is_live"))
    db.session.execute(
        text(
            "INSERT INTO bare_item (payout_id, entry_id, amount, is_live) "
            "SELECT payout_id, entry_id, amount, is_live FROM payout_item"
        )
    )


def _timed(act: Callable[[], None]) -> float:
    started = _clock()
    act()
    return _clock() - started


def _clock() -> float:
    from marketplace.core.database import db

    return time.process_time() if db.engine.dialect.name == "sqlite" else time.perf_counter()


def _memory_mb() -> int:
    """The most this process ever held."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024


if __name__ == "__main__":
    sys.exit(main())
