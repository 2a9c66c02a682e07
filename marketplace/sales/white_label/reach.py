"""Which of the site's pages a white-label host has. What is not named here is not there."""

from collections.abc import Mapping
from typing import Any

# Whole blueprints: signing in, the account, and what an organization has bought and installed.
BLUEPRINTS = frozenset({"health", "identity", "purchases"})
ENDPOINTS = frozenset(
    {
        "static",
        "media.show",
        "hosts.take_session",
        "hosts.brand_css",
        "installs.inventory",
        "installs.inventory_csv",
        "installs.installation",
        "installs.pause",
        "installs.resume",
        "installs.reduce",
        "installs.uninstall",
        "installs.uninstall_form",
        "installs.ask_again",
        "installs.policy",
        "installs.change_policy",
        "installs.add_rule",
        "installs.new_rule",
        "installs.rule_removal",
        "installs.remove_rule",
        "installs.requests",
        "installs.decline_form",
        "installs.decline_request",
        "installs.withdraw_request",
        "resale.received",
        "resale.received_quotes",
        "resale.received_file",
        "resale.accept",
        "resale.declining",
        "resale.decline",
    }
)
# Pages of one listing, in `slug`: only of what the partner offers, and bought only of its own.
OF_A_LISTING = frozenset({"catalogue.listing"})
OF_AN_OWN_LISTING = frozenset(
    {
        "shop.choose",
        "shop.checkout",
        "shop.order",
        "installs.install",
        "installs.agree",
        "installs.decline",
        "installs.ask_admins",
    }
)
# Adding a way to sign in, and proving a second factor, belong to the site's own pages.
NOT_HERE = frozenset(
    {
        "identity.callback",
        "identity.confirm",
        "identity.confirm_link",
        "identity.link_identity",
        "identity.refuse_link",
        "identity.sign_ins",
        "identity.unlink_identity",
    }
)


def listing_needed(endpoint: str) -> str:
    """Whose listing a page needs: "own", "offered", or empty for none."""
    if endpoint in OF_AN_OWN_LISTING:
        return "own"
    return "offered" if endpoint in OF_A_LISTING else ""


def is_reachable(endpoint: str | None) -> bool:
    """Whether a page that needs no listing is there."""
    if endpoint is None or endpoint in NOT_HERE:
        return False
    return endpoint in ENDPOINTS or endpoint.split(".", 1)[0] in BLUEPRINTS


def slug_of(values: Mapping[str, Any] | None) -> str:
    """The listing that a page is about."""
    return str((values or {}).get("slug", ""))
