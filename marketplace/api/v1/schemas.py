"""The shapes of the API's answers, for its description. Answers are built by rendering.py and
checked against these by the tests: to dump twenty items through a schema takes longer than
to search for them."""

from typing import Any

from marshmallow import Schema, fields

from marketplace.catalogue.content import (
    AUTH_KINDS,
    COMPLIANCE,
    DIRECTIONS,
    KINDS,
    PRICING_MODELS,
    REGIONS,
    SECURITY_QUESTIONS,
)
from marketplace.catalogue.discovery.parameters import FACETS
from marketplace.catalogue.models import ListingStatus


def _meta(description: str, example: Any = None, **more: Any) -> dict[str, Any]:
    found = {"description": description, **more}
    return found if example is None else {**found, "example": example}


def _text(description: str, example: Any = None, **more: Any) -> fields.String:
    return fields.String(required=True, metadata=_meta(description, example, **more))


def _texts(description: str, example: Any = None) -> fields.List[Any]:
    return fields.List(fields.String(), required=True, metadata=_meta(description, example))


def _choice(values: tuple[str, ...], description: str, example: Any = None) -> fields.String:
    return fields.String(required=True, metadata=_meta(description, example, enum=list(values)))


def _choices(values: tuple[str, ...], description: str) -> fields.List[Any]:
    return fields.List(
        fields.String(metadata={"enum": list(values)}), required=True, metadata=_meta(description)
    )


def _count(description: str, example: int | None = None) -> fields.Integer:
    return fields.Integer(required=True, metadata=_meta(description, example, minimum=0))


def _link(description: str, example: str | None = None) -> fields.String:
    return fields.String(required=True, metadata=_meta(description, example, format="uri"))


def _maybe_text(description: str, example: str | None = None, **more: Any) -> fields.String:
    return fields.String(
        required=True, allow_none=True, metadata=_meta(description, example, **more)
    )


class PublisherBrief(Schema):
    """A listing's publisher."""

    slug = _text("The publisher's slug.", "slack")
    name = _text("Its name.", "Slack")
    verified = fields.Boolean(
        required=True, metadata=_meta("Whether the platform verified the organization.", True)
    )


class ListingItem(Schema):
    """A listing in a list."""

    slug = _text("The listing's slug, unique; it names the listing in addresses.", "slack-alerts")
    name = _text("Its name.", "Slack Alerts")
    tagline = _text("What it does, in a line.", "Posts customer news to the right channel")
    publisher = fields.Nested(PublisherBrief, required=True)
    categories = _texts("Slugs of its categories, the main one first.", ["communication"])
    kind = _choice(KINDS, "What kind of listing it is.", "integration")
    status = _choice(
        tuple(status.value for status in ListingStatus),
        "Where it is in its life. Lists never hold a withdrawn one.",
        "active",
    )
    pricing = _choice(PRICING_MODELS, "How it is paid for.", "free")
    rating = fields.Float(
        required=True,
        allow_none=True,
        metadata=_meta(
            "The mean of its ratings, 1 to 5; null without any.", 4.6, minimum=1, maximum=5
        ),
    )
    rating_count = _count("How many ratings there are.", 18)
    use_count = _count("How many organizations say that they use it.", 52)
    certified = fields.Boolean(
        required=True, metadata=_meta("Whether the platform certified it.", True)
    )
    published_at = fields.String(
        required=True,
        metadata=_meta(
            "When it was first published.", "2025-01-15T00:00:00+00:00", format="date-time"
        ),
    )
    logo_url = _maybe_text("Its logo, or its publisher's; null without one.", format="uri")
    url = _link("Its page.", "https://marketplace.example/listings/slack-alerts")


class FacetValue(Schema):
    """A value to filter by."""

    value = _text("The value, as the parameter of the facet's name takes it.", "communication")
    count = _count("How many listings have it, the facet's own filter left aside.", 12)


class ListingPage(Schema):
    """A page of listings."""

    items = fields.List(fields.Nested(ListingItem), required=True)
    total = _count("How many listings were found.", 1)
    page = _count("The number of this page, from 1.", 1)
    per_page = _count("How many items a page has.", 20)
    facets = fields.Nested(
        Schema.from_dict(
            {
                name: fields.List(fields.Nested(FacetValue), required=False)
                for name, rule in FACETS.items()
                if rule.shown
            },
            name="Facets",
        ),
        required=True,
        metadata=_meta("By facet: the values to filter by, most frequent first."),
    )
    degraded = fields.Boolean(
        required=True,
        metadata=_meta(
            "True while the search engine is away: the database answers, ranking is plain and "
            "not all facets are counted.",
            False,
        ),
    )


class DataShared(Schema):
    """A kind of object that moves."""

    object = _text("What moves.", "Contacts")
    direction = _choice(DIRECTIONS, "Which way, seen from the partner's product.", "two_way")
    purpose = _text("What for.", "To keep names in step")


class ScopeRequest(Schema):
    """A scope it asks for."""

    scope = _text("The scope.", "contacts.read")
    reason = _text("Why it is asked for.", "To find the sender of a message")


class Operation(Schema):
    """An action or a trigger."""

    name = _text("Its name.", "Create a contact")
    description = _text("What it does.", "Adds a person to the address book")


class Screenshot(Schema):
    """A screenshot."""

    url = _link("The image.")
    width = _count("In pixels.", 1280)
    height = _count("In pixels.", 800)
    caption = _text("What is seen.", "Choosing a channel")
    alt = _text("What is seen, for people who cannot see it.", "A list of channels")


