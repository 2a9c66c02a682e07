"""Who hears that a subscription was not paid or has ended; wiring.py connects them."""

from collections.abc import Callable

from billing.models import Subscription

Listener = Callable[[Subscription], None]
_failed: list[Listener] = []
_ended: list[Listener] = []


def on_payment_failed(*listeners: Listener) -> None:
    """Call each with a subscription whose payment failed, once for each time of grace."""
    _failed[:] = listeners


def on_subscription_ended(*listeners: Listener) -> None:
    """Call each with a subscription that has ended."""
    _ended[:] = listeners


def tell_failed(subscription: Subscription) -> None:
    """Call the listeners."""
    for listener in _failed:
        listener(subscription)


def tell_ended(subscription: Subscription) -> None:
    """Call the listeners."""
    for listener in _ended:
        listener(subscription)
