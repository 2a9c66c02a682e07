"""Customers, products, prices, coupons, promotion codes and tax rates."""

import secrets
from typing import Any

from billing.sandbox_stripe.endpoints import (
    Call,
    copy_metadata,
    endpoint,
    listing,
    own,
    retrieval,
)
from billing.sandbox_stripe.errors import invalid
from billing.sandbox_stripe.events import emit
from billing.sandbox_stripe.store import Store, Thing, timestamp


@endpoint("customers.create", "POST", "/v1/customers", "CustomerCreateParams")
def _create_customer(call: Call) -> Thing:
    params = call.params
    customer = call.store.add(
        "customer",
        "cus",
        {
            "address": params.get("address") or None,
            "balance": 0,
            "currency": None,
            "default_source": None,
            "delinquent": False,
            "description": params.get("description"),
            "discount": None,
            "email": params.get("email"),
            "invoice_prefix": secrets.token_hex(4).upper(),
            "invoice_settings": {"default_payment_method": None, "custom_fields": None},
            "metadata": params.get("metadata") or {},
            "name": params.get("name"),
            "phone": params.get("phone"),
            "preferred_locales": params.get("preferred_locales", []),
            "shipping": None,
            "tax_exempt": params.get("tax_exempt", "none"),
        },
    )
    emit(call.store, "customer.created", customer)
    return customer


@endpoint("customers.update", "POST", "/v1/customers/{id}", "CustomerUpdateParams")
def _update_customer(call: Call) -> Thing:
    customer = own(call, "customer", call.id)
    copy_metadata(customer, call.params)
    for name in ("address", "description", "email", "name", "phone", "tax_exempt"):
        if name in call.params:
            customer[name] = call.params[name] or None
    settings = call.params.get("invoice_settings") or {}
    if "default_payment_method" in settings:
        customer["invoice_settings"]["default_payment_method"] = settings["default_payment_method"]
    call.store.save(customer)
    emit(call.store, "customer.updated", customer)
    return customer


@endpoint("customers.payment_methods.list", "GET", "/v1/customers/{id}/payment_methods",
          "CustomerPaymentMethodListParams")  # fmt: skip
def _methods(call: Call) -> dict[str, Any]:
    own(call, "customer", call.id)
    found = [each for each in call.store.all("payment_method") if each["customer"] == call.id]
    return {"object": "list", "has_more": False, "data": found[::-1],
            "url": f"/v1/customers/{call.id}/payment_methods"}  # fmt: skip


@endpoint("products.create", "POST", "/v1/products", "ProductCreateParams")
def _create_product(call: Call) -> Thing:
    params = call.params
    product = new_product(call.store, params, thing_id=params.get("id", ""))
    emit(call.store, "product.created", product)
    return product


def new_product(store: Store, params: dict[str, Any], thing_id: str = "") -> Thing:
    """A product; checkouts with inline prices make one too."""
    return store.add(
        "product",
        "prod",
        {
            "active": params.get("active", True),
            "default_price": None,
            "description": params.get("description"),
            "images": params.get("images", []),
            "marketing_features": [],
            "metadata": params.get("metadata") or {},
            "name": params["name"],
            "package_dimensions": None,
            "shippable": None,
            "statement_descriptor": params.get("statement_descriptor"),
            "tax_code": params.get("tax_code"),
            "type": "service",
            "unit_label": params.get("unit_label"),
            "updated": timestamp(),
            "url": params.get("url"),
        },
        thing_id=thing_id,
    )


@endpoint("products.update", "POST", "/v1/products/{id}", "ProductUpdateParams")
def _update_product(call: Call) -> Thing:
    product = own(call, "product", call.id)
    copy_metadata(product, call.params)
    for name in ("active", "description", "name"):
        if name in call.params:
            product[name] = call.params[name]
    return call.store.save(product)


@endpoint("prices.create", "POST", "/v1/prices", "PriceCreateParams")
def _create_price(call: Call) -> Thing:
    params = call.params
    if params.get("product"):
        own(call, "product", params["product"], "product")
    price = new_price(call.store, params)
    emit(call.store, "price.created", price)
    return price


