"""The feed of events has no gaps, although transactions end in another order than they began.

A reader goes on behind the last event that it saw. On PostgreSQL an event may get its number
early and be committed late: a reader that saw a later number meanwhile would never see it. So
whoever writes an event holds a shared lock of the partner's feed until its transaction ends, and
a reader looks whether it could have that lock alone: then nothing is on its way. Writers never
wait for each other, and for a reader only as long as it reads. SQLite has one writer at a time,
so that numbers and commits are in one order by themselves.
"""

import time
from datetime import datetime, timedelta

from sqlalchemy import Connection, func, select

from marketplace.core import clock
from marketplace.core.database import db
from marketplace.core.locks import take_turn
from marketplace.installs.models import WebhookEvent

# "feed" in ASCII: the first of the two numbers that name an advisory lock of PostgreSQL.
_LOCKS = 0x66656564
# No transaction lasts as long: what is older is settled even while others are being written.
LONGEST_TRANSACTION = timedelta(minutes=2)
_TRIES, _PAUSE_SECONDS = 3, 0.02


def hold_place(organization_id: int) -> None:
    """Before an event of this partner is written: let readers know until the commit."""
    take_turn(_LOCKS, _key(organization_id), WebhookEvent, shared=True)


def settle(organization_id: int) -> None:
    """Wait until no event of this partner is on its way; none begins until the commit.

    Call it before any other lock. On SQLite the first write does the same.
    """
    if db.session.get_bind().dialect.name == "postgresql":
        db.session.execute(select(func.pg_advisory_xact_lock(_LOCKS, _key(organization_id))))


def settled_before(connection: Connection, organization_id: int) -> datetime | None:
    """Before when the partner's events are complete; None: all that can be read now is.

    Read them on the same connection, and end its transaction soon: writers wait meanwhile.
    """
    if connection.dialect.name != "postgresql":
        return None
    attempt = select(func.pg_try_advisory_xact_lock(_LOCKS, _key(organization_id)))
    for number in range(_TRIES):
        if number:
            time.sleep(_PAUSE_SECONDS)
        if connection.scalar(attempt):
            return None
    return clock.now() - LONGEST_TRANSACTION


def _key(organization_id: int) -> int:
    # The lock takes 32 bits; two partners that share one wait for each other, and no more.
    return organization_id % (2**31)
