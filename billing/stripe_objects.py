"""What we read out of Stripe's objects, in one place: their shapes change between API versions
(https://docs.stripe.com/changelog/basil: an invoice's payments, a subscription's periods)."""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from billing.gateway import gateway
from billing.order_terms import Payment

JsonDict = dict[str, Any]


def id_of(value: Any) -> str | None:
    """The id of a reference, expanded or not."""
    if isinstance(value, Mapping):
        value = value.get("id")
    return str(value) if value else None


def moment(seconds: Any) -> datetime | None:
    """Seconds since 1970 as a time."""
    return datetime.fromtimestamp(int(seconds), UTC) if seconds else None


def subscription_of(invoice: Mapping[str, Any]) -> str | None:
    """The id of the subscription that an invoice is of."""
    details = (invoice.get("parent") or {}).get("subscription_details") or {}
    return id_of(details.get("subscription")) or id_of(invoice.get("subscription"))


def invoice_metadata(invoice: Mapping[str, Any]) -> Mapping[str, str]:
    """The metadata of the invoice's subscription, as it was when the invoice was made."""
    details = (invoice.get("parent") or {}).get("subscription_details") or {}
    return details.get("metadata") or {}


def item_of(subscription: Mapping[str, Any]) -> Mapping[str, Any]:
    """The one item of a subscription of ours."""
    items = (subscription.get("items") or {}).get("data") or [{}]
    found: Mapping[str, Any] = items[0]
    return found


def period_of(subscription: Mapping[str, Any]) -> tuple[datetime | None, datetime | None]:
    """The current period of a subscription (UTC)."""
    item = item_of(subscription)
    return (
        moment(item.get("current_period_start") or subscription.get("current_period_start")),
        moment(item.get("current_period_end") or subscription.get("current_period_end")),
    )


def payment_of_intent(intent_id: str | None, *, paid_at: datetime | None = None) -> Payment:
    """How a payment intent was paid: its charge and its card. Asks Stripe once."""
    intent = (
        gateway().retrieve("payment_intents", intent_id, expand=["latest_charge"])
        if intent_id
        else {}
    )
    charge = intent.get("latest_charge") or {}
    if not isinstance(charge, Mapping):
        charge = gateway().retrieve("charges", str(charge))
    card = (charge.get("payment_method_details") or {}).get("card") or {}
    at = paid_at or moment(charge.get("created")) or moment(intent.get("created"))
    if at is None:
        raise ValueError(f"payment intent {intent_id} has no time")
    return Payment(
        paid_at=at,
        payment_intent_id=intent_id,
        charge_id=id_of(charge),
        card_fingerprint=card.get("fingerprint"),
        card_brand=str(card.get("brand") or ""),
        card_last4=str(card.get("last4") or ""),
    )


def amounts_of_session(session: Mapping[str, Any]) -> dict[str, int]:
    """Subtotal, discount and tax of a Checkout session (minor units)."""
    details = session.get("total_details") or {}
    return {
        "subtotal": int(session.get("amount_subtotal") or 0),
        "discount": int(details.get("amount_discount") or 0),
        "tax": int(details.get("amount_tax") or 0),
    }


def amounts_of_invoice(invoice: Mapping[str, Any]) -> dict[str, int]:
    """Subtotal, discount and tax of an invoice (minor units)."""
    discounts = invoice.get("total_discount_amounts") or []
    taxes = invoice.get("total_taxes") or invoice.get("total_tax_amounts") or []
    return {
        "subtotal": int(invoice.get("subtotal") or 0),
        "discount": sum(int(each["amount"]) for each in discounts),
        "tax": sum(int(each["amount"]) for each in taxes),
    }


def intent_of_invoice(invoice: Mapping[str, Any]) -> str | None:
    """The payment intent that paid an invoice, None where nothing was to pay. The invoice was
    retrieved with its `payments` expanded."""
    for each in (invoice.get("payments") or {}).get("data") or []:
        found = id_of((each.get("payment") or {}).get("payment_intent"))
        if found and each.get("status") in (None, "paid"):
            return found
    return id_of(invoice.get("payment_intent"))
