"""What a month was when it closed: digests over its transactions and entries, kept with it.

A closed month never changes, and the database refuses to change it; a seal shows it when somebody
went past the database. There is one digest for each block of transactions, so that what changed is
found among a few hundred rows.
"""

import hashlib
import json
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import select

from billing.broken import Broken
from billing.models.ledger import (
    LedgerAccount,
    LedgerEntry,
    LedgerTransaction,
    Period,
    PeriodState,
)
from marketplace.core.database import db

# So many row ids of transactions share a digest.
BLOCK = 200
CHECK = "closed_months_stay"


def seal_of(period_id: int) -> dict[str, Any]:
    """The seal of a month as it is now, for `Period.closing["seal"]`. Reads it in bounded memory.

    It covers of each transaction what caused it, its key, order, memo and moments, and of each
    entry its account (with its code, owner and currency), side, amount in minor units and earning.
    """
    blocks: dict[str, str] = {}
    digest, block, transactions, entries, last = hashlib.sha256(), -1, 0, 0, 0
    for row in db.session.execute(_rows(period_id)):
        if row[0] // BLOCK != block:
            if block >= 0:
                blocks[str(block)] = digest.hexdigest()[:32]
            digest, block = hashlib.sha256(), row[0] // BLOCK
        transactions += row[0] != last
        entries += row[_ENTRY] is not None
        last = row[0]
        told = [_moment(each) if isinstance(each, datetime) else each for each in row]
        digest.update(json.dumps(told, separators=(",", ":")).encode() + b"\n")
    if block >= 0:
        blocks[str(block)] = digest.hexdigest()[:32]
    return {"block": BLOCK, "transactions": transactions, "entries": entries, "blocks": blocks}


def broken_seals() -> Iterator[Broken]:
    """Months that are not what they were when they were closed, and whether they are still closed.

    A month without a seal was closed before there were seals, and is not looked at.
    """
    for period in db.session.scalars(select(Period).order_by(Period.id)).all():
        row, kept = f"period {period.id}", period.closing.get("seal")
        if period.state is not PeriodState.CLOSED and (period.closing or period.closed_at):
            yield Broken(CHECK, row, f"{period.code} was closed and is open again")
        if not kept or kept.get("block") != BLOCK:
            continue
        now = seal_of(period.id)
        blocks = kept["blocks"].keys() | now["blocks"].keys()
        for block in sorted(int(each) for each in blocks):
            if kept["blocks"].get(str(block)) == now["blocks"].get(str(block)):
                continue
            first = block * BLOCK
            detail = (
                f"{period.code} changed after it was closed: one of ledger_txn {max(first, 1)} to "
                f"{first + BLOCK - 1}, or of their entries. It had {kept['transactions']} "
                f"transactions and {kept['entries']} entries, it has {now['transactions']} and "
                f"{now['entries']}"
            )
            yield Broken(CHECK, row, detail)


_COLUMNS = (
    LedgerTransaction.id,
    LedgerTransaction.kind,
    LedgerTransaction.source_type,
    LedgerTransaction.source_id,
    LedgerTransaction.idem_key,
    LedgerTransaction.order_id,
    LedgerTransaction.memo,
    LedgerTransaction.effective_at,
    LedgerTransaction.posted_at,
    LedgerTransaction.reverses_id,
    LedgerEntry.id,
    LedgerEntry.account_id,
    LedgerAccount.code,
    LedgerAccount.owner,
    LedgerAccount.currency,
    LedgerEntry.side,
    LedgerEntry.amount,
    LedgerEntry.currency,
    LedgerEntry.earning_id,
)
_ENTRY = 10


def _rows(period_id: int) -> Any:
    return (
        select(*_COLUMNS)
        .outerjoin(LedgerEntry, LedgerEntry.txn_id == LedgerTransaction.id)
        .outerjoin(LedgerAccount, LedgerAccount.id == LedgerEntry.account_id)
        .where(LedgerTransaction.period_id == period_id)
        .order_by(LedgerTransaction.id, LedgerEntry.id)
        .execution_options(yield_per=1_000)
    )


def _moment(at: datetime) -> str:
    return at.astimezone(UTC).isoformat()
