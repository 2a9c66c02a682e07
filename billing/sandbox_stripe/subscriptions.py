"""Subscriptions: begun, renewed, changed with proration, canceled."""

import calendar
import secrets
from datetime import UTC, datetime, timedelta
from typing import Any

from billing.sandbox_stripe import catalog, invoices
from billing.sandbox_stripe.cards import DeclinedError
from billing.sandbox_stripe.endpoints import (
    Call,
    endpoint,
    list_of,
    own,
    page_of,
    retrieval,
)
from billing.sandbox_stripe.errors import ApiError, invalid
from billing.sandbox_stripe.events import emit
from billing.sandbox_stripe.invoices import Draft
from billing.sandbox_stripe.store import Store, Thing, timestamp

_LIVE = frozenset({"active", "past_due", "trialing"})


def after(anchor: int, recurring: dict[str, Any], number: int) -> int:
    """When period `number` ends (1: the first). Months keep the anchor's day where they have it."""
    start = datetime.fromtimestamp(anchor, UTC)
    count = int(recurring["interval_count"]) * number
    if recurring["interval"] in {"day", "week"}:
        days = count * (7 if recurring["interval"] == "week" else 1)
        return int((start + timedelta(days=days)).timestamp())
    months = count * (12 if recurring["interval"] == "year" else 1)
    year, month = divmod(start.year * 12 + start.month - 1 + months, 12)
    day = min(start.day, calendar.monthrange(year, month + 1)[1])
    return int(start.replace(year=year, month=month + 1, day=day).timestamp())


def next_end(subscription: Thing, start: int) -> int:
    """The end of the period that begins at `start`."""
    recurring = items_of(subscription)[0]["price"]["recurring"]
    number = 1
    while (end := after(subscription["billing_cycle_anchor"], recurring, number)) <= start:
        number += 1
    return end


def items_of(subscription: Thing) -> list[Thing]:
    found: list[Thing] = subscription["items"]["data"]
    return found


def start(
    store: Store,
    *,
    customer: str,
    lines: list[dict[str, Any]],
    method: Thing | None,
    data: dict[str, Any],
    coupon: str | None,
) -> tuple[Thing, Thing, DeclinedError | None]:
    """(subscription, its first invoice, why the card failed). `lines`: price, quantity, tax_rates.

    `data` is what a checkout calls subscription_data.
    """
    now = timestamp()
    trial_end = data.get("trial_end")
    if data.get("trial_period_days"):
        trial_end = now + int(data["trial_period_days"]) * 86_400
    anchor = int(trial_end or now)
    subscription = store.add(
        "subscription",
        "sub",
        {
            "automatic_tax": {"enabled": False, "disabled_reason": None, "liability": None},
            "billing_cycle_anchor": anchor,
            "billing_mode": {"type": "flexible", "flexible": None},
            "billing_schedules": [],
            "cancel_at": None,
            "cancel_at_period_end": False,
            "canceled_at": None,
            "cancellation_details": {"comment": None, "feedback": None, "reason": None},
            "collection_method": "charge_automatically",
            "currency": lines[0]["price"]["currency"],
            "customer": customer,
            "default_payment_method": method["id"] if method else None,
            "default_tax_rates": data.get("default_tax_rates", []),
            "description": data.get("description"),
            "discounts": [],
            "ended_at": None,
            "items": None,
            "latest_invoice": None,
            "metadata": data.get("metadata") or {},
            "pause_collection": None,
            "pending_setup_intent": None,
            "schedule": None,
            "start_date": now,
            "status": "trialing" if trial_end else "incomplete",
            "trial_end": trial_end,
            "trial_start": now if trial_end else None,
            "_pending": [],
        },
        parent=customer,
    )
    period_end = anchor if trial_end else after(now, lines[0]["price"]["recurring"], 1)
    subscription["items"] = list_of(
        [_new_item(subscription, line, now, period_end) for line in lines],
        f"/v1/subscription_items?subscription={subscription['id']}",
    )
    if coupon:
        give_discount(store, subscription, coupon)
    drafts = [draft_of(item, bool(trial_end)) for item in items_of(subscription)]
    invoice = invoices.new_invoice(store, subscription, drafts, "subscription_create")
    subscription["latest_invoice"] = invoice["id"]
    refusal = invoices.pay(store, invoice, method, is_renewal=False)
    if refusal is None and not trial_end:
        subscription["status"] = "active"
    store.save(subscription, due=period_end if refusal is None else None)
    emit(store, "customer.subscription.created", subscription)
    if refusal is not None:
        store.save(invoice)
        emit(store, "invoice.payment_failed", invoice)
    return subscription, invoice, refusal


