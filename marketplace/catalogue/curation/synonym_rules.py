"""Which words may stand in a group of synonyms."""

import re
import unicodedata
from collections.abc import Iterable

MIN_TERMS = 2
MAX_TERMS = 12
MAX_LENGTH = 40


def terms_of(text: str) -> list[str]:
    """The terms of a text with one a line or separated by commas: case-folded, each once."""
    found: dict[str, None] = {}
    for part in re.split(r"[\n,;]", unicodedata.normalize("NFKC", text)):
        term = " ".join("".join(c if c.isprintable() else " " for c in part).casefold().split())
        if term:
            found[term] = None
    return list(found)


def problems(terms: list[str], other_groups: Iterable[Iterable[str]]) -> list[str]:
    """What is wrong with a group, as sentences; nothing when it may be saved.

    A term stands in one group only: what a search for it finds would depend on their order.
    """
    told = []
    if len(terms) < MIN_TERMS:
        told.append("Enter two terms or more, one a line.")
    if len(terms) > MAX_TERMS:
        told.append(f"Enter at most {MAX_TERMS} terms; these are {len(terms)}.")
    told += [
        f"“{term[:MAX_LENGTH]}…” is longer than {MAX_LENGTH} characters."
        for term in terms
        if len(term) > MAX_LENGTH
    ]
    told += [
        f"“{term}” has no letter or digit." for term in terms if not any(c.isalnum() for c in term)
    ]
    taken = {term for group in other_groups for term in group}
    told += [f"“{term}” is in another group." for term in terms if term in taken]
    return told
