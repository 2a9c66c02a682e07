"""Filters: a tree of values, never a string. Each engine quotes for itself."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeAlias

Scalar: TypeAlias = str | int | float | bool


@dataclass(frozen=True, slots=True)
class Eq:
    """The field has this value (a multi-valued field: among its values)."""

    field: str
    value: Scalar


@dataclass(frozen=True, slots=True)
class In:
    """The field has one of these values. No values: nothing matches."""

    field: str
    values: tuple[Scalar, ...]


@dataclass(frozen=True, slots=True)
class Range:
    """The number lies between the bounds, both included; ``None`` is open."""

    field: str
    low: float | None = None
    high: float | None = None


@dataclass(frozen=True, slots=True)
class And:
    """All of them. Without parts: everything."""

    parts: tuple[Filter, ...]


@dataclass(frozen=True, slots=True)
class Or:
    """Any of them. Without parts: nothing."""

    parts: tuple[Filter, ...]


@dataclass(frozen=True, slots=True)
class Not:
    """Everything but this."""

    part: Filter


Filter: TypeAlias = Eq | In | Range | And | Or | Not


def fields_of(tree: Filter) -> frozenset[str]:
    """The names of all fields that a filter speaks of."""
    if isinstance(tree, And | Or):
        return frozenset().union(*(fields_of(part) for part in tree.parts))
    if isinstance(tree, Not):
        return fields_of(tree.part)
    return frozenset({tree.field})


def without_facet(tree: Filter | None, facet: str) -> Filter | None:
    """The filter for counting ``facet`` disjunctively: without the parts of the topmost
    ``And`` that speak of that facet alone."""
    if tree is None:
        return None
    parts = tree.parts if isinstance(tree, And) else (tree,)
    kept = tuple(part for part in parts if fields_of(part) != {facet})
    if len(kept) == len(parts):
        return tree
    return And(kept) if kept else None
