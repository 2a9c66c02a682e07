"""Host names as they come in requests and as people type them."""

from collections.abc import Callable
from typing import Any

import pytest
from flask import Flask

from marketplace.core.branding import (
    Brand,
    in_the_words_of,
    written_in_html,
    written_in_json,
)
from marketplace.program.hosts.guard import refuse_unreadable_hosts
from marketplace.program.hosts.names import HostNameError, asked_host, shown_host, typed_host
from marketplace.program.hosts.views.handoff import ink_on


@pytest.mark.parametrize(
    ("header", "host"),
    [
        ("Example.COM", "example.com"),
        ("example.com:8443", "example.com"),
        ("example.com.", "example.com"),
        ("example.com.:80", "example.com"),
        ("localhost", "localhost"),
        ("127.0.0.1:5000", "127.0.0.1"),
        ("[::1]:5000", "[::1]"),
        ("[0:0:0:0:0:0:0:1]", "[::1]"),
        ("bücher.example", "xn--bcher-kva.example"),
        ("xn--bcher-kva.example", "xn--bcher-kva.example"),
        ("", None),
        (" ", None),
        ("a b.example", None),
        ("a@b.example", None),
        ("a.example, b.example", None),
        ("a.example/", None),
        ("a..example", None),
        (".example", None),
        ("-a.example", None),
        ("a_b.example", None),
        ("xn--", None),
        ("xn--zzzzzzzz99999999.example", None),
        ("a.example:port", None),
        ("a.example:1:2", None),
        ("[::1", None),
        ("[::1]x", None),
        ("[nothing]", None),
        ("a\x00.example", None),
        ("a.example\r\nX: y", None),
        ("a" * 64 + ".example", None),
        ("a." * 200 + "example", None),
        ("☃" * 3_000, None),
    ],
)
def test_a_header_names_a_host_or_none(header: str, host: str | None) -> None:
    assert asked_host(header) == host


@pytest.mark.parametrize(
    ("typed", "host"),
    [
        ("partners.example.com", "partners.example.com"),
        ("https://Partners.example.com/path", "partners.example.com"),
        (" partners.example.com. ", "partners.example.com"),
        ("büro.example", "xn--bro-hoa.example"),
    ],
)
def test_what_people_type_becomes_a_host(typed: str, host: str) -> None:
    assert typed_host(typed) == host


@pytest.mark.parametrize(
    "typed", ["", "com", "10.0.0.1", "[::1]", "a.example:80", "a.local", "a b", "a.onion"]
)
def test_what_cannot_be_mapped_is_told(typed: str) -> None:
    with pytest.raises(HostNameError):
        typed_host(typed)


def test_a_host_is_shown_as_it_is_read() -> None:
    assert shown_host("xn--bcher-kva.example") == "bücher.example (xn--bcher-kva.example)"
    assert shown_host("example.com") == "example.com"


@pytest.mark.parametrize("header", ["xn--", "a b", "-", "[::1"])
def test_a_header_that_nobody_can_read_reaches_nobody(header: str) -> None:
    def application(_environ: object, _start: object) -> list[bytes]:
        raise AssertionError

    answered: list[str] = []

    def start(status: str, *_rest: object) -> Any:
        answered.append(status)

    guarded = refuse_unreadable_hosts(application)
    guarded({"HTTP_HOST": header, "REQUEST_METHOD": "GET"}, start)
    assert answered == ["404 NOT FOUND"]


@pytest.mark.parametrize(
    ("text", "branded"),
    [
        ("Harbor is here.", "Kite is here."),
        ("Harborside and harbor stay.", "Harborside and harbor stay."),
        ("https://harbor.example/x", "https://kite.example/x"),
        ("See https://harbor.example.", "See https://kite.example."),
        ("https://harbor.example.evil/x", "https://harbor.example.evil/x"),
        ("https://harbor.example:8000/x", "https://harbor.example:8000/x"),
        ('"https://harbor.example"', '"https://kite.example"'),
    ],
)
def test_the_sites_name_and_address_become_the_brands(text: str, branded: str) -> None:
    app = Flask(__name__)
    app.config.update(SITE_NAME="Harbor", PUBLIC_URL="https://harbor.example")
    brand = Brand("kite.example", 1, "Kite", "https://kite.example")
    with app.app_context():
        assert in_the_words_of(brand, text) == branded


@pytest.mark.parametrize(
    ("written", "text", "branded"),
    [
        (written_in_html, "<p>Sea &amp; Sons</p>", "<p>K&#34;&lt;b&gt;</p>"),
        (written_in_json, '{"a": "Sea & Sons"}', '{"a": "K\\"<b>"}'),
        (str, "Sea & Sons", 'K"<b>'),
    ],
)
def test_a_brands_name_is_written_as_its_text_asks(
    written: Callable[[str], str], text: str, branded: str
) -> None:
    app = Flask(__name__)
    app.config.update(SITE_NAME="Sea & Sons", PUBLIC_URL="https://sea.example")
    brand = Brand("kite.example", 1, 'K"<b>', "https://kite.example")
    with app.app_context():
        assert in_the_words_of(brand, text, written) == branded


@pytest.mark.parametrize(
    ("color", "ink"), [("#ffffff", "#000000"), ("#000000", "#ffffff"), ("#0f766e", "#ffffff")]
)
def test_text_on_a_brands_colour_can_be_read(color: str, ink: str) -> None:
    assert ink_on(color) == ink
