"""Amounts: integer minor units with an ISO 4217 currency, and how they are divided.

Minor units are Stripe's (https://docs.stripe.com/currencies): a zero-decimal currency counts
whole units, a three-decimal one thousandths that must end in 0, and HUF, TWD, ISK and UGX count
hundredths, of which only whole units can be charged or paid out.
"""

from collections.abc import Sequence
from dataclasses import dataclass

# Codes are upper case here; Stripe's are lower case (gateway.py turns them).
_ZERO = "BIF CLP DJF GNF JPY KMF KRW MGA PYG RWF VND VUV XAF XOF XPF"
_THREE = "BHD JOD KWD OMR TND"
# Two decimals on paper, but transfers and payouts are in whole units.
_WHOLE = "HUF TWD ISK UGX"
_TWO = """
AED AFN ALL AMD ANG AOA ARS AUD AWG AZN BAM BBD BDT BGN BMD BND BOB BRL BSD BWP BYN BZD CAD CDF CHF
CNY COP CRC CVE CZK DKK DOP DZD EGP ETB EUR FJD FKP GBP GEL GIP GMD GTQ GYD HKD HNL HTG IDR ILS INR
JMD KES KGS KHR KYD KZT LAK LBP LKR LRD LSL MAD MDL MKD MMK MNT MOP MUR MVR MWK MXN MYR MZN NAD NGN
NIO NOK NPR NZD PAB PEN PGK PHP PKR PLN QAR RON RSD RUB SAR SBD SCR SEK SGD SHP SLE SOS SRD STD SZL
THB TJS TOP TRY TTD TZS UAH USD UYU UZS WST XCD YER ZAR ZMW
"""
ZERO_DECIMAL = frozenset(_ZERO.split())
THREE_DECIMAL = frozenset(_THREE.split())
WHOLE_UNIT_PAYOUTS = frozenset(_WHOLE.split())
TWO_DECIMAL = frozenset(_TWO.split())
CURRENCIES = ZERO_DECIMAL | THREE_DECIMAL | WHOLE_UNIT_PAYOUTS | TWO_DECIMAL
BPS = 10_000
# The largest amount that a charge may have at Stripe, in minor units.
MAX_AMOUNT = 99_999_999


class CurrencyError(ValueError):
    """No currency that money can be charged in here."""


@dataclass(frozen=True)
class Money:
    """An amount for people's eyes and for values that travel alone."""

    amount: int
    currency: str


def decimals(currency: str) -> int:
    """How many decimals an amount of `currency` has. Raises CurrencyError."""
    if currency in ZERO_DECIMAL:
        return 0
    if currency in THREE_DECIMAL:
        return 3
    if currency in CURRENCIES:
        return 2
    raise CurrencyError(f"{currency!r} is not a currency that can be used here")


def charge_step(currency: str) -> int:
    """The smallest step, in minor units, of an amount that is charged, transferred or paid out."""
    if currency in WHOLE_UNIT_PAYOUTS:
        return 100
    return 10 if currency in THREE_DECIMAL else 1


def whole_step(amount: int, currency: str) -> tuple[int, int]:
    """(what can be paid now, what is carried to the next time); amount >= 0, minor units."""
    step = charge_step(currency)
    return amount - amount % step, amount % step


def share(amount: int, bps: int) -> int:
    """`bps` basis points of `amount`, halves rounded up; both >= 0."""
    if amount < 0 or bps < 0:
        raise ValueError("share() takes no negative values")
    return (amount * bps + BPS // 2) // BPS


def allocate(total: int, weights: Sequence[int]) -> list[int]:
    """Divide `total` >= 0 by `weights` >= 0 so that the parts sum to it exactly.

    The largest remainder gets the odd units; among equal remainders, the earlier part. With
    weights that are all zero, everything goes to the first. Raises ValueError without weights.
    """
    if total < 0 or any(weight < 0 for weight in weights):
        raise ValueError("allocate() takes no negative values")
    if not weights:
        raise ValueError("nobody to allocate to")
    whole = sum(weights)
    if whole == 0:
        return [total, *([0] * (len(weights) - 1))]
    parts = [total * weight // whole for weight in weights]
    odd = total - sum(parts)
    order = sorted(range(len(weights)), key=lambda n: (-(total * weights[n] % whole), n))
    for place in order[:odd]:
        parts[place] += 1
    return parts


def apportion(total: int, weights: Sequence[int]) -> list[int]:
    """Like `allocate`, but no part ever falls when `total` grows, and at the weights' sum each
    part is its weight: what cumulative refunds need (largest remainders do not give it).

    Webster's (Sainte-Laguë's) method: the next unit goes to the largest weight / (2 * part + 1),
    among equals to the earlier. `total` may not exceed the sum of the weights.
    """
    whole, count = sum(weights), len(weights)
    if not 0 <= total <= whole or any(weight < 0 for weight in weights):
        raise ValueError("apportion() divides what is between nothing and the whole")
    if whole == 0:
        return [0] * count
    # No part is more than this far below its exact share, so the steps left are few.
    parts = [max(0, total * weight // whole - count) for weight in weights]
    for _ in range(total - sum(parts)):
        best = 0
        for place in range(1, count):
            if weights[place] * (2 * parts[best] + 1) > weights[best] * (2 * parts[place] + 1):
                best = place
        parts[best] += 1
    return parts


def proportion(part: int, so_far: int, whole: int) -> int:
    """`part` * `so_far` / `whole`, halves rounded up: all of it once the whole is reached."""
    if not 0 <= so_far <= whole or part < 0:
        raise ValueError("no proportion of that")
    return (2 * part * so_far + whole) // (2 * whole) if whole else 0
