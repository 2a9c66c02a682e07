"""Who hears that money went back, or that a dispute moved; wiring.py connects them."""

from collections.abc import Callable

from billing.models.order import Order
from billing.models.refund import Dispute, Refund

RefundListener = Callable[[Order, Refund], None]
DisputeListener = Callable[[Order, Dispute], None]
_refunded: list[RefundListener] = []
_disputed: list[DisputeListener] = []


def on_refund_changed(*listeners: RefundListener) -> None:
    """Call each listener with (order, refund) when a refund has succeeded or failed, in the same
    transaction. order.refunded_total says how much went back in all."""
    _refunded[:] = listeners


def on_dispute_changed(*listeners: DisputeListener) -> None:
    """Call each listener with (order, dispute) whenever a dispute's state changed, likewise."""
    _disputed[:] = listeners


def tell_refund(order: Order, refund: Refund) -> None:
    """Call the listeners."""
    for listener in _refunded:
        listener(order, refund)


def tell_dispute(order: Order, dispute: Dispute) -> None:
    """Call the listeners."""
    for listener in _disputed:
        listener(order, dispute)
