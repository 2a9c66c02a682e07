"""What both engines read out of a document, and how. Pure."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from search.engine import Document, FilterField, Kind

MAX_KEYWORD = 400
"""Characters of an id, a facet value or a sort key that count."""


def identity_of(doc: Document) -> str:
    """The document's id. Raises ``ValueError`` if it has none that could be one."""
    identity = doc.get("id")
    if not isinstance(identity, str) or not identity or len(identity) > MAX_KEYWORD:
        raise ValueError("a document has an id: a text that is not empty")
    return identity


def texts(value: object) -> list[str]:
    """The texts of a field: of a string, of a list of strings, of nothing."""
    if value is None:
        return []
    if isinstance(value, str):
        return [value] if value else []
    if isinstance(value, Iterable):
        return [str(item) for item in value if item is not None and item != ""]
    return [str(value)]


def keyword(value: object) -> str:
    """A value as it is filtered by and shown in a facet."""
    if isinstance(value, bool):
        return "true" if value else "false"
    return str(value)[:MAX_KEYWORD]


def filter_values(field: FilterField, doc: Document) -> list[Any]:
    """The values of a field that is filtered by, each once. Raises ``ValueError``."""
    value = doc.get(field.name)
    if value is None:
        return []
    many = list(value) if isinstance(value, list | tuple | set | frozenset) else [value]
    many = [item for item in many if item is not None]
    match field.kind:
        case Kind.INTEGER:
            return list(dict.fromkeys(int(item) for item in many))
        case Kind.NUMBER:
            return list(dict.fromkeys(float(item) for item in many))
        case Kind.BOOL:
            return ["true" if item else "false" for item in many[:1]]
        case Kind.KEYWORD:
            return [item for item in dict.fromkeys(map(keyword, many)) if item.strip()]
