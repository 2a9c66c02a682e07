"""The ledger: postings a second against bare INSERTs of the same rows, and verifying all of it.

    python -m benchmarks.ledger

Prints the section `ledger` of the results as JSON. The floor writes the very same rows (same
tables, indexes and triggers) with one prepared INSERT a table and a batch, in the same number of
transactions. Posting is measured one sale at a time (each in a transaction of its own, as a
payment is) and in batches (as a release of what is due is).
"""

import json
import logging
import os
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from datetime import timedelta
from typing import Any

SALES = 2_000
BATCHES, BATCH = 20, 500
ROUNDS = 3
PARTNERS = 200
# The aim: posting takes at most so many times as long as bare INSERTs of the same rows.
AIM = 3.0


def main() -> int:
    """Measure, print JSON; the exit status is 1 when the ledger is not sound afterwards, or
    posting takes longer than the aim."""
    with tempfile.TemporaryDirectory(prefix="portico-bench-") as folder:
        url = os.environ.get("BENCH_DATABASE_URL") or f"sqlite:///{folder}/portico.db"
        os.environ |= {
            "PORTICO_ENV": "demo",
            "DATA_DIR": folder,
            "DATABASE_URL": url,
            "PUBLIC_URL": "http://127.0.0.1:8000",
            "SECRET_KEY": "a-key-for-measuring-that-guards-nothing",
            "MAIL_BACKEND": "file",
            "REDIS_URL": "",
            "MEILISEARCH_URL": "",
            "OIDC_PROVIDERS": "",
        }
        from marketplace.app import create_app
        from marketplace.core.database import db

        logging.disable(logging.CRITICAL)
        app = create_app()
        with app.app_context():
            db.drop_all()
            db.create_all()
            found = _measure()
            db.session.remove()
            if "BENCH_DATABASE_URL" in os.environ:
                db.drop_all()
    print(json.dumps(found, indent=1))
    return 0 if found["broken"] == 0 and found["aim_kept"] else 1


def _now() -> float:
    """Seconds. BENCH_CPU=1 counts this process's own time, on a machine that others use too."""
    return time.process_time() if os.environ.get("BENCH_CPU") else time.perf_counter()


def _measure() -> dict[str, Any]:
    from billing.verify import verify

    _warm_up()
    single = _best(lambda number: _one_by_one(number), lambda number: _bare_one_by_one(number))
    many = _best(lambda number: _batches(number), lambda number: _bare_batches(number))
    ratios = single[0] / single[1], many[0] / many[1]
    begun = _now()
    broken = sum(1 for _ in verify(("balanced", "entries_fit", "no_wrong_side")))
    return {
        "sales": SALES,
        "sales_per_second": round(SALES / single[0]),
        "sales_to_bare_inserts": round(ratios[0], 2),
        "batched": BATCHES * BATCH,
        "batched_per_second": round(BATCHES * BATCH / many[0]),
        "batched_to_bare_inserts": round(ratios[1], 2),
        "aim_at_most": AIM,
        "aim_kept": max(ratios) <= AIM,
        "verify_seconds": round(_now() - begun, 2),
        "broken": broken,
    }


def _best(ours: Callable[[int], float], bare: Callable[[int], float]) -> tuple[float, float]:
    """The best of some rounds of each, alternating, in seconds."""
    times = [(ours(number), bare(number)) for number in range(ROUNDS)]
    return min(each for each, _ in times), min(each for _, each in times)


def _posting(number: int, prefix: str) -> Any:
    """A sale with tax, a fee, a publisher and an affiliate: six entries."""
    from billing.ledger import Posting, credit, debit

    publisher, affiliate = 1 + number % PARTNERS, 1 + (number * 7) % PARTNERS
    return Posting(
        "sale",
        ("order", number),
        f"{prefix}:{number}",
        [
            debit("stripe_pending", 12_000, "EUR"),
            debit("commission_expense", 500, "EUR"),
            credit("tax_payable", 2_000, "EUR"),
            credit("platform_fee", 1_500, "EUR"),
            credit("partner_held", 8_500, "EUR", publisher),
            credit("partner_held", 500, "EUR", affiliate),
        ],
    )


