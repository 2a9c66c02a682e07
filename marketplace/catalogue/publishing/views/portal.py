"""The blueprint, what its pages share, and how a URL's listing is found."""

from typing import Any

from flask import Blueprint, current_app, request, url_for

from marketplace.catalogue.models import Listing
from marketplace.catalogue.publishing import policies, queries
from marketplace.core.errors import SignInRequiredError
from marketplace.core.permissions import authorize, current_actor

blueprint = Blueprint("portal", __name__, url_prefix="/partner")
PERMISSION_RULES = policies.__name__


def own_listing(slug: str, **_rest: Any) -> Listing | None:
    """The listing of a URL, for people of its publisher only; to all others it does not exist.

    Raises SignInRequiredError before anything is looked up, NotFoundError for others.
    """
    actor = current_actor()
    if not actor.is_authenticated:
        raise SignInRequiredError("Sign in to go on.")
    listing = queries.listing_by_slug(slug)
    if listing is not None:
        authorize(actor, "listing.view_draft", listing, hidden=True)
    return listing


@blueprint.app_context_processor
def side_menu() -> dict[str, Any]:
    """The portal's side menu, for every page below /partner."""
    if not request.path.startswith("/partner"):
        return {}
    endpoint = request.endpoint or ""

    def item(label: str, target: str, icon: str, *others: str) -> dict[str, Any]:
        known = target in current_app.view_functions
        return {
            "label": label,
            "href": url_for(target) if known else None,
            "icon": icon,
            "current": endpoint == target or endpoint in others,
        }

    def pages_of(prefix: str) -> tuple[str, ...]:
        return tuple(name for name in current_app.view_functions if name.startswith(prefix))

    listing_pages = tuple(
        name
        for name in current_app.view_functions
        if name.startswith("portal.") and name not in {"portal.home", "portal.create"}
    )
    return {
        "portal_nav": [
            {
                "title": "Catalogue",
                "items": [
                    item("Overview", "portal.home", "house"),
                    item("Listings", "portal.listings", "layout-grid", *listing_pages),
                    item("New listing", "portal.create", "plus"),
                    item("Reviews", "engagement.partner_reviews", "star"),
                    item("Cases", "engagement.partner_cases", "flag", "engagement.partner_case"),
                ],
            },
            {
                "title": "Developers",
                "items": [
                    item("Quick start", "developer.quick_start", "book-open"),
                    item(
                        "Apps",
                        "developer.apps",
                        "plug",
                        *pages_of("developer.app"),
                        *pages_of("app_health."),
                    ),
                    item("Webhooks", "webhooks.endpoints", "webhook", *pages_of("webhooks.")),
                    item("API keys", "developer.keys", "key", *pages_of("developer.key")),
                    item("API calls", "developer.calls", "activity", "developer.call"),
                    item("Sandbox", "developer.sandbox", "box", *pages_of("developer.sandbox")),
                    item(
                        "Erasures",
                        "installs.partner_erasures",
                        "archive",
                        "installs.partner_erasure",
                        "installs.confirm_erasure",
                    ),
                ],
            },
        ]
    }


def listing_tabs(listing: Listing, current: str) -> list[dict[str, Any]]:
    """The tabs of one listing's pages."""
    pages = (
        ("portal.listing", "Overview", "house"),
        ("portal.edit", "Edit", "pencil"),
        ("portal.changes", "Changes", "git-compare"),
        ("portal.versions", "Versions", "tag"),
        ("portal.life", "Status and address", "settings"),
    )
    return [
        {
            "label": label,
            "href": url_for(endpoint, slug=listing.slug),
            "current": endpoint == current,
            "icon": icon,
        }
        for endpoint, label, icon in pages
    ]
