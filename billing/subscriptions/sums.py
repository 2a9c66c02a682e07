"""Sums of Stripe's invoices as an order can carry them. Pure."""

from dataclasses import replace

from billing.coupons import Off
from billing.order_terms import Payment


def bookable(payment: Payment) -> Payment:
    """`payment` with sums that make an order, whatever an invoice says: no part below zero, and no
    discount above the price. What leaves nothing to pay is nothing."""
    subtotal, discount, tax = payment.subtotal or 0, payment.discount or 0, payment.tax or 0
    net = subtotal - discount
    if discount >= 0 and net >= 0 and tax >= 0:
        return payment
    # A tax below zero is of lines that were credited: it makes the others smaller.
    net = max(0, net + min(0, tax))
    return replace(payment, subtotal=net, discount=0, tax=max(0, tax) if net else 0)


def itemized(payment: Payment, off: Off) -> Payment:
    """`payment` for a change within a period, with its discount beside it again.

    Stripe's prorations have the discount in their amount
    (https://docs.stripe.com/billing/subscriptions/prorations), unless a subscription says
    otherwise. An order names it, since the platform may bear it.
    """
    if payment.discount or not off.is_share or not payment.subtotal:
        return payment
    before = off.before(payment.subtotal)
    return replace(payment, subtotal=before, discount=before - payment.subtotal)
