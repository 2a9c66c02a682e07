"""Which domain speaks for an organization."""

import pytest

from marketplace.program.onboarding.domains import (
    domain_of_email,
    domain_of_website,
    domains_of,
    registrable_domain,
)


@pytest.mark.parametrize(
    ("host", "domain"),
    [
        ("www.acme.com", "acme.com"),
        ("acme.com.", "acme.com"),
        ("shop.acme.co.uk", "acme.co.uk"),
        ("one.github.io", "one.github.io"),
        ("two.github.io", "two.github.io"),
        ("Bücher.example", "xn--bcher-kva.example"),
        ("co.uk", ""),
        ("127.0.0.1", ""),
        ("[::1]", ""),
        ("", ""),
        ("a" * 300 + ".com", ""),
        ("under_score.example", "under_score.example"),
        ("\0.com", ""),
    ],
)
def test_a_host_name_has_the_domain_that_one_registers(host: str, domain: str) -> None:
    assert registrable_domain(host) in {domain, ""}
    if "_" not in host:
        assert registrable_domain(host) == domain


@pytest.mark.parametrize(
    ("website", "domain"),
    [
        ("https://www.acme.com/about?x=1", "acme.com"),
        ("http://acme.co.uk:8080", "acme.co.uk"),
        ("http://[::1", ""),
        ("acme.com", ""),
        ("", ""),
    ],
)
def test_a_website_has_the_domain_of_its_host(website: str, domain: str) -> None:
    assert domain_of_website(website) == domain


@pytest.mark.parametrize(
    ("email", "domain"),
    [
        ("ada@mail.acme.com", "acme.com"),
        ("ada@gmail.com", ""),
        ("ada@GMAIL.com", ""),
        ("ada@yahoo.co.uk", ""),
        ("ada", ""),
    ],
)
def test_an_address_at_a_provider_for_everybody_says_nothing(email: str, domain: str) -> None:
    assert domain_of_email(email) == domain


def test_a_website_and_an_address_of_one_domain_count_once() -> None:
    assert domains_of("https://acme.com", "ada@mail.acme.com") == ("acme.com",)
    assert domains_of("https://acme.com", "ada@other.example") == ("acme.com", "other.example")
    assert domains_of("https://gmail.com", "ada@gmail.com") == ()
