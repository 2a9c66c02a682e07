"""Which redirect URIs and pages may be registered, as a table."""

import pytest

from marketplace.installs.developer.addresses import (
    page_url_problem,
    redirect_uri_problem,
    redirect_uri_problems,
)
from marketplace.installs.models import Environment

LIVE, TEST = Environment.LIVE, Environment.TEST
GOOD = "https://app.tides.example/oauth/callback"


@pytest.mark.parametrize(
    ("uri", "live", "test"),
    [
        (GOOD, True, True),
        ("https://app.tides.example", True, True),
        ("https://app.tides.example:8443/cb", True, True),
        ("https://app.tides.example/cb?tenant=1", True, True),
        ("https://xn--bcher-kva.example/cb", True, True),
        # Only loopback, only in test.
        ("http://127.0.0.1:8765/callback", False, True),
        ("http://localhost:3000/cb", False, True),
        ("http://[::1]:3000/cb", False, True),
        ("https://localhost/cb", False, True),
        ("https://127.0.0.1/cb", False, True),
        ("http://app.tides.example/cb", False, False),
        ("http://127.0.0.1.tides.example/cb", False, False),
        ("http://localhost.tides.example/cb", False, False),
        ("http://127.0.0.2/cb", False, False),
        ("http://2130706433/cb", False, False),
        ("http://0x7f.1/cb", False, False),
        # Other schemes.
        ("ftp://app.tides.example/cb", False, False),
        ("tides:/callback", False, False),
        ("javascript:alert(1)", False, False),
        ("HTTPS://app.tides.example/cb", False, False),
        ("//app.tides.example/cb", False, False),
        ("/oauth/callback", False, False),
        ("", False, False),
        # What could be read in two ways.
        (GOOD + "#", False, False),
        (GOOD + "#part", False, False),
        ("https://user@app.tides.example/cb", False, False),
        ("https://user:pass@app.tides.example/cb", False, False),
        ("https://app.tides.example@evil.example/cb", False, False),
        ("https://*.tides.example/cb", False, False),
        ("https://app.tides.example/*", False, False),
        ("https://app.tides.example\\@evil.example/cb", False, False),
        ("https://app.tides.example/a/../cb", False, False),
        ("https://app.tides.example/a/%2e%2e/cb", False, False),
        ("https://app.tides.example/./cb", False, False),
        (" https://app.tides.example/cb", False, False),
        ("https://app.tides.example/c b", False, False),
        ("https://app.tides.example/c\tb", False, False),
        ("https://app.tides.example/\n", False, False),
        ("https://app.tides.example/\x00", False, False),
        ("https://app.tídes.example/cb", False, False),
        # No name of a server.
        ("https://", False, False),
        ("https:///cb", False, False),
        ("https://tides/cb", False, False),
        ("https://app.tides.example./cb", False, False),
        ("https://-app.tides.example/cb", False, False),
        ("https://app..example/cb", False, False),
        ("https://10.0.0.1/cb", False, False),
        ("https://[2001:db8::1]/cb", False, False),
        ("https://[::1/cb", False, False),
        ("https://app.tides.example:/cb", False, False),
        ("https://app.tides.example:0/cb", False, False),
        ("https://app.tides.example:99999/cb", False, False),
        ("https://app.tides.example:port/cb", False, False),
        ("https://app.tides.example/" + "a" * 500, False, False),
    ],
)
def test_a_redirect_uri_is_exact_and_https_but_for_loopback_in_test(
    uri: str, live: bool, test: bool
) -> None:
    assert (redirect_uri_problem(uri, LIVE) is None) is live
    assert (redirect_uri_problem(uri, TEST) is None) is test


@pytest.mark.parametrize(
    ("url", "allowed"),
    [
        ("https://app.tides.example/install", True),
        ("https://app.tides.example/install?plan=free", True),
        ("https://app.tides.example/#/install", False),
        ("http://app.tides.example/install", False),
        ("http://127.0.0.1:9000/install", False),
        ("https://user@app.tides.example/install", False),
    ],
)
def test_a_page_that_customers_are_sent_to_takes_parameters(url: str, allowed: bool) -> None:
    assert (page_url_problem(url, LIVE) is None) is allowed


def test_each_address_of_a_list_is_judged_and_a_repeated_one_is_told() -> None:
    problems = redirect_uri_problems([GOOD, "http://x.example/", GOOD], LIVE)
    assert sorted(problems) == [1, 2]
    assert "already" in problems[2]


def test_addresses_that_are_registered_already_stay_possible() -> None:
    known = "http://127.0.0.1:9000/oauth/callback"
    assert redirect_uri_problems([known, GOOD], LIVE, {known}) == {}
    assert sorted(redirect_uri_problems([known, known], LIVE, {known})) == [1]
