"""Sums of lines: discounts, then taxes on what is left. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from billing.money import allocate
from billing.sandbox_stripe.store import Thing


@dataclass
class LineSum:
    """One line: its amount, what is taken off it, and (tax rate, amount) of each tax."""

    amount: int
    discount: int = 0
    taxes: list[tuple[Thing, int]] = field(default_factory=list)

    @property
    def exclusive_tax(self) -> int:
        return sum(amount for rate, amount in self.taxes if not rate["inclusive"])


@dataclass
class Sum:
    """All lines together, in minor units."""

    lines: list[LineSum]

    @property
    def subtotal(self) -> int:
        return sum(line.amount for line in self.lines)

    @property
    def discount(self) -> int:
        return sum(line.discount for line in self.lines)

    @property
    def tax(self) -> int:
        return sum(amount for line in self.lines for _, amount in line.taxes)

    @property
    def total(self) -> int:
        exclusive = sum(line.exclusive_tax for line in self.lines)
        return self.subtotal - self.discount + exclusive

    def by_rate(self) -> list[tuple[Thing, int, int]]:
        """(tax rate, taxable amount, tax) over all lines."""
        found: dict[str, tuple[Thing, int, int]] = {}
        for line in self.lines:
            for rate, amount in line.taxes:
                _, taxable, tax = found.get(rate["id"], (rate, 0, 0))
                found[rate["id"]] = (rate, taxable + line.amount - line.discount, tax + amount)
        return list(found.values())


def sum_up(
    lines: Sequence[tuple[int, Sequence[Thing]]],
    coupon: Thing | None,
    *,
    prorations: Sequence[bool] = (),
    step: int = 1,
) -> Sum:
    """(amount, tax rates) of each line, less the coupon, plus taxes; taxes in whole `step`s.

    A coupon is spread over the lines that are above zero, largest remainder first. Those that
    `prorations` says are prorations have the discount in their amount already
    (https://docs.stripe.com/billing/subscriptions/prorations: discountable=false).
    """
    sums = [LineSum(amount) for amount, _ in lines]
    is_proration = [*prorations, *[False] * (len(sums) - len(prorations))]
    weights = [
        0 if proration else max(0, line.amount)
        for line, proration in zip(sums, is_proration, strict=True)
    ]
    for line, part in zip(sums, discounts_on(weights, coupon), strict=True):
        line.discount = part
    for line, (_, rates) in zip(sums, lines, strict=True):
        base = line.amount - line.discount
        for rate in rates:
            percentage = rate["percentage"]
            if rate["inclusive"]:
                tax = base - _divide(base * 100_000_000, round((100 + percentage) * 1_000_000))
            else:
                tax = _percent(base, percentage, step)
            line.taxes.append((rate, tax))
    return Sum(sums)


def discounts_on(amounts: Sequence[int], coupon: Thing | None) -> list[int]:
    """What a coupon takes off each of the amounts (none below zero)."""
    whole = sum(amounts)
    if coupon is None or not whole:
        return [0] * len(amounts)
    if coupon["amount_off"] is not None:
        off = min(int(coupon["amount_off"]), whole)
    else:
        off = _percent(whole, coupon["percent_off"])
    return allocate(off, amounts)


def _percent(amount: int, percentage: Any, step: int = 1) -> int:
    """A percentage with up to four decimals in whole steps, halves away from zero."""
    return _divide(amount * round(float(percentage) * 10_000), 1_000_000 * step) * step


def _divide(number: int, by: int) -> int:
    sign = -1 if number < 0 else 1
    return sign * ((2 * abs(number) + by) // (2 * by))
