"""Whatever a page links to is there: each person of the demo follows the links that they see."""

import re
from collections import Counter
from collections.abc import Callable
from html import unescape
from urllib.parse import urljoin, urlsplit

import pytest
from playwright.sync_api import APIRequestContext, Page

from marketplace.demo.people import demo_people
from tests.browser.people import sign_in

pytestmark = [pytest.mark.browser, pytest.mark.timeout(600)]
OpenPage = Callable[..., Page]

STARTS = ("/", "/account", "/partner", "/staff", "/program", "/ideas", "/seats")
# Of pages that differ by an id or a name alone, so many are opened.
MOST_ALIKE = 2
HREF = re.compile(r'<a\b[^>]*?\bhref="([^"]+)"')
# What changes a session or is no page of ours to open.
SKIPPED = re.compile(
    r"^/(?:auth|static|media|sitemaps|r)(?:/|$)"
    # Asks for a second factor, and leads to the provider of payments.
    r"|^/partner/payout-account/dashboard$"
)
NAMED = re.compile(r"^[a-z]{2,5}_[0-9A-Za-z]+$|\d")


def kind_of(path: str) -> str:
    """A path with what looks like an id left out, and the names below some lists."""
    parts = [part if not NAMED.search(part) else "*" for part in path.split("/")]
    for place, part in enumerate(parts[:-1]):
        if part in {"listings", "partners", "categories", "collections", "organizations", "buy",
                    "standings", "publishers", "reciprocity", "quiet", "lessons", "questions",
                    "metrics", "items", "parts", "dashboard"}:  # fmt: skip
            parts[place + 1] = parts[place + 1] and "*"
    return "/".join(parts)


def broken_links(browser: APIRequestContext, base: str) -> list[str]:
    """The links that lead nowhere, each with the page that shows it."""
    found: list[str] = []
    seen: set[str] = set()
    alike: Counter[str] = Counter()
    waiting = [(start, "the start") for start in STARTS]
    while waiting:
        path, shown_on = waiting.pop(0)
        answer = browser.get(path, max_redirects=5)
        if answer.status >= 400 and not (path in STARTS and answer.status in {401, 403, 404}):
            found.append(f"{answer.status} {path} (linked on {shown_on})")
        kind = answer.headers.get("content-type", "")
        if answer.status != 200 or not kind.startswith("text/html"):
            continue
        for link in HREF.findall(answer.text()):
            parts = urlsplit(urljoin(f"{base}{path}", unescape(link)))
            target = parts.path
            if f"{parts.scheme}://{parts.netloc}" != base or SKIPPED.match(target):
                continue
            if target in seen or alike[kind_of(target)] >= MOST_ALIKE:
                continue
            seen.add(target)
            alike[kind_of(target)] += 1
            waiting.append((target, path))
    return found


@pytest.mark.parametrize("name", [person.name for person in demo_people()])
def test_no_link_leads_nowhere(new_page: OpenPage, demo: object, name: str) -> None:
    page = new_page()
    sign_in(page, name)
    base = "{0.scheme}://{0.netloc}".format(urlsplit(page.url))

    assert broken_links(page.context.request, base) == []
