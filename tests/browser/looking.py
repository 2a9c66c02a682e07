"""What is wrong with a page, looked at twice: wide and light, then narrow and dark.

A page is loaded once, wide, and then made narrow and dark as a reader would turn a tablet at dusk:
loading every page twice took as long as all that is looked at. What is the same on all pages of a
person (header, menu, footer) has its contrast measured on the first one alone.
"""

from collections.abc import Iterable, Iterator
from typing import Any
from weakref import WeakSet

from axe_playwright_python.base import AXE_SCRIPT
from playwright.sync_api import Page

WIDE, NARROW = 1280, 390
HEIGHT = 900
# Adds up how far things move while nobody touches anything (cumulative layout shift).
WATCH_SHIFTS = """
window.layoutShift = 0;
new PerformanceObserver((list) => {
  const unasked = list.getEntries().filter((entry) => !entry.hadRecentInput);
  window.layoutShift += unasked.reduce((sum, entry) => sum + entry.value, 0);
}).observe({ type: "layout-shift", buffered: true });
"""
SETTLED = """() => document.fonts.ready.then(() => new Promise((done) => {
  requestAnimationFrame(() => requestAnimationFrame(() => done(true)));
}))"""
OVERFLOWING = """() => {
  const width = document.documentElement.clientWidth;
  if (document.documentElement.scrollWidth <= width) return [];
  return [...document.querySelectorAll("body *")]
    .filter((element) => element.getBoundingClientRect().right > width + 1)
    .slice(0, 5)
    .map((element) => element.outerHTML.slice(0, 120));
}"""
RUN_AXE = "([context, options]) => axe.run(context, options).then((found) => found.violations)"
CONTRAST = "color-contrast"
SAME_EVERYWHERE = (".site-header", ".site-footer", ".side-column")
# The API's page repeats one shape over fifty times, and contrast is measured text by text: its
# first operations and shapes stand for the others.
REPEATED = {"/api/v1/docs": ["main h2 ~ .panel ~ .panel ~ .panel"]}

_seen: WeakSet[Page] = WeakSet()


def watch(page: Page) -> None:
    """Measure from the next load on how far things move."""
    page.add_init_script(WATCH_SHIFTS)


def problems_at(page: Page, paths: Iterable[str]) -> list[str]:
    """What is wrong with each of these pages."""
    watch(page)
    found: list[str] = []
    for path in paths:
        response = page.goto(path)
        assert response is not None
        assert response.status == 200, path
        found += problems_of(page, path)
    return found


def problems_of(page: Page, where: str) -> Iterator[str]:
    """What is wrong with the page that is shown, wide and light, then narrow and dark.

    The page is wide and light again afterwards, and was when it was loaded (watch() it before).
    """
    is_first = page not in _seen
    _seen.add(page)
    page.evaluate(SETTLED)
    shift = page.evaluate("window.layoutShift")
    if shift >= 0.1:
        yield f"{where}: moves by {shift:.2f} while it loads"
    # A card stands in somebody else's page, which has the heading.
    if page.locator("h1").count() != 1 and not where.startswith("/embed/"):
        yield f"{where}: {page.locator('h1').count()} first headings"
    page.evaluate(AXE_SCRIPT)
    yield from problems_in_view(page, f"{where} (wide, light)", is_first=is_first)
    page.emulate_media(color_scheme="dark", reduced_motion="reduce")
    page.set_viewport_size({"width": NARROW, "height": HEIGHT})
    page.evaluate(SETTLED)
    yield from problems_in_view(page, f"{where} (narrow, dark)", is_first=is_first)
    page.set_viewport_size({"width": WIDE, "height": HEIGHT})
    page.emulate_media(color_scheme="light", reduced_motion="reduce")


def problems_in_view(page: Page, where: str, *, is_first: bool = True) -> Iterator[str]:
    """What is wrong with the page as it is seen now. Load AXE_SCRIPT before."""
    for element in page.evaluate(OVERFLOWING):
        yield f"{where}: wider than the screen: {element}"
    repeated = REPEATED.get(where.partition(" ")[0], [])
    left_out = repeated if is_first else [*repeated, *SAME_EVERYWHERE]
    yield from _violations(page, where, repeated, {"rules": {CONTRAST: {"enabled": False}}})
    yield from _violations(page, where, left_out, {"runOnly": [CONTRAST]})


def _violations(
    page: Page, where: str, left_out: Iterable[str], options: dict[str, Any]
) -> Iterator[str]:
    context = {"include": [["html"]], "exclude": [[part] for part in left_out]}
    for found in page.evaluate(RUN_AXE, [context, {"resultTypes": ["violations"], **options}]):
        if found["impact"] in {"serious", "critical"}:
            nodes = "; ".join(node["html"][:120] for node in found["nodes"][:3])
            yield f"{where}: {found['id']} ({found['impact']}): {nodes}"
