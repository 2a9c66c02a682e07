"""Listings side by side: what is compared, and where they differ."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from marketplace.catalogue.discovery.facets import (
    AUTH_LABELS,
    DIRECTION_LABELS,
    KIND_LABELS,
    PRICING_LABELS,
    language_label,
)

MOST = 4


@dataclass(frozen=True, slots=True)
class Compared:
    """A listing as far as a comparison needs it. `content` is a ListingContent's JSON form."""

    kind: str
    pricing_model: str
    certified: bool
    rating: float | None
    rating_count: int
    use_count: int
    categories: tuple[str, ...]
    latest_version: str
    content: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Row:
    """One thing that is compared: a cell a listing, each a tuple of lines, empty for nothing."""

    label: str
    cells: tuple[tuple[str, ...], ...]
    differs: bool


def _operations(part: Compared, name: str) -> tuple[str, ...]:
    listed = part.content.get(name) or ()
    count = max(len(listed), part.content.get(f"{name[:-1]}_count") or 0)
    return (f"{count:,}",) if count else ()


def _labels(part: Compared, key: str, label: Callable[[str], str]) -> tuple[str, ...]:
    return tuple(label(value) for value in part.content.get(key) or ())


def _data(part: Compared) -> tuple[str, ...]:
    return tuple(
        f"{item['object']}: {DIRECTION_LABELS.get(item['direction'], item['direction']).lower()}"
        for item in part.content.get("data_shared") or ()
    )


def _rating(part: Compared) -> tuple[str, ...]:
    if part.rating is None:
        return ()
    reviews = "review" if part.rating_count == 1 else "reviews"
    return (f"{part.rating:.1f} of 5 ({part.rating_count:,} {reviews})",)


def _pricing(part: Compared) -> tuple[str, ...]:
    summary = (part.content.get("pricing") or {}).get("summary")
    label = PRICING_LABELS.get(part.pricing_model, part.pricing_model)
    return (label, summary) if summary else (label,)


_ROWS: tuple[tuple[str, Callable[[Compared], tuple[str, ...]]], ...] = (
    ("Kind", lambda part: (KIND_LABELS.get(part.kind, part.kind),)),
    ("Price", _pricing),
    ("Rating", _rating),
    ("Used by", lambda part: (f"{part.use_count:,}",) if part.use_count else ()),
    ("Certified", lambda part: ("Yes",) if part.certified else ("No",)),
    ("Categories", lambda part: part.categories),
    ("Works with", lambda part: _labels(part, "works_with", str)),
    ("Data", _data),
    ("Sign-in", lambda part: _labels(part, "auth_kinds", lambda v: AUTH_LABELS.get(v, v))),
    (
        "Permissions",
        lambda part: tuple(item["scope"] for item in part.content.get("scopes") or ()),
    ),
    ("Actions", lambda part: _operations(part, "actions")),
    ("Triggers", lambda part: _operations(part, "triggers")),
    ("Languages", lambda part: _labels(part, "languages", language_label)),
    ("Latest version", lambda part: (part.latest_version,) if part.latest_version else ()),
)


def compare_all(parts: Sequence[Compared]) -> list[Row]:
    """The rows of a comparison; a row that is empty for all is left out. The order within a cell
    is no difference."""
    rows = []
    for label, read in _ROWS:
        cells = tuple(read(part) for part in parts)
        if any(cells):
            differs = len({frozenset(cell) for cell in cells}) > 1
            rows.append(Row(label=label, cells=cells, differs=differs))
    return rows
