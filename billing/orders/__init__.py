"""Orders: placed, paid, closed."""

from billing.order_terms import Buyer, LineTerms, Payment
from billing.orders.closing import close_order
from billing.orders.listeners import on_order_paid
from billing.orders.paying import mark_paid
from billing.orders.placing import place_fee_order, place_order, place_resale_order

__all__ = [
    "Buyer",
    "LineTerms",
    "Payment",
    "close_order",
    "mark_paid",
    "on_order_paid",
    "place_fee_order",
    "place_order",
    "place_resale_order",
]
