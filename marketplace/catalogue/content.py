"""What a listing says: the content of a revision, as one validated value.

The same rules serve the editor's form, the API and the import. The limits are those of
docs/catalogue-format.md. Slugs of categories are checked against the database by the services.
"""

import re
from typing import Annotated, Any, Literal, get_args

from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    EmailStr,
    Field,
    StringConstraints,
    ValidationError,
    field_validator,
)
from pydantic_core import PydanticCustomError

Kind = Literal["app", "integration", "service", "template"]
AuthKind = Literal["oauth2", "api_key", "basic", "saml", "none"]
Direction = Literal["read", "write", "two_way"]
PricingModel = Literal["free", "freemium", "paid", "contact"]
Compliance = Literal["soc2", "iso27001", "gdpr", "hipaa", "pci_dss", "fedramp", "ccpa"]
Region = Literal["global", "na", "latam", "eu", "uk", "mea", "apac"]

KINDS: tuple[str, ...] = get_args(Kind)
AUTH_KINDS: tuple[str, ...] = get_args(AuthKind)
DIRECTIONS: tuple[str, ...] = get_args(Direction)
PRICING_MODELS: tuple[str, ...] = get_args(PricingModel)
COMPLIANCE: tuple[str, ...] = get_args(Compliance)
REGIONS: tuple[str, ...] = get_args(Region)
SECURITY_QUESTIONS: dict[str, str] = {
    "encryption_in_transit": "How is data encrypted in transit?",
    "encryption_at_rest": "How is data encrypted at rest?",
    "data_location": "Where is data stored?",
    "retention": "How long is data kept after uninstalling?",
    "subprocessors": "Which subprocessors see the data?",
    "penetration_test": "When was the last penetration test?",
    "incident_contact": "Who is told of a security incident, and how fast?",
}
VIDEO_HOSTS = {
    "youtube.com",
    "www.youtube.com",
    "youtu.be",
    "vimeo.com",
    "www.vimeo.com",
    "player.vimeo.com",
    "loom.com",
    "www.loom.com",
}
# Control characters other than tab and newline have no place in a text for people; bidirectional
# overrides can make a text read as something it is not.
_FORBIDDEN = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\u202a-\u202e\u2066-\u2069]")


def clean_text(value: str) -> str:
    """Drop control and direction-override characters, unify line ends, strip."""
    return _FORBIDDEN.sub("", value.replace("\r\n", "\n").replace("\r", "\n")).strip()


def _one_line(value: str) -> str:
    return " ".join(clean_text(value).split())


def _web_url(value: str) -> str:
    value = _one_line(value)
    if value == "":
        return value
    if (
        not re.fullmatch(r"https?://[^\s/?#@\\<>\"]+([/?#][^\s\\<>\"]*)?", value)
        or len(value) > 500
    ):
        raise PydanticCustomError("url", "Enter a full web address that begins with https://")
    return value


def _line(most: int, least: int = 0) -> Any:
    return Annotated[
        str,
        AfterValidator(_one_line),
        AfterValidator(_Length(least, most)),
    ]


def _block(most: int, least: int = 0) -> Any:
    return Annotated[str, AfterValidator(clean_text), AfterValidator(_Length(least, most))]


class _Length:
    """Checks a text's length with a message that says both the rule and the finding."""

    def __init__(self, least: int, most: int) -> None:
        self.least, self.most = least, most

    def __call__(self, value: str) -> str:
        if len(value) > self.most:
            raise PydanticCustomError(
                "too_long",
                "Use at most {most} characters; this has {found}",
                {"most": f"{self.most:,}", "found": f"{len(value):,}"},
            )
        if len(value) < self.least:
            raise PydanticCustomError(
                "too_short", "Use at least {least} characters", {"least": self.least}
            )
        return value


WebUrl = Annotated[str, AfterValidator(_web_url)]
Color = Annotated[str, StringConstraints(pattern=r"^#[0-9a-fA-F]{6}$", to_lower=True)]
Slug = Annotated[str, StringConstraints(pattern=r"^[a-z0-9]+(-[a-z0-9]+)*$", max_length=80)]
Language = Annotated[str, StringConstraints(pattern=r"^[a-z]{2,3}(-[A-Za-z0-9]{2,8})*$")]


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class DataShared(_Part):
    """A kind of object that moves, which way (seen from the partner's product) and what for."""

    object: _line(60, 1)  # type: ignore[valid-type]  # built by a helper
    direction: Direction
    purpose: _line(200) = ""  # type: ignore[valid-type]  # built by a helper


class ScopeRequest(_Part):
    """A scope that is asked, with the reason that the customer reads."""

    scope: _line(80, 1)  # type: ignore[valid-type]  # built by a helper
    reason: _line(200, 5)  # type: ignore[valid-type]  # built by a helper

    @field_validator("scope")
    @classmethod
    def _no_partner_scope(cls, value: str) -> str:
        if value.lower().startswith("partner."):
            raise PydanticCustomError(
                "scope",
                "Names that begin with partner. are for partners, and no customer grants them",
            )
        return value


