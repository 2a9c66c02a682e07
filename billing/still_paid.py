"""What an organization has paid for of a listing, beside what has just ended. select() only."""

from dataclasses import dataclass

from sqlalchemy import or_, select

from billing.models import (
    Dispute,
    DisputeState,
    Entitlement,
    Order,
    OrderKind,
    OrderLine,
    OrderState,
    Subscription,
    SubscriptionState,
)
from marketplace.core.database import db

_PAID = (SubscriptionState.ACTIVE, SubscriptionState.TRIALING)
# Paid and not given back; what cost nothing cannot be.
_STANDS = (
    Order.state == OrderState.PAID,
    or_(Order.refunded_total < Order.total, Order.total == 0),
    ~select(Dispute.id)
    .where(Dispute.order_id == Order.id, Dispute.state == DisputeState.LOST)
    .exists(),
)


@dataclass(frozen=True)
class StillPaid:
    """A plan that is paid for, and by what."""

    plan_id: int
    quantity: int
    order_id: int
    subscription_id: int | None = None


def still_paid_beside(ended: Entitlement) -> StillPaid | None:
    """What else gives the organization the listing: a live subscription whose last payment
    stands, or else the newest order of a plan that was paid once and stands."""
    return _subscription(ended) or _order(ended)


def _subscription(ended: Entitlement) -> StillPaid | None:
    subscription = db.session.scalar(
        select(Subscription)
        .where(
            Subscription.organization_id == ended.organization_id,
            Subscription.listing_id == ended.listing_id,
            Subscription.state.in_(_PAID),
            Subscription.id != (ended.subscription_id or 0),
        )
        .limit(1)
    )
    if subscription is None:
        return None
    newest = (
        select(Order.id)
        .where(
            Order.subscription_id == subscription.id,
            Order.state == OrderState.PAID,
            Order.kind != OrderKind.CHANGE,
        )
        .order_by(Order.id.desc())
        .limit(1)
        .scalar_subquery()
    )
    order_id = db.session.scalar(select(Order.id).where(Order.id == newest, *_STANDS))
    if order_id is None:
        return None
    return StillPaid(subscription.plan_id, subscription.quantity, order_id, subscription.id)


def _order(ended: Entitlement) -> StillPaid | None:
    ended_order = ended.order_id if ended.subscription_id is None else None
    row = db.session.execute(
        select(OrderLine.plan_id, OrderLine.quantity, Order.id)
        .join(Order, Order.id == OrderLine.order_id)
        .where(
            Order.organization_id == ended.organization_id,
            OrderLine.listing_id == ended.listing_id,
            OrderLine.plan_id.is_not(None),
            Order.subscription_id.is_(None),
            Order.id != (ended_order or 0),
            *_STANDS,
        )
        .order_by(Order.paid_at.desc(), Order.id.desc())
        .limit(1)
    ).first()
    if row is None or row.plan_id is None:
        return None
    return StillPaid(row.plan_id, row.quantity, row.id)
