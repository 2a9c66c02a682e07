"""Plans, discounts and paid orders for tests. All of it is flushed, nothing committed."""

import itertools
from datetime import timedelta
from typing import Any

from billing.models import (
    Discount,
    DiscountKind,
    FeeKind,
    FeeRule,
    FeeSchedule,
    Funder,
    Order,
    Plan,
    PlanBilling,
    PlanState,
    Price,
    PromotionCode,
    ScheduleState,
    TaxRate,
)
from billing.orders import Buyer, Payment, mark_paid, place_order
from billing.public_ids import new_public_id
from billing.quoting import quote
from marketplace.catalogue.models import Listing
from marketplace.core import clock
from marketplace.core.database import db
from marketplace.identity.models import Organization

_numbers = itertools.count(1)


def make_plan(
    listing: Listing,
    amount: int | None = 10_000,
    currency: str = "EUR",
    *,
    billing: PlanBilling = PlanBilling.ONE_TIME,
    **fields: Any,
) -> Plan:
    """A plan for sale with one price, in minor units; without a price when `amount` is None."""
    number = next(_numbers)
    plan = Plan(
        **{
            "public_id": new_public_id("plan"),
            "listing_id": listing.id,
            "publisher_id": listing.publisher_id,
            "code": f"plan-{number}",
            "name": "Pro",
            "description": "All of it",
            "billing": billing,
            "state": PlanState.ACTIVE,
            "activated_at": clock.now() - timedelta(days=5),
            "position": number,
            **fields,
        }
    )
    db.session.add(plan)
    db.session.flush()
    if amount is not None:
        make_price(plan, amount, currency)
    return plan


def make_price(plan: Plan, amount: int, currency: str = "EUR", **fields: Any) -> Price:
    """The next version of a plan's price in a currency."""
    version = 1 + sum(price.currency == currency for price in plan.prices)
    price = Price(
        **{
            "plan_id": plan.id,
            "version": version,
            "currency": currency,
            "amount": amount,
            "effective_from": clock.now() - timedelta(days=1),
            **fields,
        }
    )
    plan.prices.append(price)
    db.session.flush()
    return price


def make_discount(
    publisher: Organization | None = None, code: str | None = None, **fields: Any
) -> Discount:
    """A discount of 10% off the first payment, with a code when one is given; the platform's own
    without a publisher."""
    discount = Discount(
        **{
            "public_id": new_public_id("disc"),
            "publisher_id": publisher.id if publisher else None,
            "name": "Autumn",
            "kind": DiscountKind.PERCENT,
            "bps": 1_000,
            "funder": Funder.PUBLISHER if publisher else Funder.PLATFORM,
            "months": 1,
            "is_automatic": code is None,
            "starts_at": clock.now() - timedelta(days=1),
            **fields,
        }
    )
    db.session.add(discount)
    db.session.flush()
    if code is not None:
        db.session.add(
            PromotionCode(discount_id=discount.id, publisher_id=discount.publisher_id, code=code)
        )
        db.session.flush()
    return discount


def make_tax_rate(country: str = "DE", bps: int = 1_900, **fields: Any) -> TaxRate:
    """A rate in force, with reverse charge."""
    rate = TaxRate(
        **{
            "country": country,
            "name": "VAT",
            "bps": bps,
            "has_reverse_charge": True,
            "effective_from": clock.now() - timedelta(days=30),
            **fields,
        }
    )
    db.session.add(rate)
    db.session.flush()
    return rate


def make_sale_fee(bps: int = 2_000, **fields: Any) -> FeeRule:
    """A published schedule whose fee of sales is `bps` for everybody."""
    schedule = FeeSchedule(
        version=next(_numbers),
        name="Fees",
        state=ScheduleState.PUBLISHED,
        effective_from=clock.now() - timedelta(days=30),
        published_at=clock.now() - timedelta(days=30),
    )
    rule = FeeRule(**{"kind": FeeKind.SALE, "bps": bps, "hold_days": 14, **fields})
    schedule.rules.append(rule)
    db.session.add(schedule)
    db.session.flush()
    return rule


def make_order(plan: Plan, customer: Organization, **options: Any) -> Order:
    """A pending order of the plan, placed as the checkout page does."""
    buyer = options.pop("buyer", None) or Buyer(customer.id)
    offered = quote(
        plan,
        buyer,
        currency=options.pop("currency", "EUR"),
        quantity=options.pop("quantity", 1),
        code=options.pop("code", ""),
        at=clock.now(),
        **options,
    )
    return place_order(offered, description=plan.name)


def make_paid_order(plan: Plan, customer: Organization, **options: Any) -> Order:
    """An order of the plan that was paid by card, without Stripe."""
    order = make_order(plan, customer, **options)
    number = next(_numbers)
    mark_paid(
        order.id,
        Payment(
            paid_at=clock.now(),
            payment_intent_id=f"pi_test{number}",
            charge_id=f"ch_test{number}",
            card_fingerprint=f"card{number}",
            card_brand="visa",
            card_last4="4242",
        ),
    )
    db.session.refresh(order)
    return order