class Version(Schema):
    """A release."""

    version = _text("Its number.", "1.2.0")
    released_on = _text("The day.", "2026-03-01", format="date")
    changelog = _text("What changed, as Markdown.", "Faster on large accounts")


class ListingLink(Schema):
    """Another listing."""

    slug = _text("Its slug.", "slack-alerts-2")
    name = _text("Its name.", "Slack Alerts 2")
    url = _link("Its page.", "https://marketplace.example/listings/slack-alerts-2")


class PricingDetails(Schema):
    """What it costs, in words."""

    summary = _text("In a line.", "Free for five channels")
    url = _text("A page with prices, or empty.", "https://slack.example/pricing")


class ListingDetail(ListingItem):
    """Everything public about a listing."""

    status_reason = _text("Why it is deprecated or withdrawn, or empty.", "")
    successor = fields.Nested(
        ListingLink, required=True, allow_none=True, metadata=_meta("What replaces it, or null.")
    )
    updated_at = fields.String(
        required=True,
        metadata=_meta(
            "When its content last changed.", "2026-03-01T09:30:00+00:00", format="date-time"
        ),
    )
    description = _text("What it is, as Markdown.", "Posts **customer news** to a channel.")
    pricing_details = fields.Nested(PricingDetails, required=True)
    tags = _texts("Keywords.", ["alerts"])
    aliases = _texts("Other names.", [])
    works_with = _texts("Products it connects.", ["Slack"])
    data_shared = fields.List(fields.Nested(DataShared), required=True)
    auth_kinds = _choices(AUTH_KINDS, "How it signs in to the partner's product.")
    scopes = fields.List(fields.Nested(ScopeRequest), required=True)
    actions = fields.List(fields.Nested(Operation), required=True)
    triggers = fields.List(fields.Nested(Operation), required=True)
    action_count = _count("How many actions it has; not all may be listed.", 4)
    trigger_count = _count("How many triggers it has; not all may be listed.", 2)
    setup_guide = _text("How to set it up, as Markdown.", "1. Connect your workspace.")
    website_url = _text("Or empty, like the addresses below.", "https://slack.example")
    support_url = _text("Where to get help.", "https://slack.example/help")
    privacy_url = _text("Privacy policy.", "https://slack.example/privacy")
    terms_url = _text("Terms of service.", "https://slack.example/terms")
    documentation_url = _text("Documentation.", "https://slack.example/docs")
    support_email = _text("An address for help.", "help@slack.example")
    video_url = _text("A video.", "")
    security = fields.Dict(
        keys=fields.String(),
        values=fields.String(),
        required=True,
        metadata=_meta(
            "Answers on security; keys are " + ", ".join(SECURITY_QUESTIONS) + ".",
            {"retention": "Deleted after 30 days"},
        ),
    )
    compliance = _choices(COMPLIANCE, "What it complies with, as its publisher says.")
    languages = _texts("Languages (BCP 47).", ["en"])
    regions = _choices(REGIONS, "Where it is offered.")
    brand_color = _maybe_text("Its colour.", "#4a154b", pattern="^#[0-9a-f]{6}$")
    screenshots = fields.List(fields.Nested(Screenshot), required=True)
    versions = fields.List(fields.Nested(Version), required=True)


class CategoryItem(Schema):
    """A category."""

    slug = _text("Its slug.", "communication")
    name = _text("Its name.", "Team communication")
    description = _text("What is in it.", "Alerts and approvals where your team talks.")
    listing_count = _count("How many listings it has.", 12)
    url = _link("Its page.", "https://marketplace.example/categories/communication")


class CategoryList(Schema):
    """All categories, in the operator's order."""

    items = fields.List(fields.Nested(CategoryItem), required=True)
    total = _count("How many there are.", 1)


class PublisherItem(Schema):
    """A publisher in a list."""

    slug = _text("Its slug.", "slack")
    name = _text("Its name.", "Slack")
    tagline = _text("What it does, in a line.", "Where work happens")
    partner_type = _maybe_text("What kind of partner it is.", "technology")
    country = _maybe_text("ISO 3166-1 alpha-2, or null.", "US")
    website = _text("Its website, or empty.", "https://slack.example")
    verified = fields.Boolean(
        required=True, metadata=_meta("Whether the platform verified the organization.", True)
    )
    listing_count = _count("How many listings it has.", 3)
    logo_url = _maybe_text("Its logo, or null.", format="uri")
    url = _link("Its page.", "https://marketplace.example/partners/slack")


class PublisherDetail(PublisherItem):
    """A publisher by itself."""

    about = _text("Who it is, as Markdown.", "Slack is a messaging product for work.")


class PublisherPage(Schema):
    """A page of publishers, by name."""

    items = fields.List(fields.Nested(PublisherItem), required=True)
    total = _count("How many were found.", 1)
    page = _count("The number of this page, from 1.", 1)
    per_page = _count("How many items a page has.", 20)


class FieldProblem(Schema):
    """What is wrong with one parameter."""

    field = _text("The parameter.", "sort")
    detail = _text("What is wrong with it.", "Use one of relevance, popular, rating, newest, name.")


class Problem(Schema):
    """An error, as RFC 9457 describes it."""

    type = _text("An address that names the kind of problem.")
    title = _text("What is wrong, in a few words.", "Some fields need attention")
    status = fields.Integer(required=True, metadata=_meta("The HTTP status.", 422))
    detail = fields.String(metadata=_meta("What is wrong here.", "Some parameters cannot be used."))
    errors = fields.List(fields.Nested(FieldProblem), metadata=_meta("By parameter."))
    request_id = fields.String(metadata=_meta("Names the request in our log.", "b7c1f0a2"))
