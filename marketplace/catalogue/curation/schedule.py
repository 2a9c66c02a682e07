"""When a collection is shown."""

import enum
from datetime import datetime


class Showing(enum.StrEnum):
    """How a collection stands with the public at a moment."""

    DRAFT = "draft"
    SCHEDULED = "scheduled"
    LIVE = "live"
    ENDED = "ended"


def showing(
    *, is_published: bool, starts_at: datetime | None, ends_at: datetime | None, at: datetime
) -> Showing:
    """A published collection is live from `starts_at` until before `ends_at`; None is unbounded."""
    if not is_published:
        return Showing.DRAFT
    if ends_at is not None and at >= ends_at:
        return Showing.ENDED
    if starts_at is not None and at < starts_at:
        return Showing.SCHEDULED
    return Showing.LIVE
