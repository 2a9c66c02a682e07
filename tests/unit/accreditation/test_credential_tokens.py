"""Tokens of strangers, status lists and badges, without a database."""

import base64
import gzip
import json

import pytest
from joserfc import jwt
from joserfc.jwk import OctKey, RSAKey

from marketplace.accreditation.credentials import images, status_list
from marketplace.accreditation.credentials.foreign import same_origin
from marketplace.accreditation.credentials.tokens import (
    MOST_CHARACTERS,
    BadSignatureError,
    UnreadableTokenError,
    read_token,
    thumbprint_of,
    verified_claims,
)

KEY = RSAKey.generate_key(2048)


def signed(claims: dict[str, object], key: RSAKey = KEY, **header: object) -> str:
    return jwt.encode({"alg": "RS256", **header}, claims, key)


def public(key: RSAKey = KEY) -> dict[str, object]:
    return dict(key.as_dict(private=False))


@pytest.mark.parametrize(
    "text",
    [
        "",
        "x",
        "a.b",
        "a.b.c.d",
        "a.b.c",
        "\x00.\x00.\x00",
        "eyJ.e30.x",
        "<svg",
        "<svg xmlns='http://www.w3.org/2000/svg'/>",
        "<!DOCTYPE x [<!ENTITY a 'b'>]><svg>&a;</svg>",
        "W10.e30.x",  # a header that is a list
        "x" * (MOST_CHARACTERS + 1),
    ],
)
def test_what_is_no_token_is_refused_with_a_sentence(text: str) -> None:
    with pytest.raises(UnreadableTokenError) as refusal:
        read_token(text)
    assert str(refusal.value).endswith(".")


def test_a_token_is_read_through_line_breaks_and_out_of_a_badge() -> None:
    token = signed({"iss": "https://one.example"})
    wrapped = f"  {token[:40]}\n{token[40:]}  "
    assert read_token(wrapped).text == token
    badge = images.medal("Title & more", "Harbor", token=token)
    assert read_token(badge).text == token
    assert "openbadges:credential" not in images.medal("Title", "Harbor")


def test_a_signature_fits_its_own_key_alone() -> None:
    token = read_token(signed({"a": 1}))
    assert verified_claims(token, public())["a"] == 1
    with pytest.raises(BadSignatureError):
        verified_claims(token, public(RSAKey.generate_key(2048)))
    head, body, tail = token.text.split(".")
    changed = base64.urlsafe_b64encode(json.dumps({"a": 2}).encode()).decode().rstrip("=")
    with pytest.raises(BadSignatureError):
        verified_claims(read_token(f"{head}.{changed}.{tail}"), public())
    assert body != changed


def test_no_algorithm_that_proves_nothing_is_taken() -> None:
    none = base64.urlsafe_b64encode(b'{"alg":"none"}').decode().rstrip("=") + ".e30.x"
    with pytest.raises(BadSignatureError):
        verified_claims(read_token(none), public())
    shared = OctKey.import_key("a-secret-that-is-known-to-everybody-here")
    token = read_token(jwt.encode({"alg": "HS256"}, {"a": 1}, shared))
    with pytest.raises(BadSignatureError):
        verified_claims(token, shared.as_dict(private=True))
    with pytest.raises(BadSignatureError):
        verified_claims(token, public())


def test_a_thumbprint_is_of_the_public_half_alone() -> None:
    assert thumbprint_of(KEY.as_dict(private=True)) == KEY.thumbprint()
    assert thumbprint_of({"kty": "oct", "k": "c2VjcmV0"}) == ""
    assert thumbprint_of({"kty": "RSA", "n": 5}) == ""
    assert thumbprint_of({}) == ""


def test_places_of_a_list_are_each_used_once() -> None:
    places = {status_list.place_of(number) for number in range(1, 5_001)}
    assert len(places) == 5_000
    assert {number for number, _place in places} == {1}
    assert status_list.place_of(status_list.LIST_BITS) == (
        1,
        ((status_list.LIST_BITS - 1) * 88_339) % status_list.LIST_BITS,
    )
    assert status_list.place_of(status_list.LIST_BITS + 1)[0] == 2
    assert status_list.ids_of_list(2) == (status_list.LIST_BITS + 1, 2 * status_list.LIST_BITS)


def test_a_list_says_of_each_place_what_was_written() -> None:
    encoded = status_list.encode([0, 7, 8, 131_071])
    assert encoded.startswith("u")
    for place, expected in ((0, True), (1, False), (7, True), (8, True), (131_071, True)):
        assert status_list.is_set(encoded, place) is expected


@pytest.mark.parametrize("text", ["", "u", "uAAAA", "not base64 at all", "u" + "é" * 5])
def test_what_is_no_list_is_refused(text: str) -> None:
    with pytest.raises(status_list.NotAListError):
        status_list.is_set(text, 0)


def test_a_list_that_unpacks_without_end_is_refused() -> None:
    bomb = "u" + base64.urlsafe_b64encode(gzip.compress(b"\0" * 50_000_000)).decode().rstrip("=")
    with pytest.raises(status_list.NotAListError):
        status_list.is_set(bomb, 0)
    with pytest.raises(status_list.NotAListError):
        status_list.is_set(status_list.encode([]), -1)
    with pytest.raises(status_list.NotAListError):
        status_list.is_set(status_list.encode([]), 131_072)


@pytest.mark.parametrize(
    ("first", "second", "expected"),
    [
        ("https://a.example/x", "https://a.example/y#z", True),
        ("https://a.example", "https://A.example/", True),
        ("https://a.example", "http://a.example", False),
        ("https://a.example", "https://a.example:8443", False),
        ("https://a.example", "https://a.example.evil.example", False),
        ("https://a.example", "https://a.example@evil.example", False),
        ("did:web:a.example", "did:web:a.example", False),
        ("", "", False),
        ("https://[", "https://[", False),
    ],
)
def test_keys_are_fetched_from_the_issuers_own_address(
    first: str, second: str, expected: bool
) -> None:
    assert same_origin(first, second) is expected


def test_a_badge_is_grey_when_it_does_not_hold_and_holds_no_markup_of_others() -> None:
    live = images.flat_badge("<b>Nice</b>", "verified", is_live=True)
    gone = images.flat_badge("Nice", "revoked", is_live=False)
    assert images.GOOD in live
    assert "<b>" not in live
    assert images.GREY in gone
    assert images.GOOD not in gone
    assert "revoked" in gone
    assert "style=" not in live
