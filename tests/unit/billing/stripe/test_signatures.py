"""Which webhooks are taken for Stripe's."""

from datetime import UTC, datetime, timedelta

import pytest

from billing.gateway import SignatureError, lower_currencies, sign, verify_signature

NOW = datetime(2027, 1, 15, 12, tzinfo=UTC)
PAYLOAD = b'{"id": "evt_1", "name": "Caf\xc3\xa9"}'


def test_bytes_that_one_of_our_secrets_signed_are_taken() -> None:
    for secret in ("whsec_one", "whsec_two"):
        verify_signature(PAYLOAD, sign(PAYLOAD, secret, NOW), ("whsec_one", "whsec_two"), at=NOW)


@pytest.mark.parametrize("age", [timedelta(seconds=299), timedelta(seconds=-299)])
def test_a_signature_lasts_five_minutes_and_our_clock_may_be_late(age: timedelta) -> None:
    verify_signature(PAYLOAD, sign(PAYLOAD, "whsec_one", NOW - age), ("whsec_one",), at=NOW)


@pytest.mark.parametrize(
    ("payload", "header"),
    [
        (PAYLOAD, ""),
        (PAYLOAD, "t=,v1="),
        (PAYLOAD, "nonsense"),
        (PAYLOAD, sign(PAYLOAD, "whsec_other", NOW)),
        (PAYLOAD + b" ", sign(PAYLOAD, "whsec_one", NOW)),
        (b"\xff\xfe", sign(PAYLOAD, "whsec_one", NOW)),
        (PAYLOAD, sign(PAYLOAD, "whsec_one", NOW - timedelta(minutes=6))),
        (PAYLOAD, sign(PAYLOAD, "whsec_one", NOW + timedelta(seconds=301))),
        (PAYLOAD, sign(PAYLOAD, "whsec_one", NOW + timedelta(seconds=4_000))),
        (PAYLOAD, sign(PAYLOAD, "whsec_one", NOW).replace("v1", "v0")),
    ],
)
def test_anything_else_is_refused(payload: bytes, header: str) -> None:
    with pytest.raises(SignatureError):
        verify_signature(payload, header, ("whsec_one",), at=NOW)


def test_without_a_secret_nothing_is_taken() -> None:
    with pytest.raises(SignatureError):
        verify_signature(PAYLOAD, sign(PAYLOAD, "", NOW), (), at=NOW)
    with pytest.raises(SignatureError):
        verify_signature(PAYLOAD, sign(PAYLOAD, "", NOW), ("",), at=NOW)


def test_currency_codes_are_lowered_wherever_they_are() -> None:
    said = {"currency": "EUR", "name": "EUR", "items": [{"price_data": {"currency": "USD"}}]}
    assert lower_currencies(said) == {
        "currency": "eur",
        "name": "EUR",
        "items": [{"price_data": {"currency": "usd"}}],
    }
