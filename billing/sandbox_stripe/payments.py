"""Payment intents, charges and refunds."""

from typing import Any

from billing.sandbox_stripe import balance, disputes
from billing.sandbox_stripe.cards import DeclinedError
from billing.sandbox_stripe.endpoints import (
    Call,
    copy_metadata,
    endpoint,
    listing,
    own,
    retrieval,
)
from billing.sandbox_stripe.errors import ApiError, invalid
from billing.sandbox_stripe.events import emit
from billing.sandbox_stripe.store import Store, Thing, timestamp

# A refund that fails does so later, as with Stripe.
REFUND_FAILS_AFTER_SECONDS = 60
MOST = 99_999_999


def new_intent(
    store: Store,
    amount: int,
    currency: str,
    *,
    customer: str | None,
    data: dict[str, Any],
) -> Thing:
    """A payment intent that waits for a card. `data` is a session's payment_intent_data."""
    if not 0 < amount <= MOST:
        raise invalid(f"Amount must be between 1 and {MOST}", "amount", "amount_too_large")
    intent = store.add(
        "payment_intent",
        "pi",
        {
            "amount": amount,
            "amount_capturable": 0,
            "amount_received": 0,
            "canceled_at": None,
            "capture_method": "automatic",
            "currency": currency,
            "customer": customer,
            "description": data.get("description"),
            "last_payment_error": None,
            "latest_charge": None,
            "metadata": data.get("metadata") or {},
            "payment_method": None,
            "payment_method_types": ["card"],
            "receipt_email": data.get("receipt_email"),
            "statement_descriptor": data.get("statement_descriptor"),
            "status": "requires_payment_method",
            "transfer_group": data.get("transfer_group"),
        },
    )
    emit(store, "payment_intent.created", intent)
    return intent


def pay_intent(
    store: Store, intent: Thing, method: Thing, *, is_renewal: bool = False
) -> tuple[Thing, DeclinedError | None]:
    """Charge the card; the charge, and why it failed if it did."""
    decline = method["_decline"] or (method["_decline_later"] if is_renewal else "")
    refusal = DeclinedError(decline) if decline else None
    charge = _new_charge(store, intent, method, refusal)
    intent["latest_charge"] = charge["id"]
    if refusal is not None:
        intent["last_payment_error"] = {**refusal.body, "charge": charge["id"]}
        store.save(intent)
        emit(store, "charge.failed", charge)
        emit(store, "payment_intent.payment_failed", intent)
        return charge, refusal
    intent |= {
        "status": "succeeded",
        "amount_received": intent["amount"],
        "payment_method": method["id"],
        "last_payment_error": None,
    }
    store.save(intent)
    emit(store, "charge.succeeded", charge)
    emit(store, "payment_intent.succeeded", intent)
    if method["_dispute"]:
        disputes.open_dispute(store, charge, reason=method["_dispute"])
    return charge, None


def _new_charge(store: Store, intent: Thing, method: Thing, refusal: DeclinedError | None) -> Thing:
    amount = int(intent["amount"])
    charge = store.add(
        "charge",
        "ch",
        {
            "amount": amount,
            "amount_captured": 0 if refusal else amount,
            "amount_refunded": 0,
            "balance_transaction": None,
            "billing_details": method["billing_details"],
            "captured": refusal is None,
            "currency": intent["currency"],
            "customer": intent["customer"],
            "description": intent["description"],
            "disputed": False,
            "failure_code": refusal.body["code"] if refusal else None,
            "failure_message": str(refusal) if refusal else None,
            "fraud_details": {},
            "metadata": intent["metadata"],
            "outcome": {
                "network_status": "declined_by_network" if refusal else "approved_by_network",
                "reason": refusal.decline if refusal else None,
                "risk_level": "normal",
                "seller_message": "Payment complete." if refusal is None else str(refusal),
                "type": "authorized" if refusal is None else "issuer_declined",
            },
            "paid": refusal is None,
            "payment_intent": intent["id"],
            "payment_method": method["id"],
            "payment_method_details": {"type": "card", "card": {**method["card"], "checks": None}},
            "receipt_email": intent["receipt_email"],
            "refunded": False,
            "status": "failed" if refusal else "succeeded",
            "transfer_group": intent["transfer_group"],
            "_refund_fails": method["_refund_fails"],
        },
    )
    if refusal is None:
        settled, currency, rate = balance.settle(store, amount, intent["currency"])
        entry = balance.book(
            store,
            "charge",
            settled,
            currency,
            charge["id"],
            fee=balance.charge_fee(settled),
            rate=rate,
            pending=not method["_is_instant"],
            description=intent["description"],
        )
        charge["balance_transaction"] = entry["id"]
        store.save(charge)
    return charge


