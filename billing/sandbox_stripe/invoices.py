"""Invoices of subscriptions: made, finalized and paid at once; left open when the card fails."""

from dataclasses import dataclass
from typing import Any

from billing.money import charge_step
from billing.sandbox_stripe import payments
from billing.sandbox_stripe.amounts import LineSum, Sum, sum_up
from billing.sandbox_stripe.cards import DeclinedError
from billing.sandbox_stripe.endpoints import Call, endpoint, list_of, own, page_of, retrieval
from billing.sandbox_stripe.errors import invalid
from billing.sandbox_stripe.events import emit
from billing.sandbox_stripe.store import Store, Thing, timestamp

# After each failed attempt on a renewal; after the last one the subscription ends.
RETRY_AFTER_DAYS = (3, 5, 7)


@dataclass
class Draft:
    """A line to be: `item` is the subscription item it is of. The amount of a proration is what
    is left of it after the discount."""

    amount: int
    description: str
    price: Thing
    quantity: int
    period: tuple[int, int]
    item: str
    is_proration: bool = False
    tax_rates: tuple[str, ...] = ()


def new_invoice(
    store: Store,
    subscription: Thing,
    drafts: list[Draft],
    reason: str,
    *,
    preview: bool = False,
) -> Thing:
    """An invoice, finalized. `reason` is its billing_reason."""
    customer = store.get("customer", subscription["customer"])
    begins = [draft.period[0] for draft in drafts if not draft.is_proration]
    coupon = coupon_at(store, subscription, min(begins, default=timestamp()))
    rates = [
        [store.get("tax_rate", each) for each in
         (draft.tax_rates or subscription["default_tax_rates"])]
        for draft in drafts
    ]  # fmt: skip
    total = sum_up(
        [(draft.amount, each) for draft, each in zip(drafts, rates, strict=True)],
        coupon,
        prorations=[draft.is_proration for draft in drafts],
        step=charge_step(subscription["currency"].upper()),
    )
    starting = int(customer["balance"])
    due = max(0, total.total + starting)
    ending = min(0, total.total + starting)
    now = timestamp()
    discounts = subscription["discounts"] if coupon else []
    number = len(store.all("invoice", parent=customer["id"])) + 1
    invoice = {
        "amount_due": due,
        "amount_overpaid": 0,
        "amount_paid": 0,
        "amount_remaining": due,
        "amount_shipping": 0,
        "attempt_count": 0,
        "attempted": False,
        "auto_advance": False,
        "automatic_tax": {"enabled": False, "liability": None, "status": None},
        "billing_reason": reason,
        "collection_method": "charge_automatically",
        "currency": subscription["currency"],
        "customer": customer["id"],
        "customer_address": customer["address"],
        "customer_email": customer["email"],
        "customer_name": customer["name"],
        "default_tax_rates": [],
        "description": subscription["description"],
        "discounts": discounts,
        "due_date": None,
        "effective_at": now,
        "ending_balance": ending,
        "hosted_invoice_url": None,
        "metadata": {},
        "next_payment_attempt": None,
        "number": f"{customer['invoice_prefix']}-{number:04d}",
        "parent": {
            "type": "subscription_details",
            "quote_details": None,
            "subscription_details": {
                "metadata": subscription["metadata"],
                "subscription": subscription["id"],
            },
        },
        "period_start": min((draft.period[0] for draft in drafts), default=now),
        "period_end": max((draft.period[1] for draft in drafts), default=now),
        "starting_balance": starting,
        "status": "open",
        "status_transitions": {
            "finalized_at": now,
            "marked_uncollectible_at": None,
            "paid_at": None,
            "voided_at": None,
        },
        "subtotal": total.subtotal,
        "subtotal_excluding_tax": total.subtotal,
        "total": total.total,
        "total_discount_amounts": [
            {"amount": total.discount, "discount": each} for each in discounts
        ],
        "total_excluding_tax": total.total - total.tax,
        "total_taxes": [_tax(rate, taxable, tax) for rate, taxable, tax in total.by_rate()],
        "webhooks_delivered_at": now,
        "_payments": list_of([], "/v1/invoice_payments"),
    }
    if preview:
        invoice |= {"id": "upcoming_in_sandbox", "object": "invoice", "livemode": False,
                    "created": now, "status": "draft", "number": None}  # fmt: skip
        invoice["lines"] = _lines(invoice, subscription, drafts, total, discounts)
        return invoice
    made = store.add("invoice", "in", invoice, parent=customer["id"])
    made["lines"] = _lines(made, subscription, drafts, total, discounts)
    made["hosted_invoice_url"] = f"/i/{made['id']}"
    customer["balance"] = ending
    store.save(customer)
    store.save(made)
    emit(store, "invoice.created", made)
    emit(store, "invoice.finalized", made)
    return made


