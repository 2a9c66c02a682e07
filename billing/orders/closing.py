"""Orders that were not paid: expired, canceled, failed. Their discounts are free again."""

from sqlalchemy import select, update

from billing.models import DiscountUse, Order, OrderState, Subscription, SubscriptionState
from marketplace.core import clock
from marketplace.core.database import db
from marketplace.core.facts import record_fact
from marketplace.core.locks import lock_row

EXPIRE_CHECKOUT = "billing.expire_checkout"


def close_order(order_id: int, state: OrderState, *, by_user_id: int | None = None) -> bool:
    """Close a pending order as EXPIRED, CANCELED or FAILED; whether that is new.

    A payment that comes all the same still counts (mark_paid): money never vanishes.
    """
    # A subscription is locked before its order, here as where an invoice is taken over.
    subscription_id = db.session.scalar(select(Order.subscription_id).where(Order.id == order_id))
    subscription = (
        lock_row(Subscription, Subscription.id == subscription_id) if subscription_id else None
    )
    order = lock_row(Order, Order.id == order_id)
    if order is None or order.state is not OrderState.PENDING:
        return False
    order.state, order.closed_at = state, clock.now()
    db.session.execute(
        update(DiscountUse)
        .where(DiscountUse.order_id == order.id, DiscountUse.released_at.is_(None))
        .values(released_at=clock.now())
    )
    if subscription is not None and subscription.state is SubscriptionState.INCOMPLETE:
        subscription.state = SubscriptionState.CANCELED
        subscription.canceled_at = clock.now()
    record_fact(
        f"order.{state.value}",
        subject=("order", order.id),
        organization_id=order.organization_id,
        actor_user_id=by_user_id,
    )
    db.session.flush()
    return True
