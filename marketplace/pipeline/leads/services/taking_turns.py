"""Leads of the same person or company are taken in one after the other.

Whether a lead is known already is found by reading. Two that arrive at one moment would not see
each other, and both would count; so each holds its address and its company until its transaction
ends, on PostgreSQL by advisory locks. SQLite has one writer at a time.
"""

import hashlib
from collections.abc import Iterable

from marketplace.core.locks import take_turn
from marketplace.pipeline.leads.models import Lead

# "lead" in ASCII: the first of the two numbers that name an advisory lock of PostgreSQL.
_LOCKS = 0x6C656164
# Few, so that a whole file needs few; two that share one wait for each other, and no more.
_PLACES = 512


def hold(keys: Iterable[str]) -> None:
    """Hold addresses and domains, as they are compared, until the transaction ends."""
    # In one order, so that two who hold several never wait for each other.
    for place in sorted({_place(key) for key in keys if key}):
        take_turn(_LOCKS, place, Lead)


def _place(key: str) -> int:
    return int.from_bytes(hashlib.sha256(key.encode()).digest()[:4]) % _PLACES