def refund_charge(
    store: Store,
    charge: Thing,
    amount: int | None,
    *,
    reason: str | None = None,
    metadata: dict[str, str] | None = None,
) -> Thing:
    """Give back all or part of a charge. Raises ApiError."""
    left = int(charge["amount"]) - int(charge["amount_refunded"])
    if charge["status"] != "succeeded":
        raise invalid("This charge has not succeeded.", "charge")
    if charge["disputed"] and disputes.is_open(store, charge):
        raise ApiError(
            400,
            f"Charge {charge['id']} has been charged back; cannot issue a refund.",
            code="charge_disputed",
        )
    if left == 0:
        raise ApiError(
            400,
            f"Charge {charge['id']} has already been refunded.",
            code="charge_already_refunded",
        )
    amount = left if amount is None else amount
    if not 0 < amount <= left:
        raise invalid(
            f"Refund amount ({amount}) is greater than unrefunded amount on charge ({left})",
            "amount",
        )
    fails = bool(charge["_refund_fails"])
    refund = store.add(
        "refund",
        "re",
        {
            "amount": amount,
            "balance_transaction": None,
            "charge": charge["id"],
            "currency": charge["currency"],
            "destination_details": {"type": "card", "card": {"type": "refund"}},
            "metadata": metadata or {},
            "payment_intent": charge["payment_intent"],
            "reason": reason,
            "receipt_number": None,
            "source_transfer_reversal": None,
            "status": "succeeded",
            "transfer_reversal": None,
        },
        parent=charge["id"],
        due=timestamp() + REFUND_FAILS_AFTER_SECONDS if fails else None,
    )
    settled, currency, rate = balance.settle(store, amount, charge["currency"])
    entry = balance.book(store, "refund", -settled, currency, refund["id"], rate=rate)
    refund["balance_transaction"] = entry["id"]
    store.save(refund, due=timestamp() + REFUND_FAILS_AFTER_SECONDS if fails else None)
    charge["amount_refunded"] += amount
    charge["refunded"] = charge["amount_refunded"] == charge["amount"]
    store.save(charge)
    emit(store, "refund.created", refund)
    emit(store, "charge.refunded", charge)
    return refund


def fail_refund(store: Store, refund: Thing) -> None:
    """The bank sends the money back: the refund fails after all."""
    if refund["status"] == "failed":
        return
    charge = store.get("charge", refund["charge"])
    settled, currency, rate = balance.settle(store, refund["amount"], refund["currency"])
    entry = balance.book(store, "refund_failure", settled, currency, refund["id"], rate=rate)
    refund |= {
        "status": "failed",
        "failure_reason": "lost_or_stolen_card",
        "failure_balance_transaction": entry["id"],
    }
    store.save(refund)
    charge["amount_refunded"] -= refund["amount"]
    charge["refunded"] = False
    store.save(charge)
    emit(store, "refund.failed", refund)
    emit(store, "refund.updated", refund)


@endpoint("refunds.create", "POST", "/v1/refunds", "RefundCreateParams")
def _refund(call: Call) -> Thing:
    params = call.params
    if params.get("charge"):
        charge = own(call, "charge", params["charge"], "charge")
    elif params.get("payment_intent"):
        intent = own(call, "payment_intent", params["payment_intent"], "payment_intent")
        if not intent["latest_charge"]:
            raise invalid("This PaymentIntent has no successful charge.", "payment_intent")
        charge = call.store.get("charge", intent["latest_charge"])
    else:
        raise invalid("One of the following params should be provided: charge, payment_intent.")
    if params.get("reason") not in {
        None, "duplicate", "fraudulent", "requested_by_customer",
    }:  # fmt: skip
        raise invalid("Invalid reason", "reason")
    return refund_charge(
        call.store,
        charge,
        params.get("amount"),
        reason=params.get("reason"),
        metadata=params.get("metadata") or {},
    )


@endpoint("refunds.update", "POST", "/v1/refunds/{id}", "RefundUpdateParams")
def _update_refund(call: Call) -> Thing:
    refund = own(call, "refund", call.id)
    copy_metadata(refund, call.params)
    return call.store.save(refund)


@endpoint("payment_intents.cancel", "POST", "/v1/payment_intents/{id}/cancel",
          "PaymentIntentCancelParams")  # fmt: skip
def _cancel_intent(call: Call) -> Thing:
    intent = own(call, "payment_intent", call.id)
    if intent["status"] == "succeeded":
        raise invalid("You cannot cancel this PaymentIntent because it has a status of succeeded.",
                      code="payment_intent_unexpected_state")  # fmt: skip
    intent |= {"status": "canceled", "canceled_at": timestamp()}
    call.store.save(intent)
    emit(call.store, "payment_intent.canceled", intent)
    return intent


@endpoint("charges.update", "POST", "/v1/charges/{id}", "ChargeUpdateParams")
def _update_charge(call: Call) -> Thing:
    charge = own(call, "charge", call.id)
    copy_metadata(charge, call.params)
    if "transfer_group" in call.params:
        charge["transfer_group"] = call.params["transfer_group"]
    return call.store.save(charge)


retrieval("refunds", "/v1/refunds", "refund", "RefundRetrieveParams")
listing("refunds", "/v1/refunds", "refund", "RefundListParams")
retrieval("charges", "/v1/charges", "charge", "ChargeRetrieveParams")
listing("charges", "/v1/charges", "charge", "ChargeListParams")
retrieval("payment_intents", "/v1/payment_intents", "payment_intent",
          "PaymentIntentRetrieveParams")  # fmt: skip
listing("payment_intents", "/v1/payment_intents", "payment_intent", "PaymentIntentListParams")
retrieval("payment_methods", "/v1/payment_methods", "payment_method",
          "PaymentMethodRetrieveParams")  # fmt: skip
listing("payment_methods", "/v1/payment_methods", "payment_method", "PaymentMethodListParams")
