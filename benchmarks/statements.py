"""The statement of a partner with 5,000 and with 50,000 lines, each in a process of its own.

    python -m benchmarks.statements               both, and the ratios
    python -m benchmarks.statements --lines 5000  one of them

Prints the section `statements` of the results as JSON: the sums, the CSV written as it is
downloaded, and the PDF, against the bare SELECT of the same entries. Aims: ten times the lines
take at most twelve times the time and less than 1.3 times the memory; the CSV takes at most
fifteen times the bare SELECT.
"""

import argparse
import json
import logging
import resource
import sys
import time
from datetime import UTC, datetime, timedelta
from typing import Any

from flask import Flask
from sqlalchemy import insert, text

from benchmarks.fresh_process import measured_in_a_process

SIZES = (5_000, 50_000)
BEGAN = datetime(2026, 10, 1, tzinfo=UTC)
AS_OF = datetime(2026, 11, 3, tzinfo=UTC)
PARTNER, MONTH = 7, "2026-10"
BATCH, TIMES = 5_000, 3
BARE = text(
    "SELECT t.id, t.effective_at, t.kind, t.memo, e.side, e.amount FROM ledger_entry e "
    "JOIN ledger_account a ON a.id = e.account_id JOIN ledger_txn t ON t.id = e.txn_id "
    "WHERE a.owner = :partner AND t.posted_at <= :as_of ORDER BY t.id"
)


def main() -> int:
    """Measure, print JSON; the exit status is 1 when an aim is missed."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.statements")
    parser.add_argument("--lines", type=int)
    options = parser.parse_args()
    if options.lines:
        print(json.dumps(_measured(options.lines)))
        return 0
    found = {
        str(size): measured_in_a_process("benchmarks.statements", "--lines", size) for size in SIZES
    }
    small, large = (found[str(size)] for size in SIZES)
    ratios = {
        "lines": SIZES[1] / SIZES[0],
        "csv": round(large["csv_s"] / small["csv_s"], 2),
        "csv_to_bare": large["csv_to_bare"],
        "memory": round(large["memory_mb"] / small["memory_mb"], 2),
    }
    kept = ratios["csv"] <= 12 and ratios["memory"] < 1.3 and ratios["csv_to_bare"] <= 15
    print(json.dumps({"sizes": found, "ratios": ratios, "aims_kept": kept}))
    return 0 if kept else 1


def _measured(lines: int) -> dict[str, Any]:
    from marketplace.app import create_app
    from marketplace.core.database import db

    logging.disable(logging.CRITICAL)
    app: Flask = create_app()
    with app.app_context():
        db.create_all()
        _fill(lines)
        return _read(lines)


def _fill(lines: int) -> None:
    """Sales of one partner in one month, straight into the tables, in batches."""
    from billing.models import (
        Earning,
        LedgerAccount,
        LedgerEntry,
        LedgerTransaction,
        Order,
        OrderLine,
        Period,
    )
    from marketplace.core.unit_of_work import unit_of_work

    with unit_of_work() as session:
        session.execute(insert(Period), [{"id": 1, "code": MONTH, "closing": {}}])
        session.execute(
            insert(LedgerAccount),
            [
                {"id": 1, "code": "stripe_pending", "owner": 0, "currency": "EUR",
                 "normal_side": "debit"},
                {"id": 2, "code": "partner_held", "owner": PARTNER, "currency": "EUR",
                 "normal_side": "credit"},
            ],
        )  # fmt: skip
    for start in range(1, lines + 1, BATCH):
        rows = [
            (n, BEGAN + timedelta(seconds=n)) for n in range(start, min(start + BATCH, lines + 1))
        ]
        with unit_of_work() as session:
            for table, made in (
                (Order, [
                    {"id": n, "public_id": f"ord_{n}", "state": "paid", "organization_id": 1,
                     "currency": "EUR", "subtotal": 1_000, "total": 1_000, "paid_at": at}
                    for n, at in rows
                ]),
                (OrderLine, [
                    {"id": n, "order_id": n, "description": "Tide Tables Pro",
                     "unit_amount": 1_000, "list_amount": 1_000, "net_amount": 1_000,
                     "total_amount": 1_000}
                    for n, _ in rows
                ]),
                (Earning, [
                    {"id": n, "public_id": f"earn_{n}", "order_line_id": n, "order_id": n,
                     "partner_id": PARTNER, "kind": "publisher_share", "currency": "EUR",
                     "base": 1_000, "rate_bps": 8_500, "amount": 850, "release_at": at}
                    for n, at in rows
                ]),
                (LedgerTransaction, [
                    {"id": n, "kind": "sale", "source_type": "order", "source_id": str(n),
                     "idem_key": f"order:{n}:paid", "order_id": n, "effective_at": at,
                     "posted_at": at, "period_id": 1}
                    for n, at in rows
                ]),
                (LedgerEntry, [
                    each
                    for n, _ in rows
                    for each in (
                        {"txn_id": n, "account_id": 1, "side": "debit", "amount": 850,
                         "currency": "EUR", "earning_id": None},
                        {"txn_id": n, "account_id": 2, "side": "credit", "amount": 850,
                         "currency": "EUR", "earning_id": n},
                    )
                ]),
            ):  # fmt: skip
                session.execute(insert(table), made)


def _read(lines: int) -> dict[str, Any]:
    from billing.statements import statement, statement_lines
    from marketplace.core.database import db
    from marketplace.sales.earnings.statement_files import PDF_LINES, csv_chunks, pdf_of

    def bare() -> None:
        for _row in db.session.execute(BARE, {"partner": PARTNER, "as_of": AS_OF}):
            pass

    def as_csv() -> int:
        found = statement(PARTNER, "EUR", MONTH, as_of=AS_OF)
        rows = statement_lines(PARTNER, "EUR", MONTH, as_of=AS_OF)
        return sum(chunk.count("\n") for chunk in csv_chunks(found, rows))

    bare_s = min(_timed(bare)[0] for _ in range(TIMES))
    before = _memory_mb()
    timed = [_timed(as_csv) for _ in range(TIMES)]
    memory = _memory_mb()
    if any(count != lines + 1 for _, count in timed):
        raise SystemExit("a line is missing")
    found = statement(PARTNER, "EUR", MONTH, as_of=AS_OF)
    if not found.is_balanced or found.lines != lines or found.closing.held != lines * 850:
        raise SystemExit("the statement is wrong")

    def as_pdf() -> int:
        rows = statement_lines(PARTNER, "EUR", MONTH, as_of=AS_OF, limit=PDF_LINES)
        return len(pdf_of(found, rows, partner_name="Quayside", site_name="x", csv_address="x"))

    csv_s = min(seconds for seconds, _ in timed)
    return {
        "lines": lines,
        "bare_select_s": round(bare_s, 3),
        "csv_s": round(csv_s, 3),
        "csv_to_bare": round(csv_s / bare_s, 2),
        "pdf_s": round(_timed(as_pdf)[0], 3),
        "memory_mb": memory,
        "memory_added_mb": memory - before,
    }


def _timed(act: Any) -> tuple[float, Any]:
    """Seconds of the processor (the database is in the process), and what came of it."""
    started = time.process_time()
    done = act()
    return time.process_time() - started, done


def _memory_mb() -> int:
    """The most this process ever held."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024


if __name__ == "__main__":
    sys.exit(main())
