"""What a listing's page says of its plans."""

from collections.abc import Mapping, Sequence
from typing import Any

from flask import url_for

from billing.entitlements import entitlement_of
from billing.formatting import plain_amount
from billing.models import Plan, PlanBilling
from marketplace.catalogue.models import Listing
from marketplace.core.permissions import Actor
from marketplace.sales.plans import texts
from marketplace.sales.plans.queries import PlanRow, plans_of
from marketplace.sales.shop.links import absolute

# Of UN/CEFACT: a month, a year.
UNIT_CODES = {PlanBilling.MONTHLY: "MON", PlanBilling.YEARLY: "ANN"}


def shop_panel(listing: Listing, actor: Actor) -> dict[str, Any]:
    """`{"shop": {...}, "offers": [...]}` for a public listing with plans for sale, else
    `{"shop": None}`. `offers` are for search engines.

    `plans` are the rows, `texts` says them in words, `href` leads to choosing one, and
    `from_words` says the least price and `entitlement` is
    what the active organization has. At most four queries, one where nothing is
    sold.
    """
    if not listing.is_findable:
        return {"shop": None}
    rows = plans_of([listing.id], only_active=True)
    if not rows:
        return {"shop": None}
    organization_id = actor.organization_id
    href = url_for("shop.choose", slug=listing.slug)
    held = entitlement_of(listing.id, organization_id) if organization_id is not None else None
    return {
        "shop": {
            "plans": rows,
            "texts": texts,
            "href": href,
            "entitlement": held,
            "from_words": _from(rows),
            "is_own": actor.role_in(listing.publisher_id) is not None,
        },
        "offers": [offer for row in rows for offer in _offers(row, absolute(href))],
    }


def _offers(row: PlanRow, url: str) -> list[dict[str, Any]]:
    """A plan as schema.org/Offer, one for each of its currencies."""
    if row.plan.billing is PlanBilling.FREE:
        return [_offer(row.plan, "0", "USD", url)]
    return [
        _offer(row.plan, plain_amount(price.amount, code), code, url)
        for code, price in sorted(row.prices.items())
    ]


def _offer(plan: Plan, price: str, currency: str, url: str) -> dict[str, Any]:
    offer: dict[str, Any] = {
        "@type": "Offer",
        "name": plan.name,
        "price": price,
        "priceCurrency": currency,
        "url": url,
    }
    if plan.billing in UNIT_CODES:
        offer["priceSpecification"] = {
            "@type": "UnitPriceSpecification",
            "price": price,
            "priceCurrency": currency,
            "billingDuration": 1,
            "unitCode": UNIT_CODES[plan.billing],
        }
    return offer


def _from(rows: Sequence[PlanRow]) -> str:
    """The least price in words, like "From €12.00 a month" or "Free, or from €12.00 a month"."""
    priced = [
        (price.amount, row, code)
        for row in rows
        for code, price in row.prices.items()
        if code == usual_currency(row.prices)
    ]
    is_free = any(row.plan.billing is PlanBilling.FREE for row in rows)
    if not priced:
        return "Free" if is_free else ""
    amount, row, code = min(priced, key=lambda each: each[0])
    words = texts.price_words(row.plan, amount, code)
    return f"Free, or from {words}" if is_free else f"From {words}" if len(rows) > 1 else words


def usual_currency(prices: Mapping[str, object]) -> str:
    """The currency that a plan is shown in first."""
    return next((code for code in ("EUR", "USD") if code in prices), min(prices, default="EUR"))
