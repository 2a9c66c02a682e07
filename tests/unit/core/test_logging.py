"""No secret reaches a log."""

import pytest

from marketplace.core.logging import has_secret, redact_address, redact_text


@pytest.mark.parametrize(
    ("text", "clean"),
    [
        (
            "GET /auth/acme/callback?code=s3cr3t&state=abc",
            "GET /auth/acme/callback?code=***&state=***",
        ),
        ("Authorization: Bearer eyJhbGciOi.abc-_", "Authorization: Bearer ***"),
        ("redis://:pass-word@127.0.0.1/0", "redis://:***@127.0.0.1/0"),
        ("postgresql://ada:pw@db/portico", "postgresql://ada:***@db/portico"),
        ("client_secret=hush&x=1", "client_secret=***&x=1"),
        ("token pat_0123456789abcdef-_ZZ was sent", "token pat_*** was sent"),
        ("the secret pcs_0123456789abcdef", "the secret pcs_***"),
        (
            "urn:ietf:params:oauth:request_uri:0123456789abcdef",
            "urn:ietf:params:oauth:request_uri:***",
        ),
        ("pat_ends", "pat_ends"),
        ("key_pat_0123456789abcdef", "key_pat_***"),
        ("nothing to hide", "nothing to hide"),
    ],
)
def test_secrets_in_texts_are_masked(text: str, clean: str) -> None:
    assert redact_text(text) == clean


def test_an_address_is_masked_however_it_is_encoded() -> None:
    secret = "pko_" + "x9" * 10
    encoded = "".join(f"%{ord(letter):02x}" for letter in secret)
    for text in (secret, f"word{secret}", encoded, encoded.replace("%", "%25")):
        assert has_secret(f"/a/{text}")
        assert redact_address(f"/a/{text}").endswith("pko_***")
    for text in ("/a/pko_short", "/a/%zz%", "/a/b%20c?d=%E2%82%AC"):
        assert not has_secret(text)
        assert redact_address(text) == text