def _new_item(subscription: Thing, line: dict[str, Any], begin: int, end: int) -> Thing:
    return {
        "id": f"si_{secrets.token_hex(12)}",
        "object": "subscription_item",
        "created": timestamp(),
        "current_period_start": begin,
        "current_period_end": end,
        "discounts": [],
        "metadata": line.get("metadata", {}),
        "price": line["price"],
        "quantity": line["quantity"],
        "subscription": subscription["id"],
        "tax_rates": line.get("tax_rates", []),
    }


def give_discount(store: Store, subscription: Thing, coupon_id: str) -> None:
    coupon = store.get("coupon", coupon_id, "discounts[0][coupon]")
    catalog.redeem(store, coupon, subscription["currency"])
    now = timestamp()
    ends = {
        "once": now + 1,
        "forever": None,
        "repeating": after(
            now, {"interval": "month", "interval_count": coupon["duration_in_months"] or 1}, 1
        ),
    }
    discount = store.add(
        "discount",
        "di",
        {
            "checkout_session": None,
            "customer": subscription["customer"],
            "end": ends[coupon["duration"]],
            "invoice": None,
            "invoice_item": None,
            "promotion_code": None,
            "source": {"type": "coupon", "coupon": coupon["id"]},
            "start": now,
            "subscription": subscription["id"],
            "subscription_item": None,
        },
    )
    # Stripe's discounts do not say when they were made; the period tells.
    del discount["created"]
    store.save(discount)
    subscription["discounts"] = [discount["id"]]


def draft_of(item: Thing, is_trial: bool = False) -> Draft:
    price, quantity = item["price"], int(item["quantity"])
    period = (item["current_period_start"], item["current_period_end"])
    return Draft(
        amount=0 if is_trial else int(price["unit_amount"]) * quantity,
        description=f"{'Trial period for' if is_trial else f'{quantity} ×'} {price['product']}",
        price=price,
        quantity=quantity,
        period=period,
        item=item["id"],
        tax_rates=tuple(item["tax_rates"]),
    )


def renew(store: Store, subscription: Thing) -> None:
    """The period is over: end it, or bill the next one."""
    if subscription["status"] not in _LIVE:
        store.save(subscription)
        return
    ended = items_of(subscription)[0]["current_period_end"]
    if subscription["cancel_at_period_end"]:
        _end(store, subscription, ended)
        return
    if subscription["status"] == "trialing":
        subscription["status"] = "active"
    period_end = next_end(subscription, ended)
    for item in items_of(subscription):
        item |= {"current_period_start": ended, "current_period_end": period_end}
    drafts = [Draft(**each) for each in subscription["_pending"]]
    subscription["_pending"] = []
    drafts += [draft_of(item) for item in items_of(subscription)]
    bill(store, subscription, drafts, "subscription_cycle", period_end)
    emit(store, "customer.subscription.updated", subscription)


def bill(
    store: Store, subscription: Thing, drafts: list[Draft], reason: str, period_end: int
) -> None:
    """Make an invoice and collect it. A card that fails makes the subscription past due."""
    invoice = invoices.new_invoice(store, subscription, drafts, reason)
    subscription["latest_invoice"] = invoice["id"]
    method = method_of(store, subscription)
    refusal = invoices.pay(store, invoice, method, is_renewal=True)
    if refusal is None:
        subscription["status"] = "active"
    else:
        subscription["status"] = "past_due"
        invoices.fail(store, invoice)
    store.save(subscription, due=period_end)


def method_of(store: Store, subscription: Thing) -> Thing | None:
    """The card that is charged: the subscription's, or the customer's."""
    customer = store.get("customer", subscription["customer"])
    found = (
        subscription["default_payment_method"]
        or customer["invoice_settings"]["default_payment_method"]
    )
    return store.find(str(found), "payment_method")


def retry_invoice(store: Store, invoice: Thing) -> None:
    """Try the card of a past due subscription again; the last failure ends the subscription."""
    subscription = store.get(
        "subscription", invoice["parent"]["subscription_details"]["subscription"]
    )
    if invoice["status"] != "open":
        store.save(invoice)
        return
    period_end = items_of(subscription)[0]["current_period_end"]
    refusal = invoices.pay(store, invoice, method_of(store, subscription), is_renewal=True)
    if refusal is None:
        _go_on(store, subscription, period_end)
    elif not invoices.fail(store, invoice):
        _end(store, subscription, timestamp(), reason="payment_failed")


