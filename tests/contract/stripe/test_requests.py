"""Every kind of request that we make, said to Stripe's own mock, which has the specification.

Beside this list, wherever STRIPE_MOCK_URL is set all other tests say everything twice (see
DoubledGateway in tests/factories/stripe.py).
"""

import ast
from typing import Any

import pytest

from billing.gateway import StripeGateway, StripeRejectedError
from marketplace.config import ROOT
from tests.parts import stripe_mock_url

PRICE: dict[str, Any] = {
    "currency": "EUR",
    "unit_amount": 1_900,
    "product_data": {"name": "Tide tables"},
}
REQUESTS: dict[str, dict[str, Any]] = {
    "account_links.create": {
        "account": "acct_1",
        "type": "account_onboarding",
        "refresh_url": "https://us.example/again",
        "return_url": "https://us.example/back",
    },
    "accounts.create": {
        "country": "DE",
        "email": "pay@partner.example",
        "capabilities": {"transfers": {"requested": True}},
        "controller": {
            "fees": {"payer": "application"},
            "losses": {"payments": "application"},
            "requirement_collection": "stripe",
            "stripe_dashboard": {"type": "express"},
        },
        "metadata": {"organization": "7"},
    },
    "accounts.login_links.create": {"id": "acct_1"},
    "checkout.sessions.create": {
        "mode": "payment",
        "success_url": "https://us.example/ok",
        "cancel_url": "https://us.example/back",
        "customer": "cus_1",
        "client_reference_id": "ord_1",
        "line_items": [{"quantity": 2, "price_data": PRICE, "tax_rates": ["txr_1"]}],
        "discounts": [{"coupon": "co_1"}],
        "payment_intent_data": {"transfer_group": "order_1", "metadata": {"order": "ord_1"}},
        "expires_at": 1_900_000_000,
        "metadata": {"order": "ord_1"},
    },
    "checkout.sessions.expire": {"id": "cs_1"},
    "coupons.create": {"amount_off": 100, "currency": "EUR", "duration": "once"},
    "customers.create": {"email": "a@people.example", "name": "Blue Kite"},
    "customers.update": {"id": "cus_1", "name": "Blue Kite"},
    "disputes.update": {
        "id": "dp_1",
        "evidence": {"uncategorized_text": "They used it daily."},
        "submit": True,
    },
    "invoices.create_preview": {
        "subscription": "sub_1",
        "subscription_details": {
            "items": [{"id": "si_1", "quantity": 3}],
            "proration_behavior": "create_prorations",
        },
    },
    "invoices.pay": {"id": "in_1", "payment_method": "pm_1"},
    "products.create": {"name": "Tide tables"},
    "prices.create": {"currency": "EUR", "unit_amount": 1_900, "product": "prod_1"},
    "refunds.create": {
        "charge": "ch_1",
        "amount": 100,
        "reason": "requested_by_customer",
        "metadata": {"refund_id": "rf_1"},
    },
    "subscriptions.cancel": {"id": "sub_1"},
    "subscriptions.update": {
        "id": "sub_1",
        "cancel_at_period_end": False,
        "items": [{"id": "si_1", "quantity": 3}],
        "proration_behavior": "always_invoice",
    },
    "tax_rates.create": {"display_name": "VAT", "percentage": 19.0, "inclusive": False},
    "transfers.create": {
        "amount": 1_000,
        "currency": "EUR",
        "destination": "acct_1",
        "transfer_group": "payout_1",
        "metadata": {"payout": "po_1"},
    },
    "transfers.reversals.create": {"id": "tr_1", "amount": 100},
}
# Other ways in which a method is asked.
MORE: list[tuple[str, dict[str, Any]]] = [
    (
        "checkout.sessions.create",
        {
            "mode": "setup",
            "customer": "cus_1",
            "currency": "EUR",
            "setup_intent_data": {"metadata": {"subscription": "sub_ours"}},
            "metadata": {"subscription": "sub_ours"},
            "success_url": "https://us.example/ok",
            "cancel_url": "https://us.example/back",
        },
    ),
    ("subscriptions.update", {"id": "sub_1", "default_payment_method": "pm_1"}),
]
READS: list[tuple[str, str, tuple[str, ...]]] = [
    ("accounts", "acct_1", ()),
    ("balance", "", ()),
    ("balance_transactions", "txn_1", ("source",)),
    ("charges", "ch_1", ("balance_transaction",)),
    ("checkout.sessions", "cs_1", ("payment_intent.latest_charge.balance_transaction",)),
    ("checkout.sessions", "cs_1", ("setup_intent",)),
    ("disputes", "dp_1", ()),
    ("invoices", "in_1", ("payments",)),
    ("payment_intents", "pi_1", ("latest_charge",)),
    ("payouts", "po_1", ()),
    ("refunds", "re_1", ("balance_transaction",)),
    ("subscriptions", "sub_1", ("latest_invoice",)),
    ("transfers", "tr_1", ()),
]
LISTS: dict[str, dict[str, Any]] = {
    "balance_transactions": {"created": {"gte": 1, "lt": 2}},
    "events": {"created": {"gte": 1}, "types": ["invoice.paid", "charge.refunded"]},
    "invoice_payments": {"payment": {"type": "payment_intent", "payment_intent": "pi_1"}},
    "payouts": {"created": {"gte": 1}},
    "refunds": {"charge": "ch_1"},
    "transfers": {"transfer_group": "payout_1"},
}
# stripe-mock has no version 2.
UNKNOWN_THERE = {"v2.core.accounts.create", "v2.core.account_links.create"}


