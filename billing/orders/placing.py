"""Placing orders: frozen, pending, and waiting for their payment."""

from collections.abc import Sequence
from datetime import datetime, timedelta

from sqlalchemy import select

from billing.discount_offers import lock_discounts
from billing.models import (
    DiscountUse,
    Order,
    OrderKind,
    OrderLine,
    OrderState,
    PlanState,
    QuoteState,
    ResaleQuote,
    Subscription,
    SubscriptionState,
)
from billing.order_terms import Buyer, LineTerms
from billing.orders.freezing import freeze_line
from billing.public_ids import new_public_id
from billing.quoting import RECURRING, Quote, price_in_force, quote
from billing.resale.customers import in_the_way
from billing.seller import seller
from billing.taxes import TaxDecision, decide_tax, rates_in_force
from marketplace.core import clock
from marketplace.core.database import db
from marketplace.core.errors import ConflictError
from marketplace.core.facts import record_fact

# Stripe ends a checkout after a day at the latest.
CHECKOUT_LASTS = timedelta(hours=23)
PRICE_CHANGED = "price_changed"


def place_order(shown: Quote, *, description: str) -> Order:
    """Freeze what the buyer was shown into a pending order.

    The sum is computed again under the locks of its discounts. Raises ConflictError with the code
    `price_changed` when it is another one now, or another ConflictError when it cannot be bought.
    """
    now = clock.now()
    plan, buyer = shown.plan, shown.buyer
    if plan.state is not PlanState.ACTIVE:
        raise ConflictError("This plan is no longer sold.")
    lock_discounts([each.offer.id for each in shown.applied])
    current = quote(
        plan,
        buyer,
        currency=shown.currency,
        quantity=shown.quantity,
        code=shown.code,
        at=now,
        had_trial=shown.had_trial,
    )
    if (current.total, current.due_now, current.later_total) != (
        shown.total,
        shown.due_now,
        shown.later_total,
    ):
        raise ConflictError("The price changed while you were looking.", code=PRICE_CHANGED)
    line = freeze_line(
        current.line_terms(description),
        organization_id=buyer.organization_id,
        currency=current.currency,
        at=now,
    )
    order = new_order(OrderKind.PURCHASE, buyer, current.currency, [line], tax=current.tax, at=now)
    for each in current.applied:
        db.session.add(
            DiscountUse(
                discount_id=each.offer.id,
                code_id=each.offer.code_id,
                order_id=order.id,
                organization_id=buyer.organization_id,
                amount=each.amount,
            )
        )
    if current.is_recurring:
        begin_subscription(order, current)
    db.session.flush()
    return order


def place_fee_order(
    *,
    organization_id: int,
    description: str,
    amount: int,
    currency: str,
    user_id: int | None,
    fee_rule_id: int | None = None,
    listing_id: int | None = None,
    billing_details: dict[str, object] | None = None,
    country: str | None = None,
    tax_id: str = "",
    credit: int = 0,
) -> Order:
    """A pending order of a partner for what the platform itself sells: application,
    certification, listing or support pack. `amount` in minor units, without tax. All of it is the
    platform's. `credit`: what of it a credit pays that the platform gave; it lowers the price."""
    now = clock.now()
    buyer = Buyer(organization_id, user_id, dict(billing_details or {}), country, tax_id)
    tax = _tax_of(buyer, now)
    line = freeze_line(
        LineTerms(
            description=description,
            list_amount=amount,
            unit_amount=amount,
            listing_id=listing_id,
            discounts=({"name": "Credit", "amount": credit},) if credit else (),
            discount_amount=credit,
            discount_platform_amount=credit,
            tax_bps=tax.bps,
        ),
        organization_id=organization_id,
        currency=currency,
        at=now,
    )
    line.fee_rule_id = fee_rule_id
    return new_order(OrderKind.PROGRAM_FEE, buyer, currency, [line], tax=tax, at=now)


