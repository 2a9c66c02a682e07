"""Amounts as people read and type them."""

import re
from decimal import Decimal

from babel.numbers import format_currency

from billing.money import MAX_AMOUNT, decimals

LOCALE = "en"
# Thousands are in groups of three, or not divided at all.
_TYPED = re.compile(r"(?:[0-9]+|[0-9]{1,3}(?:,[0-9]{3})+)(?:\.[0-9]+)?")


class AmountError(ValueError):
    """What was typed is no amount; the message is for people."""


def format_money(amount: int, currency: str) -> str:
    """An amount in minor units with its currency, like €1,234.50 or −€3.00."""
    value = Decimal(amount).scaleb(-decimals(currency))
    shown = format_currency(
        value, currency, locale=LOCALE, currency_digits=False, format=_pattern(currency)
    )
    # A sign stands close, a code does not.
    return re.sub(r"(?<=[A-Z]{3})(?=\d)", "\u00a0", shown)


def plain_amount(amount: int, currency: str) -> str:
    """An amount as it is typed and as machines read it, like 1234.50."""
    return f"{Decimal(amount).scaleb(-decimals(currency)):f}"


def parse_amount(text: str, currency: str, *, most: int = MAX_AMOUNT) -> int:
    """What was typed, in minor units, from 0 to `most`. Raises AmountError with what is wrong."""
    cleaned = text.strip().replace(" ", "").replace("\u00a0", "")
    places = decimals(currency)
    # A comma is taken for a point where it divides no thousands; 1,2345 is asked back.
    if places and places != 3 and re.fullmatch(rf"[0-9]+,[0-9]{{1,{places}}}", cleaned):
        cleaned = cleaned.replace(",", ".")
    if not _TYPED.fullmatch(cleaned):
        raise AmountError("Type an amount like 12.50.")
    whole, _, fraction = cleaned.replace(",", "").partition(".")
    if len(fraction) > places:
        raise AmountError(
            f"{currency} has {places} decimals." if places else f"{currency} has no decimals."
        )
    minor = int(whole + fraction.ljust(places, "0"))
    if minor > most:
        raise AmountError(f"At most {format_money(most, currency)}.")
    return minor


def format_bps(bps: int) -> str:
    """A rate in basis points, like 12.5%."""
    return f"{Decimal(bps).scaleb(-2).normalize():f}%"


def _pattern(currency: str) -> str:
    places = decimals(currency)
    number = "#,##0" + ("." + "0" * places if places else "")
    return f"¤{number};−¤{number}"
