"""Leads of the same person or company are taken in one after the other.

Whether a lead is known already is found by reading. Two that arrive at one moment would not see
each other, and both would count; so each holds its address and its company until its transaction
ends, on PostgreSQL by advisory locks. SQLite has one writer at a time.
"""

import hashlib
from collections.abc import Iterable

from sqlalchemy import func, select, update

from marketplace.core.database import db
from marketplace.pipeline.leads.models import Lead

# "lead" in ASCII: the first of the two numbers that name an advisory lock of PostgreSQL.
_LOCKS = 0x6C656164
# Few, so that a whole file needs few; two that share one wait for each other, and no more.
_PLACES = 512


def hold(keys: Iterable[str]) -> None:
    """Hold addresses and domains, as they are compared, until the transaction ends."""
    if db.session.get_bind().dialect.name == "postgresql":
        for place in sorted({_place(key) for key in keys if key}):
            db.session.execute(select(func.pg_advisory_xact_lock(_LOCKS, place)))
    else:
        # An update of nothing: from here on this is the one writer.
        db.session.execute(
            update(Lead)
            .where(Lead.id == 0)
            .values(name=Lead.name)
            .execution_options(synchronize_session=False)
        )


def _place(key: str) -> int:
    return int.from_bytes(hashlib.sha256(key.encode()).digest()[:4]) % _PLACES
