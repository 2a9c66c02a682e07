"""Orders and subscriptions in words."""

from billing.models import (
    Order,
    OrderKind,
    OrderState,
    RefundState,
    RequestState,
    SubscriptionState,
)

KINDS = {
    OrderKind.PURCHASE: "Purchase",
    OrderKind.RENEWAL: "Renewal",
    OrderKind.CHANGE: "Change of plan",
    OrderKind.RESALE: "Through a reseller",
    OrderKind.PROGRAM_FEE: "Fee",
}
ORDER_STATES = {
    OrderState.PENDING: ("Not paid yet", "warning"),
    OrderState.PAID: ("Paid", "success"),
    OrderState.EXPIRED: ("Lapsed", "neutral"),
    OrderState.CANCELED: ("Canceled", "neutral"),
    OrderState.FAILED: ("Failed", "danger"),
}
SUBSCRIPTION_STATES = {
    SubscriptionState.INCOMPLETE: ("Not begun", "neutral"),
    SubscriptionState.TRIALING: ("On trial", "info"),
    SubscriptionState.ACTIVE: ("Active", "success"),
    SubscriptionState.PAST_DUE: ("Unpaid", "danger"),
    SubscriptionState.CANCELED: ("Ended", "neutral"),
}
REQUEST_STATES = {
    RequestState.OPEN: ("We are looking at it", "info"),
    RequestState.GRANTED: ("Granted", "success"),
    RequestState.REFUSED: ("Refused", "neutral"),
    RequestState.WITHDRAWN: ("Withdrawn", "neutral"),
}
REFUND_STATES = {
    RefundState.INTENDED: ("On its way", "info"),
    RefundState.PENDING: ("On its way", "info"),
    RefundState.SUCCEEDED: ("Refunded", "success"),
    RefundState.FAILED: ("Failed", "danger"),
    RefundState.CANCELED: ("Canceled", "neutral"),
}


def state_of(order: Order) -> tuple[str, str]:
    """An order's state and its tone; what went back is told with it."""
    if order.state is OrderState.PAID and order.refunded_total:
        if order.refunded_total >= order.total:
            return ("Refunded", "neutral")
        return ("Partly refunded", "info")
    return ORDER_STATES[order.state]


def title_of(order: Order) -> str:
    """What an order is of, in one line."""
    names = [line.description for line in order.lines]
    return ", ".join(names) if names else KINDS[order.kind]
