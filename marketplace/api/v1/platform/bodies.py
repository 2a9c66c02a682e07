"""Reading what a client sends: JSON, small, and of the shape that is documented."""

import json
from typing import Any, NoReturn, TypeVar

from flask import request
from pydantic import BaseModel, ConfigDict, ValidationError

from marketplace.api.v1.platform.errors import InvalidJsonError, MediaTypeError
from marketplace.catalogue.content import field_messages
from marketplace.core.errors import InvalidError

MAX_BYTES = 512 * 1024
MAX_DEPTH = 12
JSON_TYPES = frozenset({"application/json", "application/merge-patch+json"})


class Body(BaseModel):
    """The shape of a request's body: exact types, nothing unknown."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)


B = TypeVar("B", bound=Body)


def read_body(shape: type[B], *, needed: bool = True) -> B:
    """The request's body. Where it is not `needed`, no body is an empty object.

    Raises MediaTypeError, InvalidJsonError, InvalidError by field.
    """
    raw = _raw(needed)
    read_object(raw)
    try:
        return shape.model_validate_json(raw)
    except ValidationError as error:
        raise InvalidError(field_messages(error), "Some fields cannot be used.") from None


def read_changes(shape: type[Body]) -> dict[str, Any]:
    """The fields of the body that were sent, checked like `read_body`; None takes one away."""
    given = read_object(_raw(needed=True))
    read_body(shape)
    return given


def read_object(raw: bytes) -> dict[str, Any]:
    """A JSON object. Raises InvalidJsonError."""
    try:
        found = json.loads(raw.decode("utf-8"), parse_constant=_refuse)
    except (ValueError, RecursionError):
        raise InvalidJsonError("The body is not JSON in UTF-8.") from None
    if not isinstance(found, dict):
        raise InvalidJsonError("Send a JSON object.")
    _check(found, MAX_DEPTH)
    return found


def _raw(needed: bool) -> bytes:
    raw = request.get_data()
    if not raw and not needed:
        return b"{}"
    if request.mimetype not in JSON_TYPES:
        raise MediaTypeError("Send `Content-Type: application/json`.")
    return raw


def _refuse(_name: str) -> NoReturn:
    raise ValueError("not a number of JSON")


def _check(value: Any, depth: int) -> None:
    """Refuse what no database and no page can keep: NUL, half characters, endless nesting."""
    if depth == 0:
        raise InvalidJsonError(f"The body is nested more than {MAX_DEPTH} deep.")
    if isinstance(value, str):
        if "\x00" in value:
            raise InvalidJsonError("A text holds the character NUL.")
        if not value.isascii() and any("\ud800" <= char <= "\udfff" for char in value):
            raise InvalidJsonError("A text holds half a character (a lone surrogate).")
    elif isinstance(value, dict):
        for name, part in value.items():
            _check(name, depth)
            _check(part, depth - 1)
    elif isinstance(value, list):
        for part in value:
            _check(part, depth - 1)
