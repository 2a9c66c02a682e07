"""Changes of subscriptions: seats, prices, intervals, discounts, cancellation, with proration."""

from typing import Any

from billing.sandbox_stripe import catalog, invoices
from billing.sandbox_stripe.amounts import discounts_on
from billing.sandbox_stripe.cards import DeclinedError
from billing.sandbox_stripe.endpoints import Call, copy_metadata, endpoint, own
from billing.sandbox_stripe.errors import ApiError, invalid
from billing.sandbox_stripe.events import emit
from billing.sandbox_stripe.invoices import Draft
from billing.sandbox_stripe.store import Store, Thing, timestamp
from billing.sandbox_stripe.subscriptions import bill, draft_of, give_discount, items_of, next_end


def change(store: Store, subscription: Thing, params: dict[str, Any]) -> Thing:
    """What `subscriptions.update` does. Raises ApiError."""
    if subscription["status"] in {"canceled", "incomplete_expired"}:
        raise ApiError(404, f"No such subscription: '{subscription['id']}'",
                       code="resource_missing", param="id")  # fmt: skip
    before = {each["id"]: dict(each) for each in items_of(subscription)}
    copy_metadata(subscription, params)
    if params.get("default_payment_method"):
        given = params["default_payment_method"]
        method = store.get("payment_method", given, "default_payment_method")
        if method["customer"] != subscription["customer"]:
            raise invalid(f"The payment method {given} is not of this customer.",
                          "default_payment_method")  # fmt: skip
    for name in ("description", "default_tax_rates", "default_payment_method"):
        if name in params:
            subscription[name] = params[name] or ([] if name == "default_tax_rates" else None)
    if "cancel_at_period_end" in params:
        _cancel_later(subscription, bool(params["cancel_at_period_end"]))
    if params.get("discounts"):
        give_discount(store, subscription, str(params["discounts"][0]["coupon"]))
    elif params.get("discounts") == "":
        subscription["discounts"] = []
    ends_trial = params.get("trial_end") == "now" and subscription["status"] == "trialing"
    _change_items(store, subscription, params.get("items", []))
    changed = [
        (before[each["id"]], each)
        for each in items_of(subscription)
        if each["id"] in before
        and (before[each["id"]]["price"], before[each["id"]]["quantity"])
        != (each["price"], each["quantity"])
    ]
    period_end = items_of(subscription)[0]["current_period_end"]
    store.save(subscription, due=period_end)
    if ends_trial:
        subscription |= {"trial_end": timestamp(), "status": "active"}
        _restart(store, subscription, [])
    elif changed and subscription["status"] != "trialing":
        was_past_due = subscription["status"] == "past_due"
        _prorate(store, subscription, changed, params)
        is_past_due = subscription["status"] == "past_due"
        if params.get("payment_behavior") == "error_if_incomplete" and is_past_due:
            if not was_past_due:
                # Nothing of this request happens: the error takes all of it back.
                raise DeclinedError("generic_decline")
    store.save(subscription, due=items_of(subscription)[0]["current_period_end"])
    emit(store, "customer.subscription.updated", subscription)
    return subscription


def _cancel_later(subscription: Thing, wanted: bool) -> None:
    end = items_of(subscription)[0]["current_period_end"]
    subscription |= {
        "cancel_at_period_end": wanted,
        "cancel_at": end if wanted else None,
        "canceled_at": timestamp() if wanted else None,
    }
    subscription["cancellation_details"]["reason"] = "cancellation_requested" if wanted else None


def _change_items(store: Store, subscription: Thing, wanted: list[dict[str, Any]]) -> None:
    for each in wanted:
        item = next((one for one in items_of(subscription) if one["id"] == each.get("id")), None)
        if item is None:
            raise invalid("This subscription takes changes of its own items only.", "items")
        if each.get("price"):
            item["price"] = store.get("price", each["price"], "items[0][price]")
        elif each.get("price_data"):
            item["price"] = catalog.new_price(store, each["price_data"])
        if item["price"]["currency"] != subscription["currency"]:
            raise invalid("The price's currency is not the subscription's.", "items[0][price]")
        if "quantity" in each:
            if int(each["quantity"]) < 1:
                raise invalid(
                    "This value must be greater than or equal to 1.", "items[0][quantity]"
                )
            item["quantity"] = int(each["quantity"])
        if "tax_rates" in each:
            item["tax_rates"] = each["tax_rates"] or []


