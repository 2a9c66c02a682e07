"""Whether a name could be taken for another publisher's. Pure.

Two names are compared by their skeletons: lower case, without accents, spaces and marks, with
letters that only look Latin and digits that stand for letters read as the letters they imitate.
"""

import functools
import re
import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from rapidfuzz.distance import OSA

# Letters of other scripts that cannot be told from Latin ones (after Unicode TR 39's
# confusables; those that a product's name can be written with).
_CONFUSABLE: Final = str.maketrans(
    {
        **dict(zip("аеорсухіјѕԁԛԝһкмтвнґгɡ", "aeopcyxijsdqwhkmtbnrrg", strict=True)),
        **dict(zip("αβεηικνορτυχωγ", "abenikvoptuxwy", strict=True)),
        **dict(zip("ӏɑıℓօսոցհյ", "laiiounghj", strict=True)),
        "ß": "ss",
        "æ": "ae",
        "œ": "oe",
        "ø": "o",
        "đ": "d",
        "ł": "l",
    }
)
# Capitals that look Latin while their small letters do not.
_CAPITALS: Final = str.maketrans("ΑΒΕΖΗΙΚΜΝΟΡΤΥΧАВЕКМНОРСТУХІЈЅ", "ABEZHIKMNOPTYXABEKMHOPCTYXIJS")
_LEET: Final = str.maketrans("0134578", "oieastb")
_SPOKEN: Final = str.maketrans({"@": "a", "$": "s", "+": " plus ", "#": " sharp "})
# Words that say what a thing is, not whose: "Slack app" could be taken for "Slack".
_GENERIC: Final = frozenset(
    {"app", "apps", "official", "connector", "connectors", "integration", "integrations"}
    | {"plugin", "addon", "inc", "llc", "ltd", "gmbh", "corp", "hq", "the"}
)
_SHORTEST_FUZZY = 5
_WORD = re.compile(r"[^\W_]+")
# Strokes within a word that stand for a letter.
_STROKE = re.compile(r"(?<=\w)[!|](?=\w)")


@dataclass(frozen=True)
class NamedThing:
    """A name that is in use: a listing's or a publisher's."""

    name: str
    owner: str
    kind: str = "listing"


@functools.lru_cache(maxsize=32_768)
def skeleton(name: str) -> str:
    """What is left of a name when only its look counts; empty for a name without letters."""
    spoken = name.translate(_SPOKEN)
    if spoken.isascii():
        plain = spoken.lower()
    else:
        folded = unicodedata.normalize("NFKD", spoken.translate(_CAPITALS)).casefold()
        plain = "".join(c for c in folded if not unicodedata.combining(c)).translate(_CONFUSABLE)
    if "!" in plain or "|" in plain:
        plain = _STROKE.sub("l", plain)
    words = _WORD.findall(plain)
    # A number beside a name tells no two publishers apart: "Slack 2" could be Slack's.
    telling = [word for word in words if word not in _GENERIC and not word.isdigit()] or words
    joined = "".join(
        word if word.isalpha() or word.isdigit() else word.translate(_LEET) for word in telling
    )
    # "rn" reads as "m", "vv" as "w", and a capital i as a small L.
    return joined.replace("rn", "m").replace("vv", "w").replace("l", "i")


def tolerance(length: int) -> int:
    """How many slips of a letter still make a skeleton of `length` look the same."""
    if length < _SHORTEST_FUZZY:
        return 0
    return 1 if length < 12 else 2


def is_close(name: str, other: str) -> bool:
    """Whether the two names look or read alike."""
    one, two = skeleton(name), skeleton(other)
    if not one or not two:
        return False
    allowed = tolerance(min(len(one), len(two)))
    if abs(len(one) - len(two)) > allowed:
        return False
    return OSA.distance(one, two, score_cutoff=allowed) <= allowed


def close_names(name: str, others: Iterable[NamedThing], *, limit: int = 5) -> list[NamedThing]:
    """Those of `others` that `name` could be taken for, at most `limit`."""
    found: list[NamedThing] = []
    for other in others:
        if is_close(name, other.name):
            found.append(other)
            if len(found) == limit:
                break
    return found
