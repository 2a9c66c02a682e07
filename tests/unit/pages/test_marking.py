"""Marks around what was found are the only markup in a listing's words."""

import pytest

from marketplace.catalogue.discovery.marking import mark


@pytest.mark.parametrize(
    ("text", "spans", "html"),
    [
        ("Slack", [(0, 5)], "<mark>Slack</mark>"),
        ("Use Slack now", [(4, 9)], "Use <mark>Slack</mark> now"),
        ("a b", [(0, 1), (2, 3)], "<mark>a</mark> <mark>b</mark>"),
        ("<b>x</b>", [(0, 3)], "<mark>&lt;b&gt;</mark>x&lt;/b&gt;"),
        ("plain & simple", [], "plain &amp; simple"),
    ],
)
def test_spans_are_marked_and_all_else_is_escaped(
    text: str, spans: list[tuple[int, int]], html: str
) -> None:
    assert str(mark(text, spans)) == html
