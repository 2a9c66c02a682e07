"""Where the forms of a page may lead."""

import pytest
from flask import Response

from marketplace.core.security_headers import form_source, let_forms_reach


@pytest.mark.parametrize(
    ("address", "source"),
    [
        ("https://app.tides.example/oauth/callback?x=1", "https://app.tides.example"),
        ("https://app.tides.example:8443/cb", "https://app.tides.example:8443"),
        ("http://127.0.0.1:8765/cb", "http://127.0.0.1:8765"),
        ("http://[::1]:8765/cb", "http:"),
        ("com.tides.app:/cb", "com.tides.app:"),
        ("https://evil.example;script-src *", "https:"),
        ("https://user@app.example/", "https:"),
        ("/just/a/path", ""),
        ("", ""),
        ("http://[broken", ""),
    ],
)
def test_an_address_becomes_a_source_that_cannot_break_the_policy(
    address: str, source: str
) -> None:
    assert form_source(address) == source


def test_only_form_action_of_the_page_changes() -> None:
    response = Response()
    let_forms_reach(response, "https://app.tides.example/cb", "", "https://app.tides.example/x")
    policy = response.headers["Content-Security-Policy"]
    assert "form-action 'self' https://app.tides.example;" in policy
    assert "script-src 'self';" in policy
    assert "frame-ancestors 'none'" in policy
