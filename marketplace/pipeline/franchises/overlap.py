"""When territories overlap, and what a royalty comes to. Pure."""

import re
from datetime import datetime

from billing.money import BPS
from marketplace.identity.countries import COUNTRIES

_PREFIX = re.compile(r"[A-Z0-9]{0,12}")


def normal_postal(text: str) -> str:
    """A postal code, or the beginning of one, as it is compared: capitals, no spaces or dashes."""
    return "".join(text.upper().split()).replace("-", "")


def same_places(country: str, prefix: str, other_country: str, other_prefix: str) -> bool:
    """Whether two areas have a postal code in common: in one country, when the prefix of one
    begins with the other's. The whole country is the empty prefix."""
    return country == other_country and (
        prefix.startswith(other_prefix) or other_prefix.startswith(prefix)
    )


def same_time(
    starts_at: datetime, ends_at: datetime, other_starts: datetime, other_ends: datetime
) -> bool:
    """Whether two times, each without its end, have a moment in common."""
    return starts_at < other_ends and other_starts < ends_at


def holds(country: str, prefix: str, lead_country: str | None, postal_code: str) -> bool:
    """Whether a lead from there lies in an area. Without a postal code only a whole country
    holds it."""
    return lead_country == country and normal_postal(postal_code).startswith(prefix)


def parse_areas(typed: str) -> tuple[list[tuple[str, str]], str]:
    """Areas of lines like `DE` or `DE 20`, and what is wrong (empty: nothing).

    Several prefixes may stand on a line: `DE 20 21 22`. Areas within others of the same text are
    an error: they say one thing twice.
    """
    found: list[tuple[str, str]] = []
    for number, line in enumerate(typed.upper().splitlines(), 1):
        words = line.replace(",", " ").split()
        if not words:
            continue
        country, prefixes = words[0], [normal_postal(word) for word in words[1:]] or [""]
        if country not in COUNTRIES:
            return [], f"Line {number}: {country[:20]} is no country's code of two letters."
        for prefix in prefixes:
            if not _PREFIX.fullmatch(prefix):
                return [], f"Line {number}: {prefix[:20]} is no beginning of a postal code."
            for other_country, other in found:
                if same_places(country, prefix, other_country, other):
                    return [], f"Line {number}: {words_of(country, prefix)} is there already."
            found.append((country, prefix))
        if len(found) > 500:
            return [], "At most 500 areas at once."
    if not found:
        return [], "Name at least one country, like DE, or postal codes, like DE 20."
    return found, ""


def words_of(country: str, prefix: str) -> str:
    """An area in words, like "Germany, postal codes 20…"."""
    name = COUNTRIES.get(country, country)
    return f"{name}, postal codes {prefix}…" if prefix else name


def royalty(base_amount: int, bps: int, minimum: int) -> int:
    """The royalty of a month, in minor units.

    `bps` basis points of the base, rounded down to the minor unit, but at least the minimum. A
    base below zero (more refunded than sold) counts as nothing.
    """
    return max(max(0, base_amount) * bps // BPS, minimum)
