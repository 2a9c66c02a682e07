"""What Stripe tells of checkouts, invoices and subscriptions, and the jobs around them. Importing
this module registers them."""

from datetime import timedelta

from sqlalchemy import select

from billing.entitlements import end_for_order, of_subscription
from billing.events import DeferEvent, on_event
from billing.gateway import (
    StripeBusyError,
    StripeRejectedError,
    StripeUnknownError,
    gateway,
    has_stripe,
    retry_later,
)
from billing.models import (
    Dispute,
    DisputeState,
    Order,
    OrderLine,
    OrderState,
    Refund,
    RefundState,
    StripeEvent,
    Subscription,
)
from billing.operations import perform
from billing.orders.closing import EXPIRE_CHECKOUT, close_order
from billing.orders.paying import PAID_TWICE, RECORD_CHARGE
from billing.orders.settling import settle_session
from billing.settlement.charges import record_charge
from billing.settlement.refunds import refundable, request_refund
from billing.subscriptions.changing import cancel_now
from billing.subscriptions.invoices import FirstInvoiceMissingError, settle_invoice
from billing.subscriptions.syncing import find_subscription, sync_subscription
from marketplace.core import clock
from marketplace.core.database import db
from marketplace.core.jobs import Payload, RetryLater, enqueue, job_handler, periodic

CANCEL_SUBSCRIPTION = "billing.cancel_subscription"
LOOK_UP_CHECKOUT = "billing.look_up_checkout"
CLOSE_LAPSED = "billing.close_lapsed_orders"
BATCH = 100


@on_event(
    "checkout.session.completed",
    "checkout.session.async_payment_succeeded",
    "checkout.session.async_payment_failed",
    "checkout.session.expired",
)
def session_changed(event: StripeEvent) -> None:
    """Take over what became of a checkout."""
    try:
        settle_session(event.object_id)
    except FirstInvoiceMissingError as error:
        raise DeferEvent(str(error)) from error


@on_event("invoice.paid")
def invoice_paid(event: StripeEvent) -> None:
    """A payment of a subscription: its first, a renewal, or a change."""
    try:
        settle_invoice(event.object_id)
    except FirstInvoiceMissingError as error:
        raise DeferEvent(str(error)) from error


@on_event(
    "customer.subscription.created",
    "customer.subscription.updated",
    "customer.subscription.deleted",
    "customer.subscription.paused",
    "customer.subscription.resumed",
)
def subscription_changed(event: StripeEvent) -> None:
    """Take over a subscription's state and period."""
    found = gateway().retrieve("subscriptions", event.object_id)
    subscription = find_subscription(event.object_id, found.get("metadata"))
    if subscription is not None:
        sync_subscription(subscription, found)


@on_event("invoice.payment_failed")
def invoice_failed(event: StripeEvent) -> None:
    """A renewal was not paid: the subscription says what that means."""
    invoice = gateway().retrieve("invoices", event.object_id)
    details = (invoice.get("parent") or {}).get("subscription_details") or {}
    stripe_id = details.get("subscription")
    if not stripe_id:
        return
    found = gateway().retrieve("subscriptions", str(stripe_id))
    subscription = find_subscription(str(stripe_id), found.get("metadata"))
    if subscription is not None:
        sync_subscription(subscription, found)


def refund_ends_entitlement(order: Order, refund: Refund) -> None:
    """Refunded in full: what the order paid for ends. (A listener of settlement.)"""
    if refund.state is RefundState.SUCCEEDED and order.refunded_total >= order.total:
        _end(order, "It was refunded.")


def dispute_ends_entitlement(order: Order, dispute: Dispute) -> None:
    """A dispute that we lost likewise."""
    if dispute.state is DisputeState.LOST:
        _end(order, "The payment was disputed.")


def _end(order: Order, reason: str) -> None:
    if end_for_order(order, reason) and order.subscription_id is not None:
        enqueue(
            CANCEL_SUBSCRIPTION,
            {"subscription_id": order.subscription_id},
            dedupe_key=f"cancel_subscription:{order.subscription_id}",
        )


