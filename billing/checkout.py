"""Opening a hosted Checkout at Stripe for a pending order.

Everything is committed before Stripe is asked, and every call has a key of its own, so that a lost
answer or a second click leads to the same session.
"""

from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import selectinload

from billing.coupons import coupon_params, trial_days_of
from billing.models import (
    Order,
    OrderLine,
    OrderState,
    Plan,
    PlanBilling,
    StripeCustomer,
    Subscription,
    TaxRate,
)
from billing.operations import perform, perform_anew
from billing.order_terms import Payment
from billing.orders.closing import EXPIRE_CHECKOUT
from billing.orders.paying import mark_paid
from marketplace.core import clock
from marketplace.core.database import db
from marketplace.core.errors import ConflictError, NotFoundError
from marketplace.core.jobs import enqueue
from marketplace.core.locks import lock_row
from marketplace.core.once import insert_if_new
from marketplace.core.unit_of_work import unit_of_work

# Stripe wants a session to be open for half an hour at least.
SHORTEST = timedelta(minutes=31)
INTERVALS = {PlanBilling.MONTHLY: "month", PlanBilling.YEARLY: "year"}
CLOSED = (OrderState.EXPIRED, OrderState.CANCELED, OrderState.FAILED)
STALE = "This checkout has lapsed. Begin again."


@dataclass(frozen=True)
class _Prepared:
    """What Stripe is told, read before any call."""

    order_id: int
    order_public_id: str
    organization_id: int
    billing_details: dict[str, Any]
    customer_id: str | None
    subscription_public_id: str | None
    trial_days: int
    currency: str
    total: int
    expires_at: int
    lines: tuple[dict[str, Any], ...]
    tax_rate: dict[str, Any] | None
    coupon: dict[str, Any] | None


def open_checkout(order_id: int, *, success_url: str, cancel_url: str) -> str:
    """The address of the order's Checkout; `success_url` itself where nothing is to pay.

    Call it without an open transaction: it commits what it does. Raises NotFoundError,
    ConflictError (paid or lapsed), and the gateway's errors.
    """
    with unit_of_work():
        prepared = _prepare(order_id)
    if prepared.total == 0 and prepared.subscription_public_id is None:
        with unit_of_work():
            mark_paid(order_id, Payment(paid_at=clock.now()))
        return success_url
    tax_rates = [_tax_rate(prepared.tax_rate)] if prepared.tax_rate else []
    customer = prepared.customer_id or _customer(prepared)
    items = []
    for line in prepared.lines:
        product = _product(line)
        data = {name: value for name, value in line["price_data"].items() if name != "plan"}
        item: dict[str, Any] = {
            "quantity": line["quantity"],
            "price_data": {**data, **product, "tax_behavior": "exclusive"},
        }
        if tax_rates:
            item["tax_rates"] = tax_rates
        items.append(item)
    params: dict[str, Any] = {
        "mode": "payment",
        "customer": customer,
        "client_reference_id": prepared.order_public_id,
        "line_items": items,
        "metadata": {"order": prepared.order_public_id},
        "success_url": success_url,
        "cancel_url": cancel_url,
        "expires_at": prepared.expires_at,
    }
    if prepared.coupon is not None:
        coupon = perform(f"order:{order_id}:coupon", "coupons.create", prepared.coupon)
        params["discounts"] = [{"coupon": coupon["id"]}]
    metadata = {"order": prepared.order_public_id}
    if prepared.subscription_public_id is None:
        params["payment_intent_data"] = {
            "transfer_group": f"order_{order_id}",
            "metadata": metadata,
        }
    else:
        metadata["subscription"] = prepared.subscription_public_id
        params["mode"] = "subscription"
        params["subscription_data"] = {"metadata": metadata}
        if prepared.trial_days:
            params["subscription_data"]["trial_period_days"] = prepared.trial_days
    session = perform(f"order:{order_id}:checkout", "checkout.sessions.create", params)
    with unit_of_work():
        order = lock_row(Order, Order.id == order_id)
        if order is not None and order.checkout_session_id is None:
            order.checkout_session_id = str(session["id"])
        was_closed = order is None or order.state in CLOSED
        if was_closed:
            # Canceled while it was opened: nobody shall pay it.
            enqueue(EXPIRE_CHECKOUT, {"session_id": str(session["id"])})
    if was_closed or not session.get("url"):
        raise ConflictError(STALE)
    return str(session["url"])


