"""The money in a real browser: from an affiliate's link to a refund, and a month to its close."""

import csv
import io
import os
import re
import subprocess
import sys
from collections import defaultdict
from collections.abc import Callable
from decimal import Decimal

import pytest
from playwright.sync_api import Page, expect

from marketplace.config import ROOT
from tests.browser.conftest import Demo
from tests.browser.people import sign_in

pytestmark = [pytest.mark.browser, pytest.mark.timeout(480)]
OpenPage = Callable[..., Page]


def stripe_url(demo: Demo) -> str:
    """Where the stand-in for Stripe runs: three ports above the demo."""
    host, _colon, port = demo.url.rpartition(":")
    return f"{host}:{int(port) + 3}"


def reload_until(page: Page, text: str) -> None:
    """Load the page again until it says so: workers and webhooks take a moment."""
    for _try in range(60):
        if page.locator("main").get_by_text(text).count():
            return
        page.wait_for_timeout(500)
        page.reload()
    raise AssertionError(f"{page.url} never said {text!r}")


def of_person(new_page: OpenPage, name: str, **options: object) -> Page:
    """A page on which that person of the demo is signed in."""
    page = new_page(**options)
    sign_in(page, name)
    return page


def newest_line(page: Page) -> None:
    """Open the newest line of a partner's earnings."""
    page.goto("/partner/earnings/lines")
    page.locator("main table a").first.click()


def test_a_customer_buys_through_an_affiliates_link_with_a_code_and_gets_half_back(
    new_page: OpenPage, demo: Demo
) -> None:
    customer = of_person(new_page, "Cody Marsh", person=True)
    customer.goto("/r/kitewell-fields?sub=browser")
    customer.get_by_role("link", name="Choose a plan").first.click()
    customer.get_by_role("link", name="Choose Clean-up").click()
    customer.get_by_label("Discount code").fill("KITEWELL10")
    customer.get_by_label("Discount code").press("Tab")
    expect(customer.locator("main")).to_contain_text("−€120.00")
    expect(customer.locator("main")).to_contain_text("No tax is due in your country.")
    expect(customer.locator("main")).to_contain_text("€1,080.00")
    customer.get_by_role("button", name="Go on to pay").click()

    customer.wait_for_url(re.compile(re.escape(stripe_url(demo))))
    expect(customer.locator("body")).to_contain_text("€1,080.00")
    customer.get_by_role("button", name=re.compile("^Pay")).click()
    customer.wait_for_url(re.compile(re.escape(demo.url)))
    reload_until(customer, "€1,080.00 paid for Field Steward, Clean-up.")
    customer.get_by_role("link", name="See the order").click()
    order_url = customer.url
    with customer.expect_download() as invoice:
        customer.get_by_role("link", name="Invoice", exact=True).click()
    assert invoice.value.path().read_bytes().startswith(b"%PDF")

    publisher = of_person(new_page, "Maya Lindgren", width=390, dark=True)
    newest_line(publisher)
    receipt = publisher.locator("main")
    for part in ("€1,200.00", "−€120.00", "20% of €1,080.00", "−€216.00", "€648.00", "Held"):
        expect(receipt).to_contain_text(part)
    affiliate = of_person(new_page, "Priya Raman")
    newest_line(affiliate)
    for part in ("€216.00", "Held"):
        expect(affiliate.locator("main")).to_contain_text(part)

    finance = of_person(new_page, "Greta Holm")
    finance.goto("/staff/finance")
    finance.get_by_placeholder("Order, invoice").fill(order_url.rpartition("/")[2])
    finance.get_by_role("button", name="Find").click()
    finance.locator("main table a").first.click()
    finance.locator("main").get_by_role("link", name="Refund", exact=True).click()
    finance.get_by_label("Amount").fill("540.00")
    finance.get_by_role("button", name="Show who pays what").click()
    for part in ("€324.00", "€108.00"):
        expect(finance.locator("main")).to_contain_text(part)
    finance.get_by_label("Reason").fill("Half of it was not needed")
    finance.get_by_role("button", name="Refund €540.00").click()
    expect(finance.locator("main")).to_contain_text("€540.00")

    customer.goto(order_url)
    reload_until(customer, "€540.00")
    publisher.reload()
    reload_until(publisher, "−€324.00")
    affiliate.reload()
    reload_until(affiliate, "−€108.00")


