"""The one coupon by which Stripe takes off what we computed."""

import calendar
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from billing.discounts import combined_bps
from billing.models import DiscountKind, Order, Plan, PlanBilling
from billing.money import BPS, share

MONTHS = {PlanBilling.MONTHLY: 1, PlanBilling.YEARLY: 12}
# A trial shorter than this ends within the first month, so a coupon's months need no more.
_SHORT_TRIAL_DAYS = 27
# A coupon ends with the period that it is for, and the clocks are not the same to the second.
_AROUND = timedelta(hours=1)

Kept = Mapping[str, Any]


@dataclass(frozen=True)
class Off:
    """What a coupon takes off a payment: a share, or `amount` in minor units. None without any."""

    bps: int = 0
    amount: int = 0

    def less(self, whole: int) -> int:
        """What is left of `whole` (minor units)."""
        return whole - share(whole, self.bps) if self.bps else max(0, whole - self.amount)

    def before(self, net: int) -> int:
        """The price of which a share was taken off so that `net` is left (minor units)."""
        return (2 * net * BPS + BPS - self.bps) // (2 * (BPS - self.bps)) if self.is_share else net

    @property
    def is_share(self) -> bool:
        """Whether it takes off a share, and leaves something."""
        return 0 < self.bps < BPS


NOTHING_OFF = Off()


def coupon_params(
    order: Order, plans: Mapping[int, Plan], *, trial_days: int
) -> dict[str, Any] | None:
    """What `coupons.create` is told for an order, None without a discount.

    A fixed amount where that says it exactly. A percentage only where later payments have it too:
    there the number of seats may change. `plans` are those of the order's lines, `trial_days` is
    what was agreed when it was placed.
    """
    if len(order.lines) != 1:
        return None
    (line,) = order.lines
    amount = line.discount_amount or sum(each.get("later_amount", 0) for each in line.discounts)
    if not amount or not line.discounts:
        return None
    name = ", ".join(each["name"] for each in line.discounts)
    params: dict[str, Any] = {"name": name[:40], "metadata": {"order": order.public_id}}
    plan = plans.get(line.plan_id or 0)
    if order.subscription_id is None or plan is None:
        return params | {"amount_off": amount, "currency": order.currency, "duration": "once"}
    off = off_of(line.discounts, amount)
    if off.bps:
        params["percent_off"] = off.bps / 100
    else:
        params |= {"amount_off": off.amount, "currency": order.currency}
    months = coupon_months(line.discounts, plan.billing, trial_days)
    if months is None:
        return params | {"duration": "forever"}
    # One payment is said in months as well: a coupon that is used once is taken back as soon as
    # seats are added (Stripe credits the discounted price and charges the whole one), and in a
    # trial it would be used up by the first invoice, which is of nothing.
    return params | {"duration": "repeating", "duration_in_months": months}


def off_of(discounts: Sequence[Kept], amount: int) -> Off:
    """What the coupon of a subscription takes off; `amount` is what it took off the first payment
    (minor units)."""
    is_percent = all(each["kind"] == DiscountKind.PERCENT.value for each in discounts)
    if discounts and is_percent and discounts[0]["months"] != 1:
        return Off(bps=combined_bps([each["bps"] for each in discounts]))
    return Off(amount=amount)


def coupon_months(discounts: Sequence[Kept], billing: PlanBilling, trial_days: int) -> int | None:
    """For how many months a subscription's coupon lasts; None: for ever."""
    payments = discounts[0]["months"]
    if payments is None:
        return None
    longer = max(0, trial_days - _SHORT_TRIAL_DAYS)
    return int(payments) * MONTHS.get(billing, 1) + -(-longer // 30)


def off_at(
    discounts: Sequence[Kept],
    at: datetime,
    *,
    begun_at: datetime,
    billing: PlanBilling,
    trial_days: int,
) -> Off:
    """What a subscription's coupon takes off a payment at `at`.

    `discounts` are those of its first order's line, `begun_at` is when its checkout was paid, and
    `billing` and `trial_days` what was bought then.
    """
    if not discounts:
        return NOTHING_OFF
    months = coupon_months(discounts, billing, trial_days)
    if months is not None and at >= _months_after(begun_at, months) - _AROUND:
        return NOTHING_OFF
    amount = sum(int(each.get("later_amount") or each["amount"]) for each in discounts)
    return off_of(discounts, amount)


def _months_after(begin: datetime, months: int) -> datetime:
    year, month = divmod(begin.year * 12 + begin.month - 1 + months, 12)
    day = min(begin.day, calendar.monthrange(year, month + 1)[1])
    return begin.replace(year=year, month=month + 1, day=day)


def trial_days_of(begun_at: datetime, ends_at: datetime | None) -> int:
    """The days of trial that were agreed with what began at `begun_at`; 0 without a trial."""
    return round((ends_at - begun_at) / timedelta(days=1)) if ends_at is not None else 0
