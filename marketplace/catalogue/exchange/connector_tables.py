"""What foreign words of the connectors' file mean here. Data, so that a change is one line."""

from typing import Any

# slug: (name, description, icon, the file's words for it)
_CATEGORIES: tuple[tuple[str, str, str, str, tuple[str, ...]], ...] = (
    (
        "productivity",
        "Productivity",
        "Tasks, calendars, notes and the small helpers of a working day.",
        "file-text",
        ("productivity",),
    ),
    (
        "data",
        "Data",
        "Databases, reference data and the services that move and clean it.",
        "database",
        ("data",),
    ),
    (
        "artificial-intelligence",
        "Artificial intelligence",
        "Models that read, write, classify and recognise.",
        "sparkles",
        ("ai", "artificial intelligence"),
    ),
    (
        "content-files",
        "Content and files",
        "Store, convert, sign and find documents.",
        "folder",
        ("content and files",),
    ),
    (
        "communication",
        "Communication",
        "Messages, calls and mail, inside the team and out.",
        "message-square",
        ("communication",),
    ),
    (
        "collaboration",
        "Collaboration",
        "Work on one thing together: boards, projects, meetings.",
        "users",
        ("collaboration",),
    ),
    (
        "it-operations",
        "IT operations",
        "Devices, tickets, deployments and monitoring.",
        "server",
        ("it operations",),
    ),
    (
        "business-management",
        "Business management",
        "Planning, orders, assets and the processes of a company.",
        "briefcase",
        ("business management",),
    ),
    (
        "websites",
        "Websites",
        "Forms, pages, links and what is known about a site.",
        "globe",
        ("website", "websites"),
    ),
    (
        "crm-sales",
        "Sales and CRM",
        "Leads, deals and everything known about a customer.",
        "handshake",
        ("sales and crm",),
    ),
    (
        "lifestyle",
        "Lifestyle and entertainment",
        "Music, games, sport, food and trivia.",
        "heart",
        ("lifestyle and entertainment",),
    ),
    (
        "analytics",
        "Business intelligence",
        "Reports, forecasts and the figures behind a decision.",
        "chart-column",
        ("business intelligence",),
    ),
    (
        "marketing",
        "Marketing and social media",
        "Campaigns, audiences, posts and surveys.",
        "megaphone",
        ("marketing", "social media"),
    ),
    (
        "security",
        "Security",
        "Identities, threats, secrets and who may do what.",
        "shield",
        ("security",),
    ),
    (
        "finance",
        "Finance",
        "Invoices, payments, rates and accounts.",
        "credit-card",
        ("finance",),
    ),
    (
        "commerce",
        "Commerce",
        "Shops, products, orders and parcels.",
        "shopping-cart",
        ("commerce",),
    ),
    (
        "human-resources",
        "Human resources",
        "Hiring, absence, learning and pay.",
        "user-plus",
        ("human resources",),
    ),
    (
        "internet-of-things",
        "Internet of things",
        "Sensors, lights, machines and other things with an address.",
        "plug",
        ("internet of things",),
    ),
)
OTHER = "other"
OTHER_RECORD: dict[str, Any] = {
    "record": "category",
    "slug": OTHER,
    "name": "Other",
    "description": "What fits nowhere else.",
    "icon": "layout-grid",
    "position": 90,
}
CATEGORY_OF: dict[str, str] = {
    word: slug for slug, _name, _text, _icon, words in _CATEGORIES for word in words
}
CATEGORY_RECORDS: tuple[dict[str, Any], ...] = (
    *(
        {
            "record": "category",
            "slug": slug,
            "name": name,
            "description": description,
            "icon": icon,
            "position": position,
        }
        for position, (slug, name, description, icon, _words) in enumerate(_CATEGORIES, start=30)
    ),
    OTHER_RECORD,
)
AUTH_OF = {"apikey": "api_key", "oauth2": "oauth2", "basic": "basic", "saml": "saml"}
FIELDS = frozenset(
    {
        "id",
        "source",
        "kind",
        "name",
        "description",
        "publisher",
        "stack_owner",
        "categories",
        "website",
        "privacy_policy",
        "support_url",
        "auth",
        "scopes",
        "brand_color",
        "version",
        "actions",
        "triggers",
        "readme",
    }
)
# Hosts that many publishers share: their address says nothing about who is behind it.
SHARED_HOSTS = frozenset(
    {
        "github.com",
        "docs.microsoft.com",
        "learn.microsoft.com",
        "azure.microsoft.com",
        "www.microsoft.com",
        "microsoft.com",
        "portal.azure.com",
        "www.linkedin.com",
        "apps.apple.com",
    }
)
PLACEHOLDER_NAMES = frozenset({"default title", "title", "sample", "untitled", "test"})
PLACEHOLDER_VALUES = frozenset(
    {"not available", "n/a", "na", "none", "not applicable", "null", "-"}
)
