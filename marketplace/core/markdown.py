"""Markdown written by partners and customers: rendered, then sanitised as hostile HTML."""

import re
from functools import lru_cache
from html import unescape
from html.parser import HTMLParser

import nh3
from markdown_it import MarkdownIt
from markupsafe import Markup

_TAGS = {
    *("p", "br", "hr", "h2", "h3", "h4", "h5", "h6", "ul", "ol", "li", "blockquote"),
    *("strong", "em", "s", "del", "code", "pre", "a", "table", "thead", "tbody", "tr", "th", "td"),
}
_ATTRIBUTES = {"a": {"href", "title"}, "ol": {"start"}}
_SCHEMES = {"http", "https", "mailto"}
# Deeply nested input costs quadratic time in any parser.
_MAX_NESTING = 20

_parser = MarkdownIt("commonmark", {"html": False, "linkify": False, "maxNesting": _MAX_NESTING})
_parser.enable(["table", "strikethrough"])
_parser.disable(["image"])


class _LinkReader(HTMLParser):
    """Collects where links lead; attributes come in any order and may hold any character."""

    def __init__(self) -> None:
        super().__init__()
        self.addresses: set[str] = set()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag == "a":
            self.addresses.update(value for name, value in attrs if name == "href" and value)


@lru_cache(maxsize=512)
def render_markdown(source: str) -> Markup:
    """Safe HTML of `source`: no images, no raw HTML, links only to http, https and mailto.

    Headings begin at h3, since a page has its own h1 and its sections have h2.
    """
    html = _parser.render(source)
    html = re.sub(r"<(/?)h([1-6])>", lambda m: f"<{m[1]}h{min(int(m[2]) + 2, 6)}>", html)
    clean = nh3.clean(
        html,
        tags=_TAGS,
        attributes=_ATTRIBUTES,
        url_schemes=_SCHEMES,
        link_rel="nofollow ugc noopener noreferrer",
    )
    return Markup(clean)  # noqa: S704 - nh3 made it safe


def link_addresses(source: str) -> tuple[str, ...]:
    """Where the links of `source` lead once rendered, sorted, as the browser reads them."""
    reader = _LinkReader()
    reader.feed(render_markdown(source))
    reader.close()
    return tuple(sorted(reader.addresses))


def plain_text(source: str, limit: int | None = None) -> str:
    """The words of `source` without markup, in one line; cut at a word to `limit` characters."""
    words = " ".join(nh3.clean(_parser.render(source), tags=set()).split())
    text = unescape(words)
    if limit is None or len(text) <= limit:
        return text
    return text[: limit - 1].rsplit(" ", 1)[0].rstrip(",;:. ") + "…"