class Operation(_Part):
    """An action or a trigger."""

    name: _line(80, 1)  # type: ignore[valid-type]  # built by a helper
    description: _line(300) = ""  # type: ignore[valid-type]  # built by a helper


class Pricing(_Part):
    """How it is paid for, in words; plans that are sold here belong to billing."""

    model: PricingModel = "contact"
    summary: _line(160) = ""  # type: ignore[valid-type]  # built by a helper
    url: WebUrl = ""


class ImageRef(_Part):
    """A stored image: its storage key and size in pixels."""

    key: str = Field(max_length=200)
    width: int = Field(ge=1, le=10_000)
    height: int = Field(ge=1, le=10_000)


class Screenshot(ImageRef):
    """A screenshot; the alternative text is required."""

    caption: _line(120) = ""  # type: ignore[valid-type]  # built by a helper
    alt: _line(200, 3)  # type: ignore[valid-type]  # built by a helper


class ListingContent(_Part):
    """Everything on a listing's public page that its publisher writes."""

    name: _line(60, 2)  # type: ignore[valid-type]  # built by a helper
    tagline: _line(120, 10)  # type: ignore[valid-type]  # built by a helper
    description: _block(20_000, 40)  # type: ignore[valid-type]  # built by a helper
    kind: Kind
    categories: tuple[Slug, ...] = Field(min_length=1, max_length=3)
    tags: tuple[_line(30, 1), ...] = Field(default=(), max_length=12)  # type: ignore[valid-type]  # built by a helper
    aliases: tuple[_line(60, 1), ...] = Field(default=(), max_length=8)  # type: ignore[valid-type]  # built by a helper
    works_with: tuple[_line(60, 1), ...] = Field(default=(), max_length=20)  # type: ignore[valid-type]  # built by a helper
    data_shared: tuple[DataShared, ...] = Field(default=(), max_length=20)
    auth_kinds: tuple[AuthKind, ...] = ()
    scopes: tuple[ScopeRequest, ...] = Field(default=(), max_length=40)
    actions: tuple[Operation, ...] = Field(default=(), max_length=100)
    triggers: tuple[Operation, ...] = Field(default=(), max_length=100)
    action_count: int | None = Field(default=None, ge=0, le=10_000)
    trigger_count: int | None = Field(default=None, ge=0, le=10_000)
    pricing: Pricing = Pricing()
    setup_guide: _block(20_000) = ""  # type: ignore[valid-type]  # built by a helper
    website_url: WebUrl = ""
    support_url: WebUrl = ""
    privacy_url: WebUrl = ""
    terms_url: WebUrl = ""
    documentation_url: WebUrl = ""
    support_email: EmailStr | Literal[""] = ""
    video_url: WebUrl = ""
    security: dict[str, _block(500)] = {}  # type: ignore[valid-type]  # built by a helper
    compliance: tuple[Compliance, ...] = ()
    languages: tuple[Language, ...] = Field(default=(), max_length=60)
    regions: tuple[Region, ...] = ()
    brand_color: Color | None = None
    logo: ImageRef | None = None
    screenshots: tuple[Screenshot, ...] = Field(default=(), max_length=8)

    @field_validator(
        "categories",
        "tags",
        "aliases",
        "works_with",
        "auth_kinds",
        "compliance",
        "languages",
        "regions",
    )
    @classmethod
    def _no_duplicates(cls, values: tuple[str, ...]) -> tuple[str, ...]:
        seen: dict[str, str] = {}
        for value in values:
            seen.setdefault(value.casefold(), value)
        return tuple(seen.values())

    @field_validator("video_url")
    @classmethod
    def _known_video_host(cls, value: str) -> str:
        host = re.sub(r"^https?://", "", value).split("/")[0].split("?")[0].lower()
        if value and (host not in VIDEO_HOSTS or not value.startswith("https://")):
            raise PydanticCustomError("video", "Link to a page of YouTube, Vimeo or Loom")
        return value

    @field_validator("security")
    @classmethod
    def _known_questions(cls, answers: dict[str, str]) -> dict[str, str]:
        for question in answers:
            if question not in SECURITY_QUESTIONS:
                raise PydanticCustomError("security", "There is no question of that name")
        return {question: answer for question, answer in answers.items() if answer}

    def to_json(self) -> dict[str, Any]:
        """The JSON form that revisions and exports keep."""
        return self.model_dump(mode="json")

    @property
    def directions(self) -> tuple[str, ...]:
        """The directions in which data moves, without repeats, in a stable order."""
        found = {part.direction for part in self.data_shared}
        return tuple(direction for direction in DIRECTIONS if direction in found)


def field_messages(error: ValidationError) -> dict[str, str]:
    """The first message of each wrong field, by dotted path such as `scopes.0.reason`."""
    messages: dict[str, str] = {}
    for part in error.errors():
        path = ".".join(str(step) for step in part["loc"]) or "content"
        messages.setdefault(path, part["msg"])
    return messages