def new_price(store: Store, params: dict[str, Any]) -> Thing:
    """A price from a request, or from a checkout's or a subscription's price_data."""
    if params.get("unit_amount") is None:
        raise invalid("Missing required param: unit_amount.", "unit_amount", "parameter_missing")
    if int(params["unit_amount"]) < 0:
        raise invalid("Invalid non-negative integer", "unit_amount")
    product = params.get("product")
    if not product:
        if not params.get("product_data"):
            raise invalid("You must provide product or product_data.", "product")
        product = new_product(store, params["product_data"])["id"]
    recurring = params.get("recurring")
    if recurring:
        if recurring["interval"] not in {"day", "week", "month", "year"}:
            raise invalid("Invalid interval", "recurring[interval]")
        recurring = {
            "interval": recurring["interval"],
            "interval_count": int(recurring.get("interval_count", 1)),
            "meter": None,
            "trial_period_days": None,
            "usage_type": "licensed",
        }
    return store.add(
        "price",
        "price",
        {
            "active": True,
            "billing_scheme": "per_unit",
            "currency": params["currency"],
            "custom_unit_amount": None,
            "lookup_key": params.get("lookup_key"),
            "metadata": params.get("metadata") or {},
            "nickname": params.get("nickname"),
            "product": product,
            "recurring": recurring or None,
            "tax_behavior": params.get("tax_behavior", "unspecified"),
            "tiers_mode": None,
            "transform_quantity": None,
            "type": "recurring" if recurring else "one_time",
            "unit_amount": int(params["unit_amount"]),
            "unit_amount_decimal": str(params["unit_amount"]),
        },
    )


@endpoint("prices.update", "POST", "/v1/prices/{id}", "PriceUpdateParams")
def _update_price(call: Call) -> Thing:
    price = own(call, "price", call.id)
    copy_metadata(price, call.params)
    if "active" in call.params:
        price["active"] = call.params["active"]
    return call.store.save(price)


@endpoint("coupons.create", "POST", "/v1/coupons", "CouponCreateParams")
def _create_coupon(call: Call) -> Thing:
    params = call.params
    percent, amount = params.get("percent_off"), params.get("amount_off")
    if (percent is None) == (amount is None):
        raise invalid("You must pass exactly one of percent_off and amount_off.", "percent_off")
    if amount is not None and not params.get("currency"):
        raise invalid("You must pass currency when passing amount_off", "currency")
    if percent is not None and not 0 < float(percent) <= 100:
        raise invalid("Invalid percent_off", "percent_off")
    duration = params.get("duration", "once")
    if duration not in {"once", "forever", "repeating"}:
        raise invalid("Invalid duration", "duration")
    if (duration == "repeating") != bool(params.get("duration_in_months")):
        raise invalid("duration_in_months goes with duration=repeating", "duration_in_months")
    coupon = call.store.add(
        "coupon",
        "co",
        {
            "amount_off": amount,
            "currency": params.get("currency"),
            "duration": duration,
            "duration_in_months": params.get("duration_in_months"),
            "max_redemptions": params.get("max_redemptions"),
            "metadata": params.get("metadata") or {},
            "name": params.get("name"),
            "percent_off": None if percent is None else float(percent),
            "redeem_by": params.get("redeem_by"),
            "times_redeemed": 0,
            "valid": True,
        },
        thing_id=params.get("id") or secrets.token_urlsafe(6),
    )
    emit(call.store, "coupon.created", coupon)
    return coupon


@endpoint("coupons.delete", "DELETE", "/v1/coupons/{id}", "CouponDeleteParams")
def _delete_coupon(call: Call) -> Thing:
    coupon = own(call, "coupon", call.id)
    coupon["valid"] = False
    call.store.save(coupon)
    return {"id": coupon["id"], "object": "coupon", "deleted": True}


