"""Partners begin their headings at any level; the outline of a page has no gap."""

import pytest

from marketplace.catalogue.pages.listing_page import prose


@pytest.mark.parametrize(
    ("source", "html"),
    [
        ("# One\n\n## Two", "<h3>One</h3>\n<h4>Two</h4>"),
        ("## One\n\n### Two", "<h3>One</h3>\n<h4>Two</h4>"),
        ("#### One", "<h3>One</h3>"),
        ("plain", "<p>plain</p>"),
        ("", ""),
    ],
)
def test_headings_begin_at_the_third_level(source: str, html: str) -> None:
    assert prose(source).strip() == html


def test_it_stays_sanitised() -> None:
    assert "<script" not in prose("## x\n\n<script>alert(1)</script>")
