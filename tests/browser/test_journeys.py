"""What people do, from the first click to the last, in a real browser on the real demo."""

import re
from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect

from tests.browser.people import sign_in

pytestmark = [pytest.mark.browser, pytest.mark.timeout(480)]

NEW_NAME = "Dedupe Desk Lighthouse"


def names_of_results(page: Page) -> list[str]:
    return [text.strip() for text in page.locator("#results .card-grid h3").all_inner_texts()]


def test_searching_as_one_types_and_choosing_a_facet(page: Page) -> None:
    page.goto("/search")
    page.get_by_label("Search the marketplace").press_sequentially("hubspto", delay=30)
    expect(page.locator("#results-title")).to_contain_text("for “hubspto”")
    expect(page.locator("#results .card-grid h3").first).to_have_text(re.compile("HubSpot"))
    expect(page).to_have_url(re.compile(r"q=hubspto"))
    before = len(names_of_results(page))
    page.locator("#facet-kind").get_by_role("link", name=re.compile("^Integration")).click()
    expect(page).to_have_url(re.compile(r"kind=integration"))
    assert 0 < len(names_of_results(page)) <= before
    # The other kinds keep their counts: choosing one does not hide what else there is.
    expect(page.locator("#facet-kind").get_by_role("link")).not_to_have_count(1)
    page.go_back()
    expect(page).not_to_have_url(re.compile(r"kind=integration"))
    expect(page.locator("#results-title")).to_contain_text("for “hubspto”")


def test_searching_with_the_keyboard_only(page: Page) -> None:
    page.goto("/categories")
    page.keyboard.press("/")
    page.keyboard.type("slack", delay=40)
    expect(page.get_by_role("option").first).to_be_visible()
    page.keyboard.press("ArrowDown")
    expect(page.locator("[role=option][aria-selected=true]")).to_have_count(1)
    page.keyboard.press("Enter")
    expect(page).to_have_url(re.compile(r"/listings/slack"))
    expect(page.get_by_role("heading", level=1)).to_have_text(re.compile("^Slack"))
    # The heading is there before the scripts that listen to the keyboard have run.
    page.wait_for_load_state("load")
    page.keyboard.press("/")
    page.keyboard.type("calendar", delay=40)
    expect(page.get_by_role("option").first).to_be_visible()
    page.keyboard.press("Escape")
    expect(page.get_by_role("option")).to_have_count(0)
    page.keyboard.press("Enter")
    expect(page).to_have_url(re.compile(r"/search\?q=calendar"))


def test_searching_without_javascript(new_page: Callable[..., Page]) -> None:
    page = new_page(javascript=False)
    page.goto("/")
    page.get_by_role("searchbox").first.fill("invoices")
    page.get_by_role("button", name="Search").first.click()
    expect(page.locator("#results .card-grid h3").first).to_be_visible()
    page.locator("#facet-pricing").get_by_role("link").first.click()
    expect(page).to_have_url(re.compile(r"pricing="))
    expect(page.locator("#results .card-grid h3").first).to_be_visible()


def test_a_partner_edits_a_reviewer_approves_and_a_customer_finds_it(
    new_page: Callable[..., Page],
) -> None:
    partner, reviewer, customer = new_page(), new_page(), new_page()

    sign_in(partner, "Maya Lindgren")
    partner.goto("/partner/listings/dedupe-desk/edit/basics")
    partner.get_by_label("Name", exact=True).fill(NEW_NAME)
    partner.get_by_role("button", name="Save", exact=True).click()
    partner.goto("/partner/listings/dedupe-desk")
    partner.get_by_role("button", name="Submit for review").click()
    expect(partner.get_by_text(re.compile(r"Number \d+ in the queue"))).to_be_visible()

    # Nobody sees the new word before it is approved.
    customer.goto("/listings/dedupe-desk")
    expect(customer.get_by_role("heading", level=1)).not_to_contain_text("Lighthouse")

    sign_in(reviewer, "Ines Moreau")
    reviewer.goto("/staff/reviews")
    reviewer.get_by_role("link", name=re.compile(NEW_NAME)).first.click()
    difference = reviewer.get_by_role("region", name=re.compile("What changes")).or_(
        reviewer.locator("section", has_text="What changes")
    )
    expect(difference.first).to_contain_text("Lighthouse")
    take = reviewer.get_by_role("button", name="Take it")
    if take.count():
        take.click()
    for box in reviewer.locator("input[name=checklist]").all():
        box.check()
    reviewer.get_by_role("button", name="Approve and publish").click()
    expect(reviewer.get_by_text(f"{NEW_NAME} is approved and public.")).to_be_visible()

    # The worker tells the index after the commit; a person would search again, too.
    for _ in range(20):
        customer.goto("/search?q=lighthouse")
        if customer.get_by_text(NEW_NAME).count():
            break
        customer.wait_for_timeout(500)
    customer.locator("#results").get_by_role("link", name=re.compile(NEW_NAME)).first.click()
    expect(customer.get_by_role("heading", level=1)).to_contain_text(NEW_NAME)


def test_a_draft_saves_itself_and_a_second_editor_is_told(new_page: Callable[..., Page]) -> None:
    owner, editor = new_page(), new_page()
    sign_in(owner, "Maya Lindgren")
    sign_in(editor, "Theo Okafor")
    address = "/partner/listings/data-quality-charter/edit/basics"
    owner.goto(address)
    editor.goto(address)
    owner.get_by_label("Tagline").fill("Every field has an owner, and the owner is asked in time")
    expect(owner.get_by_text("Draft saved")).to_be_visible(timeout=10_000)
    editor.get_by_label("Tagline").fill("Every field belongs to somebody who answers for it")
    editor.get_by_role("button", name="Save", exact=True).click()
    expect(editor.get_by_role("heading", level=1)).to_have_text("Somebody else saved this too")
    both = editor.get_by_role("main")
    expect(both).to_contain_text("asked in time")
    expect(both).to_contain_text("answers for it")
    editor.get_by_label("Keep yours").check()
    editor.get_by_role("button", name="Save what I chose").click()
    editor.goto(address)
    expect(editor.get_by_label("Tagline")).to_have_value(re.compile("answers for it$"))


def test_a_customer_says_it_uses_a_listing_and_reviews_it(new_page: Callable[..., Page]) -> None:
    page = new_page(width=390)
    sign_in(page, "Sanna Virtanen")
    page.goto("/listings/sandbox-seeder")
    page.goto("/listings/sandbox-seeder/review")
    declare = page.get_by_role("button", name=re.compile("^We use"))
    if declare.count():
        declare.click()
    page.locator("label[for=rating-5]").click()
    expect(page.locator("#rating-5")).to_be_checked()
    page.get_by_label("Headline").fill("Saved us a week")
    page.get_by_label(re.compile("Your review|Review")).last.fill(
        "We filled a sandbox with believable customers in an afternoon."
    )
    page.get_by_role("button", name=re.compile("Publish review|Save changes")).click()
    expect(page.get_by_text("Saved us a week")).to_be_visible()
