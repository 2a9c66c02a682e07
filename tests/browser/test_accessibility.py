"""Pages as a browser sees them: accessible, within the screen, steady while they load, light."""

from collections.abc import Callable

import pytest
from playwright.sync_api import Page, Response, expect

from tests.browser.conftest import Demo
from tests.browser.looking import OVERFLOWING, problems_at, problems_of, watch
from tests.browser.people import sign_in

pytestmark = [pytest.mark.browser, pytest.mark.timeout(480)]

OpenPage = Callable[..., Page]

PUBLIC = (
    "/",
    "/search",
    "/search?q=slack&certified=1",
    "/search?q=zzqqxx",
    "/categories",
    "/categories/crm-sales",
    "/collections",
    "/partners",
    "/partners/tidewater-labs",
    "/listings/dedupe-desk",
    "/listings/dedupe-desk/reviews",
    "/listings/dedupe-desk/report",
    "/compare?l=slack&l=dedupe-desk&l=zapier",
    "/requests",
    "/auth/login",
    "/api/v1/docs",
    "/api/v1/changelog",
    "/style-guide",
)
SIGNED_IN = {
    "Sanna Virtanen": (
        "/account",
        "/account/sign-ins",
        "/account/sessions",
        "/account/organizations",
        "/account/following",
        "/account/listings",
        "/account/reviews",
        "/organizations/birchline/members",
        "/organizations/birchline/profile",
        "/organizations/birchline/apps",
        "/organizations/birchline/apps/policy",
        "/organizations/birchline/apps/policy/rules/new?q=slack",
        "/organizations/birchline/apps/requests",
        "/listings/knowledge-gaps/install",
        "/listings/slack/review",
        "/requests/new",
    ),
    "Maya Lindgren": (
        "/partner",
        "/partner/listings",
        "/partner/listings/new",
        "/partner/listings/address-proof",
        "/partner/listings/address-proof/changes",
        "/partner/listings/dedupe-desk/edit/basics",
        "/partner/listings/dedupe-desk/edit/access",
        "/partner/listings/dedupe-desk/edit/media",
        "/partner/listings/dedupe-desk/versions",
        "/partner/listings/dedupe-desk/status",
        "/partner/listings/dedupe-desk/preview",
        "/partner/reviews",
        "/partner/cases",
        "/partner/developers",
        "/partner/apps",
        "/partner/apps/new",
        "/partner/webhooks",
        "/partner/webhooks/new",
        "/partner/webhooks/events",
        "/partner/keys",
        "/partner/keys/new",
        "/partner/api-calls",
        "/partner/sandbox",
        "/partner/erasures",
    ),
    "Ines Moreau": (
        "/staff",
        "/staff/reviews",
        "/staff/reviews/decided",
        "/staff/flags",
        "/staff/abuse",
        "/staff/listings",
    ),
    "Alex Rivera": (
        "/staff/publishers",
        "/staff/categories",
        "/staff/collections",
        "/staff/synonyms",
        "/staff/search",
        "/staff/scopes",
        "/staff/scopes/new",
        "/staff/erasures",
        "/staff/jobs",
    ),
}


def test_public_pages_are_accessible_and_steady(page: Page) -> None:
    assert problems_at(page, PUBLIC) == []


@pytest.mark.parametrize("name", SIGNED_IN)
def test_pages_of_signed_in_people_are_accessible_and_steady(page: Page, name: str) -> None:
    sign_in(page, name)

    assert problems_at(page, SIGNED_IN[name]) == []


# Pages whose addresses hold random ids: where to begin, and the links to follow from there.
LINKED = {
    "Sanna Virtanen": [
        ("/organizations/birchline/apps", ["Reply Drafts"]),
        ("/organizations/birchline/apps", ["Reply Drafts", "Uninstall"]),
        ("/organizations/birchline/apps", ["Reply Drafts", "Read and decide"]),
    ],
    "Maya Lindgren": [
        ("/partner/apps", ["Address Proof"]),
        ("/partner/apps", ["Address Proof", "Test"]),
        ("/partner/apps", ["Address Proof", "Live"]),
        ("/partner/apps", ["Address Proof", "Installations"]),
        ("/partner/webhooks", ["/webhooks"]),
    ],
}


@pytest.mark.parametrize("name", LINKED)
def test_pages_behind_random_addresses_are_accessible_and_steady(page: Page, name: str) -> None:
    sign_in(page, name)
    watch(page)
    found: list[str] = []
    for start, links in LINKED[name]:
        page.goto(start)
        for link in links:
            page.locator("main").get_by_role("link", name=link).first.click()
            page.wait_for_load_state("load")
        found += problems_of(page, f"{start} > {' > '.join(links)}")
    assert found == []


def test_a_review_is_accessible_and_steady(page: Page) -> None:
    sign_in(page, "Ines Moreau")
    watch(page)
    for name in ("Return Labels", "Reply Drafts"):
        page.goto("/staff/reviews")
        page.get_by_role("link", name=name).first.click()
        expect(page.get_by_role("heading", level=1)).to_contain_text(name)

        assert list(problems_of(page, name)) == []


def test_the_demo_s_sign_in_page_is_accessible(page: Page) -> None:
    watch(page)
    page.goto("/auth/login")
    page.get_by_text("Demo people").first.click()
    expect(page.get_by_role("button", name="Maya Lindgren")).to_be_visible()

    assert list(problems_of(page, "the provider's page")) == []


def test_a_missing_page_is_accessible(page: Page) -> None:
    watch(page)
    response = page.goto("/listings/nothing-of-that-name")

    assert response is not None
    assert response.status == 404
    assert list(problems_of(page, "a missing page")) == []


def test_the_header_is_one_row_and_a_search_row_on_a_narrow_screen(new_page: OpenPage) -> None:
    page = new_page(width=390)
    page.goto("/listings/dedupe-desk")
    name = page.locator(".site-header .site-logo span")
    name.evaluate("(element) => { element.textContent = 'An exceedingly long marketplace name'; }")

    tops = [
        page.locator(part).bounding_box()
        for part in (".site-header .site-logo", ".sign-in", ".site-nav-button", ".search-box")
    ]
    middles = [box["y"] + box["height"] / 2 for box in tops if box is not None]
    assert len(middles) == 4
    assert max(middles[:3]) - min(middles[:3]) < 2
    assert middles[3] > middles[0] + 20
    assert page.evaluate(OVERFLOWING) == []


def test_the_search_page_is_light_and_asks_nobody_else(new_page: OpenPage, demo: Demo) -> None:
    page = new_page()
    got: list[Response] = []
    page.on("response", lambda response: got.append(response))
    page.goto("/search?q=data")
    page.wait_for_load_state("networkidle")

    assert {response.url for response in got if not response.url.startswith(demo.url)} == set()
    kinds = {"document", "stylesheet", "script", "font"}
    sizes = {
        response.url.removeprefix(demo.url): len(response.body())
        for response in got
        if response.request.resource_type in kinds
    }
    assert len(sizes) > 5
    assert sum(sizes.values()) < 200_000, sizes
