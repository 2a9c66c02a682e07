"""What changing a plan in the middle of a period costs. Pure; Stripe computes to the second."""

import enum
from dataclasses import dataclass
from datetime import datetime

from billing.coupons import NOTHING_OFF, Off
from billing.models import PlanBilling


class When(enum.StrEnum):
    """When a change takes effect."""

    NOW = "now"
    NEXT_PAYMENT = "next_payment"
    NEVER = "never"


@dataclass(frozen=True)
class Terms:
    """A price for a number of seats: minor units for one, without tax."""

    plan_id: int
    billing: PlanBilling
    unit_amount: int
    quantity: int

    @property
    def amount(self) -> int:
        return self.unit_amount * self.quantity


@dataclass(frozen=True)
class Change:
    """What a change means: when, what is charged at once (about) and what the next payment is,
    both without tax and after the discounts that count then."""

    when: When
    now: int
    later: int
    reason: str = ""


def change_of(
    paid: Terms,
    held: Terms,
    new: Terms,
    *,
    start: datetime | None,
    end: datetime | None,
    at: datetime,
    off: Off = NOTHING_OFF,
    later_off: Off = NOTHING_OFF,
) -> Change:
    """What going to `new` at `at` means in the period from `start` to `end`.

    `paid` is what was paid for this period, `held` what the next payment would be for: less than
    that where a reduction is planned. `off` is the discount now, `later_off` that of the next
    payment.

    More than what is paid costs the rest of the period at once. Less begins with the next payment,
    and nothing is paid back; so does what is paid already. A yearly plan does not become a monthly
    one: it runs out first.
    """
    later = later_off.less(new.amount)
    if paid.billing is not new.billing:
        if new.billing is not PlanBilling.YEARLY:
            return Change(
                When.NEVER, 0, later, "A yearly plan ends first. Cancel it, then choose again."
            )
        left = _rest(off.less(paid.amount), start, end, at)
        return Change(When.NOW, max(0, off.less(new.amount) - left), later)
    if new.amount > paid.amount:
        more = off.less(new.amount) - off.less(paid.amount)
        return Change(When.NOW, _rest(more, start, end, at), later)
    if held == new:
        is_planned = paid != new
        return Change(
            When.NEVER,
            0,
            later,
            "That is what begins with the next payment."
            if is_planned
            else "That is what you have.",
        )
    return Change(When.NEXT_PAYMENT, 0, later)


def _rest(amount: int, start: datetime | None, end: datetime | None, at: datetime) -> int:
    """The part of `amount` for the rest of the period, halves rounded up."""
    if start is None or end is None or end <= start:
        return amount
    whole = int((end - start).total_seconds())
    left = max(0, min(whole, int((end - at).total_seconds())))
    return (2 * amount * left + whole) // (2 * whole)
