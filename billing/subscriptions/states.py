"""Stripe's states of a subscription in our fewer words. Pure."""

from billing.models import SubscriptionState

# https://docs.stripe.com/api/subscriptions/object#subscription_object-status
_STATES = {
    "incomplete": SubscriptionState.INCOMPLETE,
    "incomplete_expired": SubscriptionState.CANCELED,
    "trialing": SubscriptionState.TRIALING,
    "active": SubscriptionState.ACTIVE,
    "past_due": SubscriptionState.PAST_DUE,
    "unpaid": SubscriptionState.PAST_DUE,
    "paused": SubscriptionState.PAST_DUE,
    "canceled": SubscriptionState.CANCELED,
}
LIVE = (SubscriptionState.TRIALING, SubscriptionState.ACTIVE, SubscriptionState.PAST_DUE)


def state_of(status: str) -> SubscriptionState:
    """Our state for Stripe's. One that we do not know is taken for unpaid: a person looks then."""
    return _STATES.get(status, SubscriptionState.PAST_DUE)


def next_state(ours: SubscriptionState, theirs: SubscriptionState) -> SubscriptionState:
    """Where a subscription goes: an end is for ever, and nothing becomes incomplete again."""
    if ours is SubscriptionState.CANCELED or theirs is SubscriptionState.INCOMPLETE:
        return ours
    return theirs
