"""Signing in as the demo's people, through the real flow."""

from playwright.sync_api import Page, expect


def sign_in(page: Page, name: str) -> None:
    """Sign in as that person of the demo."""
    page.goto("/auth/login")
    page.get_by_text("Demo people").first.click()
    page.get_by_role("button", name=name).click()
    expect(page.get_by_role("banner")).to_be_visible()
    page.wait_for_url(lambda url: "/auth/" not in url and "authorize" not in url)
