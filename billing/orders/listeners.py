"""Who hears of a paid order; wiring.py connects them."""

from collections.abc import Callable

from billing.models import Order

Listener = Callable[[Order], None]
_paid: list[Listener] = []


def on_order_paid(*listeners: Listener) -> None:
    """Call each listener with every order once it is paid, in the same transaction."""
    _paid[:] = listeners


def tell_paid(order: Order) -> None:
    """Call the listeners."""
    for listener in _paid:
        listener(order)
