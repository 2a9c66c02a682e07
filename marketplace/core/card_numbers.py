"""Card numbers have no place here: found, they are refused or masked.

A card number is 13 to 19 digits, perhaps in groups, that begins like one of the networks' and
whose last digit is right (Luhn, ISO/IEC 7812-1). One of ten random numbers passes the check
digit, hence the beginnings and lengths of the networks as well.
"""

import re
from collections.abc import Iterator
from typing import Any

# Behind a plus stands a telephone number: many of Germany's would pass for old Visa cards.
_CANDIDATE = re.compile(r"(?<![\w.+-])(?:\d[ -]?){12,18}\d(?![\w-])(?!\.\d)", re.ASCII)
# (first digits from, to, lengths): https://en.wikipedia.org/wiki/Payment_card_number
_NETWORKS: tuple[tuple[str, str, frozenset[int]], ...] = (
    ("4", "4", frozenset({13, 16, 19})),  # Visa
    ("51", "55", frozenset({16})),  # Mastercard
    ("2221", "2720", frozenset({16})),  # Mastercard
    ("34", "34", frozenset({15})),  # American Express
    ("37", "37", frozenset({15})),
    ("6011", "6011", frozenset({16, 19})),  # Discover
    ("644", "649", frozenset({16, 19})),
    ("65", "65", frozenset({16, 19})),
    ("3528", "3589", frozenset({16, 19})),  # JCB
    ("300", "305", frozenset({14, 16})),  # Diners
    ("36", "36", frozenset({14, 16})),
    ("38", "39", frozenset({14, 16})),
    ("62", "62", frozenset({16, 17, 18, 19})),  # UnionPay
    ("50", "50", frozenset({16, 19})),  # Maestro
    ("56", "58", frozenset({16, 19})),
)
MASK = "•••• •••• ••••"


def _is_one(digits: str) -> bool:
    if len(set(digits)) == 1:
        return False
    known = any(
        low <= digits[: len(low)] <= high and len(digits) in lengths
        for low, high, lengths in _NETWORKS
    )
    return known and _passes_luhn(digits)


def _passes_luhn(digits: str) -> bool:
    total = 0
    for place, digit in enumerate(reversed(digits)):
        value = int(digit) * (2 if place % 2 else 1)
        total += value - 9 if value > 9 else value
    return total % 10 == 0


def _found(text: str) -> Iterator[re.Match[str]]:
    # Nearly every text has no thirteen digits; it is not looked at twice.
    for match in _CANDIDATE.finditer(text):
        digits = match.group().replace(" ", "").replace("-", "")
        groups = [len(group) for group in re.split(r"[ -]", match.group())]
        # People write groups of three to six digits; a list of single digits is no card.
        if (len(groups) == 1 or min(groups) >= 2) and _is_one(digits):
            yield match


def has_card_number(text: str) -> bool:
    """Whether `text` holds what must be taken for a card number."""
    return any(True for _match in _found(text))


def line_with_card_number(text: str) -> int | None:
    """The first line of `text` that holds a card number, counted from 1; None: none does."""
    found = next(_found(text), None)
    return None if found is None else text.count("\n", 0, found.start()) + 1


def mask_card_numbers(text: str) -> str:
    """`text` with all but the last four digits of each card number masked."""
    places = [match.span() for match in _found(text)]
    for start, end in reversed(places):
        text = f"{text[:start]}{MASK} {text[end - 4 : end]}{text[end:]}"
    return text


def fields_with_card_numbers(value: Any) -> Iterator[str]:
    """The names (`a.b`) of what in JSON-like data holds a card number; of any depth."""
    waiting: list[tuple[str, Any]] = [("", value)]
    while waiting:
        name, found = waiting.pop()
        if isinstance(found, dict):
            if any(isinstance(key, str) and has_card_number(key) for key in found):
                yield name or "body"
            waiting += [
                (f"{name}.{key}" if name else str(key), each) for key, each in found.items()
            ]
        elif isinstance(found, list | tuple):
            waiting += [
                (f"{name}.{place}" if name else str(place), each)
                for place, each in enumerate(found)
            ]
        elif isinstance(found, str | int) and has_card_number(str(found)):
            yield name
