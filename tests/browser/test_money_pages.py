"""The pages of the money as a browser sees them: accessible, within the screen, steady."""

import pytest
from playwright.sync_api import Page

from tests.browser.looking import problems_at, problems_of, watch
from tests.browser.people import sign_in

pytestmark = [pytest.mark.browser, pytest.mark.timeout(480)]

PAGES = {
    "Sanna Virtanen": (
        "/buy/field-steward",
        "/organizations/birchline/orders",
        "/organizations/birchline/subscriptions",
        "/organizations/birchline/billing",
        "/organizations/birchline/quotes",
    ),
    "Maya Lindgren": (
        "/partner/plans",
        "/partner/listings/field-steward/plans/new",
        "/partner/discounts",
        "/partner/discounts/new",
        "/partner/affiliate-programs",
        "/partner/affiliate-programs/new",
        "/partner/resale",
        "/partner/resale/agreements/new",
        "/partner/earnings",
        "/partner/earnings/lines",
        "/partner/earnings/statements",
        "/partner/earnings/payouts",
        "/partner/payout-account",
        "/partner/fees",
    ),
    "Priya Raman": ("/partner/affiliate", "/partner/affiliate/programs"),
    "Owen Hartley": ("/partner/resale/quotes",),
    "Greta Holm": (
        "/staff/finance",
        "/staff/finance/payouts",
        "/staff/finance/payouts/partners",
        "/staff/finance/refunds",
        "/staff/finance/disputes",
        "/staff/finance/questions",
        "/staff/finance/receivables",
        "/staff/finance/write-offs",
        "/staff/finance/conversions",
        "/staff/finance/holds",
        "/staff/finance/ledger",
        "/staff/finance/ledger/entries",
        "/staff/finance/ledger/transactions",
        "/staff/finance/reconciliation",
        "/staff/finance/reconciliation/bank",
        "/staff/finance/reconciliation/bank/rules",
        "/staff/finance/reconciliation/bank/setting-aside?direction=in",
        "/staff/finance/reconciliation/runs",
        "/staff/finance/months",
        "/staff/finance/fees",
        "/staff/finance/fees/new",
        "/staff/finance/discounts",
        "/staff/finance/taxes",
        "/staff/finance/affiliates",
        "/staff/finance/stripe",
        "/staff/finance/stripe/operations",
        "/staff/finance/stripe/set-up",
    ),
}
# Pages whose addresses hold random ids: where to begin; the first link of the list leads there.
FIRST_OF_LIST = {
    "Sanna Virtanen": ("/organizations/birchline/orders", "/organizations/birchline/quotes"),
    "Maya Lindgren": (
        "/partner/earnings/lines",
        "/partner/earnings/payouts",
        "/partner/discounts",
    ),
    "Greta Holm": (
        "/staff/finance/payouts",
        "/staff/finance/disputes",
        "/staff/finance/fees",
        "/staff/finance/months",
        "/staff/finance/ledger/transactions",
    ),
}


@pytest.mark.parametrize("name", PAGES)
def test_pages_of_the_money_are_accessible_and_steady(page: Page, name: str) -> None:
    sign_in(page, name)

    assert problems_at(page, PAGES[name]) == []


@pytest.mark.parametrize("name", FIRST_OF_LIST)
def test_what_a_list_of_the_money_leads_to_is_accessible_and_steady(page: Page, name: str) -> None:
    sign_in(page, name)
    watch(page)
    found: list[str] = []
    for start in FIRST_OF_LIST[name]:
        page.goto(start)
        page.locator("main table a").first.click()
        page.wait_for_load_state("load")
        found += problems_of(page, f"the first of {start}")

    assert found == []


def test_the_checkout_is_accessible_and_steady(page: Page) -> None:
    sign_in(page, "Sanna Virtanen")
    watch(page)
    page.goto("/buy/field-steward")
    page.get_by_role("link", name="Choose Year").click()
    page.wait_for_load_state("load")

    assert list(problems_of(page, "the checkout")) == []
