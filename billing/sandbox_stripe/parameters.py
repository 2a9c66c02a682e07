"""Requests are checked against the SDK's own types, which Stripe generates from its specification.

A parameter that Stripe does not know, a missing one or one of the wrong type is refused, as Stripe
does. The types leave the values of most enumerations open; the stand-in looks at those that it
acts on, and stripe-mock (see docs/stripe.md) knows them all.
"""

import re
from functools import cache
from typing import Any
from urllib.parse import parse_qsl

import stripe
import stripe.params
import stripe.params.checkout
import stripe.params.v2.core
from pydantic import ConfigDict, TypeAdapter, ValidationError
from stripe._request_options import RequestOptions
from typing_extensions import TypedDict

from billing.sandbox_stripe.errors import ApiError

# The SDK's options share a TypedDict with the parameters; they are no parameters.
_OPTIONS = frozenset(RequestOptions.__annotations__)
_NAME = re.compile(r"[a-z_0-9]+")
_TYPE_NAMES = frozenset({"int", "str", "float", "bool", "decimal", "literal"})
_PART = re.compile(r"\[([^\]]*)\]")


def decode_form(text: str) -> dict[str, Any]:
    """`a[b][0][c]=d` as nested dictionaries and lists of strings."""
    root: dict[str, Any] = {}
    for name, value in parse_qsl(text, keep_blank_values=True):
        first = name.split("[", 1)[0]
        parts = [first, *_PART.findall(name)]
        node = root
        for part, following in zip(parts, [*parts[1:], None], strict=True):
            if following is None:
                if part == "":
                    part = str(len(node))
                node[part] = value
            else:
                key = part if part != "" else str(len(node))
                node = node.setdefault(key, {})
                if not isinstance(node, dict):
                    raise ApiError(400, f"Invalid object: {name}", param=name)
    return {name: _as_lists(value) for name, value in root.items()}


def _as_lists(value: Any) -> Any:
    if not isinstance(value, dict):
        return value
    if value and all(name.isdigit() for name in value):
        return [_as_lists(value[name]) for name in sorted(value, key=int)]
    return {name: _as_lists(each) for name, each in value.items()}


def check(params: dict[str, Any], kind: str) -> dict[str, Any]:
    """The parameters with their types (numbers, booleans). Raises ApiError as Stripe would.

    `kind` names a class of stripe.params, like `TransferCreateParams`.
    """
    for name in _OPTIONS & params.keys():
        raise ApiError(400, f"Received unknown parameter: {name}", param=name,
                       code="parameter_unknown")  # fmt: skip
    try:
        found: dict[str, Any] = _adapter(kind).validate_python(params)
    except ValidationError as error:
        raise _refusal(error) from None
    checked: dict[str, Any] = _plain(found)
    return checked


@cache
def _adapter(kind: str) -> TypeAdapter[Any]:
    module: Any = stripe.params
    *folders, name = kind.split(".")
    for folder in folders:
        module = getattr(module, folder)
    original = getattr(module, name)
    hints = {each: hint for each, hint in original.__annotations__.items() if each not in _OPTIONS}
    # A copy without the options; the types inside it inherit its settings.
    params: Any = TypedDict(name, hints)  # type: ignore[misc]  # built from the SDK's own
    params.__module__ = original.__module__
    settings = ConfigDict(extra="forbid", arbitrary_types_allowed=True)
    setattr(params, "__pydantic_config__", settings)  # noqa: B010 - no class has it declared
    return TypeAdapter(params)


def _refusal(error: ValidationError) -> ApiError:
    """The complaint about the deepest place: of a union, the branch that fits best."""
    complaints = sorted(error.errors(), key=lambda each: -len(_place(each["loc"])))
    first = complaints[0]
    place = _place(first["loc"])
    param = place[0] + "".join(f"[{part}]" for part in place[1:]) if place else ""
    if first["type"] == "extra_forbidden":
        return ApiError(
            400, f"Received unknown parameter: {param}", param=param, code="parameter_unknown"
        )
    if first["type"] == "missing":
        return ApiError(
            400, f"Missing required param: {param}.", param=param, code="parameter_missing"
        )
    return ApiError(400, f"Invalid {param}: {first['msg']}", param=param, code="parameter_invalid")


def _place(where: tuple[int | str, ...]) -> list[str]:
    """The parameter's name, without the names of the types that were tried for it."""
    return [
        str(part)
        for part in where
        if isinstance(part, int) or (_NAME.fullmatch(part) and part not in _TYPE_NAMES)
    ]


def _plain(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: _plain(each) for name, each in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(each) for each in value]
    if isinstance(value, str | int | float | bool) or value is None:
        return value
    return str(value)


__all__ = ["check", "decode_form"]
