"""Currencies in the order in which people look for them."""

from billing.money import CURRENCIES

_FIRST = ("EUR", "USD", "GBP", "CHF")
CURRENCY_CHOICES: tuple[tuple[str, str], ...] = tuple(
    (code, code) for code in (*_FIRST, *sorted(CURRENCIES - set(_FIRST)))
)
