"""The body of a change to a listing's content: RFC 7396, a field that is null is taken away.

The shapes are checked here, exactly as they are documented; what the words must be is said by
the catalogue's own rules (catalogue/content.py), with the same messages as in the editor.
"""

import copy
from typing import Annotated, Any

from pydantic import Field, TypeAdapter

from marketplace.api.v1.platform.bodies import Body
from marketplace.catalogue.content import (
    AuthKind,
    Compliance,
    Direction,
    Kind,
    ListingContent,
    PricingModel,
    Region,
)

Text30 = Annotated[str, Field(max_length=30)]
Text35 = Annotated[str, Field(max_length=35)]
Text60 = Annotated[str, Field(max_length=60)]
Text80 = Annotated[str, Field(max_length=80)]


def _text(most: int, description: str, example: str) -> Any:
    return Field(default=None, max_length=most, description=description, examples=[example])


def _texts(most: int, description: str, example: list[str]) -> Any:
    return Field(default=None, max_length=most, description=description, examples=[example])


def _url(description: str, example: str) -> Any:
    return _text(500, description, example)


class DataSharedChange(Body):
    """A kind of object that moves."""

    object: str = Field(max_length=60, description="What moves.", examples=["Contacts"])
    direction: Direction = Field(
        description="Which way, seen from your product.", examples=["two_way"]
    )
    purpose: str = Field(
        default="", max_length=200, description="What for.", examples=["To keep names in step"]
    )


class ScopeChange(Body):
    """A scope that is asked of customers."""

    scope: str = Field(max_length=80, description="The scope.", examples=["contacts.read"])
    reason: str = Field(
        max_length=200,
        description="Why; customers read it.",
        examples=["To find the sender of a message"],
    )


class OperationChange(Body):
    """An action or a trigger."""

    name: str = Field(max_length=80, description="Its name.", examples=["Create a contact"])
    description: str = Field(
        default="",
        max_length=300,
        description="What it does.",
        examples=["Adds a person to the address book"],
    )


class PricingChange(Body):
    """How it is paid for, in words."""

    model: PricingModel = Field(description="The model.", examples=["free"])
    summary: str = Field(
        default="", max_length=160, description="In a line.", examples=["Free for everyone"]
    )
    url: str = Field(
        default="",
        max_length=500,
        description="A page with prices, or empty.",
        examples=["https://tides.example/pricing"],
    )


class ImageChange(Body):
    """An image that was uploaded in the portal; GET has its key."""

    key: str = Field(max_length=200, description="Its key.", examples=["ab/cd1234.png"])
    width: int = Field(ge=1, le=10_000, description="In pixels.", examples=[512])
    height: int = Field(ge=1, le=10_000, description="In pixels.", examples=[512])


class ScreenshotChange(ImageChange):
    """A screenshot."""

    caption: str = Field(
        default="", max_length=120, description="What is seen.", examples=["Choosing a harbour"]
    )
    alt: str = Field(
        max_length=200,
        description="What is seen, for people who cannot see it.",
        examples=["A list of harbours"],
    )


class SecurityChange(Body):
    """Answers on security."""

    encryption_in_transit: str | None = _text(500, "How is data encrypted in transit?", "TLS 1.3")
    encryption_at_rest: str | None = _text(500, "How is data encrypted at rest?", "AES-256")
    data_location: str | None = _text(500, "Where is data stored?", "In Frankfurt")
    retention: str | None = _text(500, "How long is data kept after uninstalling?", "30 days")
    subprocessors: str | None = _text(500, "Which subprocessors see the data?", "None")
    penetration_test: str | None = _text(500, "When was the last penetration test?", "March 2026")
    incident_contact: str | None = _text(
        500, "Who is told of a security incident, and how fast?", "Admins, within 24 hours"
    )


class ListingChanges(Body):
    """What a listing shall say. Fields that are left out stay as they are; null takes one away."""

    name: str | None = _text(60, "2 to 60 characters.", "Tide Tables")
    tagline: str | None = _text(
        120, "What it does, in 10 to 120 characters.", "Brings tide forecasts into your schedule"
    )
    description: str | None = _text(
        20_000,
        "Markdown, from 40 characters on.",
        "Tide Tables writes the day's high and low water into the calendar you use.",
    )
    kind: Kind | None = Field(
        default=None, description="What kind of listing it is.", examples=["integration"]
    )
    categories: list[Text80] | None = _texts(
        3, "Slugs of 1 to 3 categories, the main one first.", ["productivity"]
    )
    tags: list[Text30] | None = _texts(12, "Keywords.", ["calendar", "weather"])
    aliases: list[Text60] | None = _texts(8, "Other names people search for.", ["Tides"])
    works_with: list[Text60] | None = _texts(20, "Products it connects.", ["Calendar"])
    data_shared: list[DataSharedChange] | None = Field(
        default=None, max_length=20, description="The data that moves."
    )
    auth_kinds: list[AuthKind] | None = Field(
        default=None, max_length=10, description="How it signs in to your product."
    )
    scopes: list[ScopeChange] | None = Field(
        default=None, max_length=40, description="What it asks of customers, each with its reason."
    )
    actions: list[OperationChange] | None = Field(
        default=None, max_length=100, description="What it can do."
    )
    triggers: list[OperationChange] | None = Field(
        default=None, max_length=100, description="What can set it off."
    )
    action_count: int | None = Field(
        default=None, ge=0, le=10_000, description="When only the number is known.", examples=[4]
    )
    trigger_count: int | None = Field(
        default=None, ge=0, le=10_000, description="When only the number is known.", examples=[2]
    )
    pricing: PricingChange | None = Field(default=None, description="How it is paid for.")
    setup_guide: str | None = _text(
        20_000, "How to set it up, as Markdown.", "1. Connect your calendar."
    )
    website_url: str | None = _url("The product's site.", "https://tides.example")
    support_url: str | None = _url("Where to get help.", "https://tides.example/support")
    privacy_url: str | None = _url("Privacy policy.", "https://tides.example/privacy")
    terms_url: str | None = _url("Terms of service.", "https://tides.example/terms")
    documentation_url: str | None = _url("Documentation.", "https://tides.example/docs")
    support_email: str | None = _text(254, "An address for help.", "help@tides.example")
    video_url: str | None = _url("A page of YouTube, Vimeo or Loom.", "https://vimeo.com/76979871")
    security: SecurityChange | None = Field(default=None, description="Answers on security.")
    compliance: list[Compliance] | None = Field(
        default=None, max_length=20, description="What it complies with."
    )
    languages: list[Text35] | None = _texts(60, "Languages (BCP 47).", ["en"])
    regions: list[Region] | None = Field(
        default=None, max_length=20, description="Where it is offered."
    )
    brand_color: str | None = _text(7, "#rrggbb.", "#1f6f8b")
    logo: ImageChange | None = Field(default=None, description="The logo.")
    screenshots: list[ScreenshotChange] | None = Field(
        default=None, max_length=8, description="Screenshots in their order."
    )


def empty_value(field: str) -> Any:
    """What a field of the content holds when nothing is said in it."""
    return copy.deepcopy(_EMPTY[field])


# What is required has no default; in a draft it may be missing all the same.
_EMPTY: dict[str, Any] = {
    **dict.fromkeys(("name", "tagline", "description", "kind"), ""),
    "categories": [],
    **{
        name: TypeAdapter(Any).dump_python(field.get_default(), mode="json")
        for name, field in ListingContent.model_fields.items()
        if not field.is_required()
    },
}