@pytest.fixture(scope="module")
def mock() -> StripeGateway:
    """A gateway that speaks to stripe-mock alone."""
    return StripeGateway("sk_test_123456", stripe_mock_url())


@pytest.mark.parametrize("method", sorted(REQUESTS))
def test_what_we_change_at_stripe_is_asked_for_as_its_specification_says(
    mock: StripeGateway, method: str
) -> None:
    assert mock.call(method, REQUESTS[method], idem_key=f"key of {method}")["object"]


@pytest.mark.parametrize(("method", "params"), MORE)
def test_other_ways_of_asking_are_as_its_specification_says(
    mock: StripeGateway, method: str, params: dict[str, Any]
) -> None:
    assert mock.call(method, params, idem_key=f"another key of {method}")["object"]


@pytest.mark.parametrize(("resource", "stripe_id", "expand"), READS)
def test_what_we_look_at_is_asked_for_as_its_specification_says(
    mock: StripeGateway, resource: str, stripe_id: str, expand: tuple[str, ...]
) -> None:
    assert mock.retrieve(resource, stripe_id, expand=expand)["object"]


@pytest.mark.parametrize("resource", sorted(LISTS))
def test_what_we_list_is_asked_for_as_its_specification_says(
    mock: StripeGateway, resource: str
) -> None:
    assert next(mock.pages(resource, **LISTS[resource]), None) is not None


def test_stripe_mock_refuses_what_is_wrong(mock: StripeGateway) -> None:
    with pytest.raises(StripeRejectedError):
        mock.call("transfers.create", {"currency": "EUR", "amont": 5}, idem_key="k")


def test_the_list_names_every_method_that_the_code_calls() -> None:
    verbs = {"create", "update", "cancel", "expire", "pay", "create_preview", "close"}
    services = {method.rpartition(".")[0] for method in REQUESTS}
    called = set()
    for path in (ROOT / "billing").rglob("*.py"):
        if "sandbox_stripe" in path.parts:
            continue
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Constant) and isinstance(node.value, str):
                resource, _, verb = node.value.rpartition(".")
                if verb in verbs and (resource in services or resource.startswith("v2.")):
                    called.add(node.value)
    assert called - set(REQUESTS) - UNKNOWN_THERE == set()
    assert called & set(REQUESTS)
