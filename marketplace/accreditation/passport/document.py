"""A passport: a signed statement of one installation about a partner, meant for one other.

It is a VC-JWT like our credentials, of the type PartnerPassport, with the receiver as `aud`. It
binds to the organization by the domains that the issuer has verified.
"""

from collections.abc import Mapping
from datetime import datetime
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, ValidationError

TYPE = "PartnerPassport"
RECEIPT_TYPE = "PartnerPassportReceipt"
STATUS_TYPE = "PartnerPassportStatus"
DAYS = 30
MOST_ITEMS = 100

KINDS = {
    "verification": "Verification",
    "certification": "Certification",
    "credential": "Credentials of people",
    "tier": "Tier",
}

_Text = Annotated[str, StringConstraints(max_length=300)]
_Stamp = Annotated[str, StringConstraints(pattern=r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$")]


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="ignore", populate_by_name=True)


class PassportItem(_Part):
    """One thing that the issuer vouches for."""

    kind: Literal["verification", "certification", "credential", "tier"]
    title: Annotated[str, StringConstraints(min_length=1, max_length=200)]
    detail: _Text = ""
    since: _Stamp | None = None
    valid_until: _Stamp | None = Field(default=None, alias="validUntil")


class PassportSubject(_Part):
    """The organization."""

    name: Annotated[str, StringConstraints(min_length=1, max_length=200)]
    website: _Text = ""
    country: Annotated[str, StringConstraints(max_length=2)] = ""
    domains: Annotated[tuple[_Text, ...], Field(max_length=100)] = ()
    items: Annotated[tuple[PassportItem, ...], Field(max_length=MOST_ITEMS)] = ()


def subject_of(claims: Mapping[str, Any]) -> PassportSubject | None:
    """What a passport says of the organization; None for what is no passport."""
    types = claims.get("type")
    if not isinstance(types, list) or TYPE not in types:
        return None
    try:
        found = PassportSubject.model_validate(claims.get("credentialSubject"))
    except ValidationError:
        return None
    texts = [found.name, found.website, *found.domains]
    texts += [text for item in found.items for text in (item.title, item.detail)]
    if any("\x00" in text for text in texts):
        return None
    try:
        for item in found.items:
            moment(item.since)
            moment(item.valid_until)
    except ValueError:
        return None
    return found


def moment(stamp: str | None) -> datetime | None:
    """A stamp of a passport as a moment. Raises ValueError for a day that there is not."""
    return datetime.fromisoformat(stamp.replace("Z", "+00:00")) if stamp else None
