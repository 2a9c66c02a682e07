"""The pages of the program as a browser sees them: accessible, within the screen, steady."""

import pytest
from playwright.sync_api import Page

from tests.browser.looking import problems_at, problems_of, watch
from tests.browser.people import sign_in

pytestmark = [pytest.mark.browser, pytest.mark.timeout(480)]

PUBLIC = (
    "/program",
    "/join",
    "/join/technology",
    "/join/reseller",
    "/join/affiliate",
    "/ideas",
    "/credentials/verify",
    "/embed/listings/dedupe-desk",
    "/embed/partners/tidewater-labs",
)
PAGES = {
    "Sanna Virtanen": ("/ideas/new", "/account/credentials"),
    "Maya Lindgren": (
        "/partner/start",
        "/partner/tasks",
        "/partner/scorecard",
        "/partner/scorecard/progress",
        "/partner/scorecard/metrics/net_revenue",
        "/partner/dashboard",
        "/partner/analytics",
        "/partner/ranking",
        "/partner/reciprocity",
        "/partner/reports",
        "/partner/benefits",
        "/partner/credit",
        "/partner/contacts",
        "/partner/contacts/manager",
        "/partner/invites",
        "/partner/applications",
        "/partner/business-plans",
        "/partner/rounds",
        "/partner/verification",
        "/partner/certifications",
        "/partner/managed-services",
        "/partner/managed-services/new",
        "/partner/authorizations",
        "/partner/authorizations/company",
        "/partner/courses",
        "/partner/courses/trainers",
        "/partner/courses/sessions/new",
        "/partner/credentials",
        "/partner/embeds",
        "/partner/passport",
        "/partner/leads",
        "/partner/leads/offers",
        "/partner/leads/register",
        "/partner/leads/import",
        "/partner/deals",
        "/partner/deals/register",
        "/partner/deals/import",
        "/partner/deals/credits",
        "/partner/account-checks",
        "/partner/account-checks/new",
        "/partner/ideas",
        "/partner/campaigns",
        "/partner/campaigns/new",
    ),
    "Naledi Mokoena": ("/partner", "/partner/clients"),
    "Dana Whitfield": ("/partner", "/partner/territories"),
    "Ines Moreau": (
        "/staff/verifications",
        "/staff/certifications",
        "/staff/certifications/evidence",
        "/staff/certifications/authorizations",
    ),
    "Daniel Osei": (
        "/staff",
        "/staff/program",
        "/staff/program/partners",
        "/staff/program/quiet",
        "/staff/program/moves",
        "/staff/policy",
        "/staff/policy/upload",
        "/staff/standings",
        "/staff/standings/tidewater-labs",
        "/staff/standings/tidewater-labs/progress",
        "/staff/replays",
        "/staff/applications",
        "/staff/business-plans",
        "/staff/rounds",
        "/staff/rounds/evidence",
        "/staff/rounds/new",
        "/staff/tasks",
        "/staff/benefits",
        "/staff/hosts",
        "/staff/vouchers",
        "/staff/vouchers/new",
        "/staff/contacts",
        "/staff/contacts/absences",
        "/staff/contacts/regions",
        "/staff/contacts/requests",
        "/staff/certifications/programs",
        "/staff/certifications/programs/new",
        "/staff/courses",
        "/staff/courses/new",
        "/staff/courses/goals",
        "/staff/credentials",
        "/staff/credentials/new",
        "/staff/credentials/keys",
        "/staff/passports",
        "/staff/passports/issuers",
        "/staff/leads",
        "/staff/leads/rules",
        "/staff/leads/rules/new",
        "/staff/deals",
        "/staff/deals?view=board",
        "/staff/deals/credits",
        "/staff/ideas",
        "/staff/ideas/new",
        "/staff/campaigns",
        "/staff/territories",
        "/staff/territories/new",
        "/staff/territories/invoices",
        "/staff/analytics",
        "/staff/reports",
        "/staff/governance",
        "/staff/governance/calendar",
        "/staff/governance/facts",
    ),
}
# Pages whose addresses hold random ids: where to begin; the first link of the list leads there.
FIRST_OF_LIST = {
    "Maya Lindgren": (
        "/partner/dashboard",
        "/partner/applications",
        "/partner/rounds",
        "/partner/certifications",
        "/partner/courses",
        "/partner/leads/offers",
        "/partner/deals",
        "/partner/ideas",
        "/partner/reports",
    ),
    "Naledi Mokoena": ("/partner/clients",),
    "Ines Moreau": ("/staff/verifications", "/staff/certifications"),
    "Daniel Osei": (
        "/staff/policy",
        "/staff/replays",
        "/staff/applications",
        "/staff/rounds",
        "/staff/certifications/programs",
        "/staff/courses",
        "/staff/leads",
        "/staff/leads/rules",
        "/staff/deals",
        "/staff/ideas",
        "/staff/campaigns",
        "/staff/territories",
        "/staff/reports",
    ),
}


def test_public_pages_of_the_program_are_accessible_and_steady(page: Page) -> None:
    assert problems_at(page, PUBLIC) == []


@pytest.mark.parametrize("name", PAGES)
def test_pages_of_the_program_are_accessible_and_steady(page: Page, name: str) -> None:
    sign_in(page, name)

    assert problems_at(page, PAGES[name]) == []


@pytest.mark.parametrize("name", FIRST_OF_LIST)
def test_what_a_list_of_the_program_leads_to_is_accessible_and_steady(
    page: Page, name: str
) -> None:
    sign_in(page, name)
    watch(page)
    found: list[str] = []
    for start in FIRST_OF_LIST[name]:
        page.goto(start)
        # Lists are tables, cards or boards; whatever leads below the list's own address is its.
        page.locator(f"main a[href^='{start}/']:not([href$='.csv'])").last.click()
        page.wait_for_load_state("load")
        found += problems_of(page, f"the last of {start}")

    assert found == []
