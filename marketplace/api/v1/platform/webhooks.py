"""The webhooks as OpenAPI 3.1 describes them: what we send to partners' endpoints."""

from collections.abc import Mapping
from typing import Any

from marketplace.installs.webhooks.event_types import EVENT_TYPES, EventType

TAG = "Webhooks"
_HEADERS = {
    "webhook-id": (
        "The event's id, the same at every try: whoever has seen it drops the copy.",
        {"type": "string"},
        "evt_606b7343eb127ff0edc0bda5",
    ),
    "webhook-timestamp": (
        "When this try was sent, in seconds since 1970. Refuse what is older than five minutes.",
        {"type": "string", "pattern": "^[0-9]+$"},
        "1795893612",
    ),
    "webhook-signature": (
        "Signatures parted by spaces, two while a secret is exchanged, as Standard Webhooks says.",
        {"type": "string"},
        "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=",
    ),
}


def describe_webhooks() -> dict[str, Any]:
    """The `webhooks` of the description: one a type of event."""
    return {kind.name: {"post": _operation(kind)} for kind in EVENT_TYPES.values()}


def _operation(kind: EventType) -> dict[str, Any]:
    words = kind.name.replace(".", "_").split("_")
    return {
        "operationId": "on" + "".join(word.capitalize() for word in words),
        "summary": kind.title,
        "description": kind.description,
        "tags": [TAG],
        "security": [],
        "parameters": [
            {
                "name": name,
                "in": "header",
                "required": True,
                "description": text,
                "schema": schema,
                "example": example,
            }
            for name, (text, schema, example) in _HEADERS.items()
        ],
        "requestBody": {
            "required": True,
            "content": {"application/json": {"schema": _body(kind)}},
        },
        "responses": {
            "2XX": {"description": "Taken. Anything else, or no answer in time, is tried again."},
            "410": {"description": "Never again: the endpoint is switched off."},
        },
    }


def _body(kind: EventType) -> dict[str, Any]:
    return {
        "type": "object",
        "required": ["type", "timestamp", "data"],
        "properties": {
            "type": {"const": kind.name},
            "timestamp": {
                "type": "string",
                "format": "date-time",
                "description": "When it happened.",
            },
            "data": _shape_of(kind.example),
        },
        "example": {
            "type": kind.name,
            "timestamp": "2026-11-23T18:40:12+00:00",
            "data": dict(kind.example),
        },
    }


def _shape_of(value: Any) -> dict[str, Any]:
    """The JSON schema of an example; more fields may come in time."""
    if isinstance(value, Mapping):
        return {
            "type": "object",
            "properties": {name: _shape_of(part) for name, part in value.items()},
        }
    if isinstance(value, list | tuple):
        return {"type": "array", "items": _shape_of(value[0]) if value else {}}
    if isinstance(value, bool):
        return {"type": "boolean"}
    if isinstance(value, int):
        return {"type": "integer"}
    return {"type": ["string", "null"] if value is None else "string"}