def pay_open(
    store: Store, invoice: Thing, method: Thing, *, is_present: bool
) -> DeclinedError | None:
    """Pay an open invoice out of turn; why the card failed, if it did. Only the tries that Stripe
    makes by itself are counted. `is_present`: the customer does it, on the invoice's page.

    Raises ApiError for an invoice that is not open."""
    if invoice["status"] != "open":
        raise invalid("Invoice is already paid", code="invoice_already_paid")
    subscription = store.get(
        "subscription", invoice["parent"]["subscription_details"]["subscription"]
    )
    again_at, tries = invoice["next_payment_attempt"], invoice["attempt_count"]
    refusal = invoices.pay(store, invoice, method, is_renewal=not is_present)
    if refusal is None:
        _go_on(store, subscription, items_of(subscription)[0]["current_period_end"])
        return None
    invoice["attempt_count"] = max(1, tries)
    store.save(invoice, due=again_at)
    emit(store, "invoice.payment_failed", invoice)
    return refusal


def _go_on(store: Store, subscription: Thing, period_end: int) -> None:
    """What was open is paid."""
    if subscription["status"] in {"past_due", "incomplete"}:
        subscription["status"] = "active"
        store.save(subscription, due=period_end)
        emit(store, "customer.subscription.updated", subscription)


def _end(store: Store, subscription: Thing, at: int, reason: str | None = None) -> Thing:
    subscription |= {
        "status": "canceled",
        "ended_at": at,
        "canceled_at": subscription["canceled_at"] or at,
        "cancel_at_period_end": False,
        "cancel_at": None,
    }
    if reason:
        subscription["cancellation_details"]["reason"] = reason
    store.save(subscription)
    emit(store, "customer.subscription.deleted", subscription)
    return subscription


@endpoint("subscriptions.create", "POST", "/v1/subscriptions", "SubscriptionCreateParams")
def _create(call: Call) -> Thing:
    params = call.params
    customer = own(call, "customer", params["customer"], "customer")
    lines = [
        {
            "price": own(call, "price", item["price"], "items[0][price]")
            if item.get("price")
            else catalog.new_price(call.store, item["price_data"]),
            "quantity": int(item.get("quantity", 1)),
            "tax_rates": item.get("tax_rates") or [],
            "metadata": item.get("metadata") or {},
        }
        for item in params.get("items", [])
    ]
    if not lines:
        raise invalid("Missing required param: items.", "items", "parameter_missing")
    method_id = (
        params.get("default_payment_method")
        or customer["invoice_settings"]["default_payment_method"]
    )
    discounts = params.get("discounts") or []
    subscription, _, _ = start(
        call.store,
        customer=customer["id"],
        lines=lines,
        method=call.store.find(str(method_id), "payment_method"),
        data=params,
        coupon=discounts[0].get("coupon") if discounts else None,
    )
    return subscription


@endpoint("subscriptions.cancel", "DELETE", "/v1/subscriptions/{id}", "SubscriptionCancelParams")
def _cancel(call: Call) -> Thing:
    subscription = own(call, "subscription", call.id)
    if subscription["status"] == "canceled":
        raise ApiError(404, f"No such subscription: '{call.id}'", code="resource_missing",
                       param="id")  # fmt: skip
    return _end(call.store, subscription, timestamp(), reason="cancellation_requested")


@endpoint("invoices.pay", "POST", "/v1/invoices/{id}/pay", "InvoicePayParams")
def _pay(call: Call) -> Thing:
    invoice = own(call, "invoice", call.id)
    subscription = call.store.get(
        "subscription", invoice["parent"]["subscription_details"]["subscription"]
    )
    given = call.params.get("payment_method")
    method = (
        own(call, "payment_method", given, "payment_method")
        if given
        else method_of(call.store, subscription)
    )
    if method is None:
        raise invalid("This customer has no attached payment source or default payment method.",
                      code="resource_missing")  # fmt: skip
    refusal = pay_open(call.store, invoice, method, is_present=False)
    if refusal is not None:
        raise refusal
    return own(call, "invoice", call.id)


retrieval("subscriptions", "/v1/subscriptions", "subscription", "SubscriptionRetrieveParams")


@endpoint("subscriptions.list", "GET", "/v1/subscriptions", "SubscriptionListParams")
def _list(call: Call) -> dict[str, Any]:
    wanted = call.params

    def fits(subscription: Thing) -> bool:
        status = wanted.get("status")
        return (
            wanted.get("customer", subscription["customer"]) == subscription["customer"]
            and (
                status == "all"
                or (status is None and subscription["status"] != "canceled")
                or status == subscription["status"]
            )
        )  # fmt: skip

    return page_of(call, "subscription", "/v1/subscriptions", fits)
