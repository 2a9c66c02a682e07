"""Between which prices a reseller may quote, and what is its margin: decided purely."""

from dataclasses import dataclass

from billing.formatting import format_bps, format_money
from billing.money import BPS, MAX_AMOUNT, charge_step, share


@dataclass(frozen=True)
class Bounds:
    """The lowest and the highest price of one unit, in minor units without tax."""

    lowest: int
    highest: int


def bounds(floor: int, maximum_markup_bps: int | None, currency: str) -> Bounds:
    """The floor, and the floor with the largest markup; both in steps that can be charged."""
    step = charge_step(currency)
    lowest = -(-floor // step) * step
    if maximum_markup_bps is None:
        return Bounds(lowest, MAX_AMOUNT - MAX_AMOUNT % step)
    highest = floor + share(floor, maximum_markup_bps)
    return Bounds(lowest, max(lowest, highest - highest % step))


def wrong_with_price(
    unit_amount: int, floor: int, maximum_markup_bps: int | None, currency: str
) -> str:
    """Why a price of one unit cannot be quoted, for people to read; empty when it can."""
    limits = bounds(floor, maximum_markup_bps, currency)
    if unit_amount < limits.lowest:
        return f"Not below the floor price of {format_money(limits.lowest, currency)}."
    if unit_amount > limits.highest:
        if maximum_markup_bps is None:
            return f"At most {format_money(limits.highest, currency)}."
        return (
            f"At most {format_money(limits.highest, currency)}: the agreement allows "
            f"{format_bps(maximum_markup_bps)} above the floor price."
        )
    if unit_amount % charge_step(currency):
        return f"{currency} is charged in steps of {format_money(charge_step(currency), currency)}."
    return ""


def margin(unit_amount: int, floor: int, quantity: int) -> int:
    """What is the reseller's own of a quote, in minor units."""
    return (unit_amount - floor) * quantity


def markup_bps(unit_amount: int, floor: int) -> int | None:
    """How far a price is above the floor, in basis points of it; None over a floor of nothing."""
    return (unit_amount - floor) * BPS // floor if floor else None