def place_resale_order(
    resale: ResaleQuote,
    *,
    user_id: int | None,
    description: str = "",
    billing_details: dict[str, object] | None = None,
    country: str | None = None,
    tax_id: str = "",
) -> Order:
    """A pending order for an accepted quote of a reseller; the one that is open when there is one.

    Discounts do not count here: the reseller made the price. Raises ConflictError when the quote
    was not accepted, its plan has no price in the quote's currency to renew by, or the customer
    has bought it otherwise since.
    """
    if resale.state is not QuoteState.ACCEPTED:
        raise ConflictError("Accept the quote first.")
    if reason := in_the_way(resale.agreement.plan, resale.customer_id):
        raise ConflictError(reason)
    now = clock.now()
    found = db.session.scalar(
        select(Order).where(
            Order.resale_quote_id == resale.id,
            Order.state == OrderState.PENDING,
            Order.expires_at > now,
        )
    )
    if found is not None:
        return found
    agreement = resale.agreement
    plan = agreement.plan
    price = price_in_force(plan, resale.currency, now)
    if price is None:
        raise ConflictError(f"{plan.name} has no price in {resale.currency} any more.")
    buyer = Buyer(resale.customer_id, user_id, dict(billing_details or {}), country, tax_id)
    tax = _tax_of(buyer, now)
    line = freeze_line(
        LineTerms(
            description=description or plan.name,
            list_amount=resale.unit_amount * resale.quantity,
            unit_amount=resale.unit_amount,
            quantity=resale.quantity,
            plan=plan,
            price=price,
            listing_id=plan.listing_id,
            publisher_id=plan.publisher_id,
            tax_bps=tax.bps,
            agreement=agreement,
        ),
        organization_id=resale.customer_id,
        currency=resale.currency,
        at=now,
    )
    order = new_order(OrderKind.RESALE, buyer, resale.currency, [line], tax=tax, at=now)
    order.resale_quote_id = resale.id
    if plan.billing in RECURRING:
        add_subscription(
            order, plan_id=plan.id, price_id=price.id, listing_id=plan.listing_id, trial_days=0,
            quantity=resale.quantity,
        )  # fmt: skip
    db.session.flush()
    return order


def new_order(
    kind: OrderKind,
    buyer: Buyer,
    currency: str,
    lines: Sequence[OrderLine],
    *,
    tax: TaxDecision,
    at: datetime,
) -> Order:
    """A pending order with its frozen lines, flushed."""
    order = Order(
        public_id=new_public_id("ord"),
        kind=kind,
        state=OrderState.PENDING,
        organization_id=buyer.organization_id,
        placed_by_id=buyer.user_id,
        currency=currency,
        billing_details=dict(buyer.billing_details),
        tax_details=tax.to_json(),
        created_at=at,
        expires_at=at + CHECKOUT_LASTS,
        subtotal=0,
        total=0,
    )
    for position, line in enumerate(lines, 1):
        line.position = position
        order.lines.append(line)
    add_up(order)
    db.session.add(order)
    db.session.flush()
    record_fact(
        "order.placed",
        subject=("order", order.id),
        organization_id=buyer.organization_id,
        actor_user_id=buyer.user_id,
        data={"kind": kind.value, "total": order.total, "currency": currency},
    )
    return order


def add_up(order: Order) -> None:
    """Make the order's sums those of its lines."""
    order.subtotal = sum(line.list_amount for line in order.lines)
    order.discount_total = sum(line.discount_amount for line in order.lines)
    order.tax_total = sum(line.tax_amount for line in order.lines)
    order.total = sum(line.total_amount for line in order.lines)


def begin_subscription(order: Order, bought: Quote) -> Subscription:
    """The incomplete subscription that the order's payment makes live."""
    return add_subscription(
        order,
        plan_id=bought.plan.id,
        price_id=bought.price.id,
        listing_id=bought.plan.listing_id,
        quantity=bought.quantity,
        trial_days=bought.trial_days,
    )


def add_subscription(
    order: Order, *, plan_id: int, price_id: int, listing_id: int, quantity: int, trial_days: int
) -> Subscription:
    """Add an incomplete subscription to a pending order."""
    subscription = Subscription(
        public_id=new_public_id("sub"),
        organization_id=order.organization_id,
        listing_id=listing_id,
        plan_id=plan_id,
        price_id=price_id,
        currency=order.currency,
        quantity=quantity,
        state=SubscriptionState.INCOMPLETE,
        trial_ends_at=clock.now() + timedelta(days=trial_days) if trial_days else None,
    )
    db.session.add(subscription)
    db.session.flush()
    order.subscription_id = subscription.id
    return subscription


def _tax_of(buyer: Buyer, at: datetime) -> TaxDecision:
    return decide_tax(
        buyer.country, buyer.tax_id, seller().country, rates_in_force(buyer.country, at)
    )
