"""The blueprint, what its pages share, and how a URL's listing is found."""

from typing import Any

from flask import Blueprint, request, url_for

from marketplace.catalogue.models import Listing
from marketplace.catalogue.publishing import policies, queries
from marketplace.core.errors import SignInRequiredError
from marketplace.core.permissions import authorize, current_actor
from marketplace.program.module_gate import may_go_to

blueprint = Blueprint("portal", __name__, url_prefix="/partner")
PERMISSION_RULES = policies.__name__


# Title, then: label, endpoint, icon, and how the endpoints of the pages below it begin.
MENU: tuple[tuple[str, tuple[tuple[str, str, str, tuple[str, ...]], ...]], ...] = (
    (
        "Catalogue",
        (
            ("Overview", "portal.home", "house", ()),
            ("Listings", "portal.listings", "layout-grid", ("portal.",)),
            ("New listing", "portal.create", "plus", ()),
            ("Reviews", "engagement.partner_reviews", "star", ()),
            ("Cases", "engagement.partner_cases", "flag", ("engagement.partner_case",)),
        ),
    ),
    (
        "Money",
        (
            ("Earnings", "earnings.home", "wallet", ("earnings.",)),
            ("Plans", "selling.plans", "tag", ("selling.plan",)),
            ("Discounts", "selling.discounts", "percent", ("selling.disc",)),
            ("Resale", "resale.home", "handshake", ("resale.",)),
            (
                "Affiliate programs",
                "affiliates.programs",
                "megaphone",
                ("affiliates.program", "affiliates.rule", "affiliates.affiliate"),
            ),
            (
                "My affiliate links",
                "affiliates.home",
                "link",
                (
                    "affiliates.membership",
                    "affiliates.link",
                    "affiliates.key",
                    "affiliates.find",
                    "affiliates.terms",
                    "affiliates.join",
                    "affiliates.leaving",
                ),
            ),
            ("Fees", "program_fees.index", "receipt", ("program_fees.",)),
            ("Credit", "vouchers.index", "ticket", ("vouchers.",)),
        ),
    ),
    (
        "Program",
        (
            ("Getting started", "onboarding.getting_started", "rocket", ()),
            ("Scorecard", "scorecards.scorecard", "trophy", ("scorecards.",)),
            ("Tasks", "onboarding.tasks", "list-checks", ("onboarding.task",)),
            ("Benefits", "benefits.index", "gift", ("benefits.",)),
            ("Applications", "applications.index", "file-text", ("applications.",)),
            ("Contacts", "contacts.index", "users", ("contacts.",)),
            ("Invite a partner", "onboarding.invites", "user-plus", ()),
            ("Domains", "hosts.index", "globe", ("hosts.",)),
        ),
    ),
    (
        "Accreditation",
        (
            ("Verification", "verification.index", "badge-check", ("verification.", "seats.")),
            (
                "Certifications",
                "certification.index",
                "shield-check",
                ("certification.", "managed_services.", "authorizations."),
            ),
            ("Training", "courses.index", "book-open", ("courses.",)),
            ("Credentials", "credentials.index", "award", ("credentials.",)),
            ("Badges and cards", "embeds.index", "code", ("embeds.",)),
            ("Passport", "passport.index", "id-card", ("passport.",)),
        ),
    ),
    (
        "Pipeline",
        (
            ("Leads", "leads.index", "inbox", ("leads.",)),
            ("Deals", "deals.index", "handshake", ("deals.",)),
            ("Account checks", "account_checks.index", "scan-search", ("account_checks.",)),
            ("Ideas", "ideas.partner_index", "lightbulb", ("ideas.partner",)),
            ("Co-marketing", "campaigns.index", "megaphone", ("campaigns.",)),
            ("Clients", "handovers.index", "users", ("handovers.",)),
            ("Territories", "franchises.index", "map", ("franchises.",)),
        ),
    ),
    (
        "Insight",
        (
            ("Dashboard", "dashboard.index", "gauge", ("dashboard.",)),
            ("Analytics", "analytics.index", "chart-column", ("analytics.",)),
            ("Ranking", "ranking.index", "list-ordered", ("ranking.",)),
            ("Reports", "reports.index", "file-chart-column", ("reports.",)),
            ("Given and received", "reciprocity.index", "scale", ()),
        ),
    ),
    (
        "Developers",
        (
            ("Quick start", "developer.quick_start", "book-open", ()),
            ("Apps", "developer.apps", "plug", ("developer.app", "app_health.")),
            ("Webhooks", "webhooks.endpoints", "webhook", ("webhooks.",)),
            ("API keys", "developer.keys", "key", ("developer.key",)),
            ("API calls", "developer.calls", "activity", ("developer.call",)),
            ("Sandbox", "developer.sandbox", "box", ("developer.sandbox",)),
            (
                "Erasures",
                "installs.partner_erasures",
                "archive",
                ("installs.partner_erasure", "installs.confirm_erasure"),
            ),
        ),
    ),
)
TARGETS = frozenset(endpoint for _title, entries in MENU for _label, endpoint, *_rest in entries)


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
    """The portal's side menu, for every page below /partner; empty for who is no partner."""
    if not request.path.startswith("/partner"):
        return {}
    active = current_actor().organization
    if active is None or active.organization_kind != "partner":
        return {"portal_nav": []}
    groups = []
    for title, entries in MENU:
        items = [
            {
                "label": label,
                "href": url_for(endpoint),
                "icon": icon,
                "current": _is_current(endpoint, beginnings),
            }
            for label, endpoint, icon, beginnings in entries
            if may_go_to(endpoint)
        ]
        if items:
            groups.append({"title": title, "items": items})
    return {"portal_nav": groups}


def _is_current(target: str, beginnings: tuple[str, ...]) -> bool:
    endpoint = request.endpoint or ""
    # A page that is an entry itself does not belong to another one.
    return endpoint == target or (endpoint not in TARGETS and endpoint.startswith(beginnings))


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