def _prepare(order_id: int) -> _Prepared:
    order = db.session.scalar(
        select(Order).where(Order.id == order_id).options(selectinload(Order.lines))
    )
    if order is None:
        raise NotFoundError
    if order.state is OrderState.PAID:
        raise ConflictError("This order is paid already.")
    expires_at = order.expires_at or clock.now()
    if order.state is not OrderState.PENDING or expires_at - clock.now() < SHORTEST:
        raise ConflictError(STALE)
    subscription = (
        db.session.get(Subscription, order.subscription_id) if order.subscription_id else None
    )
    plans = {
        plan.id: plan
        for plan in db.session.scalars(
            select(Plan).where(Plan.id.in_([line.plan_id for line in order.lines if line.plan_id]))
        )
    }
    customer = db.session.get(StripeCustomer, order.organization_id)
    rate_id = order.tax_details.get("rate_id")
    rate = (
        db.session.get(TaxRate, rate_id)
        if rate_id and not order.tax_details.get("reverse_charge")
        else None
    )
    trial_days = 0
    if subscription is not None and subscription.trial_ends_at is not None:
        # What was agreed, whatever the plan says by now.
        trial_days = trial_days_of(order.created_at, subscription.trial_ends_at)
    return _Prepared(
        order_id=order.id,
        order_public_id=order.public_id,
        organization_id=order.organization_id,
        billing_details=dict(order.billing_details),
        customer_id=customer.stripe_id if customer else None,
        subscription_public_id=subscription.public_id if subscription else None,
        trial_days=trial_days,
        currency=order.currency,
        total=order.total,
        expires_at=int(expires_at.timestamp()),
        lines=tuple(
            _line(line, plans.get(line.plan_id or 0), order.currency, subscription is not None)
            for line in order.lines
        ),
        tax_rate=_rate_values(rate) if rate is not None and rate.bps else None,
        coupon=coupon_params(order, plans, trial_days=trial_days),
    )


def _line(line: OrderLine, plan: Plan | None, currency: str, is_recurring: bool) -> dict[str, Any]:
    price: dict[str, Any] = {"currency": currency, "unit_amount": line.unit_amount}
    if is_recurring and plan is not None:
        price["recurring"] = {"interval": INTERVALS[plan.billing]}
    return {
        "quantity": line.quantity,
        "price_data": price,
        "name": line.description,
        "plan_id": plan.id if plan else None,
        "product": plan.stripe_product_id if plan else None,
    }


def _product(line: dict[str, Any]) -> dict[str, Any]:
    """A plan's product is made once; what the platform itself sells is named in place."""
    if line["plan_id"] is None:
        return {"product_data": {"name": line["name"]}}
    return {"product": line["product"] or product_of(line["plan_id"], line["name"])}


def product_of(plan_id: int, name: str) -> str:
    """The Stripe product of a plan, made on its first sale. No open transaction."""
    made = perform_anew(
        f"plan:{plan_id}:product",
        "products.create",
        {"name": name[:200], "metadata": {"plan": str(plan_id)}},
    )
    with unit_of_work():
        plan = db.session.get(Plan, plan_id)
        if plan is not None:
            plan.stripe_product_id = str(made["id"])
    return str(made["id"])


def _customer(prepared: _Prepared) -> str:
    details = prepared.billing_details
    params: dict[str, Any] = {"metadata": {"organization": str(prepared.organization_id)}}
    if details.get("legal_name"):
        params["name"] = details["legal_name"]
    if details.get("email"):
        params["email"] = details["email"]
    made = perform_anew(
        f"customer:{prepared.organization_id}:{prepared.order_id}",
        "customers.create",
        params,
    )
    with unit_of_work():
        insert_if_new(
            StripeCustomer,
            organization_id=prepared.organization_id,
            stripe_id=str(made["id"]),
            created_at=clock.now(),
        )
        kept = db.session.get(StripeCustomer, prepared.organization_id)
        return kept.stripe_id if kept is not None else str(made["id"])


def _rate_values(rate: TaxRate) -> dict[str, Any]:
    return {
        "id": rate.id,
        "stripe_id": rate.stripe_id,
        "display_name": rate.name,
        "country": rate.country,
        "bps": rate.bps,
    }


def _tax_rate(rate: dict[str, Any]) -> str:
    if rate["stripe_id"]:
        return str(rate["stripe_id"])
    made = perform_anew(
        f"tax_rate:{rate['id']}",
        "tax_rates.create",
        {
            "display_name": rate["display_name"],
            "percentage": rate["bps"] / 100,
            "inclusive": False,
            "country": rate["country"],
            "metadata": {"tax_rate": str(rate["id"])},
        },
    )
    with unit_of_work():
        row = db.session.get(TaxRate, rate["id"])
        if row is not None:
            row.stripe_id = str(made["id"])
    return str(made["id"])