@job_handler(RECORD_CHARGE)
def fetch_charge(payload: Payload) -> None:
    """Post the processing fee once Stripe knows it, without waiting for its event."""
    order = db.session.get(Order, payload["order_id"])
    if order is None or order.charge_id is None or not has_stripe():
        return
    order_id, charge_id = order.id, order.charge_id
    try:
        charge = gateway().retrieve("charges", charge_id, expand=["balance_transaction"])
    except (StripeUnknownError, StripeBusyError) as error:
        raise retry_later(error) from error
    if not record_charge(order_id, charge):
        raise RetryLater(timedelta(minutes=1), "the charge has no balance transaction yet")


@job_handler(PAID_TWICE)
def give_back_double(payload: Payload) -> None:
    """Two checkouts for the same were both paid: give the second payment back and end what it
    began."""
    order = db.session.get(Order, payload["order_id"])
    if order is None or order.state is not OrderState.PAID:
        return
    left = refundable(order)
    if left:
        request_refund(order, left, reason="Paid twice for the same.", by_user_id=None)
    if order.subscription_id is not None:
        enqueue(
            CANCEL_SUBSCRIPTION,
            {"subscription_id": order.subscription_id},
            dedupe_key=f"cancel_subscription:{order.subscription_id}",
        )


@job_handler(CANCEL_SUBSCRIPTION)
def cancel_subscription(payload: Payload) -> None:
    """End a subscription at Stripe whose entitlement has ended. One that was paid meanwhile
    goes on."""
    subscription_id = int(payload["subscription_id"])
    subscription = db.session.get(Subscription, subscription_id)
    if subscription is None or of_subscription(subscription) is not None:
        return
    db.session.rollback()
    try:
        cancel_now(subscription_id)
    except (StripeUnknownError, StripeBusyError) as error:
        raise retry_later(error) from error


@job_handler(EXPIRE_CHECKOUT)
def expire_checkout(payload: Payload) -> None:
    """Close a checkout at Stripe that the customer left, so that it cannot be paid any more."""
    session_id = str(payload["session_id"])
    db.session.rollback()
    try:
        perform(f"expire:{session_id}", "checkout.sessions.expire", {"id": session_id})
    except StripeRejectedError:
        # It is paid or expired already; its event tells.
        return
    except (StripeUnknownError, StripeBusyError) as error:
        raise retry_later(error) from error


@job_handler(LOOK_UP_CHECKOUT)
def look_up_checkout(payload: Payload) -> None:
    """Ask Stripe what became of a checkout, for the case that its event was lost."""
    order = db.session.get(Order, payload["order_id"])
    if order is None or order.checkout_session_id is None or order.state is OrderState.PAID:
        return
    try:
        settle_session(order.checkout_session_id)
    except FirstInvoiceMissingError as error:
        raise RetryLater(timedelta(seconds=30), str(error)) from error
    except (StripeUnknownError, StripeBusyError) as error:
        raise retry_later(error) from error


@periodic(CLOSE_LAPSED, timedelta(minutes=15))
def close_lapsed(_payload: Payload) -> None:
    """Close orders whose checkout has lapsed; each after a look at Stripe."""
    lapsed = db.session.scalars(
        select(Order)
        .where(
            Order.state == OrderState.PENDING,
            Order.expires_at < clock.now() - timedelta(hours=1),
        )
        .order_by(Order.id)
        .limit(BATCH)
    ).all()
    for order in lapsed:
        if order.checkout_session_id is None or not has_stripe():
            close_order(order.id, OrderState.EXPIRED)
        else:
            enqueue(
                LOOK_UP_CHECKOUT,
                {"order_id": order.id},
                dedupe_key=f"{LOOK_UP_CHECKOUT}:{order.id}",
            )


def replace_open_checkouts(order: Order) -> None:
    """Close other open checkouts of the buyer for the same listing, in this transaction."""
    listing_ids = {line.listing_id for line in order.lines if line.listing_id is not None}
    others = db.session.scalars(
        select(Order)
        .where(
            Order.organization_id == order.organization_id,
            Order.id != order.id,
            Order.kind == order.kind,
            Order.state == OrderState.PENDING,
            Order.lines.any(OrderLine.listing_id.in_(listing_ids)),
        )
        .limit(BATCH)
    ).all()
    for other in others:
        if close_order(other.id, OrderState.CANCELED) and other.checkout_session_id:
            enqueue(EXPIRE_CHECKOUT, {"session_id": other.checkout_session_id})
