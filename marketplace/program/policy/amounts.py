"""A policy's amounts as people read and type them: money, stars, minutes, days, counts.

Inside they are whole numbers: minor units of the policy's currency, hundredths of a star, minutes.
"""

import re

from billing.formatting import AmountError, format_money, parse_amount, plain_amount
from billing.money import CURRENCIES
from marketplace.program.policy.document import Unit
from marketplace.program.policy.documents import MAX_NUMBER

_STARS = re.compile(r"(\d{1,3})(?:[.,](\d{1,2}))?", re.ASCII)
_MILLIONTHS = re.compile(r"(\d{1,9})(?:[.,](\d{1,6}))?", re.ASCII)
_NAMES = {Unit.MINUTES: "minute", Unit.DAYS: "day"}


class NumberError(ValueError):
    """What was typed is no such number; the message is for people."""


def in_words(value: int, unit: Unit, currency: str) -> str:
    """An amount for reading, like €1,200.00, 4.5 stars or 90 minutes."""
    if unit is Unit.MONEY and currency in CURRENCIES:
        return format_money(value, currency)
    if unit is Unit.STARS:
        return f"{value / 100:.2f}".rstrip("0").rstrip(".") + " stars"
    if unit is Unit.PERCENT:
        return f"{value:,}%"
    if unit in _NAMES:
        return counted(value, _NAMES[unit])
    return f"{value:,}"


def as_typed(value: int | None, unit: Unit, currency: str) -> str:
    """An amount as it stands in a field; empty for None."""
    if value is None:
        return ""
    if unit is Unit.MONEY and currency in CURRENCIES:
        return plain_amount(value, currency)
    if unit is Unit.STARS:
        return f"{value / 100:.2f}"
    return str(value)


def from_typed(text: str, unit: Unit, currency: str) -> int:
    """The amount that was typed. Raises NumberError."""
    text = text.strip()
    if unit is Unit.MONEY and currency in CURRENCIES:
        try:
            return parse_amount(text, currency, most=MAX_NUMBER)
        except AmountError as error:
            raise NumberError(str(error)) from error
    if unit is Unit.STARS:
        found = _STARS.fullmatch(text)
        if found is None:
            raise NumberError("Type stars like 4.5.")
        return int(found[1]) * 100 + int((found[2] or "0").ljust(2, "0"))
    cleaned = text.replace(",", "").replace(" ", "").replace("_", "")
    if not re.fullmatch(r"-?\d{1,15}", cleaned, re.ASCII):
        raise NumberError("Type a whole number.")
    return int(cleaned)


def rate_as_typed(millionths: int) -> str:
    """A rate as it stands in a field: 900000 is 0.9."""
    return f"{millionths / 1_000_000:.6f}".rstrip("0").rstrip(".")


def rate_from_typed(text: str) -> int:
    """Millionths of the rate that was typed. Raises NumberError."""
    found = _MILLIONTHS.fullmatch(text.strip())
    if found is None:
        raise NumberError("Type a rate like 0.92, with at most six decimals.")
    return int(found[1]) * 1_000_000 + int((found[2] or "0").ljust(6, "0"))


def counted(number: int, noun: str) -> str:
    """`1 day`, `3 days`."""
    return f"{number:,} {noun}{'' if abs(number) == 1 else 's'}"
