"""What an affiliate earns by a sale, which click counts, and what looks wrong: decided purely."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from billing.models.affiliate import AttributionModel
from billing.money import share

# How long a click counts unless the program says otherwise.
DEFAULT_WINDOW_DAYS = 30
LONGEST_WINDOW_DAYS = 365
# From one internet address on one day; more looks like a machine, or like one person.
MOST_CLICKS_A_DAY = 50
MOST_CUSTOMERS_A_DAY = 3
# Of one affiliate within an hour.
MOST_SALES_AN_HOUR = 20


@dataclass(frozen=True)
class Rate:
    """One version of what a program pays.

    `steps` are (from the affiliate's nth sale on, basis points), rising. `fixed` and `cap` are
    minor units of `currency`, and count for sales in that currency alone. `payments`: how many
    payments of one subscription earn something; None for all.
    """

    bps: int = 0
    fixed: int = 0
    currency: str | None = None
    payments: int | None = 1
    steps: tuple[tuple[int, int], ...] = ()
    cap: int | None = None


@dataclass(frozen=True)
class Commission:
    """What a sale earns: `amount` = `bps` of `base` + `fixed`, cut to the cap and to the base."""

    base: int
    bps: int
    fixed: int
    amount: int


def rate_for_sale(rate: Rate, nth: int) -> int:
    """The basis points that the affiliate's `nth` sale (from 1) earns."""
    bps = rate.bps
    for from_sales, step in sorted(rate.steps):
        if nth >= from_sales:
            bps = step
    return bps


def commission(
    rate: Rate, *, net: int, currency: str, payment_number: int, sales_before: int
) -> Commission | None:
    """What one payment earns; None when the rate pays nothing for it.

    `net` is what the customer pays without tax, in minor units; `payment_number` counts from 1
    within a subscription; `sales_before` are the affiliate's paid sales in this program so far.
    A payment of nothing earns nothing, but is a sale all the same.
    """
    if rate.payments is not None and payment_number > rate.payments:
        return None
    first = payment_number == 1
    bps = rate_for_sale(rate, sales_before + 1 if first else max(sales_before, 1))
    known = rate.currency == currency
    fixed = rate.fixed if known and net else 0
    amount = share(net, bps) + fixed
    if known and rate.cap is not None:
        amount = min(amount, rate.cap)
    amount = min(amount, net)
    if amount == 0 and net:
        return None
    return Commission(net, bps, fixed, amount)


@dataclass(frozen=True)
class Touch:
    """That a customer came by an affiliate: a click, or a lead that its server registered."""

    program_id: int
    affiliate_id: int
    at: datetime
    source: str
    click_id: int | None = None
    sub_id: str = ""
    address_hash: str = ""


def counted_touch(
    touches: Sequence[Touch], model: AttributionModel, window_days: int, now: datetime
) -> Touch | None:
    """The touch of one program that counts: the first or the last within the window.

    A click goes before a registered lead, whenever each was: it shows that the customer came.
    """
    since = now - timedelta(days=window_days)
    live = [each for each in touches if since < each.at <= now]
    clicks = [each for each in live if each.source == "click"]
    live = clicks or live
    if not live:
        return None
    if model is AttributionModel.FIRST_CLICK:
        return min(live, key=lambda each: (each.at, each.click_id or 0))
    return max(live, key=lambda each: (each.at, each.click_id or 0))


@dataclass(frozen=True)
class Relation:
    """What ties an affiliate's organization to the customer's, beyond the sale."""

    same_organization: bool = False
    shared_members: int = 0
    shared_domain: str = ""
    is_publisher: bool = False
    same_card: bool = False


def self_referral(relation: Relation) -> str:
    """Why the sale looks like the affiliate's own, for people to read; empty when it does not."""
    if relation.same_organization:
        return "Self-referral: the affiliate is the customer."
    if relation.is_publisher:
        return "Self-referral: the affiliate publishes what was sold."
    if relation.shared_members:
        return "Self-referral: a person belongs to both the affiliate and the customer."
    if relation.same_card:
        return "Self-referral: the affiliate paid with the same card before."
    if relation.shared_domain:
        return f"Self-referral: people of both use addresses at {relation.shared_domain}."
    return ""


def velocity(*, clicks_today: int = 0, customers_today: int = 0, sales_this_hour: int = 0) -> str:
    """Why the pace looks wrong, for people to read; empty when it does not.

    The first two are counted for one internet address and one day, the last for one affiliate.
    """
    if customers_today > MOST_CUSTOMERS_A_DAY:
        return f"Velocity: {customers_today} customers came from one internet address in a day."
    if clicks_today > MOST_CLICKS_A_DAY:
        return f"Velocity: {clicks_today} clicks came from one internet address in a day."
    if sales_this_hour > MOST_SALES_AN_HOUR:
        return f"Velocity: {sales_this_hour} sales of this affiliate within an hour."
    return ""


def program_rank(
    program_publisher: int | None,
    program_listing: int | None,
    *,
    listing_id: int,
    publisher_id: int | None,
) -> int | None:
    """How exactly a program fits a listing, 0 the most; None when it does not cover it.

    The publisher's own programs go before the platform's, one of a listing before one of all.
    """
    if program_listing is not None and program_listing != listing_id:
        return None
    if program_publisher is not None and program_publisher != publisher_id:
        return None
    return (0 if program_publisher is not None else 2) + (0 if program_listing is not None else 1)
