"""The sections of a listing's editor, the names of its fields, and what each field shows. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from marketplace.catalogue.content import SECURITY_QUESTIONS

FIELD_LABELS: Final[Mapping[str, str]] = {
    "name": "Name",
    "tagline": "Tagline",
    "kind": "Kind",
    "categories": "Categories",
    "tags": "Tags",
    "aliases": "Other names",
    "brand_color": "Brand colour",
    "description": "Description",
    "works_with": "Works with",
    "data_shared": "Data shared",
    "auth_kinds": "Ways to connect",
    "scopes": "Scopes",
    "actions": "Actions",
    "triggers": "Triggers",
    "action_count": "Number of actions",
    "trigger_count": "Number of triggers",
    "pricing": "Pricing",
    "setup_guide": "Setup guide",
    "website_url": "Website",
    "support_url": "Support page",
    "support_email": "Support e-mail",
    "documentation_url": "Documentation",
    "privacy_url": "Privacy policy",
    "terms_url": "Terms of service",
    "video_url": "Video",
    "security": "Security answers",
    "compliance": "Compliance",
    "logo": "Logo",
    "screenshots": "Screenshots",
    "languages": "Languages",
    "regions": "Regions",
}
PART_LABELS: Final[Mapping[str, str]] = {
    "object": "What",
    "direction": "Direction",
    "purpose": "Purpose",
    "scope": "Scope",
    "reason": "Reason",
    "name": "Name",
    "description": "Description",
    "model": "Model",
    "summary": "Summary",
    "url": "Pricing page",
    "caption": "Caption",
    "alt": "Alternative text",
}
CHOICE_LABELS: Final[Mapping[str, Mapping[str, str]]] = {
    "kind": {
        "app": "App",
        "integration": "Integration",
        "service": "Service",
        "template": "Template",
    },
    "auth_kinds": {
        "oauth2": "OAuth 2.0",
        "api_key": "API key",
        "basic": "User name and password",
        "saml": "SAML single sign-on",
        "none": "No sign-in needed",
    },
    "direction": {
        "read": "Read by the listing",
        "write": "Written by the listing",
        "two_way": "Both ways",
    },
    "model": {
        "free": "Free",
        "freemium": "Free plan, paid extras",
        "paid": "Paid",
        "contact": "On request",
    },
    "compliance": {
        "soc2": "SOC 2",
        "iso27001": "ISO 27001",
        "gdpr": "GDPR",
        "hipaa": "HIPAA",
        "pci_dss": "PCI DSS",
        "fedramp": "FedRAMP",
        "ccpa": "CCPA",
    },
    "regions": {
        "global": "Worldwide",
        "na": "North America",
        "latam": "Latin America",
        "eu": "European Union",
        "uk": "United Kingdom",
        "mea": "Middle East and Africa",
        "apac": "Asia and Pacific",
    },
}


@dataclass(frozen=True)
class Section:
    """A page of the editor; `fields` are those of ListingContent that it holds."""

    key: str
    title: str
    description: str
    fields: tuple[str, ...]
    icon: str


SECTIONS: Final[tuple[Section, ...]] = (
    Section(
        "basics",
        "Basics",
        "What people see first: in search, on cards and at the top of the page.",
        ("name", "tagline", "kind", "categories", "tags", "aliases", "brand_color"),
        "tag",
    ),
    Section(
        "description",
        "Description",
        "What it does and for whom. Begin with what the customer gains.",
        ("description",),
        "file-text",
    ),
    Section(
        "data",
        "Works with and data",
        "The products it connects, and which data moves which way.",
        ("works_with", "data_shared"),
        "arrow-left-right",
    ),
    Section(
        "access",
        "Access",
        "How a customer connects it and what it asks to do. Customers read every reason.",
        ("auth_kinds", "scopes"),
        "key",
    ),
    Section(
        "operations",
        "Actions and triggers",
        "What it can do, and what can set it off.",
        ("actions", "triggers", "action_count", "trigger_count"),
        "zap",
    ),
    Section(
        "pricing",
        "Pricing",
        "How it is paid for, in words. Plans sold here are set up elsewhere.",
        ("pricing",),
        "credit-card",
    ),
    Section(
        "setup",
        "Setup",
        "What a customer does after choosing it, step by step.",
        ("setup_guide",),
        "list-checks",
    ),
    Section(
        "links",
        "Links and support",
        "Where people find more, and whom they ask for help.",
        (
            "website_url",
            "support_url",
            "support_email",
            "documentation_url",
            "privacy_url",
            "terms_url",
            "video_url",
        ),
        "link",
    ),
    Section(
        "security",
        "Security and compliance",
        "Answers that a customer's security team asks for. Say what is true today.",
        ("security", "compliance"),
        "shield-check",
    ),
    Section(
        "media",
        "Media",
        "A logo and up to eight screenshots.",
        ("logo", "screenshots"),
        "image",
    ),
    Section(
        "regions",
        "Languages and regions",
        "The languages it speaks and where it is offered.",
        ("languages", "regions"),
        "languages",
    ),
)
BY_KEY: Final[Mapping[str, Section]] = {section.key: section for section in SECTIONS}
SECTION_OF: Final[Mapping[str, Section]] = {
    field: section for section in SECTIONS for field in section.fields
}
# What the public page cannot do without, beyond what the content's own rules require.
REQUIRED: Final = ("name", "tagline", "description", "kind", "categories")
RECOMMENDED: Final[Mapping[str, str]] = {
    "logo": "A logo makes it recognisable in lists.",
    "screenshots": "One screenshot says more than the description.",
    "website_url": "Let people visit your product's site.",
    "support_url": "Say where customers get help.",
    "privacy_url": "Many customers look for the privacy policy first.",
    "setup_guide": "A setup guide saves you support requests.",
    "data_shared": "Say which data moves; customers ask.",
    "auth_kinds": "Say how it is connected.",
    "works_with": "People search by the products they have.",
    "languages": "Say which languages it speaks.",
}


def anchor(path: str) -> str:
    """The id of the form control of a field's path such as `scopes.0.reason`."""
    field, _, rest = path.partition(".")
    if field == "categories":
        return "main_category"
    if field in {"logo"}:
        return "logo"
    return f"{field}-{rest.replace('.', '-')}" if rest else field


