"""Our copy of Stripe's balance transactions and payouts, brought up to date by id.

Lists are read newest first in windows of `created` that overlap, so that what was late is found
the next day. After each batch the place is kept: a run that was killed goes on there. Nothing is
held in memory but one batch, and no transaction is open while Stripe is asked.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from sqlalchemy.dialects.postgresql import insert as postgresql_insert
from sqlalchemy.dialects.sqlite import insert as sqlite_insert

from billing.gateway import gateway
from billing.models import BalanceTransaction, StripePayout
from marketplace.core import clock
from marketplace.core.database import db
from marketplace.core.unit_of_work import unit_of_work

BATCH = 500
JsonDict = dict[str, Any]


def created_window(start: datetime | None, end: datetime) -> dict[str, int]:
    """The filter of a list: from `start` (none: from the beginning) to before `end`."""
    window = {"lt": int(end.timestamp())}
    if start is not None:
        window["gte"] = int(start.timestamp())
    return window


def mirror_balance_transactions(
    start: datetime | None,
    end: datetime,
    *,
    keep_place: Callable[[datetime], None] = lambda _reached: None,
) -> int:
    """Copy what was created in the window; how many there were.

    `keep_place` is called in the transaction of each batch with the time that everything after
    is copied. Raises the gateway's errors.
    """
    return _in_batches(
        gateway().pages("balance_transactions", created=created_window(start, end)),
        save_balance_transactions,
        keep_place,
    )


def mirror_payouts(
    start: datetime | None,
    end: datetime,
    *,
    keep_place: Callable[[datetime], None] = lambda _reached: None,
) -> int:
    """Copy the platform's payouts that were created in the window; how many there were."""
    return _in_batches(
        gateway().pages("payouts", created=created_window(start, end)), save_payouts, keep_place
    )


def mirror_members(payout_stripe_id: str) -> int:
    """Copy the balance transactions that an automatic payout settled, and note that it did."""

    def save(found: Sequence[JsonDict]) -> None:
        save_balance_transactions(found, payout_id=payout_stripe_id)

    return _in_batches(
        gateway().pages("balance_transactions", payout=payout_stripe_id), save, lambda _at: None
    )


def _in_batches(
    found: Iterable[JsonDict],
    save: Callable[[Sequence[JsonDict]], None],
    keep_place: Callable[[datetime], None],
) -> int:
    count = 0
    for batch in batches(found, BATCH):
        with unit_of_work():
            save(batch)
            keep_place(moment(min(int(each["created"]) for each in batch)))
        count += len(batch)
    return count


def batches(found: Iterable[JsonDict], size: int) -> Iterator[list[JsonDict]]:
    """`found` in lists of `size`."""
    batch: list[JsonDict] = []
    for each in found:
        batch.append(each)
        if len(batch) == size:
            yield batch
            batch = []
    if batch:
        yield batch


def save_balance_transactions(found: Sequence[JsonDict], *, payout_id: str | None = None) -> None:
    """Insert or bring up to date by id. Objects as Stripe has them."""
    now = clock.now()
    rows = {each["id"]: balance_transaction_row(each) | {"mirrored_at": now} for each in found}
    if payout_id is not None:
        for row in rows.values():
            row["stripe_payout_id"] = payout_id
    _upsert(BalanceTransaction, list(rows.values()))


def save_payouts(found: Sequence[JsonDict]) -> None:
    """Insert or bring up to date by id. Objects as Stripe has them."""
    now = clock.now()
    rows = {each["id"]: payout_row(each) | {"mirrored_at": now} for each in found}
    _upsert(StripePayout, list(rows.values()))


def _upsert(model: Any, rows: list[JsonDict]) -> None:
    if not rows:
        return
    dialect = db.session.get_bind().dialect.name
    insert = postgresql_insert if dialect == "postgresql" else sqlite_insert
    # Of the table and with the rows beside it: such a statement is made once and kept.
    statement = insert(model.__table__)
    changed = {name: statement.excluded[name] for name in rows[0] if name != "stripe_id"}
    db.session.execute(
        statement.on_conflict_do_update(index_elements=["stripe_id"], set_=changed), rows
    )


def balance_transaction_row(found: Mapping[str, Any]) -> JsonDict:
    """Stripe's object as our row: currencies in upper case, times aware."""
    source = found.get("source") or ""
    rate = found.get("exchange_rate")
    return {
        "stripe_id": found["id"],
        "type": found["type"],
        "source_id": source["id"] if isinstance(source, Mapping) else source,
        "amount": found["amount"],
        "fee": found.get("fee") or 0,
        "net": found["net"],
        "currency": found["currency"].upper(),
        "exchange_rate": None if rate is None else str(rate)[:30],
        "created_at": moment(found["created"]),
        "available_on": moment(found["available_on"]),
    }


def payout_row(found: Mapping[str, Any]) -> JsonDict:
    """Stripe's payout as our row. A trace id is there once the bank gave one."""
    trace = found.get("trace_id") or {}
    return {
        "stripe_id": found["id"],
        "amount": found["amount"],
        "currency": found["currency"].upper(),
        "state": found["status"],
        "is_automatic": bool(found.get("automatic", True)),
        "arrival_on": moment(found["arrival_date"]).date(),
        "trace_id": (trace.get("value") or "") if isinstance(trace, Mapping) else str(trace),
        "reconciliation": found.get("reconciliation_status") or "not_applicable",
        "created_at": moment(found["created"]),
    }


def moment(seconds: int) -> datetime:
    """Stripe's seconds since 1970 as an aware time."""
    return datetime.fromtimestamp(seconds, UTC)
