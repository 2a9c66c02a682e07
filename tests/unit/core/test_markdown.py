"""Markdown of partners and customers: rendered, and nothing hostile comes through."""

import re
import time

import pytest

from marketplace.core.markdown import plain_text, render_markdown


@pytest.mark.parametrize(
    ("source", "html"),
    [
        ("**bold** and `code`", "<p><strong>bold</strong> and <code>code</code></p>"),
        ("# Title", "<h3>Title</h3>"),
        ("- one\n- two", "<ul>\n<li>one</li>\n<li>two</li>\n</ul>"),
        ("1 < 2", "<p>1 &lt; 2</p>"),
    ],
)
def test_common_markup_is_rendered(source: str, html: str) -> None:
    assert render_markdown(source).strip() == html


def test_links_are_marked_as_written_by_others() -> None:
    html = render_markdown("[docs](https://docs.example/a?b=1&c=2)")
    assert 'rel="nofollow ugc noopener noreferrer"' in html


@pytest.mark.parametrize(
    "source",
    [
        "<script>alert(1)</script>",
        "<img src=x onerror=alert(1)>",
        "![x](https://tracker.example/pixel.png)",
        "[x](javascript:alert(1))",
        "[x](JaVaScRiPt:alert(1))",
        "[x](data:text/html,<script>alert(1)</script>)",
        "[x](vbscript:msgbox)",
        "<javascript:alert(1)>",
        '<a href="https://ok.example" onclick="alert(1)">x</a>',
        "<style>body{display:none}</style>",
        "<iframe src=https://evil.example></iframe>",
        "<svg><animate onbegin=alert(1)></svg>",
        '[x](https://ok.example "onmouseover=alert(1)")<base href=//evil.example>',
        "[a]: javascript:alert(1)\n\n[a]",
    ],
)
def test_hostile_markup_becomes_harmless(source: str) -> None:
    html = render_markdown(source)
    elements = re.findall(r"<[^>]*>", html)
    assert not [
        tag for tag in elements if re.search(r"<(script|img|iframe|svg|style|base|animate)", tag)
    ]
    assert not [
        tag
        for tag in elements
        if re.search(r"\son\w+=|href=.(javascript|data|vbscript)", tag, re.I)
    ]


@pytest.mark.parametrize(
    "source", [">" * 10_000, "[" * 10_000, "*a" * 10_000, "- " * 5_000, "`" * 20_000]
)
def test_pathological_input_is_rendered_in_good_time(source: str) -> None:
    began = time.perf_counter()
    render_markdown(source)
    assert time.perf_counter() - began < 3


def test_plain_text_drops_markup_and_cuts_at_a_word() -> None:
    assert (
        plain_text("## Sync\n\n**Contacts** & [deals](https://x.example)")
        == "Sync Contacts & deals"
    )
    assert plain_text("one two three four", 12) == "one two…"
