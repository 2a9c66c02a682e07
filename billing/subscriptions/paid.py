"""What was paid for the running period of a subscription, and what its coupon takes off."""

from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import selectinload

from billing.coupons import NOTHING_OFF, Off, off_at, trial_days_of
from billing.entitlements import of_subscription
from billing.models import Order, OrderKind, OrderLine, OrderState, Plan, Price, Subscription
from billing.quoting import price_in_force
from billing.subscriptions.proration import Terms
from marketplace.core import clock
from marketplace.core.database import db


def first_order(subscription: Subscription) -> Order | None:
    """The order that the subscription began with, with its lines."""
    return db.session.scalar(
        select(Order)
        .where(
            Order.subscription_id == subscription.id,
            Order.kind.in_((OrderKind.PURCHASE, OrderKind.RESALE)),
        )
        .options(selectinload(Order.lines))
        .order_by(Order.id)
        .limit(1)
    )


def off_of_subscription(subscription: Subscription, first: Order | None, at: datetime) -> Off:
    """What its coupon takes off a payment at `at`; `first` is its first order."""
    if first is None or not first.lines:
        return NOTHING_OFF
    line = first.lines[0]
    plan = db.session.get(Plan, line.plan_id) if line.plan_id is not None else None
    if plan is None:
        return NOTHING_OFF
    begun_at = first.paid_at or first.created_at
    return off_at(
        line.discounts,
        at,
        begun_at=begun_at,
        billing=plan.billing,
        trial_days=trial_days_of(begun_at, subscription.trial_ends_at),
    )


def held_terms(subscription: Subscription) -> Terms:
    """What its next payment is for."""
    plan = db.session.get_one(Plan, subscription.plan_id)
    price = db.session.get_one(Price, subscription.price_id)
    return Terms(plan.id, plan.billing, price.amount, subscription.quantity)


def paid_price(subscription: Subscription) -> Price:
    """The price that was paid for the running period: the one that it holds, unless a change to a
    cheaper plan waits for the next payment."""
    entitlement = of_subscription(subscription)
    held = db.session.get_one(Price, subscription.price_id)
    if entitlement is None or entitlement.plan_id == subscription.plan_id:
        return held
    price_id = db.session.scalar(
        select(OrderLine.price_id)
        .join(Order, Order.id == OrderLine.order_id)
        .where(
            Order.subscription_id == subscription.id,
            Order.state == OrderState.PAID,
            OrderLine.plan_id == entitlement.plan_id,
            OrderLine.price_id.is_not(None),
        )
        .order_by(Order.id.desc())
        .limit(1)
    )
    if price_id is not None:
        return db.session.get_one(Price, price_id)
    plan = db.session.get_one(Plan, entitlement.plan_id)
    return price_in_force(plan, subscription.currency, clock.now()) or held


def paid_terms(subscription: Subscription) -> Terms:
    """What was paid for the running period: more than `held_terms` where a reduction waits for the
    next payment, less where an addition was given back."""
    entitlement = of_subscription(subscription)
    price = paid_price(subscription)
    plan = db.session.get_one(Plan, price.plan_id)
    quantity = entitlement.quantity if entitlement is not None else subscription.quantity
    return Terms(plan.id, plan.billing, price.amount, quantity)
