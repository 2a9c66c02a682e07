"""What a customer has already, and so does not buy again from a reseller. select() only."""

from sqlalchemy import select

from billing.entitlements import entitlement_of
from billing.models import Plan, Subscription
from billing.subscriptions.states import LIVE
from marketplace.core.database import db

SUBSCRIBED = (
    "You have a subscription to it already. Cancel that one first; once it has ended, accept this "
    "quote."
)
HAS_IT = "You have this plan already."


def in_the_way(plan: Plan, customer_id: int) -> str:
    """Why the customer would pay twice, in words for it; empty where it would not. What is paid
    all the same is given back (orders/paying.py), by the same rule."""
    held = entitlement_of(plan.listing_id, customer_id)
    if held is not None and held.subscription_id is not None:
        return SUBSCRIBED
    running = db.session.scalar(
        select(Subscription.id).where(
            Subscription.organization_id == customer_id,
            Subscription.listing_id == plan.listing_id,
            Subscription.state.in_(LIVE),
        )
    )
    if running is not None:
        return SUBSCRIBED
    if held is not None and held.order_id is not None and held.plan_id == plan.id:
        return HAS_IT
    return ""
