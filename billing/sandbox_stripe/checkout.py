"""Checkout sessions, and what happens when their page is filled in."""

from typing import Any

from billing.money import charge_step
from billing.sandbox_stripe import cards, catalog, payments, setups, subscriptions
from billing.sandbox_stripe.amounts import LineSum, Sum, sum_up
from billing.sandbox_stripe.endpoints import (
    Call,
    copy_metadata,
    endpoint,
    list_of,
    own,
    page_of,
    retrieval,
)
from billing.sandbox_stripe.errors import ApiError, invalid
from billing.sandbox_stripe.events import emit
from billing.sandbox_stripe.store import Store, Thing, timestamp

LIVES_SECONDS = 86_400
# The modes, and what says more of what each makes.
_DATA = {
    "payment": "payment_intent_data",
    "setup": "setup_intent_data",
    "subscription": "subscription_data",
}
MODES = tuple(_DATA)
_SHORTEST_SECONDS = 1_800


@endpoint("checkout.sessions.create", "POST", "/v1/checkout/sessions",
          "checkout.SessionCreateParams")  # fmt: skip
def _create(call: Call) -> Thing:
    params, store = call.params, call.store
    mode = params.get("mode")
    if mode not in MODES:
        raise invalid(f"mode must be one of {', '.join(MODES)}", "mode")
    if not params.get("success_url"):
        raise invalid("Missing required param: success_url.", "success_url", "parameter_missing")
    for wrong in _DATA.values():
        if params.get(wrong) and wrong != _DATA[mode]:
            raise invalid(f"You can not pass `{wrong}` in `{mode}` mode.", wrong)
    if params.get("customer") and params.get("customer_email"):
        raise invalid("You may only specify one of these parameters: customer, customer_email.",
                      "customer")  # fmt: skip
    customer = (
        own(call, "customer", params["customer"], "customer") if params.get("customer") else None
    )
    if mode == "setup":
        setups.look_at(params)
    lines = [] if mode == "setup" else _lines(call, mode)
    currency = lines[0]["price"]["currency"] if lines else params["currency"]
    coupon = _coupon(call, params.get("discounts") or [])
    if coupon and coupon["amount_off"] is not None and coupon["currency"] != currency:
        raise invalid("The coupon's currency is not the price's.", "discounts[0][coupon]")
    total = _total(store, lines, coupon, _is_trial(params)) if lines else None
    now = timestamp()
    expires_at = int(params.get("expires_at", now + LIVES_SECONDS))
    if not now + _SHORTEST_SECONDS - 60 <= expires_at <= now + LIVES_SECONDS + 60:
        raise invalid("The `expires_at` timestamp must be between 30 minutes and 24 hours from "
                      "Checkout Session creation.", "expires_at")  # fmt: skip
    session = store.add(
        "checkout.session",
        "cs_test",
        {
            "allow_promotion_codes": params.get("allow_promotion_codes"),
            "amount_subtotal": total.subtotal if total else None,
            "amount_total": total.total if total else None,
            "automatic_tax": {"enabled": False, "liability": None, "status": None},
            "billing_address_collection": params.get("billing_address_collection"),
            "cancel_url": params.get("cancel_url"),
            "client_reference_id": params.get("client_reference_id"),
            "currency": currency,
            "custom_fields": [],
            "customer": customer["id"] if customer else None,
            "customer_creation": params.get(
                "customer_creation", "if_required" if mode == "payment" else "always"
            ),
            "customer_details": None,
            "customer_email": params.get("customer_email"),
            "discounts": [
                {"coupon": coupon["id"] if coupon else None, "promotion_code": None}
            ] if coupon else [],
            "expires_at": expires_at,
            "invoice": None,
            "locale": params.get("locale"),
            "metadata": params.get("metadata") or {},
            "mode": mode,
            "payment_intent": None,
            "payment_link": None,
            "payment_method_collection": params.get("payment_method_collection", "always"),
            "payment_method_types": ["card"],
            "payment_status": "unpaid" if lines else "no_payment_required",
            "setup_intent": None if lines else setups.new_intent(store, params)["id"],
            "status": "open",
            "submit_type": params.get("submit_type"),
            "subscription": None,
            "success_url": params["success_url"],
            "total_details": {
                "amount_discount": total.discount,
                "amount_shipping": 0,
                "amount_tax": total.tax,
            } if total else None,
            "ui_mode": "hosted_page",
            "url": None,
            "_lines": lines,
            "_coupon": coupon["id"] if coupon else None,
            "_data": params.get(_DATA[mode]) or {},
            "_line_items": _shown_lines(lines, total.lines if total else []),
        },
        due=expires_at,
    )  # fmt: skip
    session["url"] = f"{call.base_url}/c/pay/{session['id']}"
    return store.save(session, due=expires_at)


