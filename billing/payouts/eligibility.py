"""Whether a partner is paid now, and how much of it: values in, values out."""

from collections.abc import Mapping
from dataclasses import dataclass

from billing.formatting import format_money
from billing.models.payout import AccountState
from billing.money import CURRENCIES, charge_step, decimals, whole_step

# Currencies that are money no more, and what replaced them. Nothing is transferred in them.
RETIRED: Mapping[str, str] = {"BGN": "EUR"}
# Where a partner has no wish of its own: ten of the currency, in minor units.
DEFAULT_MINIMUM_UNITS = 10


@dataclass(frozen=True)
class Candidate:
    """What is known of one partner in one currency when a run is computed or approved.

    `amount` is the sum of its payable entries in minor units, below zero when it was adjusted to
    less than nothing. `account` is None without a Stripe account; `currencies` empty means all.
    """

    currency: str
    amount: int
    account: AccountState | None = None
    restriction: str = ""
    currencies: tuple[str, ...] = ()
    minimum: int = 0
    cap: int | None = None
    frozen_reason: str = ""


@dataclass(frozen=True)
class Decision:
    """`amount` is transferred and `carried` waits for the next run; or all is held for `reason`."""

    amount: int
    carried: int = 0
    reason: str = ""

    @property
    def pays(self) -> bool:
        """Whether a transfer is made."""
        return not self.reason


def decide(candidate: Candidate) -> Decision:
    """Pay it, or hold it and say why. The first reason in this order counts."""
    amount, currency = candidate.amount, candidate.currency
    if reason := _obstacle(candidate):
        return Decision(amount, reason=reason)
    payable, carried = whole_step(amount, currency)
    if payable < max(candidate.minimum, charge_step(currency)):
        least = format_money(max(candidate.minimum, charge_step(currency)), currency)
        return Decision(amount, reason=f"Below the minimum of {least}.")
    if candidate.cap is not None and payable > candidate.cap:
        return Decision(
            amount, reason=f"Above the cap of {format_money(candidate.cap, currency)} for a payout."
        )
    return Decision(payable, carried)


def _obstacle(candidate: Candidate) -> str:
    if candidate.frozen_reason:
        return f"Frozen by finance: {candidate.frozen_reason}"[:300]
    if candidate.amount <= 0:
        return "Less than nothing is payable; it is netted against what is earned next."
    if reason := currency_obstacle(candidate.currency):
        return reason
    return account_obstacle(
        candidate.account, candidate.restriction, candidate.currencies, candidate.currency
    )


def currency_obstacle(currency: str) -> str:
    """Why nothing can be transferred in this currency; empty when it can."""
    if currency in RETIRED:
        return f"{currency} was replaced by {RETIRED[currency]} and cannot be transferred."
    return "" if currency in CURRENCIES else f"{currency} cannot be transferred."


def account_obstacle(
    state: AccountState | None, restriction: str, currencies: tuple[str, ...], currency: str
) -> str:
    """Why this account cannot take a transfer in this currency; empty when it can."""
    if state is None or state is AccountState.DISCONNECTED:
        return "No Stripe account is connected."
    if state is AccountState.ONBOARDING:
        return "The Stripe account is not set up yet."
    if state is AccountState.RESTRICTED:
        why = f": {restriction}" if restriction else "."
        return f"Stripe has restricted the account{why}"[:300]
    if currencies and currency not in currencies:
        return f"The Stripe account takes no {currency}."
    return ""


def default_minimum(currency: str) -> int:
    """Ten of the currency, in minor units; enough that no transfer is a trifle."""
    try:
        return int(DEFAULT_MINIMUM_UNITS * 10 ** decimals(currency))
    except ValueError:
        return 0
