"""The smoothed rating: a Bayesian average in whole hundredths, so that lists can sort by it.

A single five-star review must not outrank two hundred reviews of 4.8. Each listing therefore
starts with PRIOR_WEIGHT imagined ratings at the catalogue's mean, and real ratings pull it away:

    smoothed = (PRIOR_WEIGHT * mean + sum of ratings) / (PRIOR_WEIGHT + number of ratings)

The mean is rounded to a tenth: it then stays put while single reviews come in, and a change of
one listing's rating does not move every other. Worked example with a mean of 4.1: one rating of
5 gives (5 * 4.1 + 5) / 6 = 4.25; two hundred with a mean of 4.8 give (20.5 + 960) / 205 = 4.78.
"""

from collections.abc import Mapping

PRIOR_WEIGHT = 5
# Until the catalogue has this many ratings its own mean says little.
ENOUGH_RATINGS = 20
DEFAULT_MEAN_HUNDREDTHS = 400
STARS = (5, 4, 3, 2, 1)


def catalogue_mean(rating_sum: int, rating_count: int) -> int:
    """The mean of all ratings in hundredths, rounded to a tenth of a star (half up).

    With fewer than ENOUGH_RATINGS ratings it is DEFAULT_MEAN_HUNDREDTHS.
    """
    if rating_count < ENOUGH_RATINGS:
        return DEFAULT_MEAN_HUNDREDTHS
    tenths = (rating_sum * 20 + rating_count) // (rating_count * 2)
    return tenths * 10


def smoothed(rating_sum: int, rating_count: int, mean_hundredths: int) -> int:
    """The smoothed rating in hundredths (438 = 4.38), half up; 0 without any rating.

    `rating_sum` is the sum of the stars of `rating_count` ratings.
    """
    if rating_count == 0:
        return 0
    weighted = PRIOR_WEIGHT * mean_hundredths + rating_sum * 100
    count = PRIOR_WEIGHT + rating_count
    return (weighted * 2 + count) // (count * 2)


def histogram(counts: Mapping[int, int]) -> dict[int, int]:
    """How many ratings each number of stars got, from five to one, zeros included."""
    return {star: counts.get(star, 0) for star in STARS}