def _lines(call: Call, mode: str) -> list[dict[str, Any]]:
    lines = []
    for number, line in enumerate(call.params.get("line_items") or []):
        where = f"line_items[{number}]"
        if line.get("price"):
            price = own(call, "price", line["price"], f"{where}[price]")
        elif line.get("price_data"):
            price = catalog.new_price(call.store, line["price_data"])
        else:
            raise invalid("You must provide one of `price` or `price_data`.", where)
        if "quantity" not in line:
            raise invalid(f"Quantity is required. Add `quantity` to `{where}`", where)
        for rate in line.get("tax_rates", []):
            own(call, "tax_rate", rate, f"{where}[tax_rates]")
        lines.append(
            {
                "price": price,
                "quantity": int(line["quantity"]),
                "tax_rates": line.get("tax_rates", []),
                "metadata": line.get("metadata") or {},
            }
        )
    if not lines:
        raise invalid("Missing required param: line_items.", "line_items", "parameter_missing")
    recurring = [line for line in lines if line["price"]["recurring"]]
    if mode == "payment" and recurring:
        raise invalid("You specified `payment` mode but passed a recurring price. Either switch to "
                      "`subscription` mode or use only one-time prices.", "mode")  # fmt: skip
    if mode == "subscription" and not recurring:
        raise invalid("You must provide at least one recurring price in `subscription` mode.",
                      "line_items")  # fmt: skip
    if mode == "subscription" and len(recurring) < len(lines):
        raise invalid("The stand-in bills recurring prices only in `subscription` mode.",
                      "line_items")  # fmt: skip
    if len({line["price"]["currency"] for line in lines}) > 1:
        raise invalid("All prices of a session must have the same currency.", "line_items")
    return lines


def _coupon(call: Call, discounts: list[dict[str, Any]]) -> Thing | None:
    if len(discounts) > 1:
        raise invalid("You may only specify one discount.", "discounts")
    if not discounts:
        return None
    if discounts[0].get("promotion_code"):
        code = own(call, "promotion_code", discounts[0]["promotion_code"], "discounts")
        coupon_id = code["promotion"]["coupon"]
    else:
        coupon_id = discounts[0].get("coupon")
    coupon = own(call, "coupon", coupon_id, "discounts[0][coupon]")
    if not coupon["valid"]:
        raise invalid(f"Coupon expired: {coupon_id}", "discounts", "coupon_expired")
    return coupon


def _is_trial(params: dict[str, Any]) -> bool:
    data = params.get("subscription_data") or {}
    return bool(data.get("trial_period_days") or data.get("trial_end"))


def _total(store: Store, lines: list[dict[str, Any]], coupon: Thing | None, is_trial: bool) -> Sum:
    return sum_up(
        [
            (
                0 if is_trial else int(line["price"]["unit_amount"]) * line["quantity"],
                [store.get("tax_rate", rate) for rate in line["tax_rates"]],
            )
            for line in lines
        ],
        None if is_trial else coupon,
        step=charge_step(lines[0]["price"]["currency"].upper()) if lines else 1,
    )


def _shown_lines(lines: list[dict[str, Any]], sums: list[LineSum]) -> Thing:
    return list_of(
        [
            {
                "id": f"li_{number}",
                "object": "item",
                "amount_discount": each.discount,
                "amount_subtotal": each.amount,
                "amount_tax": sum(tax for _, tax in each.taxes),
                "amount_total": each.amount - each.discount + each.exclusive_tax,
                "currency": line["price"]["currency"],
                "description": line["price"]["product"],
                "metadata": line["metadata"],
                "price": line["price"],
                "quantity": line["quantity"],
            }
            for number, (line, each) in enumerate(zip(lines, sums, strict=True))
        ],
        "/v1/checkout/sessions/line_items",
    )