def test_the_books_of_the_demo_are_in_order(demo: Demo) -> None:
    environment = {
        **os.environ,
        "PORTICO_ENV": "demo",
        "DATA_DIR": str(demo.folder),
        "DATABASE_URL": f"sqlite:///{demo.folder}/portico.db",
    }
    command = [sys.executable, "-m", "flask", "--app", "wsgi", "billing", "verify"]
    done = subprocess.run(
        command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert "Nothing is broken." in done.stdout


def test_finance_pays_partners_explains_a_break_closes_the_month_and_exports_it(
    new_page: OpenPage, demo: Demo
) -> None:
    finance = of_person(new_page, "Greta Holm")
    finance.goto("/staff/finance/payouts")
    finance.get_by_role("button", name="Compute a run").click()
    reload_until(finance, "Waits for approval")
    run_url = finance.url
    expect(finance.get_by_role("button", name="Approve this run")).to_have_count(0)

    colleague = of_person(new_page, "Alex Rivera")
    colleague.goto(run_url)
    colleague.get_by_role("button", name="Approve this run").click()
    expect(colleague.locator("main")).to_contain_text("by Alex Rivera, digest")

    finance.goto(run_url)
    finance.get_by_role("button", name="Pay", exact=True).click()
    for _try in range(60):
        finance.goto(run_url)
        if finance.locator("main").get_by_text("Being paid").count() == 0:
            break
        finance.wait_for_timeout(500)
    transfers = finance.locator("main table").get_by_text(re.compile("^tr_"))
    assert transfers.count() >= 2

    bank = new_page()
    bank.goto(f"{stripe_url(demo)}/bank")
    with bank.expect_download() as statement:
        bank.get_by_role("link", name="Statement as camt.053").first.click()
    finance.goto("/staff/finance/reconciliation/bank")
    file = {"name": "statement.xml", "mimeType": "application/xml"}
    content = statement.value.path().read_bytes()
    finance.locator("input[type=file]").set_input_files({**file, "buffer": content})
    finance.get_by_role("button", name="Import").click()
    expect(finance.locator("main")).to_contain_text("statement.xml")

    finance.goto("/staff/finance/months")
    finance.get_by_role("row", name=re.compile("To be closed")).get_by_role("link").first.click()
    month_url = finance.url
    finance.get_by_role("link", name="Close the month").click()
    expect(finance.locator("h1")).to_contain_text("cannot be closed yet")
    finance.get_by_role("link", name="Breaks").first.click()
    finance.locator("main table").get_by_role("link", name="Not in the ledger").first.click()
    finance.get_by_label("Processing fees").check()
    finance.get_by_label("Reason").last.fill("Network adjustment, as Stripe announced")
    finance.get_by_role("button", name="Book €3.10").click()
    finance.goto("/staff/finance/reconciliation")
    finance.get_by_role("button", name="Reconcile now").click()
    finance.wait_for_timeout(1_500)

    finance.goto(month_url)
    finance.get_by_role("link", name="Close the month").click()
    finance.get_by_role("button", name=re.compile("Close")).last.click()
    finance.goto(month_url)
    expect(finance.locator("main")).to_contain_text("Closed")
    with finance.expect_download() as journal:
        finance.get_by_role("link", name="Journal, CSV").click()
    rows = list(csv.DictReader(io.StringIO(journal.value.path().read_text(encoding="utf-8-sig"))))
    assert len(rows) > 20
    sums: dict[str, Decimal] = defaultdict(Decimal)
    for row in rows:
        sums[row["currency"]] += Decimal(row["debit"] or "0") - Decimal(row["credit"] or "0")
    assert set(sums.values()) == {Decimal(0)}
