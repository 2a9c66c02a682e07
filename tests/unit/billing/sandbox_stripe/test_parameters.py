"""Requests are read as Stripe reads them, and held against the SDK's own types."""

from typing import Any

import pytest

from billing.sandbox_stripe.endpoints import ENDPOINTS
from billing.sandbox_stripe.errors import ApiError
from billing.sandbox_stripe.parameters import check, decode_form
from billing.sandbox_stripe.server import create_sandbox


@pytest.mark.parametrize(
    ("form", "read"),
    [
        ("", {}),
        ("a=1&b=", {"a": "1", "b": ""}),
        ("a[b][c]=d", {"a": {"b": {"c": "d"}}}),
        ("a[]=x&a[]=y", {"a": ["x", "y"]}),
        ("a[0][b]=x&a[1][b]=y&a[0][c]=z", {"a": [{"b": "x", "c": "z"}, {"b": "y"}]}),
        ("a[10]=l&a[2]=s", {"a": ["s", "l"]}),
        ("m[key]=caf%C3%A9", {"m": {"key": "café"}}),
    ],
)
def test_a_form_is_read_with_its_brackets(form: str, read: dict[str, Any]) -> None:
    assert decode_form(form) == read


def test_numbers_and_booleans_get_their_types() -> None:
    found = check(
        {"amount": "100", "currency": "eur", "destination": "acct_1", "metadata": {"n": "1"}},
        "TransferCreateParams",
    )
    assert found["amount"] == 100
    assert found["metadata"] == {"n": "1"}


@pytest.mark.parametrize(
    ("params", "kind", "param", "code"),
    [
        ({"currency": "eur"}, "TransferCreateParams", "destination", "parameter_missing"),
        (
            {"currency": "eur", "destination": "a", "amont": "1"},
            "TransferCreateParams",
            "amont",
            "parameter_unknown",
        ),
        (
            {"currency": "eur", "destination": "a", "amount": "1.5"},
            "TransferCreateParams",
            "amount",
            "parameter_invalid",
        ),
        (
            {"currency": "eur", "destination": "a", "idempotency_key": "k"},
            "TransferCreateParams",
            "idempotency_key",
            "parameter_unknown",
        ),
        (
            {"line_items": [{"price_data": {"currency": "eur", "unit_amont": "1"}}]},
            "checkout.SessionCreateParams",
            "line_items[0][price_data][unit_amont]",
            "parameter_unknown",
        ),
        ({"zork": "1"}, "v2.core.AccountCreateParams", "zork", "parameter_unknown"),
    ],
)
def test_a_wrong_request_is_refused_and_the_parameter_named(
    params: dict[str, Any], kind: str, param: str, code: str
) -> None:
    with pytest.raises(ApiError) as refusal:
        check(params, kind)
    assert (refusal.value.body["param"], refusal.value.body["code"]) == (param, code)


def test_every_endpoint_names_types_that_the_sdk_has_and_methods_that_it_offers() -> None:
    from billing.gateway import StripeGateway
    from billing.sandbox_stripe.store import Store

    store = Store()
    create_sandbox(store)
    store.close()
    gateway = StripeGateway("sk_test_x1234")
    for endpoint in ENDPOINTS:
        resource, _, verb = endpoint.name.rpartition(".")
        assert callable(getattr(gateway._service(resource), verb)), endpoint.name
        if endpoint.params:
            with pytest.raises(ApiError):
                check({"no such parameter": "1"}, endpoint.params)
    assert len(ENDPOINTS) > 60
