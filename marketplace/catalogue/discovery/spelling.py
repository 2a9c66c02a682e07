"""What somebody probably meant, when nothing was found."""

from collections.abc import Iterable

from rapidfuzz import fuzz, process
from rapidfuzz.distance import DamerauLevenshtein

# Out of 100. Below it a suggestion is more often a surprise than a help.
CLOSE_ENOUGH = 72
SHORTEST = 3


def closest(query: str, names: Iterable[str]) -> str | None:
    """The name that `query` is probably a misspelling of, or None.

    Compares whole names and each name's words, without regard to case; a query shorter than
    3 letters, or equal to a name, has no suggestion.
    """
    wanted = " ".join(query.casefold().split())
    if len(wanted) < SHORTEST:
        return None
    known: dict[str, str] = {}
    for name in names:
        folded = name.casefold()
        known.setdefault(folded, name)
        for word in folded.split():
            if len(word) > SHORTEST:
                known.setdefault(word, word if word != folded else name)
    best = process.extractOne(wanted, list(known), scorer=fuzz.ratio, score_cutoff=CLOSE_ENOUGH)
    swapped = process.extractOne(
        wanted,
        list(known),
        # Two letters swapped are one slip, not two.
        scorer=DamerauLevenshtein.normalized_similarity,
        score_cutoff=CLOSE_ENOUGH / 100,
    )
    found = best or swapped
    if best and swapped and swapped[1] * 100 > best[1]:
        found = swapped
    if found is None or found[0] == wanted:
        return None
    return known[found[0]]
