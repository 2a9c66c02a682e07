"""A whole installation in a real browser, with a partner's real app beside the marketplace."""

import re
import sqlite3
import time
from collections.abc import Callable
from contextlib import closing

import pytest
import requests
from playwright.sync_api import Page, expect

from tests.browser.conftest import Demo
from tests.browser.people import sign_in

pytestmark = [pytest.mark.browser, pytest.mark.timeout(480)]

APP = "Address Proof"


def app_url(demo: Demo) -> str:
    """Where the sample app runs: two ports above the demo."""
    host, _colon, port = demo.url.rpartition(":")
    return f"{host}:{int(port) + 2}"


def wait_for_webhook(page: Page, kind: str) -> None:
    """Load the sample app's page until it shows an event of that type."""
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        page.reload()
        if page.locator("summary strong", has_text=kind).count():
            return
        page.wait_for_timeout(500)
    raise AssertionError(f"no {kind} arrived")


def call_the_api(page: Page) -> str:
    """Press the sample app's button; the status that the API answered with."""
    page.get_by_role("button", name="Call the API").first.click()
    return page.locator("[data-status]").inner_text()


def token_of(demo: Demo, installation_id: str) -> str:
    """The access token that the sample app keeps for an installation."""
    with closing(sqlite3.connect(demo.folder / "sample_app" / "sample_app.db")) as store:
        row = store.execute(
            "SELECT access_token FROM installation WHERE id = ?", [installation_id]
        ).fetchone()
    return str(row[0])


def status_of_call(demo: Demo, token: str) -> int:
    """What the API answers to that token."""
    headers = {"Authorization": f"Bearer {token}"}
    answer = requests.get(f"{demo.url}/api/v1/installation", headers=headers, timeout=10)
    return answer.status_code


def test_a_customer_installs_uses_pauses_and_removes_an_app(
    new_page: Callable[..., Page], demo: Demo
) -> None:
    page = new_page()
    sign_in(page, "Sanna Virtanen")
    page.goto("/search?q=address+proof")
    page.get_by_role("link", name=APP).first.click()

    # Declining installs nothing.
    page.get_by_role("link", name="Install", exact=True).click()
    expect(page.get_by_role("heading", level=1)).to_have_text(
        f"Install {APP} for Birchline Software"
    )
    page.get_by_role("button", name="Cancel", exact=True).click()
    page.goto("/organizations/birchline/apps")
    expect(page.get_by_role("link", name=APP)).to_have_count(0)

    # Consent, and on to the app, which fetches its tokens and calls the API.
    page.goto("/listings/address-proof")
    page.get_by_role("link", name="Install", exact=True).click()
    expect(page.get_by_text("See your members")).to_be_visible()
    expect(page.get_by_text("To tell the right colleague")).to_be_visible()
    page.get_by_role("button", name="Install", exact=True).click()
    page.wait_for_url(re.compile(re.escape(app_url(demo))))
    expect(page.get_by_role("heading", name="Birchline Software")).to_be_visible()
    assert call_the_api(page) == "200"
    expect(page.locator("pre").first).to_contain_text("members.read")
    page.goto(app_url(demo))
    wait_for_webhook(page, "installation.installed")

    # Paused: refused until it is resumed.
    page.goto(f"{demo.url}/organizations/birchline/apps")
    page.get_by_role("link", name=APP).first.click()
    installation = page.url
    page.get_by_role("button", name="Pause").click()
    expect(page.get_by_text("Its access is refused until somebody resumes it")).to_be_visible()
    page.goto(app_url(demo))
    assert call_the_api(page) == "403"
    page.goto(installation)
    page.get_by_role("button", name="Resume").click()
    page.goto(app_url(demo))
    assert call_the_api(page) == "200"

    # Removed: the token ends at once, the app is told to erase, and confirms that it did.
    token = token_of(demo, installation.rpartition("/")[2])
    assert status_of_call(demo, token) == 200
    page.goto(installation)
    page.get_by_role("link", name="Uninstall").click()
    page.get_by_label("We do not need it any more").check()
    page.get_by_role("button", name="Uninstall").click()
    expect(page.get_by_text("must erase your data by")).to_be_visible()
    assert status_of_call(demo, token) == 401
    page.goto(app_url(demo))
    wait_for_webhook(page, "installation.uninstalled")
    wait_for_webhook(page, "data.erasure_requested")
    page.goto(installation)
    expect(page.get_by_text("confirmed", exact=False).first).to_be_visible()
    deadline = time.monotonic() + 30
    while not page.locator(".receipt").count() and time.monotonic() < deadline:
        page.wait_for_timeout(500)
        page.reload()
    expect(page.locator(".receipt")).to_be_visible()


def test_an_update_is_read_and_agreed_to_on_a_narrow_dark_screen(
    new_page: Callable[..., Page],
) -> None:
    page = new_page(width=390, dark=True)
    sign_in(page, "Sanna Virtanen")
    page.goto("/organizations/birchline/apps")
    page.get_by_role("link", name=re.compile("Dedupe Desk")).first.click()
    expect(page.get_by_role("heading", name="It asks for more access")).to_be_visible()
    page.get_by_role("link", name="Read and decide").click()
    expect(page.get_by_text("New: Change deals")).to_be_visible()
    page.get_by_role("button", name="Agree").click()
    page.goto("/organizations/birchline/apps")
    page.get_by_role("link", name=re.compile("Dedupe Desk")).first.click()
    expect(page.get_by_role("heading", name="It asks for more access")).to_have_count(0)
    expect(page.get_by_text("deals.write")).to_be_visible()


def test_a_developer_registers_an_app_and_tries_it_in_the_sandbox(
    new_page: Callable[..., Page],
) -> None:
    page = new_page()
    name = f"Tide Bell {time.time_ns() % 100_000}"
    sign_in(page, "Maya Lindgren")
    page.goto("/partner/apps/new")
    page.get_by_label("Name", exact=True).fill(name)
    page.get_by_role("button", name=re.compile("Register|Create|Begin")).click()
    expect(page.get_by_role("heading", level=1)).to_contain_text(name)
    page.get_by_role("link", name="Test", exact=True).first.click()
    page.get_by_role("button", name=re.compile("secret", re.IGNORECASE)).first.click()
    expect(page.get_by_label("Client secret")).to_have_value(re.compile(r"^pcs_"))
    # Shown once: the page without it is all there is from now on.
    page.goto(page.url.removesuffix("/secrets"))
    expect(page.get_by_role("heading", name="Secrets")).to_be_visible()
    expect(page.get_by_label("Client secret")).to_have_count(0)

    page.goto("/partner/sandbox")
    if page.get_by_role("button", name=re.compile("sandbox", re.IGNORECASE)).count():
        page.get_by_role("button", name=re.compile("sandbox", re.IGNORECASE)).first.click()
    page.get_by_role("link", name=re.compile("Try")).first.click()
    page.get_by_role("button", name="Install in the sandbox").click()
    expect(page.get_by_text(re.compile("installed", re.IGNORECASE)).first).to_be_visible()
