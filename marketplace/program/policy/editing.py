"""Changing a policy's document: putting, moving and removing what its lists hold. Pure.

A list is named by its path: `tiers`, or `types.technology.playbook` for a list within a type.
"""

import re
import unicodedata
from copy import deepcopy
from typing import Any, cast

from pydantic import BaseModel

from marketplace.program.policy.document import (
    Benefit,
    Entitlement,
    FormField,
    Goal,
    Metric,
    PartnerType,
    PlaybookTask,
    Policy,
    Space,
    Stage,
    Step,
    Tier,
)
from marketplace.program.policy.words import INNER_PARTS, PARTS

Document = dict[str, Any]
MODELS: dict[str, type[BaseModel]] = {
    "types": PartnerType,
    "tiers": Tier,
    "metrics": Metric,
    "entitlements": Entitlement,
    "benefits": Benefit,
    "goals": Goal,
    "spaces": Space,
    "form": FormField,
    "stages": Stage,
    "playbook": PlaybookTask,
    "getting_started": Step,
}
MOST_ITEMS = 200


class NoSuchPartError(LookupError):
    """There is no such list, or nothing of that key in it."""


def list_kind(path: str) -> str:
    """The last step of a path, a key of MODELS. Raises NoSuchPartError."""
    steps = path.split(".")
    inner = len(steps) == 3 and steps[0] == "types" and steps[2] in INNER_PARTS
    if not inner and not (len(steps) == 1 and path in PARTS):
        raise NoSuchPartError(path)
    return steps[-1]


def items_of(document: Document, path: str) -> list[Document]:
    """The list at a path, to be changed in place. Raises NoSuchPartError."""
    kind = list_kind(path)
    if kind == path:
        return cast(list[Document], document.setdefault(path, []))
    owner = _found(document.get("types", []), path.split(".")[1])
    return cast(list[Document], owner.setdefault(kind, []))


def place_of_list(document: Document, path: str) -> tuple[str | int, ...]:
    """Where a list stands in the document: `("types", 3, "playbook")`."""
    kind = list_kind(path)
    if kind == path:
        return (path,)
    owner = _found(document["types"], path.split(".")[1])
    return ("types", document["types"].index(owner), kind)


def find(document: Document, path: str, key: str) -> Document:
    """An item. Raises NoSuchPartError."""
    return _found(items_of(document, path), key)


def put(document: Document, path: str, item: Document, *, key: str | None) -> tuple[Document, int]:
    """A document with an item added at the end, or written anew in its place (`key`), and the
    place. What the form does not speak of (a type's questions) is kept. Raises NoSuchPartError."""
    changed = deepcopy(document)
    items = items_of(changed, path)
    if key is None:
        items.append(item)
        return changed, len(items) - 1
    old = _found(items, key)
    place = items.index(old)
    for name in ("modules", "types"):
        # Boxes come in the order of the page, which says nothing.
        if name in item and sorted(item[name]) == sorted(old.get(name, [])):
            item = {**item, name: old.get(name, [])}
    items[place] = {**old, **item, "key": key}
    return changed, place


def move(document: Document, path: str, key: str, *, by: int) -> Document:
    """A document with an item moved up (`by` -1) or down (1). Raises NoSuchPartError."""
    changed = deepcopy(document)
    items = items_of(changed, path)
    item = _found(items, key)
    place = items.index(item)
    items.remove(item)
    items.insert(max(0, min(place + by, len(items))), item)
    return changed


def remove(document: Document, path: str, key: str) -> Document:
    """A document without an item, and without what speaks of it elsewhere. Raises
    NoSuchPartError."""
    changed = deepcopy(document)
    items = items_of(changed, path)
    items.remove(_found(items, key))
    _CLEAN.get(path, lambda _document, _key, _original: None)(changed, key, document)
    return changed


def set_general(document: Document, values: Document) -> Document:
    """A document with other general values (name, currency, rates)."""
    return {**deepcopy(document), **values}


def new_key(name: str, taken: set[str]) -> str:
    """A key made of a name: `Certified people` is `certified_people`."""
    plain = unicodedata.normalize("NFKD", name).encode("ascii", "ignore").decode().lower()
    words = re.sub(r"[^a-z0-9]+", "_", plain).strip("_")
    if not re.match(r"[a-z]", words):
        words = f"item_{words}".rstrip("_")
    base = words[:36].rstrip("_").ljust(2, "x")
    key, number = base, 2
    while key in taken:
        key, number = f"{base}_{number}", number + 1
    return key


def keys_in(document: Document, path: str) -> set[str]:
    """The keys of a list."""
    return {str(each.get("key")) for each in items_of(document, path)}


def policy_of(document: Document) -> Policy:
    """The policy that a stored document says."""
    return Policy.model_validate(document)


def _found(items: list[Document], key: str) -> Document:
    for each in items:
        if each.get("key") == key:
            return each
    raise NoSuchPartError(key)


def _without_type(document: Document, key: str, _original: Document) -> None:
    for tier in document["tiers"]:
        kept = []
        for each in tier.get("requirements", []):
            if each.get("types") == [key]:
                continue  # asked of nobody now; without types it would be asked of all
            kept.append({**each, "types": [t for t in each.get("types", []) if t != key]})
        tier["requirements"] = kept
        if tier.get("types") and tier["types"] != [key]:
            tier["types"] = [each for each in tier["types"] if each != key]


def _without_tier(document: Document, key: str, original: Document) -> None:
    keys = [each["key"] for each in original["tiers"]]
    place = keys.index(key)
    # The right goes to the next higher tier: nobody gets one by a tier's removal.
    heir = keys[place + 1] if place + 1 < len(keys) else keys[place - 1] if place else None
    for space in document.get("spaces", []):
        for act in ("see", "reply", "create"):
            if space.get(act) == key:
                space[act] = heir
    for benefit in document.get("benefits", []):
        benefit.get("per_year", {}).pop(key, None)


def _without_metric(document: Document, key: str, _original: Document) -> None:
    for tier in document["tiers"]:
        tier["requirements"] = [
            each for each in tier.get("requirements", []) if each.get("metric") != key
        ]


def _without_entitlement(document: Document, key: str, _original: Document) -> None:
    for each in [*document["tiers"], *document["types"]]:
        each.get("entitlements", {}).pop(key, None)


_CLEAN = {
    "types": _without_type,
    "tiers": _without_tier,
    "metrics": _without_metric,
    "entitlements": _without_entitlement,
}
