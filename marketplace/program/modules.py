"""The parts of the partner portal that a policy may give to a type of partner, or not."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Module:
    """A part of the portal. Its pages are those of `blueprints`, or of single `endpoints`."""

    name: str
    text: str
    blueprints: tuple[str, ...] = ()
    # Beginnings of endpoints, where a blueprint serves several modules.
    endpoints: tuple[str, ...] = ()


MODULES: dict[str, Module] = {
    "catalogue": Module(
        "Listings",
        "Publish apps, integrations and services",
        ("portal",),
        endpoints=("engagement.partner_", "engagement.appeal"),
    ),
    "selling": Module("Selling", "Plans, prices and discounts", ("selling",)),
    "resale": Module("Resale", "Sell for others, or let others sell", ("resale",)),
    "affiliate_programs": Module(
        "Affiliate programs",
        "Let affiliates bring customers",
        endpoints=("affiliates.program", "affiliates.rule", "affiliates.affiliate"),
    ),
    "affiliate_links": Module(
        "Affiliate links",
        "Join programs and share links",
        endpoints=(
            "affiliates.home",
            "affiliates.membership",
            "affiliates.link",
            "affiliates.code",
            "affiliates.find",
            "affiliates.terms",
            "affiliates.join",
            "affiliates.key",
            "affiliates.leave",
            "affiliates.leaving",
        ),
    ),
    "developer": Module(
        "Developer tools",
        "Apps, keys, webhooks, sandbox",
        ("developer", "webhooks", "app_health"),
        endpoints=("installs.partner_erasure", "installs.confirm_erasure"),
    ),
    "leads": Module("Leads", "Customers who ask, routed to partners", ("leads",)),
    "deals": Module("Deals", "Registered deals and credits", ("deals", "account_checks")),
    "ideas": Module("Ideas", "Build what customers ask for", ("ideas",)),
    "campaigns": Module("Co-marketing", "Campaigns with the platform", ("campaigns",)),
    "clients": Module("Client workspaces", "Set up and hand over", ("handovers",)),
    "certification": Module(
        "Certification",
        "Certify products and people",
        ("certification", "managed_services", "authorizations"),
    ),
    "courses": Module("Training", "Courses and credentials", ("courses",)),
}

# What a student's organization has: to learn, to build, and to publish what was built.
FOR_ONE_PERSON = frozenset({"catalogue", "developer", "ideas", "courses", "certification"})

# What is open before a partner is admitted: to publish, to build and to learn.
BEFORE_ADMISSION = frozenset({"catalogue", "developer", "courses"})

# Beginnings of endpoints that belong to no module, which no policy takes from a type, and in which
# an organization acts as a partner all the same. Reaching a contact, applying, and money that was
# earned or is owed stay open to all.
FOR_PARTNERS = (
    "onboarding.invite",
    "applications.plan",
    "applications.begin_plan",
    "applications.edit_plan",
    "applications.save_plan",
    "applications.take_back_plan",
    "applications.tick_activity",
    "contacts.manager",
    "embeds.index",
    "franchises.index",
    "franchises.report",
    "passport.",
    "seats.",
)

# The same, open to who applies: a credit pays the fee of an application.
FOR_PARTNERS_AND_APPLICANTS = ("vouchers.",)

# Pages of a module's blueprint that everybody has: the portal's own start.
OPEN_TO_ALL = frozenset({"portal.home"})


def module_of(endpoint: str) -> str | None:
    """The key of the part of the portal that an endpoint belongs to; None for all others.

    Where an endpoint's beginning names a part, that one; otherwise its blueprint's.
    """
    if endpoint in OPEN_TO_ALL:
        return None
    for key, module in MODULES.items():
        if module.endpoints and endpoint.startswith(module.endpoints):
            return key
    blueprint = endpoint.partition(".")[0]
    return next((key for key, module in MODULES.items() if blueprint in module.blueprints), None)
