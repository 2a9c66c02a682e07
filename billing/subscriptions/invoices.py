"""A paid invoice of Stripe becomes an order: the first one, a renewal, or a change.

Stripe's sums are authoritative for what later invoices cost; who gets which part of them is
decided anew by the rules in force when they are paid.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from sqlalchemy import select

from billing.entitlements import grant, of_subscription
from billing.gateway import gateway
from billing.models import (
    Order,
    OrderKind,
    OrderState,
    Plan,
    Price,
    PromotionCode,
    Subscription,
)
from billing.models.discount import DiscountUse
from billing.order_terms import Buyer, LineTerms, Payment
from billing.orders.adopting import spread_discount, terms_of
from billing.orders.freezing import freeze_line
from billing.orders.paying import mark_paid
from billing.orders.placing import new_order
from billing.profiles import buyer_of
from billing.stripe_objects import (
    amounts_of_invoice,
    intent_of_invoice,
    invoice_metadata,
    moment,
    payment_of_intent,
    subscription_of,
)
from billing.subscriptions.paid import first_order, off_of_subscription
from billing.subscriptions.sums import bookable, itemized
from billing.subscriptions.syncing import find_subscription, sync_subscription
from billing.taxes import TaxDecision
from marketplace.core import clock
from marketplace.core.database import db
from marketplace.core.facts import record_fact

JsonDict = dict[str, Any]


class FirstInvoiceMissingError(Exception):
    """A later invoice came before the first one was seen: try again."""


@dataclass(frozen=True)
class PaidInvoice:
    """All that Stripe says of a paid invoice of a subscription."""

    stripe_id: str
    invoice: JsonDict
    subscription: JsonDict
    payment: Payment


def ask_for_invoice(invoice_id: str) -> PaidInvoice | None:
    """Ask Stripe about an invoice; None for one that is not paid, or of no subscription.

    Nothing is read or written here, so that nothing is locked while Stripe is asked. Raises the
    gateway's errors.
    """
    invoice = gateway().retrieve("invoices", invoice_id, expand=["payments"])
    stripe_id = subscription_of(invoice)
    if stripe_id is None or invoice.get("status") != "paid":
        return None
    payment = replace(
        payment_of_intent(intent_of_invoice(invoice), paid_at=_paid_at(invoice)),
        invoice_id=invoice_id,
        **amounts_of_invoice(invoice),  # type: ignore[arg-type]  # three amounts by their names
    )
    return PaidInvoice(
        stripe_id=stripe_id,
        invoice=invoice,
        # Last, so that it is as new as it can be.
        subscription=gateway().retrieve("subscriptions", stripe_id),
        payment=payment,
    )


def settle_invoice(invoice_id: str) -> Order | None:
    """Ask for an invoice and take it over. Called before anything is written.

    Raises FirstInvoiceMissingError, and the gateway's errors.
    """
    asked = ask_for_invoice(invoice_id)
    return take_over_invoice(asked) if asked is not None else None


def take_over_invoice(asked: PaidInvoice) -> Order | None:
    """Take over a paid invoice: its order, or None for one that is not ours. Idempotent.

    Raises FirstInvoiceMissingError.
    """
    invoice, found, payment = asked.invoice, asked.subscription, asked.payment
    metadata = {**(found.get("metadata") or {}), **invoice_metadata(invoice)}
    subscription = find_subscription(asked.stripe_id, metadata)
    if subscription is None:
        return None
    sync_subscription(subscription, found)
    known = db.session.scalar(select(Order).where(Order.stripe_invoice_id == payment.invoice_id))
    if known is not None and known.state is OrderState.PAID:
        return known
    first = first_order(subscription)
    if first is None:
        return None
    payment = bookable(payment)
    if invoice.get("billing_reason") == "subscription_create":
        order, counts = first, first.state is not OrderState.PAID
        order.period_start, order.period_end = _period(invoice)
    else:
        if first.state is not OrderState.PAID:
            raise FirstInvoiceMissingError(f"order {first.id} is not paid yet")
        if (payment.subtotal or 0) <= 0:
            record_fact(
                "invoice.without_amount",
                subject=("subscription", subscription.id),
                organization_id=subscription.organization_id,
                data={
                    "invoice": payment.invoice_id,
                    "subtotal": asked.payment.subtotal,
                    "discount": asked.payment.discount,
                },
                idempotency_key=f"invoice.without_amount:{payment.invoice_id}",
            )
            return None
        if invoice.get("billing_reason") != "subscription_cycle":
            off = off_of_subscription(subscription, first, payment.paid_at)
            payment = itemized(payment, off)
        order = _later_order(subscription, first, invoice, payment)
        counts = order.kind is OrderKind.RENEWAL
    if mark_paid(order.id, payment) and counts and order.total:
        subscription.payments += 1
    if order.kind is OrderKind.RENEWAL:
        _renew_entitlement(subscription, order)
    db.session.flush()
    return order


def _later_order(
    subscription: Subscription, first: Order, invoice: Mapping[str, Any], payment: Payment
) -> Order:
    is_renewal = invoice.get("billing_reason") == "subscription_cycle"
    kind = OrderKind.RENEWAL if is_renewal else OrderKind.CHANGE
    number = subscription.payments + 1 if is_renewal else max(1, subscription.payments)
    plan = db.session.get(Plan, subscription.plan_id)
    price = db.session.get(Price, subscription.price_id)
    line = first.lines[0]
    lasting = [
        {**each, "amount": 0}
        for each in line.discounts
        if each["months"] is None or each["months"] >= number
    ]
    unit = line.unit_amount if first.kind is OrderKind.RESALE else (price.amount if price else 0)
    buyer, code = buyer_of(subscription.organization_id, None), _code_of(first)
    tax = TaxDecision(
        bps=int(first.tax_details.get("bps") or 0),
        name=str(first.tax_details.get("name") or "Tax"),
        rate_id=first.tax_details.get("rate_id"),
        country=first.tax_details.get("country"),
        has_reverse_charge=bool(first.tax_details.get("reverse_charge")),
        reason=str(first.tax_details.get("reason") or ""),
    )
    terms: LineTerms = replace(
        terms_of(line),
        description=_description(subscription, plan, line.description, is_renewal=is_renewal),
        list_amount=payment.subtotal or 0,
        unit_amount=unit,
        quantity=subscription.quantity,
        plan=plan,
        price=price,
        tax_amount=payment.tax or 0,
        code_affiliate_id=code.affiliate_id if code else None,
        code_id=code.id if code else None,
        payment_number=number,
        **spread_discount(lasting, payment.discount or 0),
    )
    frozen = freeze_line(
        terms,
        organization_id=subscription.organization_id,
        currency=subscription.currency,
        at=payment.paid_at,
    )
    details = buyer.billing_details or dict(first.billing_details)
    order = new_order(
        kind,
        Buyer(subscription.organization_id, None, details, buyer.country, buyer.tax_id),
        subscription.currency,
        [frozen],
        tax=tax,
        at=payment.paid_at,
    )
    order.subscription_id = subscription.id
    order.stripe_invoice_id = str(invoice["id"])
    order.period_start, order.period_end = _period(invoice)
    db.session.flush()
    return order


def _renew_entitlement(subscription: Subscription, order: Order) -> None:
    """What a smaller plan or fewer seats mean begins with the payment for them."""
    if of_subscription(subscription) is None:
        return
    grant(
        organization_id=subscription.organization_id,
        listing_id=subscription.listing_id,
        plan_id=subscription.plan_id,
        quantity=subscription.quantity,
        order_id=order.id,
        subscription_id=subscription.id,
    )


def _code_of(first: Order) -> PromotionCode | None:
    """The affiliate's code that was typed when it was bought."""
    return db.session.scalar(
        select(PromotionCode)
        .join(DiscountUse, DiscountUse.code_id == PromotionCode.id)
        .where(DiscountUse.order_id == first.id, PromotionCode.affiliate_id.is_not(None))
        .limit(1)
    )


def _description(
    subscription: Subscription, plan: Plan | None, first: str, *, is_renewal: bool
) -> str:
    if is_renewal:
        return first if plan is None or plan.name in first else plan.name
    what = f"{plan.name}, " if plan is not None else ""
    return f"{what}change to {subscription.quantity} until the next payment"


def _paid_at(invoice: Mapping[str, Any]) -> datetime:
    transitions = invoice.get("status_transitions") or {}
    return moment(transitions.get("paid_at")) or moment(invoice.get("created")) or clock.now()


def _period(invoice: Mapping[str, Any]) -> tuple[datetime | None, datetime | None]:
    lines = (invoice.get("lines") or {}).get("data") or []
    period = (lines[-1].get("period") or {}) if lines else {}
    return moment(period.get("start")), moment(period.get("end"))
