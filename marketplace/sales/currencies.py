"""Currencies in the order in which people look for them; none that is money no more."""

from billing.money import CURRENCIES
from billing.payouts.eligibility import RETIRED

_FIRST = ("EUR", "USD", "GBP", "CHF")
CURRENCY_CHOICES: tuple[tuple[str, str], ...] = tuple(
    (code, code) for code in (*_FIRST, *sorted(CURRENCIES - set(_FIRST) - set(RETIRED)))
)
