"""How popular a listing is, as one small integer that search breaks ties by and lists sort by.

Points weigh what people did; what happened in the last 30 days counts again, so that a listing
that is on its way up passes one that lives on its past:

    4 a use, 2 a rating, 1 a follow; of the last 30 days 6 more a use, 4 a review, 2 a follow

The bucket is four times the binary logarithm of one more than the points, rounded down. A few
clicks on a popular listing then change nothing, which keeps the search index quiet, while the
first use of a new one shows. One use of old: 4 points, bucket 9. One today: 10 points, bucket 13.
Fifty uses, twenty ratings, thirty follows: 270 points, bucket 32.
"""

import math
from dataclasses import dataclass
from datetime import timedelta

RECENT = timedelta(days=30)
STEPS_A_DOUBLING = 4


@dataclass(frozen=True)
class Signals:
    """What people did with a listing, in all and in the last 30 days."""

    uses: int = 0
    ratings: int = 0
    follows: int = 0
    recent_uses: int = 0
    recent_reviews: int = 0
    recent_follows: int = 0


def points(signals: Signals) -> int:
    """The weighted sum of what people did."""
    return (
        4 * signals.uses
        + 2 * signals.ratings
        + signals.follows
        + 6 * signals.recent_uses
        + 4 * signals.recent_reviews
        + 2 * signals.recent_follows
    )


def bucket(signals: Signals) -> int:
    """The popularity: 0 for a listing that nobody has touched, about 40 for a thousand points."""
    return math.floor(STEPS_A_DOUBLING * math.log2(1 + points(signals)))
