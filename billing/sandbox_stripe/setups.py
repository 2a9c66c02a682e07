"""Checkout in setup mode: a card is kept, and nothing is charged."""

from typing import Any

from billing.sandbox_stripe.cards import DeclinedError
from billing.sandbox_stripe.endpoints import retrieval
from billing.sandbox_stripe.errors import invalid
from billing.sandbox_stripe.events import emit
from billing.sandbox_stripe.store import Store, Thing


def look_at(params: dict[str, Any]) -> None:
    """Raise ApiError for a session that cannot be in setup mode."""
    if params.get("line_items"):
        raise invalid("You can not pass `line_items` in `setup` mode.", "line_items")
    if not params.get("currency") and not params.get("payment_method_types"):
        raise invalid("Missing required param: currency.", "currency", "parameter_missing")
    params.setdefault("currency", None)


def new_intent(store: Store, params: dict[str, Any]) -> Thing:
    """A setup intent that waits for a card."""
    data = params.get("setup_intent_data") or {}
    return store.add(
        "setup_intent",
        "seti",
        {
            "customer": params.get("customer"),
            "description": data.get("description"),
            "last_setup_error": None,
            "metadata": data.get("metadata") or {},
            "payment_method": None,
            "payment_method_types": ["card"],
            "status": "requires_payment_method",
            "usage": "off_session",
        },
    )


def keep(store: Store, session: Thing, method: Thing | None) -> None:
    """Keep the card that was typed. Raises DeclinedError, after which the session stays open."""
    intent = store.get("setup_intent", session["setup_intent"])
    if method is None:
        raise invalid("A card is needed.")
    if method["_decline"]:
        raise DeclinedError(method["_decline"])
    intent |= {"payment_method": method["id"], "status": "succeeded"}
    store.save(intent)
    emit(store, "setup_intent.succeeded", intent)


retrieval("setup_intents", "/v1/setup_intents", "setup_intent", "SetupIntentRetrieveParams")
