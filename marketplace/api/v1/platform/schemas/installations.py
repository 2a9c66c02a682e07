"""Installations, the customers behind them, and erasures."""

from marketplace.api.v1.platform.schemas.me import ENVIRONMENTS
from marketplace.api.v1.platform.schemas.parts import (
    choice,
    link,
    maybe,
    moment,
    page_of,
    part,
    shape,
    text,
    texts,
)
from marketplace.identity.models import MEMBER_ROLES
from marketplace.installs.models import InstallationState, PauseCause

INSTALLATION_STATES = tuple(each.value for each in InstallationState)
ERASURE_STATES = ("open", "completed")
_CAUSES = tuple(each.value for each in PauseCause)

LISTING_BRIEF = shape(
    "ListingBrief",
    "A listing.",
    slug=text("Its slug.", "tide-tables"),
    name=text("Its name.", "Tide Tables"),
)
INSTALLATION = shape(
    "Installation",
    "An app in use by an organization.",
    id=text("Its id.", "inst_3f9a1c0b2d4e5f6071829304"),
    state=choice(INSTALLATION_STATES, "Whether its tokens work.", "active"),
    environment=choice(ENVIRONMENTS, "Live, or in the sandbox.", "live"),
    app=part("AppBrief", "The app."),
    listing=maybe("ListingBrief", "The listing it came from; null for a trial in the sandbox."),
    organization=part("OrganizationBrief", "The customer."),
    scopes=texts("What the customer granted.", ["organization.read", "tides.read"]),
    installed_at=moment("When it was installed."),
    connected_at=moment("When the app fetched its first token.", null=True),
    last_used_at=moment("When its token was last used, to about a second.", null=True),
    paused_at=moment("Since when it is paused.", None, null=True),
    pause_cause=choice(_CAUSES, "Who paused it.", None, null=True),
    uninstalled_at=moment("When it was removed.", None, null=True),
    uninstall_reason=text("Why, as the customer chose; or empty.", ""),
)
INSTALLATION_PAGE = page_of("InstallationPage", INSTALLATION, "Installations, the oldest first.")
CUSTOMER = shape(
    "Customer",
    "The organization that installed the app.",
    slug=text("Its slug.", "blue-kite"),
    name=text("Its name.", "Blue Kite"),
    website=text("Its website, or empty.", "https://bluekite.example"),
    country=text("ISO 3166-1 alpha-2, or null.", "NL", null=True),
    brand_color=text("Its colour, or null.", "#1f6f8b", null=True),
    logo_url=link("Its logo, or null.", "https://marketplace.example/media/…", null=True),
)
MEMBER = shape(
    "Member",
    "A member of the customer.",
    name=text("The name.", "Ada Okafor"),
    email=text("The address; null: none, or not confirmed.", "ada@bluekite.example", null=True),
    role=choice(tuple(each.value for each in MEMBER_ROLES), "The role.", "admin"),
    joined_at=moment("Since when."),
)
MEMBER_PAGE = page_of("MemberPage", MEMBER, "Members, the longest first.")
ERASURE = shape(
    "Erasure",
    "A request to erase a customer's data.",
    id=text("Its id.", "er_3f9a1c0b2d4e5f6071829304"),
    state=choice(ERASURE_STATES, "Whether it is confirmed.", "open"),
    environment=choice(ENVIRONMENTS, "Live, or in the sandbox.", "live"),
    app=part("AppBrief", "The app."),
    installation=text("The installation's id.", "inst_3f9a1c0b2d4e5f6071829304"),
    organization=part("OrganizationBrief", "The customer."),
    requested_at=moment("When it was asked."),
    due_at=moment("By when it must be done.", "2026-12-28T09:30:00+00:00"),
    completed_at=moment("When it was confirmed.", None, null=True),
    receipt=text("What you said you erased; or empty.", ""),
)
ERASURE_PAGE = page_of("ErasurePage", ERASURE, "Erasures, the oldest first.")
