"""Which discounts count, and what they take off. Pure: values in, values out.

The rule, as customers and partners read it (docs/selling.md has worked examples):

1. A discount counts when it fits: its dates, its plans, its currency, the customer's tier, the
   smallest order, and the number of times that it may be used.
2. Stackable discounts add up: percentages first, the largest first, each of what is left; then
   fixed amounts, in the order of their age. Nothing goes below zero.
3. A discount that is not stackable counts alone. Of each such one, and of all stackable ones
   together, whatever takes most off counts.
4. On a subscription only discounts of the same kind and for the same number of payments add up,
   since each later invoice must be able to say the same; what is for the first payment alone adds
   up freely.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from billing.models.discount import DiscountKind, Funder
from billing.money import BPS, allocate, share


@dataclass(frozen=True)
class Offer:
    """A discount as far as it decides a price. `bps` for PERCENT, `amount` in minor units of
    `currency` for FIXED. `months` is the number of payments, None for all of them."""

    id: int
    kind: DiscountKind
    funder: Funder
    name: str = ""
    version: int = 1
    bps: int = 0
    amount: int = 0
    currency: str | None = None
    months: int | None = 1
    is_stackable: bool = False
    minimum: int = 0
    tiers: tuple[str, ...] = ()
    listing_ids: tuple[int, ...] = ()
    plan_ids: tuple[int, ...] = ()
    publisher_id: int | None = None
    starts_at: datetime | None = None
    ends_at: datetime | None = None
    max_uses: int | None = None
    max_uses_each: int | None = None
    uses: int = 0
    uses_each: int = 0
    is_archived: bool = False
    code: str = ""
    code_id: int | None = None
    code_uses: int = 0
    code_max_uses: int | None = None
    code_ends_at: datetime | None = None
    code_is_disabled: bool = False


@dataclass(frozen=True)
class Situation:
    """What is bought, by whom and when. `list_amount` in minor units of `currency`."""

    list_amount: int
    currency: str
    at: datetime
    plan_id: int
    listing_id: int
    publisher_id: int
    tier: str = ""
    is_recurring: bool = False


@dataclass(frozen=True)
class Applied:
    """An offer that counts, and what it takes off (minor units)."""

    offer: Offer
    amount: int


def refusal(offer: Offer, situation: Situation) -> str:
    """Why an offer does not count, as a sentence for the customer; empty when it does.

    What a stranger may not learn (that a code is another publisher's) reads like no such code.
    """
    at = situation.at
    unknown = "This code is not valid here."
    if offer.is_archived or offer.code_is_disabled:
        return "This code is no longer valid."
    if offer.publisher_id is not None and offer.publisher_id != situation.publisher_id:
        return unknown
    if offer.listing_ids and situation.listing_id not in offer.listing_ids:
        return unknown
    if offer.plan_ids and situation.plan_id not in offer.plan_ids:
        return "This code is for another plan."
    if offer.starts_at is not None and at < offer.starts_at:
        return "This code is not valid yet."
    ends = [end for end in (offer.ends_at, offer.code_ends_at) if end is not None]
    if ends and at >= min(ends):
        return "This code has expired."
    if offer.tiers and situation.tier not in offer.tiers:
        return "This code is not for your organization."
    if offer.kind is DiscountKind.FIXED and offer.currency != situation.currency:
        return f"This code is for prices in {offer.currency}."
    # A smallest order is an amount of the discount's own currency.
    if offer.minimum and (offer.currency or situation.currency) != situation.currency:
        return f"This code is for prices in {offer.currency}."
    if situation.list_amount < offer.minimum:
        return "Your order is too small for this code."
    if _is_used_up(offer):
        return "This code has been used as often as it may be."
    if offer.max_uses_each is not None and offer.uses_each >= offer.max_uses_each:
        return "Your organization has used this code already."
    return ""


def _is_used_up(offer: Offer) -> bool:
    limits = ((offer.max_uses, offer.uses), (offer.code_max_uses, offer.code_uses))
    return any(most is not None and used >= most for most, used in limits)


def combine(
    offers: Iterable[Offer], list_amount: int, *, is_recurring: bool, step: int = 1
) -> list[Applied]:
    """What counts of the offers that fit, and what each takes off `list_amount` >= 0.

    The best choice under the rule above; among equal ones the one with the oldest discount.
    `step` is the smallest step of an amount that can be charged (money.charge_step).
    """
    unique = list({offer.id: offer for offer in offers}.values())
    groups: dict[object, list[Offer]] = {}
    for offer in unique:
        groups.setdefault(_group(offer, is_recurring=is_recurring), []).append(offer)
    choices = [
        _apply(group, list_amount, is_recurring=is_recurring, step=step)
        for group in groups.values()
    ]
    choices = [choice for choice in choices if choice]
    if not choices:
        return []
    return min(
        choices,
        key=lambda found: (
            -sum(each.amount for each in found),
            min(each.offer.id for each in found),
        ),
    )


def _group(offer: Offer, *, is_recurring: bool) -> object:
    if not offer.is_stackable:
        return ("alone", offer.id)
    if is_recurring and offer.months != 1:
        return (offer.kind, offer.months)
    return "together"


def _apply(
    offers: Sequence[Offer], list_amount: int, *, is_recurring: bool, step: int
) -> list[Applied]:
    percents = sorted(
        (offer for offer in offers if offer.kind is DiscountKind.PERCENT),
        key=lambda offer: (-offer.bps, offer.id),
    )
    fixed = sorted(
        (offer for offer in offers if offer.kind is DiscountKind.FIXED), key=lambda offer: offer.id
    )
    found = []
    left = list_amount
    for offer in percents:
        taken = share(left, offer.bps)
        taken -= taken % step
        found.append(Applied(offer, taken))
        left -= taken
    if is_recurring and len(percents) > 1 and percents[0].months != 1:
        # Later invoices know one percentage, so the first one is computed by it as well.
        taken = share(list_amount, combined_bps([offer.bps for offer in percents]))
        parts = allocate(taken, [each.amount for each in found])
        found = [replace(each, amount=part) for each, part in zip(found, parts, strict=True)]
        left = list_amount - taken
    for offer in fixed:
        taken = min(left, offer.amount)
        taken -= taken % step
        found.append(Applied(offer, taken))
        left -= taken
    return [each for each in found if each.amount]


def combined_bps(rates: Sequence[int]) -> int:
    """One rate for several that are each taken of the rest, like 2,800 for 2,000 and 1,000."""
    left, scale = 1, 1
    for bps in rates:
        left *= BPS - min(bps, BPS)
        scale *= BPS
    return BPS - (left * BPS + scale // 2) // scale


def platform_part(applied: Iterable[Applied]) -> int:
    """How much of it the platform bears (minor units)."""
    return sum(each.amount for each in applied if each.offer.funder is Funder.PLATFORM)


def explain(offer: Offer, amount_text: str) -> str:
    """A discount in a few words, like "20% off the first 3 payments". `amount_text` is what a
    fixed one takes off, or the percentage, as people read it."""
    if offer.months is None:
        return f"{amount_text} off every payment"
    if offer.months == 1:
        return f"{amount_text} off the first payment"
    return f"{amount_text} off the first {offer.months} payments"