def readable(field: str, value: Any) -> str:
    """A field's value in words, for differences and conflicts; one item a line."""
    if value is None or value == "":
        return ""
    if field == "pricing" and isinstance(value, Mapping):
        return "\n".join(_pairs(value))
    if field == "security" and isinstance(value, Mapping):
        return "\n".join(
            f"{SECURITY_QUESTIONS.get(name, name)} {answer}" for name, answer in value.items()
        )
    if isinstance(value, list | tuple):
        return "\n".join(readable_item(field, item) for item in value)
    return choice(field, value)


def readable_item(field: str, item: Any) -> str:
    """One item of a list, in one line."""
    if not isinstance(item, Mapping):
        return choice(field, item)
    if field == "scopes":
        return f"{item.get('scope', '')}: {item.get('reason', '')}"
    if field == "data_shared":
        direction = choice("direction", item.get("direction", ""))
        purpose = item.get("purpose") or ""
        return f"{item.get('object', '')} ({direction.lower()}){f': {purpose}' if purpose else ''}"
    if field in {"actions", "triggers"}:
        description = item.get("description") or ""
        return f"{item.get('name', '')}{f': {description}' if description else ''}"
    if field == "screenshots":
        caption = item.get("caption") or "no caption"
        return f"{caption} ({item.get('alt') or 'no alternative text'})"
    return "; ".join(_pairs(item))


def choice(field: str, value: Any) -> str:
    """The label of a choice, or the value itself; a category's slug in words."""
    if field == "categories":
        return str(value).replace("-", " ").capitalize()
    return CHOICE_LABELS.get(field, {}).get(str(value), str(value))


def _pairs(value: Mapping[str, Any]) -> list[str]:
    return [
        f"{PART_LABELS.get(name, name)}: {choice(name, part)}"
        for name, part in value.items()
        if part not in (None, "")
    ]
