"""The readable difference of two contents: words, list items and images. Pure.

Segments are what templates/components/diff.html draws: `{"op", "text"}` with op `equal`,
`insert` or `delete`, in reading order.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from difflib import SequenceMatcher
from typing import Any, Final, Literal

from marketplace.catalogue.publishing.blank import is_blank
from marketplace.catalogue.publishing.sections import (
    FIELD_LABELS,
    SECTIONS,
    readable,
    readable_item,
)
from marketplace.catalogue.publishing.sensitivity import changed_fields, sensitive_changes

Segment = dict[str, str]
ItemOp = Literal["equal", "insert", "delete", "change"]

_TOKEN: Final = re.compile(r"\s+|\w+|[^\w\s]")
# White space does not count: it is never looked up.
_MOST_TOKENS: Final = 3_200
_MOST_PAIRS: Final = 250_000
# From this length on difflib ignores tokens that are more than one in a hundred.
_POPULAR_FROM: Final = 200
_LISTS_OF_OBJECTS: Final = {
    "data_shared": "object",
    "scopes": "scope",
    "actions": "name",
    "triggers": "name",
}
_LISTS: Final = frozenset(
    {"categories", "tags", "aliases", "works_with", "auth_kinds", "compliance", "languages"}
    | {"regions"}
)
FIELD_ORDER: Final = tuple(name for section in SECTIONS for name in section.fields)


@dataclass(frozen=True)
class ItemDifference:
    """One item of a list: added, removed, changed (with its segments) or as it was."""

    op: ItemOp
    text: str
    segments: list[Segment] = field(default_factory=list)


@dataclass(frozen=True)
class ImageDifference:
    """An image that was added, removed, kept, or whose texts changed; keys of the storage."""

    op: ItemOp
    before: Mapping[str, Any] | None
    after: Mapping[str, Any] | None


@dataclass(frozen=True)
class FieldDifference:
    """What changed in one field; one of `segments`, `items` and `images` is filled."""

    name: str
    label: str
    sensitive: bool
    segments: list[Segment] = field(default_factory=list)
    items: list[ItemDifference] = field(default_factory=list)
    images: list[ImageDifference] = field(default_factory=list)


def segments_of(before: str, after: str) -> list[Segment]:
    """The difference of two texts word by word; by lines where the texts are too long for that."""
    one, two = _TOKEN.findall(before), _TOKEN.findall(after)
    start = _shared(one, two)
    end = _shared(one[start:][::-1], two[start:][::-1])
    head, tail = "".join(one[:start]), "".join(one[len(one) - end :])
    changed = _changed(one[start : len(one) - end], two[start : len(two) - end])
    return _joined(
        [{"op": "equal", "text": head}, *changed, {"op": "equal", "text": tail}],
    )


def _shared(one: Sequence[str], two: Sequence[str]) -> int:
    """With how many equal tokens both begin."""
    pairs = zip(one, two, strict=False)
    return next(
        (number for number, (mine, other) in enumerate(pairs) if mine != other),
        min(len(one), len(two)),
    )


def _changed(one: list[str], two: list[str]) -> list[Segment]:
    if _is_cheap(one, two):
        return _matched(one, two)
    before, after = "".join(one), "".join(two)
    lines, other_lines = before.splitlines(keepends=True), after.splitlines(keepends=True)
    if _is_cheap(lines, other_lines):
        return _matched(lines, other_lines)
    return [{"op": "delete", "text": before}, {"op": "insert", "text": after}]


def content_differences(
    before: Mapping[str, Any], after: Mapping[str, Any]
) -> list[FieldDifference]:
    """The fields that differ, in the order of the editor."""
    changed = set(changed_fields(before, after))
    sensitive = set(sensitive_changes(before, after))
    return [
        _field_difference(name, before.get(name), after.get(name), name in sensitive)
        for name in FIELD_ORDER
        if name in changed
    ]


def item_differences(
    name: str, before: Sequence[Any], after: Sequence[Any]
) -> list[ItemDifference]:
    """The difference of two lists item by item; objects of the same name are one item."""
    key = _LISTS_OF_OBJECTS.get(name)

    def identity(item: Any) -> str:
        return str(item.get(key, "")) if key and isinstance(item, Mapping) else str(item)

    old = {identity(item): readable_item(name, item) for item in before}
    new = {identity(item): readable_item(name, item) for item in after}
    found: list[ItemDifference] = []
    for known, text in new.items():
        if known not in old:
            found.append(ItemDifference("insert", text))
        elif old[known] != text:
            found.append(ItemDifference("change", text, segments_of(old[known], text)))
        else:
            found.append(ItemDifference("equal", text))
    found += [ItemDifference("delete", text) for known, text in old.items() if known not in new]
    return found


def image_differences(before: Sequence[Any], after: Sequence[Any]) -> list[ImageDifference]:
    """The difference of two lists of images by their keys."""
    old = {str(row.get("key")): row for row in before if isinstance(row, Mapping)}
    new = {str(row.get("key")): row for row in after if isinstance(row, Mapping)}
    found: list[ImageDifference] = []
    for known, row in new.items():
        was = old.get(known)
        op: ItemOp = "insert" if was is None else "equal" if was == row else "change"
        found.append(ImageDifference(op, was, row))
    found += [ImageDifference("delete", row, None) for key, row in old.items() if key not in new]
    return found


def _field_difference(name: str, before: Any, after: Any, sensitive: bool) -> FieldDifference:
    label = FIELD_LABELS[name]
    if name == "logo":
        images = image_differences(
            [] if is_blank(before) else [before], [] if is_blank(after) else [after]
        )
        return FieldDifference(name, label, sensitive, images=images)
    if name == "screenshots":
        images = image_differences(before or (), after or ())
        return FieldDifference(name, label, sensitive, images=images)
    if name in _LISTS_OF_OBJECTS or name in _LISTS:
        items = item_differences(name, before or (), after or ())
        return FieldDifference(name, label, sensitive, items=items)
    segments = segments_of(readable(name, before), readable(name, after))
    return FieldDifference(name, label, sensitive, segments=segments)


def _is_cheap(one: list[str], two: list[str]) -> bool:
    # A matcher of short texts looks at every pair, one of long texts leaves out what is frequent.
    # Both are bounded, since a text may be made to be slow.
    if len(two) < _POPULAR_FROM:
        return len(one) * len(two) <= _MOST_PAIRS
    return sum(not token.isspace() for text in (one, two) for token in text) <= _MOST_TOKENS


def _matched(one: list[str], two: list[str]) -> list[Segment]:
    segments: list[Segment] = []
    # White space joins what matches; it is no match of its own.
    matcher = SequenceMatcher(str.isspace, one, two)
    for op, i, j, k, m in matcher.get_opcodes():
        if op == "equal":
            segments.append({"op": "equal", "text": "".join(one[i:j])})
            continue
        if i < j:
            segments.append({"op": "delete", "text": "".join(one[i:j])})
        if k < m:
            segments.append({"op": "insert", "text": "".join(two[k:m])})
    return segments


def _joined(segments: list[Segment]) -> list[Segment]:
    # A lone space between two replaced words reads better as part of the replacement.
    joined: list[Segment] = []
    deleted = inserted = ""

    def flush() -> None:
        nonlocal deleted, inserted
        if deleted:
            joined.append({"op": "delete", "text": deleted})
        if inserted:
            joined.append({"op": "insert", "text": inserted})
        deleted = inserted = ""

    segments = [segment for segment in segments if segment["text"]]
    for number, segment in enumerate(segments):
        text, op = segment["text"], segment["op"]
        bridge = op == "equal" and not text.strip() and "\n" not in text
        if bridge and deleted and inserted and number + 1 < len(segments):
            deleted, inserted = deleted + text, inserted + text
        elif op == "equal":
            flush()
            joined.append(dict(segment))
        elif op == "delete":
            deleted += text
        else:
            inserted += text
    flush()
    return joined
