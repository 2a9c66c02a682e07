"""Checklists and what is given for them, decided purely."""

import enum
from collections.abc import Mapping, Sequence
from typing import Annotated, Any, Protocol

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, ValidationError

from marketplace.accreditation.certification.models import EvidenceState
from marketplace.core.errors import InvalidError

MOST_ITEMS = 60
MOST_MONTHS = 60


class EvidenceKind(enum.StrEnum):
    """What is given for an item."""

    TEXT = "text"
    LINK = "link"
    FILE = "file"
    AUTOMATIC = "automatic"  # nothing is given: we look


class AutomaticCheck(enum.StrEnum):
    """What we can look at ourselves."""

    LIVE_INSTALLS = "live_installs"  # at least so many live installations by others
    CERTIFIED_PEOPLE = "certified_people"  # at least so many people with a valid credential
    VERIFIED = "verified"  # the organization is verified
    PUBLISHED = "published"  # the listing's content is approved


class Item(BaseModel):
    """One line of a checklist. `check` and `least` are for automatic ones alone."""

    model_config = ConfigDict(frozen=True, extra="forbid", str_strip_whitespace=True)

    key: Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9_]{0,39}$")]
    title: Annotated[str, StringConstraints(min_length=1, max_length=120)]
    text: Annotated[str, StringConstraints(max_length=600)] = ""
    mandatory: bool = True
    evidence: EvidenceKind = EvidenceKind.TEXT
    weight: int = Field(default=1, ge=0, le=100)
    check: AutomaticCheck | None = None
    least: int = Field(default=1, ge=0, le=1_000_000)


class Given(Protocol):
    """What was given for an item, as far as rules need it."""

    item_key: str
    value: str
    storage_key: str | None
    passed: bool | None
    state: EvidenceState


def read_items(rows: Sequence[Mapping[str, Any]]) -> tuple[Item, ...]:
    """The items of a stored or typed checklist. Raises InvalidError (field checklist)."""
    if not 1 <= len(rows) <= MOST_ITEMS:
        raise InvalidError({"checklist": f"A checklist has 1 to {MOST_ITEMS} items."})
    found = []
    for number, row in enumerate(rows, 1):
        try:
            item = Item.model_validate(dict(row))
        except ValidationError as error:
            first = error.errors()[0]
            where = ".".join(str(part) for part in first["loc"])
            raise InvalidError({"checklist": f"Item {number}, {where}: {first['msg']}."}) from error
        if (item.evidence is EvidenceKind.AUTOMATIC) != (item.check is not None):
            raise InvalidError(
                {"checklist": f"Item {number}: choose what is checked, for automatic items alone."}
            )
        found.append(item)
    keys = [item.key for item in found]
    if len(set(keys)) != len(keys):
        raise InvalidError({"checklist": "Two items have the same key."})
    return tuple(found)


def is_given(item: Item, given: Given | None) -> bool:
    """Whether there is something to look at; of an automatic item, whether it passed."""
    if given is None:
        return False
    if item.evidence is EvidenceKind.AUTOMATIC:
        return given.passed is True
    if item.evidence is EvidenceKind.FILE:
        return bool(given.storage_key)
    return bool(given.value.strip())


def missing(items: Sequence[Item], given: Mapping[str, Given]) -> dict[str, str]:
    """What must be there before it can be submitted: messages by the item's key."""
    return {
        item.key: (
            "This does not hold yet."
            if item.evidence is EvidenceKind.AUTOMATIC
            else "This must be given."
        )
        for item in items
        if item.mandatory and not is_given(item, given.get(item.key))
    }


def percent_accepted(items: Sequence[Item], given: Mapping[str, Given]) -> int:
    """How much of all weights is accepted, in percent rounded down; 100 for no weight at all."""
    total = sum(item.weight for item in items)
    accepted = sum(
        item.weight
        for item in items
        if (found := given.get(item.key)) is not None and found.state is EvidenceState.ACCEPTED
    )
    return 100 if total == 0 else accepted * 100 // total


def in_the_way(items: Sequence[Item], given: Mapping[str, Given], pass_percent: int) -> list[str]:
    """Why it cannot be certified yet, in sentences; nothing when it can."""
    reasons = []
    for item in items:
        found = given.get(item.key)
        if item.mandatory and not is_given(item, found):
            reasons.append(f"Mandatory evidence is missing: {item.title}")
        elif item.mandatory and (found is None or found.state is not EvidenceState.ACCEPTED):
            reasons.append(f"Not accepted: {item.title}")
    reached = percent_accepted(items, given)
    if not reasons and reached < pass_percent:
        reasons.append(f"{reached} % is accepted, {pass_percent} % is needed")
    return reasons