def _lines(
    invoice: Thing, subscription: Thing, drafts: list[Draft], total: Sum, discounts: list[str]
) -> Thing:
    data = [
        _line(invoice, subscription, number, draft, each, discounts)
        for number, (draft, each) in enumerate(zip(drafts, total.lines, strict=True))
    ]
    return list_of(data, f"/v1/invoices/{invoice['id']}/lines")


def _line(
    invoice: Thing,
    subscription: Thing,
    number: int,
    draft: Draft,
    each: LineSum,
    discounts: list[str],
) -> Thing:
    return {
        "id": f"il_{invoice['id'][3:]}{number}",
        "object": "line_item",
        "amount": each.amount,
        "currency": invoice["currency"],
        "description": draft.description,
        "discount_amounts": [{"amount": each.discount, "discount": one} for one in discounts],
        "discountable": not draft.is_proration,
        "discounts": [],
        "invoice": invoice["id"],
        "livemode": False,
        "metadata": subscription["metadata"],
        "parent": {
            "type": "subscription_item_details",
            "invoice_item_details": None,
            "subscription_item_details": {
                "invoice_item": None,
                "proration": draft.is_proration,
                "proration_details": {"credited_items": None},
                "subscription": subscription["id"],
                "subscription_item": draft.item,
            },
        },
        "period": {"start": draft.period[0], "end": draft.period[1]},
        "pricing": {
            "type": "price_details",
            "price_details": {"price": draft.price["id"], "product": draft.price["product"]},
            "unit_amount_decimal": draft.price["unit_amount_decimal"],
        },
        "quantity": draft.quantity,
        "subtotal": each.amount,
        "taxes": [_tax(rate, each.amount - each.discount, tax) for rate, tax in each.taxes],
    }


def _tax(rate: Thing, taxable: int, tax: int) -> dict[str, Any]:
    return {
        "amount": tax,
        "tax_behavior": "inclusive" if rate["inclusive"] else "exclusive",
        "tax_rate_details": {"tax_rate": rate["id"]},
        "taxability_reason": "standard_rated",
        "taxable_amount": taxable,
        "type": "tax_rate_details",
    }


def coupon_at(store: Store, subscription: Thing, at: int) -> Thing | None:
    """The coupon of a subscription, while it lasts: a period has it that begins before its end."""
    for discount_id in subscription["discounts"]:
        discount = store.get("discount", discount_id)
        if discount["end"] is None or discount["end"] > at:
            return store.get("coupon", discount["source"]["coupon"])
    return None


def pay(
    store: Store, invoice: Thing, method: Thing | None, *, is_renewal: bool
) -> DeclinedError | None:
    """Collect an open invoice; why it failed, if it did. Nothing due: it is paid at once."""
    invoice["attempted"] = True
    invoice["attempt_count"] += 1
    refusal: DeclinedError | None = None
    if invoice["amount_due"] > 0:
        if method is None:
            raise invalid("This customer has no attached payment source or default payment method.",
                          code="resource_missing")  # fmt: skip
        intent = _intent_of(store, invoice)
        _, refusal = payments.pay_intent(store, intent, method, is_renewal=is_renewal)
    if refusal is not None:
        return refusal
    now = timestamp()
    invoice |= {
        "status": "paid",
        "amount_paid": invoice["amount_due"],
        "amount_remaining": 0,
        "next_payment_attempt": None,
    }
    invoice["status_transitions"]["paid_at"] = now
    for each in invoice["_payments"]["data"]:
        each |= {"status": "paid", "amount_paid": invoice["amount_due"]}
        each["status_transitions"]["paid_at"] = now
        stored = store.find(each["id"])
        if stored is not None:
            store.save({**stored, **each})
            emit(store, "invoice_payment.paid", each)
    store.save(invoice)
    emit(store, "invoice.paid", invoice)
    emit(store, "invoice.payment_succeeded", invoice)
    return None