def _warm_up() -> None:
    """Every account and the month are there, and every statement is known."""
    from billing.ledger import post_all
    from marketplace.core.unit_of_work import unit_of_work

    with unit_of_work():
        post_all([_posting(number, "warm") for number in range(PARTNERS)])


def _one_by_one(round_number: int) -> float:
    from billing.ledger import post
    from marketplace.core.unit_of_work import unit_of_work

    begun = _now()
    for number in range(SALES):
        made = _posting(number, f"one:{round_number}")
        with unit_of_work():
            post(made.kind, source=made.source, key=made.key, legs=made.legs)
    return _now() - begun


def _batches(round_number: int) -> float:
    from billing.ledger import post_all
    from marketplace.core.unit_of_work import unit_of_work

    begun = _now()
    for batch in range(BATCHES):
        first = batch * BATCH
        with unit_of_work():
            post_all([_posting(first + each, f"many:{round_number}") for each in range(BATCH)])
    return _now() - begun


def _bare_one_by_one(round_number: int) -> float:
    rows = _bare_rows(range(SALES), f"bare-one:{round_number}")
    begun = _now()
    for txn, entries in rows:
        _insert([txn], entries)
    return _now() - begun


def _bare_batches(round_number: int) -> float:
    rows = _bare_rows(range(BATCHES * BATCH), f"bare-many:{round_number}")
    begun = _now()
    for first in range(0, len(rows), BATCH):
        part = rows[first : first + BATCH]
        _insert([txn for txn, _ in part], [entry for _, entries in part for entry in entries])
    return _now() - begun


def _bare_rows(
    numbers: Sequence[int], prefix: str
) -> list[tuple[dict[str, Any], list[dict[str, Any]]]]:
    """The rows, ready to be written: ids are known, nothing is looked up."""
    from sqlalchemy import func, select

    from billing.ledger import account_ids
    from billing.models import LedgerTransaction, Period
    from marketplace.core import clock
    from marketplace.core.database import db

    newest = int(db.session.scalar(select(func.max(LedgerTransaction.id))) or 0)
    # Beyond what the sequence has given, and before what it gives next in the round after.
    first = newest + 1
    period = db.session.scalars(select(Period.id)).first()
    accounts = account_ids(
        leg.account for number in range(PARTNERS) for leg in _posting(number, "").legs
    )
    now = clock.now()
    found = []
    for place, number in enumerate(numbers):
        made = _posting(number, prefix)
        txn = {
            "id": first + place,
            "kind": made.kind,
            "source_type": "order",
            "source_id": str(number),
            "idem_key": made.key,
            "memo": "",
            "effective_at": now,
            "posted_at": now + timedelta(0),
            "period_id": period,
        }
        entries = [
            {
                "txn_id": first + place,
                "account_id": accounts[leg.account],
                "side": leg.side,
                "amount": leg.amount,
                "currency": leg.currency,
            }
            for leg in made.legs
        ]
        found.append((txn, entries))
    db.session.rollback()
    return found


def _insert(txns: list[dict[str, Any]], entries: list[dict[str, Any]]) -> None:
    from sqlalchemy import insert

    from billing.models import LedgerEntry, LedgerTransaction
    from marketplace.core.database import db

    with db.engine.begin() as connection:
        connection.execute(insert(LedgerTransaction.__table__), txns)
        connection.execute(insert(LedgerEntry.__table__), entries)
        if connection.dialect.name == "postgresql":
            connection.exec_driver_sql(
                "SELECT setval(pg_get_serial_sequence('ledger_txn', 'id'), "
                f"{max(txn['id'] for txn in txns)})"
            )


if __name__ == "__main__":
    sys.exit(main())