def complete(store: Store, session: Thing, card: str, email: str = "") -> Thing:
    """What happens when somebody types a card and presses the button.

    Raises ApiError (the session is over) and DeclinedError, after which it stays open.
    """
    if session["status"] != "open":
        raise ApiError(400, "This checkout session is no longer active.")
    email = email or session["customer_email"] or "customer@example.com"
    customer = (
        store.get("customer", session["customer"]) if session["customer"] else
        _new_customer(store, session, email)
    )  # fmt: skip
    customer_id = customer["id"] if customer else None
    method: Thing | None = None
    if session["mode"] != "payment" or session["amount_total"] > 0:
        method = cards.new_method(store, card, customer_id, email)
    if session["mode"] == "setup":
        setups.keep(store, session, method)
    elif session["mode"] == "payment":
        _pay_once(store, session, customer_id, method)
        if session["_coupon"]:
            catalog.redeem(store, store.get("coupon", session["_coupon"]), session["currency"])
    else:
        if method is None or customer_id is None:
            raise invalid("A subscription needs a customer and a card.")
        _subscribe(store, session, customer_id, method)
    session |= {
        "status": "complete",
        "customer": customer_id,
        "customer_details": {
            "address": customer["address"] if customer else None,
            "email": (customer["email"] if customer else None) or email,
            "name": customer["name"] if customer else None,
            "phone": None,
            "tax_exempt": "none",
            "tax_ids": [],
        },
        "url": None,
    }
    store.save(session)
    emit(store, "checkout.session.completed", session)
    return session


def _new_customer(store: Store, session: Thing, email: str) -> Thing | None:
    if session["customer_creation"] != "always":
        return None
    return store.add(
        "customer",
        "cus",
        {
            "address": None,
            "balance": 0,
            "currency": session["currency"],
            "delinquent": False,
            "email": email,
            "invoice_prefix": session["id"][-8:].upper(),
            "invoice_settings": {"default_payment_method": None},
            "metadata": {},
            "name": None,
        },
    )


def _pay_once(store: Store, session: Thing, customer_id: str | None, method: Thing | None) -> None:
    if method is None:
        session["payment_status"] = "no_payment_required"
        return
    intent = payments.new_intent(
        store,
        session["amount_total"],
        session["currency"],
        customer=customer_id,
        data=session["_data"],
    )
    _, refusal = payments.pay_intent(store, intent, method)
    if refusal is not None:
        # The attempt is remembered, with its events; the session stays open for another card.
        store.save(session, due=session["expires_at"])
        raise refusal
    session |= {"payment_intent": intent["id"], "payment_status": "paid"}


def _subscribe(store: Store, session: Thing, customer_id: str, method: Thing) -> None:
    if method["_decline"]:
        raise cards.DeclinedError(method["_decline"])
    subscription, invoice, refusal = subscriptions.start(
        store,
        customer=customer_id,
        lines=session["_lines"],
        method=method,
        data=session["_data"],
        coupon=session["_coupon"],
    )
    if refusal is not None:
        raise refusal
    session |= {
        "subscription": subscription["id"],
        "invoice": invoice["id"],
        "payment_status": "paid" if invoice["amount_due"] else "no_payment_required",
    }


def expire(store: Store, session: Thing) -> Thing:
    """Nobody may pay this session any more. Raises ApiError when it is over already."""
    if session["status"] != "open":
        raise invalid("Only Checkout Sessions with a status in [\"open\"] can be expired. This "
                      f"Checkout Session has a status of {session['status']}.")  # fmt: skip
    session |= {"status": "expired", "url": None}
    store.save(session)
    emit(store, "checkout.session.expired", session)
    return session


@endpoint("checkout.sessions.expire", "POST", "/v1/checkout/sessions/{id}/expire",
          "checkout.SessionExpireParams")  # fmt: skip
def _expire(call: Call) -> Thing:
    return expire(call.store, own(call, "checkout.session", call.id))


@endpoint("checkout.sessions.update", "POST", "/v1/checkout/sessions/{id}",
          "checkout.SessionUpdateParams")  # fmt: skip
def _update(call: Call) -> Thing:
    session = own(call, "checkout.session", call.id)
    copy_metadata(session, call.params)
    is_open = session["status"] == "open"
    return call.store.save(session, due=session["expires_at"] if is_open else None)


@endpoint("checkout.sessions.line_items.list", "GET", "/v1/checkout/sessions/{id}/line_items",
          "checkout.SessionLineItemListParams")  # fmt: skip
def _line_items(call: Call) -> dict[str, Any]:
    found: dict[str, Any] = own(call, "checkout.session", call.id)["_line_items"]
    return found


retrieval("checkout.sessions", "/v1/checkout/sessions", "checkout.session",
          "checkout.SessionRetrieveParams")  # fmt: skip


@endpoint("checkout.sessions.list", "GET", "/v1/checkout/sessions", "checkout.SessionListParams")
def _list(call: Call) -> dict[str, Any]:
    wanted = {name: each for name, each in call.params.items()
              if name in {"customer", "payment_intent", "status", "subscription"}}  # fmt: skip
    return page_of(
        call,
        "checkout.session",
        "/v1/checkout/sessions",
        lambda session: all(session[name] == value for name, value in wanted.items()),
    )