def _prorate(
    store: Store, subscription: Thing, changed: list[tuple[Thing, Thing]], params: dict[str, Any]
) -> None:
    """Credit the unused time of the old, charge the remaining time of the new."""
    behavior = params.get("proration_behavior", "create_prorations")
    if behavior not in {"create_prorations", "always_invoice", "none"}:
        raise invalid("Invalid proration_behavior", "proration_behavior")
    at = int(params.get("proration_date", timestamp()))
    drafts: list[Draft] = []
    restarts = any(
        old["price"]["recurring"]["interval"] != new["price"]["recurring"]["interval"]
        for old, new in changed
    )
    for old, new in changed:
        if behavior == "none":
            continue
        # Given back is what was paid: the price less the discount of this period. Charged is the
        # price less the discount that there still is.
        coupons = (
            invoices.coupon_at(store, subscription, old["current_period_start"]),
            invoices.coupon_at(store, subscription, at),
        )
        begin, end = old["current_period_start"], old["current_period_end"]
        left = max(0, end - at)
        pairs = [(old, -1, "Unused time on", coupons[0])]
        if not restarts:
            pairs.append((new, 1, "Remaining time on", coupons[1]))
        for item, sign, words, coupon in pairs:
            whole = _paid_for(items_of(subscription), item, coupon)
            drafts.append(
                Draft(
                    amount=sign * ((2 * whole * left + end - begin) // (2 * (end - begin))),
                    description=f"{words} {item['quantity']} × {item['price']['product']}",
                    price=item["price"],
                    quantity=int(item["quantity"]),
                    period=(at, end),
                    item=item["id"],
                    is_proration=True,
                    tax_rates=tuple(item["tax_rates"]),
                )
            )
    if restarts:
        _restart(store, subscription, drafts)
    elif behavior == "always_invoice":
        period_end = items_of(subscription)[0]["current_period_end"]
        bill(store, subscription, drafts, "subscription_update", period_end)
    else:
        subscription["_pending"] += [draft.__dict__ for draft in drafts]


def _paid_for(items: list[Thing], item: Thing, coupon: Thing | None) -> int:
    """A whole period of `item` (as it is or was), less its part of the coupon."""
    all_items = [item if each["id"] == item["id"] else each for each in items]
    amounts = [int(each["price"]["unit_amount"]) * int(each["quantity"]) for each in all_items]
    place = all_items.index(item)
    return amounts[place] - discounts_on(amounts, coupon)[place]


def _restart(store: Store, subscription: Thing, drafts: list[Draft]) -> None:
    """Begin a new period now, billed at once: another interval, or the end of a trial."""
    now = timestamp()
    subscription["billing_cycle_anchor"] = now
    period_end = next_end(subscription, now)
    for item in items_of(subscription):
        item |= {"current_period_start": now, "current_period_end": period_end}
    drafts = drafts + [draft_of(item) for item in items_of(subscription)]
    bill(store, subscription, drafts, "subscription_update", period_end)


@endpoint("subscriptions.update", "POST", "/v1/subscriptions/{id}", "SubscriptionUpdateParams")
def _update(call: Call) -> Thing:
    return change(call.store, own(call, "subscription", call.id), call.params)


@endpoint("invoices.create_preview", "POST", "/v1/invoices/create_preview",
          "InvoiceCreatePreviewParams")  # fmt: skip
def _preview(call: Call) -> Thing:
    """What a change would cost now, or what comes next. All of it is undone."""
    store = call.store
    store.execute("SAVEPOINT preview")
    try:
        return _previewed(store, call)
    finally:
        store.execute("ROLLBACK TO preview")
        store.execute("RELEASE preview")


def _previewed(store: Store, call: Call) -> Thing:
    subscription = own(call, "subscription", call.params.get("subscription"), "subscription")
    last = subscription["latest_invoice"]
    details = call.params.get("subscription_details") or {}
    if details.get("items"):
        wanted = {name: each for name, each in details.items()
                  if name in {"items", "proration_behavior", "proration_date"}}  # fmt: skip
        subscription = change(store, subscription, wanted)
        if subscription["latest_invoice"] != last:
            billed = store.get("invoice", subscription["latest_invoice"])
            return {**billed, "status": "draft", "amount_paid": 0, "number": None,
                    "amount_remaining": billed["amount_due"]}  # fmt: skip
    drafts = [Draft(**each) for each in subscription["_pending"]]
    end = items_of(subscription)[0]["current_period_end"]
    following = next_end(subscription, end)
    for item in items_of(subscription):
        item |= {"current_period_start": end, "current_period_end": following}
    drafts += [draft_of(item) for item in items_of(subscription)]
    return invoices.new_invoice(store, subscription, drafts, "upcoming", preview=True)
