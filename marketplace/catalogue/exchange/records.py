"""The records of the catalogue file as validated values; docs/catalogue-format.md in code."""

from collections.abc import Mapping
from datetime import date
from pathlib import PurePosixPath
from typing import Annotated, Any, Literal, TypeVar, get_args

from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    Field,
    StringConstraints,
    ValidationError,
    field_validator,
    model_validator,
)
from pydantic_core import PydanticCustomError

from marketplace.catalogue.content import (
    Color,
    ListingContent,
    Slug,
    WebUrl,
    clean_text,
)

PartnerType = Literal[
    "developer",
    "agency",
    "consulting",
    "technology",
    "integration",
    "franchise",
    "reseller",
    "affiliate",
    "white_label",
    "academic",
    "non_profit",
    "government",
]
PARTNER_TYPES: tuple[str, ...] = get_args(PartnerType)
Status = Literal["active", "beta", "deprecated", "withdrawn"]
M = TypeVar("M", bound=BaseModel)
CONTENT_FIELDS = frozenset(ListingContent.model_fields) - {"logo", "screenshots"}


class _Text:
    """A text without control characters and of bounded length; one line unless `block`."""

    def __init__(self, most: int, least: int = 0, *, block: bool = False) -> None:
        self.most, self.least, self.block = most, least, block

    def __call__(self, value: str) -> str:
        value = clean_text(value)
        if not self.block:
            value = " ".join(value.split())
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


def _relative_path(value: str) -> str:
    path = PurePosixPath(value)
    if (
        not value
        or len(value) > 300
        or "\\" in value
        or "\x00" in value
        or path.is_absolute()
        or ".." in path.parts
    ):
        raise PydanticCustomError("path", "Give the path of a file beside the catalogue file")
    return value


FilePath = Annotated[str, AfterValidator(_relative_path)]
CategorySlug = Annotated[str, StringConstraints(pattern=r"^[a-z0-9]+(-[a-z0-9]+)*$", max_length=60)]


class _Record(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class CategoryRecord(_Record):
    """A line with `"record": "category"`."""

    slug: CategorySlug
    name: Annotated[str, AfterValidator(_Text(60, 1))]
    description: Annotated[str, AfterValidator(_Text(200))] = ""
    icon: Annotated[str, StringConstraints(pattern=r"^[a-z0-9-]*$", max_length=40)] = ""
    position: int = Field(default=0, ge=0, le=100_000)


class PublisherRecord(_Record):
    """A line with `"record": "publisher"`. `verified` None: as it is, false when new."""

    slug: Slug
    name: Annotated[str, AfterValidator(_Text(80, 1))]
    tagline: Annotated[str, AfterValidator(_Text(120))] = ""
    about: Annotated[str, AfterValidator(_Text(4_000, block=True))] = ""
    website: WebUrl = ""
    partner_type: PartnerType = "technology"
    country: Annotated[str, StringConstraints(pattern=r"^[A-Z]{2}$")] | None = None
    brand_color: Color | None = None
    logo: FilePath | None = None
    verified: bool | None = None


class ScreenshotFile(_Record):
    """A screenshot as a file beside the catalogue."""

    file: FilePath
    caption: Annotated[str, AfterValidator(_Text(120))] = ""
    alt: Annotated[str, AfterValidator(_Text(200, 3))]


class VersionRecord(_Record):
    """A release."""

    version: Annotated[str, AfterValidator(_Text(40, 1))]
    released_on: date
    changelog: Annotated[str, AfterValidator(_Text(20_000, block=True))] = ""


class ListingEnvelope(_Record):
    """What a line with `"record": "listing"` says beside the listing's content.

    `certified` and `published_on` None: as they are (when new: false and today).
    """

    slug: Slug
    publisher: Slug
    status: Status = "active"
    successor: Slug | None = None
    status_reason: Annotated[str, AfterValidator(_Text(2_000, block=True))] = ""
    logo: FilePath | None = None
    screenshots: tuple[ScreenshotFile, ...] = Field(default=(), max_length=8)
    versions: tuple[VersionRecord, ...] = Field(default=(), max_length=200)
    certified: bool | None = None
    published_on: date | None = None
    source: Annotated[str, AfterValidator(_Text(300))] = ""

    @field_validator("versions")
    @classmethod
    def _each_version_once(cls, values: tuple[VersionRecord, ...]) -> tuple[VersionRecord, ...]:
        if len({value.version for value in values}) != len(values):
            raise PydanticCustomError("versions", "A version stands twice")
        return values

    @model_validator(mode="after")
    def _status_is_explained(self) -> "ListingEnvelope":
        if self.status == "withdrawn" and not self.status_reason:
            raise PydanticCustomError("status_reason", "Say why the listing was withdrawn")
        if self.successor is not None:
            if self.status != "deprecated":
                raise PydanticCustomError("successor", "Only a deprecated listing has a successor")
            if self.successor == self.slug:
                raise PydanticCustomError("successor", "A listing cannot succeed itself")
        return self


class ListingRecord:
    """A listing's line: its envelope and its content, the content without images."""

    __slots__ = ("content", "envelope")

    def __init__(self, envelope: ListingEnvelope, content: ListingContent) -> None:
        self.envelope, self.content = envelope, content


class RecordInvalidError(ValueError):
    """`fields` maps the fields that are wrong to the reason."""

    def __init__(self, fields: Mapping[str, str]) -> None:
        super().__init__("; ".join(f"{name}: {text}" for name, text in fields.items()))
        self.fields = dict(fields)


def parse_record(data: Mapping[str, Any]) -> CategoryRecord | PublisherRecord | ListingRecord:
    """The record in a line's object. Raises RecordInvalidError."""
    rest = dict(data)
    kind = rest.pop("record", None)
    if kind == "category":
        return _validated(CategoryRecord, rest)
    if kind == "publisher":
        return _validated(PublisherRecord, rest)
    if kind == "listing":
        return _parse_listing(rest)
    if kind is None:
        raise RecordInvalidError({"record": "Say what the line is: category, publisher, listing"})
    raise RecordInvalidError({"record": "Must be category, publisher or listing"})


def _parse_listing(data: dict[str, Any]) -> ListingRecord:
    content = {name: data.pop(name) for name in CONTENT_FIELDS if name in data}
    problems: dict[str, str] = {}
    envelope = parsed = None
    try:
        envelope = _validated(ListingEnvelope, data)
    except RecordInvalidError as error:
        problems |= error.fields
    try:
        parsed = _validated(ListingContent, content)
    except RecordInvalidError as error:
        problems |= error.fields
    if envelope is None or parsed is None:
        raise RecordInvalidError(problems)
    return ListingRecord(envelope, parsed)


def _validated(model: type[M], data: Mapping[str, Any]) -> M:
    try:
        return model.model_validate(data)
    except ValidationError as error:
        fields: dict[str, str] = {}
        for part in error.errors(include_url=False, include_input=False):
            # A rule about two fields has no place; its type names the field to blame.
            path = ".".join(str(step) for step in part["loc"]) or part["type"]
            text = part["msg"]
            if part["type"] == "extra_forbidden":
                text = "There is no field of this name"
            fields.setdefault(path[:80], text)
        raise RecordInvalidError(fields) from None
