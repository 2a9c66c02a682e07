"""Paying a royalty invoice by checkout, and what a refund of that payment means."""

from sqlalchemy import select

from billing.models import Order, OrderState, Refund, RefundState
from billing.money import MAX_AMOUNT, proportion
from billing.orders import close_order, place_fee_order
from billing.orders.closing import EXPIRE_CHECKOUT
from billing.profiles import buyer_of
from marketplace.core import clock
from marketplace.core.database import db
from marketplace.core.errors import ConflictError
from marketplace.core.facts import record_fact
from marketplace.core.jobs import enqueue
from marketplace.pipeline.franchises.models import RoyaltyPayment
from marketplace.pipeline.franchises.services.royalties import (
    amount_due,
    credit,
    credited,
    held_invoice,
)


def pay_with(invoice_id: int, *, user_id: int | None) -> Order:
    """The order by which what is left of an invoice is paid: the open one, or a new one. Raises
    ConflictError when nothing is left to pay, or it is too much for one charge."""
    invoice = held_invoice(invoice_id)
    due = amount_due(invoice)
    if due <= 0:
        raise ConflictError("Nothing is left to pay.")
    if due > MAX_AMOUNT:
        raise ConflictError("This is more than one charge can be. Ask the program's team.")
    open_orders = db.session.scalars(
        select(Order)
        .join(RoyaltyPayment, RoyaltyPayment.order_id == Order.id)
        .where(RoyaltyPayment.invoice_id == invoice.id, Order.state == OrderState.PENDING)
        .order_by(Order.id.desc())
    ).all()
    for order in open_orders:
        if order.subtotal == due and order.expires_at and order.expires_at > clock.now():
            return order
        # Two open orders could both be paid.
        if close_order(order.id, OrderState.CANCELED, by_user_id=user_id):
            if order.checkout_session_id:
                enqueue(EXPIRE_CHECKOUT, {"session_id": order.checkout_session_id})
    buyer = buyer_of(invoice.organization_id, user_id)
    order = place_fee_order(
        organization_id=invoice.organization_id,
        description=f"Royalty {invoice.number}, {invoice.month}",
        amount=due,
        currency=invoice.currency,
        user_id=user_id,
        billing_details=dict(buyer.billing_details),
        country=buyer.country,
        tax_id=buyer.tax_id,
    )
    db.session.add(RoyaltyPayment(order_id=order.id, invoice_id=invoice.id))
    db.session.flush()
    return order


def royalty_paid(order: Order) -> None:
    """Note that an invoice is paid; a listener of paid orders."""
    payment = db.session.get(RoyaltyPayment, order.id)
    if payment is None:
        return
    invoice = held_invoice(payment.invoice_id)
    if invoice.paid_at is None:
        invoice.paid_at, invoice.order_id = order.paid_at or clock.now(), order.id
        db.session.flush()
        record_fact(
            "royalty.paid",
            subject=("royalty_invoice", invoice.id),
            organization_id=invoice.organization_id,
            data={"order": order.public_id},
        )


def royalty_refunded(order: Order, refund: Refund) -> None:
    """Credit what went back of a paid invoice, once for each refund; a listener of refunds."""
    payment = db.session.get(RoyaltyPayment, order.id)
    if payment is None or refund.state is not RefundState.SUCCEEDED:
        return
    invoice = held_invoice(payment.invoice_id)
    if invoice.order_id != order.id:
        return
    # What a correction credited already, and is paid back by this refund, is not credited twice.
    kept = order.subtotal - proportion(order.subtotal, order.refunded_total, order.total)
    too_much = (invoice.amount - credited(invoice)) - kept
    if too_much > 0:
        credit(invoice, too_much, refund.reason or "Refunded", cause=f"refund:{refund.id}")
