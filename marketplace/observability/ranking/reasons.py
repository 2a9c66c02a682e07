"""Why a listing stands where it stands, in the terms of the order itself. Pure.

The order is search/ranking.py's and catalogue/popularity.py's; nothing else enters it. Without
words it is the popularity; with words, how well they match comes first and the popularity
decides between listings that match alike.
"""

import enum
import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from marketplace.catalogue.popularity import STEPS_A_DOUBLING, Signals, points
from search.ranking import POPULARITY_LEVELS, parse
from search.text import words

# The index's fields from the heaviest to the lightest, as people call them.
FIELDS: Mapping[str, str] = {
    "name": "name",
    "aliases": "other names",
    "publisher": "publisher’s name",
    "summary": "tagline",
    "categories": "categories",
    "tags": "tags",
    "works_with": "“works with”",
    "description": "description",
}


class NameMatch(enum.IntEnum):
    """How a name stands to what was searched for; the greater, the higher it is ranked."""

    NONE = 0
    BEGINS = 1
    IS = 2


@dataclass(frozen=True)
class TextMatch:
    """How a listing matches: its name, and the fields with words of the search, heaviest first."""

    name: NameMatch
    fields: tuple[str, ...]


def text_match(text: str, names: Iterable[str], fields: Iterable[str]) -> TextMatch:
    """How a listing with these names, found in these fields of the index, matches a search."""
    whole = parse(text).whole
    match = NameMatch.NONE
    for each in names:
        folded = " ".join(words(each))
        if whole and folded == whole:
            match = NameMatch.IS
        elif whole and folded.startswith(whole):
            match = max(match, NameMatch.BEGINS)
    return TextMatch(match, tuple(each for each in FIELDS if each in set(fields)))


@dataclass(frozen=True)
class Part:
    """What one signal adds to the points of the popularity."""

    label: str
    count: int
    each: int

    @property
    def points(self) -> int:
        """What it adds."""
        return self.count * self.each


def popularity_parts(signals: Signals) -> list[Part]:
    """The points of a listing, signal by signal. Their sum is `points(signals)`."""
    zero = points(Signals())
    weights = {
        name: points(Signals(**{name: 1})) - zero
        for name in (
            "uses",
            "ratings",
            "follows",
            "recent_uses",
            "recent_reviews",
            "recent_follows",
        )
    }
    return [
        Part("Organizations that use it", signals.uses, weights["uses"]),
        Part("Ratings", signals.ratings, weights["ratings"]),
        Part("Followers", signals.follows, weights["follows"]),
        Part("New uses within 30 days", signals.recent_uses, weights["recent_uses"]),
        Part("Reviews within 30 days", signals.recent_reviews, weights["recent_reviews"]),
        Part("New followers within 30 days", signals.recent_follows, weights["recent_follows"]),
    ]


def points_for(popularity: int) -> int:
    """The fewest points that give a popularity.

    >>> [points_for(level) for level in (0, 1, 4, 8, 13)]
    [0, 1, 1, 3, 9]
    """
    if popularity <= 0:
        return 0
    needed = math.ceil(2 ** (popularity / STEPS_A_DOUBLING) - 1)
    # Rounding may be off by one on either side; the popularity itself decides.
    while needed > 0 and _level(needed - 1) >= popularity:
        needed -= 1
    while _level(needed) < popularity:
        needed += 1
    return needed


def _level(total: int) -> int:
    return math.floor(STEPS_A_DOUBLING * math.log2(1 + total))


@dataclass(frozen=True)
class Compared:
    """A listing on the way up."""

    listing_id: int
    name: str
    popularity: int
    match: TextMatch


@dataclass(frozen=True)
class WayUp:
    """What would bring a listing above the one before it. `points`: None for a search by words."""

    above: Compared
    because: str
    points: int | None = None
    new_uses: int | None = None


def way_up(own: Compared, above: Compared, own_points: int, *, has_text: bool) -> WayUp:
    """Why `above` stands before `own`, and what would change that.

    With words only the name is known here as the engine knows it. How many words were found, with
    how many typos, how near and where, weighs more than all popularity, so that no points are
    promised there.
    """
    if has_text:
        return WayUp(above, _words_reason(above, own))
    # Between equals the index goes by the id as a text.
    wins_ties = str(own.listing_id) < str(above.listing_id)
    wanted = above.popularity + (0 if wins_ties else 1)
    missing = max(points_for(wanted) - own_points, 0)
    because = f"It is more popular: {above.popularity} against {own.popularity}."
    if above.popularity == own.popularity:
        because = "Both are equally popular; a fixed order decides between equals."
    each = points(Signals(uses=1, recent_uses=1))
    return WayUp(above, because, missing, -(-missing // each))


def _words_reason(above: Compared, own: Compared) -> str:
    if above.match.name > own.match.name:
        return (
            "Its name is what was searched for."
            if above.match.name is NameMatch.IS
            else "Its name begins with what was searched for."
        )
    # The order knows no more of them than this.
    ours, theirs = (min(each.popularity, POPULARITY_LEVELS) for each in (own, above))
    better = "the words match better in it: more of them, with fewer typos, nearer to each other, "
    better += "or in a part that weighs more"
    if theirs < ours:
        return f"{better[0].upper()}{better[1:]}."
    if theirs == ours:
        return f"Either {better}; or they match alike, and its shorter name decides."
    return (
        f"Either {better}; or they match alike, and its popularity decides: {theirs} against "
        f"{ours}."
    )


def median(values: Sequence[int]) -> int:
    """The middle value, of two the lower; 0 of none."""
    ordered = sorted(values)
    return ordered[(len(ordered) - 1) // 2] if ordered else 0
