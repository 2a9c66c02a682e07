"""Taking an order as paid: once, whoever says so first."""

from functools import partial

from sqlalchemy import update

from billing.entitlements import grant_unless
from billing.models import (
    DiscountUse,
    Entitlement,
    InvoiceCounter,
    Order,
    OrderKind,
    OrderState,
    Subscription,
)
from billing.order_terms import Payment
from billing.orders.adopting import adopt_amounts
from billing.orders.listeners import tell_paid
from billing.resale.quotes import note_paid
from billing.settlement.sales import post_sale
from marketplace.core.database import db
from marketplace.core.errors import NotFoundError
from marketplace.core.facts import record_fact
from marketplace.core.jobs import enqueue
from marketplace.core.locks import lock_row
from marketplace.core.once import insert_if_new

RECORD_CHARGE = "billing.record_charge"
PAID_TWICE = "billing.refund_double"


def mark_paid(order_id: int, payment: Payment) -> bool:
    """Set an order paid, number its invoice, post the sale, give what was bought; whether that is
    new. Doing it again changes nothing.

    Where Stripe charged other amounts than we froze, what was really charged is adopted and
    divided anew. Raises NotFoundError.
    """
    order = lock_row(Order, Order.id == order_id)
    if order is None:
        raise NotFoundError
    if order.state is OrderState.PAID:
        return False
    adopt_amounts(order, payment)
    was_closed = order.state is not OrderState.PENDING
    order.state, order.paid_at, order.closed_at = OrderState.PAID, payment.paid_at, None
    order.payment_intent_id = payment.payment_intent_id or order.payment_intent_id
    order.charge_id = payment.charge_id or order.charge_id
    order.stripe_invoice_id = payment.invoice_id or order.stripe_invoice_id
    order.card_fingerprint = payment.card_fingerprint or order.card_fingerprint
    order.card_brand, order.card_last4 = payment.card_brand[:40], payment.card_last4[:4]
    if was_closed:
        # Its discounts were given back when it lapsed; it was paid with them all the same.
        db.session.execute(
            update(DiscountUse).where(DiscountUse.order_id == order.id).values(released_at=None)
        )
    if order.invoice_number is None:
        order.invoice_number = next_invoice_number(payment.paid_at.year)
    db.session.flush()
    post_sale(order, at=payment.paid_at)
    if order.kind in {OrderKind.PURCHASE, OrderKind.RESALE}:
        _give(order)
    note_paid(order)
    if order.charge_id:
        enqueue(RECORD_CHARGE, {"order_id": order.id}, dedupe_key=f"record_charge:{order.id}")
    record_fact(
        "order.paid",
        subject=("order", order.id),
        organization_id=order.organization_id,
        actor_user_id=order.placed_by_id,
        data={
            "kind": order.kind.value,
            "total": order.total,
            "currency": order.currency,
            "invoice": order.invoice_number,
        },
        idempotency_key=f"order.paid:{order.id}",
    )
    tell_paid(order)
    db.session.flush()
    return True


def next_invoice_number(year: int) -> str:
    """The next number of a year, like INV-2026-00042. The year's row stays locked until the
    transaction ends, so that a payment that is rolled back leaves no gap."""
    insert_if_new(InvoiceCounter, year=year, last=0)
    number = db.session.execute(
        update(InvoiceCounter)
        .where(InvoiceCounter.year == year)
        .values(last=InvoiceCounter.last + 1)
        .returning(InvoiceCounter.last)
        .execution_options(synchronize_session=False)
    ).scalar_one()
    return f"INV-{year}-{number:05d}"


def _give(order: Order) -> None:
    """Entitle the buyer to each listing bought; paying twice for the same is given back."""
    subscription = (
        db.session.get(Subscription, order.subscription_id) if order.subscription_id else None
    )
    for line in order.lines:
        if line.listing_id is None or line.plan_id is None:
            continue
        given = grant_unless(
            partial(_is_double, order, line.plan_id),
            organization_id=order.organization_id,
            listing_id=line.listing_id,
            plan_id=line.plan_id,
            quantity=line.quantity,
            order_id=order.id,
            subscription_id=subscription.id if subscription else None,
        )
        if given is None:
            enqueue(PAID_TWICE, {"order_id": order.id}, dedupe_key=f"{PAID_TWICE}:{order.id}")


def _is_double(order: Order, plan_id: int, held: Entitlement) -> bool:
    """Whether the buyer has paid for this already: two checkouts were open."""
    if held.order_id == order.id:
        return False
    if held.subscription_id is not None:
        return held.subscription_id != order.subscription_id
    # Bought once and for all, and the same again.
    return held.order_id is not None and held.plan_id == plan_id
