"""What is believed of a provider's claims."""

import pytest

from marketplace.identity.profiles import clean_email, clean_name, is_verified, profile_of_claims


@pytest.mark.parametrize(
    ("given", "kept"),
    [
        ("Ada@Example.COM", "ada@example.com"),
        ("  ada@example.com ", "ada@example.com"),
        ("ada+tag@sub.example.org", "ada+tag@sub.example.org"),
        ("ada@harbor.example", "ada@harbor.example"),
        ("ada@", None),
        ("ada", None),
        ("", None),
        (None, None),
        (["ada@example.com"], None),
        ("a@b\r\nBcc: c@d.example", None),
        ("ada@example.com, ben@example.com", None),
        ("x" * 65 + "@example.com", None),
        ("ada@bücher.example", "ada@xn--bcher-kva.example"),
        ("аda@example.com", None),  # the first letter is Cyrillic
    ],
)
def test_an_address_is_kept_in_one_form_or_not_at_all(given: object, kept: str | None) -> None:
    assert clean_email(given) == kept


@pytest.mark.parametrize(
    ("given", "name"),
    [
        (("Ada Okafor",), "Ada Okafor"),
        (("  Ada \n Okafor\t",), "Ada Okafor"),
        ((None, "", "ada"), "ada"),
        (({"first": "Ada"}, "ada"), "ada"),
        (("\x00\u202e",), "New member"),
        (("x" * 500,), "x" * 120),
        ((), "New member"),
    ],
)
def test_a_name_is_one_line_that_can_be_read(given: tuple[object, ...], name: str) -> None:
    assert clean_name(*given) == name


@pytest.mark.parametrize(
    ("claim", "verified"),
    [(True, True), ("true", True), (False, False), ("false", False), (1, False), (None, False)],
)
def test_only_a_clear_yes_is_a_verified_address(claim: object, verified: bool) -> None:
    assert is_verified(claim) is verified


def test_a_verified_flag_without_an_address_proves_nothing() -> None:
    claims = {"sub": "1", "email": "not an address", "email_verified": True}
    profile = profile_of_claims("acme", "https://a.example", claims, trust_email_claim=True)
    assert (profile.email, profile.email_verified) == (None, False)
