"""Who buys for an organization and sees what it bought."""

from typing import Any

from billing.models import Order, RefundRequest, Subscription
from marketplace.core.permissions import Actor, rule
from marketplace.identity.models import Organization

# Who of an organization deals with its money.
BUYERS = frozenset({"owner", "admin", "finance"})


def buys_for(actor: Actor, organization_id: int) -> bool:
    """Whether the person deals with the money of that organization."""
    return actor.role_in(organization_id) in BUYERS


@rule("listing.buy")
def may_begin_to_buy(actor: Actor, _listing: object) -> bool:
    """Whoever is signed in; for which organization, the page asks."""
    return actor.is_authenticated


@rule("purchases.use")
def may_see_purchases(actor: Actor, organization: Any) -> bool:
    """Owners, admins and finance."""
    return isinstance(organization, Organization) and buys_for(actor, organization.id)


@rule("order.view")
def may_view_order(actor: Actor, order: Any) -> bool:
    """The same, of the organization that bought."""
    return isinstance(order, Order) and buys_for(actor, order.organization_id)


@rule("subscription.manage")
def may_manage_subscription(actor: Actor, subscription: Any) -> bool:
    """The same, of the organization that subscribes."""
    return isinstance(subscription, Subscription) and buys_for(actor, subscription.organization_id)


@rule("refund_request.withdraw")
def may_withdraw_refund_request(actor: Actor, request: Any) -> bool:
    """Whoever may ask for it."""
    return isinstance(request, RefundRequest) and may_view_order(actor, request.order)