def fail(store: Store, invoice: Thing) -> bool:
    """Note a failed attempt on a renewal; False when there is no further one."""
    tried = int(invoice["attempt_count"])
    again = tried <= len(RETRY_AFTER_DAYS)
    at = timestamp() + RETRY_AFTER_DAYS[tried - 1] * 86_400 if again else None
    invoice["next_payment_attempt"] = at
    store.save(invoice, due=at)
    emit(store, "invoice.payment_failed", invoice)
    return again


def _intent_of(store: Store, invoice: Thing) -> Thing:
    """The payment intent of an invoice, made at its first attempt."""
    for each in invoice["_payments"]["data"]:
        found = store.get("payment_intent", each["payment"]["payment_intent"])
        if found["status"] != "succeeded":
            return found
    reason = "creation" if invoice["billing_reason"] == "subscription_create" else "update"
    intent = payments.new_intent(
        store,
        invoice["amount_due"],
        invoice["currency"],
        customer=invoice["customer"],
        data={"description": f"Subscription {reason}"},
    )
    payment = store.add(
        "invoice_payment",
        "inpay",
        {
            "amount_paid": None,
            "amount_requested": invoice["amount_due"],
            "currency": invoice["currency"],
            "invoice": invoice["id"],
            "is_default": True,
            "payment": {"type": "payment_intent", "payment_intent": intent["id"]},
            "status": "open",
            "status_transitions": {"canceled_at": None, "paid_at": None},
        },
        parent=intent["id"],
    )
    invoice["_payments"]["data"] = [payment]
    return intent


def void(store: Store, invoice: Thing) -> Thing:
    """Give up an open invoice."""
    if invoice["status"] != "open":
        raise invalid("You can only void an open invoice.")
    invoice["status"] = "void"
    invoice["status_transitions"]["voided_at"] = timestamp()
    invoice["next_payment_attempt"] = None
    store.save(invoice)
    emit(store, "invoice.voided", invoice)
    return invoice


@endpoint("invoices.void_invoice", "POST", "/v1/invoices/{id}/void", "InvoiceVoidInvoiceParams")
def _void(call: Call) -> Thing:
    return void(call.store, own(call, "invoice", call.id))


@endpoint("invoice_payments.list", "GET", "/v1/invoice_payments", "InvoicePaymentListParams")
def _payments(call: Call) -> dict[str, Any]:
    wanted = call.params.get("payment") or {}
    if wanted:
        found = call.store.all("invoice_payment", parent=str(wanted.get("payment_intent")))
    else:
        found = call.store.all("invoice_payment")
    if call.params.get("invoice"):
        found = [each for each in found if each["invoice"] == call.params["invoice"]]
    return list_of(found[::-1], "/v1/invoice_payments")


retrieval("invoices", "/v1/invoices", "invoice", "InvoiceRetrieveParams")


@endpoint("invoices.line_items.list", "GET", "/v1/invoices/{id}/lines",
          "InvoiceLineItemListParams")  # fmt: skip
def _invoice_lines(call: Call) -> dict[str, Any]:
    found: dict[str, Any] = own(call, "invoice", call.id)["lines"]
    return found


@endpoint("invoices.list", "GET", "/v1/invoices", "InvoiceListParams")
def _list(call: Call) -> dict[str, Any]:
    wanted = dict(call.params)
    subscription = wanted.get("subscription")

    def fits(invoice: Thing) -> bool:
        parent = invoice["parent"]["subscription_details"]["subscription"]
        is_its = not subscription or bool(parent == subscription)
        return is_its and all(
            wanted.get(name, invoice[name]) == invoice[name] for name in ("customer", "status")
        )

    return page_of(call, "invoice", "/v1/invoices", fits)
