"""Words to write shapes with."""

from collections.abc import Sequence
from typing import Any

Schema = dict[str, Any]
SHAPES: dict[str, Schema] = {}


def shape(name: str, description: str, /, *, optional: Sequence[str] = (), **fields: Schema) -> str:
    """Register an object of that name; its name. All fields are always there but `optional`."""
    SHAPES[name] = {
        "type": "object",
        "description": description,
        "properties": fields,
        "required": [field for field in fields if field not in optional],
    }
    return name


def page_of(name: str, item: str, description: str, *, endless: bool = False) -> str:
    """Register a page of `item`."""
    following = (
        "The address to ask next time, also when nothing follows yet."
        if endless
        else "The address of the next page; null at the end."
    )
    return shape(
        name,
        description,
        items={"type": "array", "items": ref(item), "description": "What is on this page."},
        has_more=flag("Whether more follows now.", False),
        next=link(following, "https://marketplace.example/api/v1/…?after=…", null=not endless),
    )


def ref(name: str) -> Schema:
    """Another shape."""
    return {"$ref": f"#/components/schemas/{name}"}


def maybe(name: str, description: str) -> Schema:
    """Another shape, or null."""
    return {"anyOf": [ref(name), {"type": "null"}], "description": description}


def part(name: str, description: str) -> Schema:
    """Another shape as a field, with words of its own."""
    return {"allOf": [ref(name)], "description": description}


def text(description: str, example: Any = "", *, null: bool = False, **more: Any) -> Schema:
    """A text."""
    kind: Any = ["string", "null"] if null else "string"
    return {"type": kind, "description": description, "example": example, **more}


def link(description: str, example: str, *, null: bool = False) -> Schema:
    """An address."""
    return text(description, example, null=null, format="uri")


def moment(
    description: str, example: Any = "2026-11-28T09:30:00+00:00", *, null: bool = False
) -> Schema:
    """A time in UTC."""
    return text(description, example, null=null, format="date-time")


def choice(values: Sequence[str], description: str, example: Any, *, null: bool = False) -> Schema:
    """One of some words."""
    known: list[str | None] = [*values, None] if null else [*values]
    return text(description, example, null=null, enum=known)


def flag(description: str, example: bool) -> Schema:
    """Yes or no."""
    return {"type": "boolean", "description": description, "example": example}


def count(description: str, example: int, *, null: bool = False) -> Schema:
    """A whole number."""
    kind: Any = ["integer", "null"] if null else "integer"
    return {"type": kind, "description": description, "example": example, "minimum": 0}


def many(item: Schema, description: str, example: Any = None) -> Schema:
    """A list."""
    found: Schema = {"type": "array", "items": item, "description": description}
    return found if example is None else {**found, "example": example}


def texts(description: str, example: Any) -> Schema:
    """A list of texts."""
    return many({"type": "string"}, description, example)


def bag(description: str, example: Any) -> Schema:
    """An object whose fields are told elsewhere."""
    return {
        "type": "object",
        "description": description,
        "example": example,
        "additionalProperties": True,
    }
