"""Where the requirement of a partner's own program manager stands, decided purely."""

import enum
from dataclasses import dataclass
from datetime import datetime, timedelta

# A confirmation is asked for again after a quarter, and counts for a grace more.
QUARTER = timedelta(days=92)
GRACE = timedelta(days=14)
# How long before the quarter's end the person is asked.
ASK_BEFORE = timedelta(days=7)
# How long a partner has to name somebody else after its manager left.
REPLACE_WITHIN = timedelta(days=14)


class ManagerState(enum.StrEnum):
    """Met, met for now, or not met."""

    NONE = "none"
    NAMED = "named"  # has not confirmed yet
    CONFIRMED = "confirmed"
    DUE = "due"  # amber: must confirm again
    DEPARTED = "departed"  # amber: somebody else must be named
    FAILED = "failed"


@dataclass(frozen=True)
class Facts:
    """What the state is decided by."""

    confirmed_at: datetime | None
    confirm_by: datetime | None
    departed_at: datetime | None
    ends_at: datetime | None


def state_at(facts: Facts | None, at: datetime) -> ManagerState:
    """The state at a moment."""
    if facts is None:
        return ManagerState.NONE
    if facts.ends_at is None:
        return ManagerState.FAILED if facts.departed_at else ManagerState.NAMED
    if at >= facts.ends_at:
        return ManagerState.FAILED
    if facts.departed_at is not None:
        return ManagerState.DEPARTED
    if facts.confirmed_at is None:
        # Somebody else was named; what the one before had confirmed still counts for a while.
        return ManagerState.DUE
    if facts.confirm_by is not None and at >= facts.confirm_by - ASK_BEFORE:
        return ManagerState.DUE
    return ManagerState.CONFIRMED


def steps_of_level(
    before: datetime | None, after: datetime | None, now: datetime
) -> list[tuple[int, datetime]]:
    """The measurements (amount, moment) that move the end of a level from `before` to `after`.

    What lies ahead is taken back by its opposite at the same moment; None: it does not stand.
    """
    stands = before is not None and before > now
    if after is None or after <= now:
        return [(1, before), (-1, now)] if stands and before is not None else []
    if before is not None and stands:
        return [] if before == after else [(1, before), (-1, after)]
    return [(1, now), (-1, after)]
