"""What became of a checkout at Stripe, taken over."""

from dataclasses import replace
from typing import Any

from sqlalchemy import or_, select

from billing.gateway import gateway
from billing.models import Order, OrderState
from billing.order_terms import Payment
from billing.orders.closing import close_order
from billing.orders.paying import mark_paid
from billing.stripe_objects import amounts_of_session, id_of, moment, payment_of_intent
from billing.subscriptions.card import note_card
from billing.subscriptions.invoices import PaidInvoice, ask_for_invoice, take_over_invoice
from billing.subscriptions.syncing import find_subscription, sync_subscription
from marketplace.core import clock
from marketplace.core.database import db

PAID = ("paid", "no_payment_required")


def settle_session(session_id: str) -> Order | None:
    """Take over a Checkout session: paid, expired, or nothing yet. Its order; None when it is none
    of ours, or asks for a card only. Idempotent. Raises FirstInvoiceMissingError and the gateway's
    errors."""
    session = gateway().retrieve("checkout.sessions", session_id)
    if session.get("mode") == "setup":
        note_card(session)
        return None
    is_complete = session.get("status") == "complete"
    # Ask for everything first: nothing is locked while Stripe is asked.
    stripe_id = id_of(session.get("subscription")) if is_complete else None
    subscribed = _ask_subscription(stripe_id, session) if stripe_id is not None else None
    payment = None
    if is_complete and stripe_id is None and session.get("payment_status") in PAID:
        payment = replace(_payment(session), **amounts_of_session(session))  # type: ignore[arg-type]  # three amounts by their names
    order = db.session.scalar(
        select(Order)
        .where(
            or_(
                Order.checkout_session_id == session_id,
                Order.public_id == str(session.get("client_reference_id") or ""),
            )
        )
        .limit(1)
    )
    if order is None:
        return None
    if session.get("status") == "expired":
        close_order(order.id, OrderState.EXPIRED)
    elif isinstance(subscribed, PaidInvoice):
        take_over_invoice(subscribed)
    elif subscribed is not None and stripe_id is not None:
        subscription = find_subscription(stripe_id, subscribed.get("metadata"))
        if subscription is not None:
            sync_subscription(subscription, subscribed)
    elif payment is not None:
        mark_paid(order.id, payment)
    # Last: a subscription is locked before its order.
    if order.checkout_session_id is None:
        order.checkout_session_id = session_id
        db.session.flush()
    return order


def _payment(session: dict[str, Any]) -> Payment:
    intent_id = id_of(session.get("payment_intent"))
    if intent_id is None:
        return Payment(paid_at=moment(session.get("created")) or clock.now())
    return payment_of_intent(intent_id)


def _ask_subscription(
    stripe_id: str, session: dict[str, Any]
) -> PaidInvoice | dict[str, Any] | None:
    """The invoice that the session's subscription began with; where it names none that is paid,
    the subscription; None while its own is not paid."""
    invoice_id = id_of(session.get("invoice"))
    found: dict[str, Any] = {}
    if invoice_id is None:
        found = gateway().retrieve("subscriptions", stripe_id, expand=["latest_invoice"])
        invoice_id = id_of(found.get("latest_invoice"))
    asked = ask_for_invoice(invoice_id) if invoice_id is not None else None
    return asked or found or None
