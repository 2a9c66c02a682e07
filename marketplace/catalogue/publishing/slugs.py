"""Addresses of listings. Pure."""

import re
import unicodedata
from collections.abc import Callable

MAX_LENGTH = 80
PATTERN = re.compile(r"[a-z0-9]+(-[a-z0-9]+)*")
# Words that stand in the place of a slug in our own addresses.
RESERVED = frozenset(
    {"new", "edit", "compare", "search", "preview", "report", "feed", "all", "draft", "drafts"}
    | {"admin", "api", "staff", "partner"}
)
_SPOKEN = str.maketrans({"+": " plus ", "&": " and ", "#": " sharp ", "@": " at ", "ß": "ss"})


def slug_of(name: str) -> str:
    """A slug made of a name; `listing` when nothing of it can be used."""
    plain = unicodedata.normalize("NFKD", name.casefold().translate(_SPOKEN))
    ascii_only = plain.encode("ascii", "ignore").decode()
    slug = re.sub(r"[^a-z0-9]+", "-", ascii_only).strip("-")[: MAX_LENGTH - 20].strip("-")
    return slug or "listing"


def free_slug(name: str, is_taken: Callable[[str], bool], suffix: str = "") -> str:
    """The first free slug for a name: its own, then with the publisher's, then numbered."""
    wanted = slug_of(name)
    if wanted not in RESERVED and not is_taken(wanted):
        return wanted
    base = f"{wanted}-{suffix}"[: MAX_LENGTH - 5].strip("-") if suffix else wanted
    if suffix and not is_taken(base):
        return base
    number = 2
    while is_taken(f"{base}-{number}"):
        number += 1
    return f"{base}-{number}"


def slug_problem(value: str) -> str | None:
    """What is wrong with an address that a person chose, or None."""
    if len(value) < 2 or len(value) > MAX_LENGTH:
        return f"Use 2 to {MAX_LENGTH} characters."
    if not PATTERN.fullmatch(value):
        return "Use small letters a to z, digits and single hyphens between them."
    if value in RESERVED:
        return "This word is kept for our own pages. Choose another one."
    return None
