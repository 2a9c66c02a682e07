"""Tokens with every odd value in every place: read or refused, never anything else."""

from datetime import UTC, datetime
from typing import Any

import pytest
from joserfc import jwt
from joserfc.jwk import RSAKey

from marketplace.identity.id_token import TokenRefusedError, UnknownKeyError, read_id_token

KEY = RSAKey.generate_key(2048, auto_kid=True)
NOW = datetime(2026, 11, 23, 12, tzinfo=UTC)
AT = int(NOW.timestamp())
GOOD: dict[str, Any] = {
    "iss": "https://acme.example",
    "sub": "ada-1",
    "aud": "portico",
    "iat": AT,
    "exp": AT + 600,
    "nonce": "n-1",
}
ODD: tuple[Any, ...] = (
    None,
    True,
    False,
    0,
    -1,
    1e308,
    "",
    "\x00",
    "x" * 5000,
    [],
    [[]],
    [None, "portico"],
    {},
    {"a": {"b": 1}},
)


def read(token: object, **changes: Any) -> dict[str, Any]:
    """Read the token as the site would."""
    arguments: dict[str, Any] = {
        "keys": {"keys": [KEY.as_dict(private=False)]},
        "algorithms": ["RS256"],
        "issuer": "https://acme.example",
        "client_id": "portico",
        "nonce": "n-1",
        "access_token": "an-access-token",
        "now": NOW,
    }
    return read_id_token(token, **{**arguments, **changes})


def sign(claims: dict[str, Any], **header: Any) -> str:
    """A token of these claims by the right key."""
    return jwt.encode({"alg": "RS256", "kid": KEY.kid, **header}, claims, KEY)


def test_a_good_token_is_read() -> None:
    assert read(sign(GOOD)) == GOOD
    assert read(sign({**GOOD, "aud": ["portico"], "azp": "portico"}))["sub"] == "ada-1"


@pytest.mark.parametrize("claim", ["iss", "sub", "aud", "exp", "iat", "nonce"])
@pytest.mark.parametrize("value", ODD, ids=repr)
def test_an_odd_value_of_a_needed_claim_is_refused(claim: str, value: Any) -> None:
    if claim == "sub" and value in ("\x00",):
        return  # odd, but a text, and the provider's own business
    if claim == "exp" and value == 1e308:
        return  # a very long life is the provider's choice
    if claim == "iat" and value in (0, -1, False):
        return  # an old token that is still valid is in order
    with pytest.raises(TokenRefusedError):
        read(sign({**GOOD, claim: value}))


@pytest.mark.parametrize("claim", ["azp", "at_hash", "amr", "auth_time", "nbf", "acr", "tid"])
@pytest.mark.parametrize("value", ODD, ids=repr)
def test_an_odd_value_of_another_claim_is_read_or_refused(claim: str, value: Any) -> None:
    try:
        assert read(sign({**GOOD, claim: value}))["sub"] == "ada-1"
    except TokenRefusedError as error:
        assert str(error)  # noqa: PT017 - either outcome is right, any other exception is not


@pytest.mark.parametrize("token", [None, 7, "", ".", "..", "...", "a.b.c", "é.é.é", "e30.e30.e30"])
def test_what_is_no_token_is_refused(token: object) -> None:
    with pytest.raises(TokenRefusedError):
        read(token)


@pytest.mark.parametrize("keys", [{}, {"keys": None}, {"keys": []}, {"keys": [7, None, {}]}])
def test_a_key_set_without_keys_is_refused(keys: dict[str, Any]) -> None:
    with pytest.raises(TokenRefusedError):
        read(sign(GOOD), keys=keys)


@pytest.mark.parametrize(
    "key",
    [
        {"kty": "oct", "k": "c2VjcmV0"},
        {"kty": "RSA"},
        {"kty": "RSA", "n": "x", "e": "AQAB"},
        {"kty": "RSA", "n": 7, "e": []},
        {"kty": "EC", "crv": "P-256", "x": "", "y": ""},
        {**KEY.as_dict(private=False), "use": "enc"},
    ],
)
def test_a_key_that_is_not_for_signatures_is_refused(key: dict[str, Any]) -> None:
    with pytest.raises(TokenRefusedError):
        read(sign(GOOD), keys={"keys": [key]})


def test_a_signature_by_an_unknown_key_asks_for_the_keys_again() -> None:
    other = RSAKey.generate_key(2048, auto_kid=True)
    with pytest.raises(UnknownKeyError):
        read(jwt.encode({"alg": "RS256", "kid": other.kid}, GOOD, other))


def test_an_algorithm_that_was_not_announced_is_refused() -> None:
    with pytest.raises(TokenRefusedError):
        read(sign(GOOD), algorithms=["ES256"])
    with pytest.raises(TokenRefusedError):
        read(sign(GOOD), algorithms=[])


def test_a_minute_of_difference_between_clocks_is_forgiven_and_two_are_not() -> None:
    assert read(sign({**GOOD, "iat": AT - 700, "exp": AT - 59}))["sub"] == "ada-1"
    assert read(sign({**GOOD, "iat": AT + 59}))["sub"] == "ada-1"
    for claims in ({"iat": AT - 700, "exp": AT - 120}, {"iat": AT + 120}):
        with pytest.raises(TokenRefusedError):
            read(sign({**GOOD, **claims}))
