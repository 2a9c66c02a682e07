"""What the stand-in gives has the shape that the SDK says Stripe's objects have."""

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
import stripe  # noqa: TID251 - its classes are what we compare with

from billing.gateway import gateway
from tests.factories.stripe import StripeStandIn
from tests.unit.billing.sandbox_stripe.test_api import call, onboarding_account, paid
from tests.unit.billing.sandbox_stripe.test_subscriptions import subscribe

CLASSES: dict[str, Any] = {
    "account": stripe.Account,
    "balance_transaction": stripe.BalanceTransaction,
    "charge": stripe.Charge,
    "checkout.session": stripe.checkout.Session,
    "coupon": stripe.Coupon,
    "customer": stripe.Customer,
    "discount": stripe.Discount,
    "dispute": stripe.Dispute,
    "event": stripe.Event,
    "invoice": stripe.Invoice,
    "invoice_payment": stripe.InvoicePayment,
    "payment_intent": stripe.PaymentIntent,
    "payment_method": stripe.PaymentMethod,
    "payout": stripe.Payout,
    "price": stripe.Price,
    "product": stripe.Product,
    "promotion_code": stripe.PromotionCode,
    "refund": stripe.Refund,
    "setup_intent": stripe.SetupIntent,
    "subscription": stripe.Subscription,
    "tax_rate": stripe.TaxRate,
    "transfer": stripe.Transfer,
    "transfer_reversal": stripe.TransferReversal,
}  # fmt: skip
# Everything has a mode here; some of Stripe's objects do not say theirs.
EVERYWHERE = {"livemode"}
# Stripe's types leave these open, or the SDK fills them.
OPEN = {"metadata", "evidence", "data", "fraud_details", "previous_attributes"}


def strangers(value: Any, kind: Any, where: str) -> Iterator[str]:
    """Fields that the SDK's class does not have."""
    if isinstance(value, list):
        for each in value:
            yield from strangers(each, kind, where)
        return
    if not isinstance(value, dict):
        return
    known = {name for base in kind.__mro__ for name in getattr(base, "__annotations__", {})}
    inner = getattr(kind, "_inner_class_types", {})
    for name, each in value.items():
        if name not in known and name not in EVERYWHERE:
            yield f"{where}.{name}"
        elif name in inner and name not in OPEN:
            yield from strangers(each, inner[name], f"{where}.{name}")


@pytest.fixture
def busy(sandbox: StripeStandIn) -> StripeStandIn:
    """A Stripe at which everything has happened."""
    charge = paid(sandbox, payment_intent_data={"transfer_group": "g"})
    call("refunds.create", charge=charge["id"], amount=100)
    sandbox.decide(sandbox.dispute(paid(sandbox)), won=True)
    coupon = call("coupons.create", percent_off="10", duration="forever")
    call("promotion_codes.create", promotion={"type": "coupon", "coupon": coupon["id"]}, code="X")
    rate = call("tax_rates.create", display_name="VAT", percentage="19", inclusive=False)
    customer = call("customers.create", email="a@people.example")
    subscribe(
        sandbox,
        customer=customer["id"],
        line={"tax_rates": [rate["id"]]},
        discounts=[{"coupon": coupon["id"]}],
    )
    sandbox.advance(timedelta(days=40))
    setup = call(
        "checkout.sessions.create",
        mode="setup",
        currency="EUR",
        customer=customer["id"],
        success_url="https://us.example/ok",
    )
    sandbox.pay(setup["url"])
    account = onboarding_account(1)
    sandbox.onboard(account)
    transfer = call("transfers.create", amount=500, currency="EUR", destination=account)
    call("transfers.reversals.create", id=transfer["id"], amount=100)
    sandbox.pay_out(account, arrive=True)
    sandbox.fail_payout(sandbox.pay_out(arrive=True)[0])
    return sandbox


def test_every_object_has_the_fields_of_the_sdk_s_class_and_no_others(busy: StripeStandIn) -> None:
    found = []
    for kind, model in CLASSES.items():
        things = busy.all(kind)
        assert things, f"no {kind} was made"
        for thing in things:
            found += list(strangers(thing, model, kind))
    invoice = busy.all("invoice")[0]
    line = invoice["lines"]["data"][0]
    found += list(strangers(line, stripe.InvoiceLineItem, "line"))
    item = busy.all("subscription")[0]["items"]["data"][0]
    found += list(strangers(item, stripe.SubscriptionItem, "item"))
    balance = gateway().retrieve("balance")
    found += list(strangers(balance, stripe.Balance, "balance"))
    session = gateway().retrieve(
        "checkout.sessions", busy.all("checkout.session")[0]["id"], expand=["line_items"]
    )
    found += list(strangers(session["line_items"]["data"], stripe.LineItem, "line_item"))
    everything = ["configuration.recipient", "requirements", "identity", "defaults"]
    account = gateway().retrieve(
        "v2.core.accounts", busy.all("account")[0]["id"], expand=everything
    )
    found += list(strangers(account, stripe.v2.core.Account, "v2 account"))
    assert sorted(set(found)) == []