def redeem(store: Store, coupon: Thing, currency: str) -> None:
    """Count a use. Raises ApiError when the coupon cannot be used (any more)."""
    limit = coupon["max_redemptions"]
    if not coupon["valid"] or (coupon["redeem_by"] and coupon["redeem_by"] < timestamp()):
        raise invalid(f"Coupon expired: {coupon['id']}", "coupon", "coupon_expired")
    if coupon["amount_off"] is not None and coupon["currency"] != currency:
        raise invalid("The coupon's currency is not the price's.", "coupon")
    coupon["times_redeemed"] += 1
    if limit is not None and coupon["times_redeemed"] > limit:
        raise invalid(f"Coupon {coupon['id']} is used up and cannot be redeemed.", "coupon")
    if limit is not None and coupon["times_redeemed"] == limit:
        coupon["valid"] = False
    store.save(coupon)


@endpoint("promotion_codes.create", "POST", "/v1/promotion_codes", "PromotionCodeCreateParams")
def _create_code(call: Call) -> Thing:
    params = call.params
    promotion = params["promotion"]
    own(call, "coupon", promotion.get("coupon"), "promotion[coupon]")
    return call.store.add(
        "promotion_code",
        "promo",
        {
            "active": params.get("active", True),
            "code": params.get("code") or secrets.token_hex(4).upper(),
            "customer": params.get("customer"),
            "expires_at": params.get("expires_at"),
            "max_redemptions": params.get("max_redemptions"),
            "metadata": params.get("metadata") or {},
            "promotion": {"type": "coupon", "coupon": promotion["coupon"]},
            "restrictions": params.get("restrictions")
            or {"first_time_transaction": False, "minimum_amount": None,
                "minimum_amount_currency": None},
            "times_redeemed": 0,
        },
    )  # fmt: skip


@endpoint("promotion_codes.update", "POST", "/v1/promotion_codes/{id}",
          "PromotionCodeUpdateParams")  # fmt: skip
def _update_code(call: Call) -> Thing:
    code = own(call, "promotion_code", call.id)
    copy_metadata(code, call.params)
    if "active" in call.params:
        code["active"] = call.params["active"]
    return call.store.save(code)


@endpoint("tax_rates.create", "POST", "/v1/tax_rates", "TaxRateCreateParams")
def _create_tax(call: Call) -> Thing:
    params = call.params
    percentage = float(params["percentage"])
    if not 0 <= percentage <= 100:
        raise invalid("Invalid percentage", "percentage")
    return call.store.add(
        "tax_rate",
        "txr",
        {
            "active": params.get("active", True),
            "country": params.get("country"),
            "description": params.get("description"),
            "display_name": params["display_name"],
            "effective_percentage": percentage,
            "flat_amount": None,
            "inclusive": params["inclusive"],
            "jurisdiction": params.get("jurisdiction"),
            "jurisdiction_level": None,
            "metadata": params.get("metadata") or {},
            "percentage": percentage,
            "rate_type": "percentage",
            "state": params.get("state"),
            "tax_type": params.get("tax_type"),
        },
    )


@endpoint("tax_rates.update", "POST", "/v1/tax_rates/{id}", "TaxRateUpdateParams")
def _update_tax(call: Call) -> Thing:
    rate = own(call, "tax_rate", call.id)
    copy_metadata(rate, call.params)
    for name in ("active", "description", "display_name"):
        if name in call.params:
            rate[name] = call.params[name]
    return call.store.save(rate)


retrieval("customers", "/v1/customers", "customer", "CustomerRetrieveParams")
listing("customers", "/v1/customers", "customer", "CustomerListParams")
retrieval("products", "/v1/products", "product", "ProductRetrieveParams")
listing("products", "/v1/products", "product", "ProductListParams")
retrieval("prices", "/v1/prices", "price", "PriceRetrieveParams")
listing("prices", "/v1/prices", "price", "PriceListParams")
retrieval("coupons", "/v1/coupons", "coupon", "CouponRetrieveParams")
listing("coupons", "/v1/coupons", "coupon", "CouponListParams")
retrieval("promotion_codes", "/v1/promotion_codes", "promotion_code", "PromotionCodeRetrieveParams")
listing("promotion_codes", "/v1/promotion_codes", "promotion_code", "PromotionCodeListParams")
retrieval("tax_rates", "/v1/tax_rates", "tax_rate", "TaxRateRetrieveParams")
listing("tax_rates", "/v1/tax_rates", "tax_rate", "TaxRateListParams")
