"""The API's description (OpenAPI 3.1) turned into what its page shows. Pure."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

METHODS = ("get", "post", "put", "patch", "delete")
MAX_DEPTH = 6


@dataclass(frozen=True)
class Field:
    """A parameter or a field of an answer, as a row of a table."""

    name: str
    type: str
    description: str
    values: tuple[str, ...] = ()
    default: str = ""
    required: bool = False


@dataclass(frozen=True)
class Answer:
    """A status and what it means."""

    status: str
    description: str
    schema: str = ""


@dataclass(frozen=True)
class Operation:
    """One address with one method."""

    id: str
    method: str
    path: str
    summary: str
    description: str
    parameters: tuple[Field, ...]
    answers: tuple[Answer, ...]
    example: str
    # What of a token it needs: nothing, any, or a scope.
    token: str = ""
    scope: str = ""
    body: str = ""
    body_example: str = ""
    deprecated: bool = False


@dataclass(frozen=True)
class Scheme:
    """A way to prove who asks."""

    name: str
    description: str
    scopes: tuple[Field, ...] = ()


@dataclass(frozen=True)
class Shape:
    """A schema of the description."""

    name: str
    description: str
    fields: tuple[Field, ...]


@dataclass(frozen=True)
class Group:
    """Operations of one tag."""

    name: str
    operations: tuple[Operation, ...]
    description: str = ""


@dataclass(frozen=True)
class Reference:
    """The whole page."""

    title: str
    version: str
    description: str
    groups: tuple[Group, ...]
    shapes: tuple[Shape, ...]
    schemes: tuple[Scheme, ...] = ()


def describe(document: Mapping[str, Any]) -> Reference:
    """The page of an OpenAPI document."""
    groups: dict[str, list[Operation]] = {}
    for path, item in document["paths"].items():
        for method in METHODS:
            if method in item:
                operation = _operation(document, path, method, item)
                tag = (item[method].get("tags") or ["Other"])[0]
                groups.setdefault(tag, []).append(operation)
    schemas = document.get("components", {}).get("schemas", {})
    told = {tag["name"]: tag.get("description", "") for tag in document.get("tags", ())}
    return Reference(
        title=document["info"]["title"],
        version=document["info"]["version"],
        description=_plain(document["info"].get("description", "")),
        groups=tuple(
            Group(name, tuple(found), told.get(name, "")) for name, found in groups.items()
        ),
        schemes=_schemes(document),
        shapes=tuple(
            Shape(name, schema.get("description", ""), _fields(schema))
            for name, schema in sorted(schemas.items())
        ),
    )


def _operation(
    document: Mapping[str, Any], path: str, method: str, item: Mapping[str, Any]
) -> Operation:
    operation = item[method]
    parameters = [*item.get("parameters", []), *operation.get("parameters", [])]
    answers = []
    example = ""
    for status, answer in sorted(operation["responses"].items(), key=lambda pair: str(pair[0])):
        content: Mapping[str, Any] = next(iter(answer.get("content", {}).values()), {})
        schema = content.get("schema", {})
        text = _plain(answer.get("description", ""))
        answers.append(Answer(str(status), text, _type(schema)))
        if str(status).startswith("2") and schema and not example:
            example = _sample(document, content)
    body: Mapping[str, Any] = next(
        iter(operation.get("requestBody", {}).get("content", {}).values()), {}
    )
    token, scope = _token(operation)
    return Operation(
        id=operation.get("operationId", f"{method}-{path}"),
        method=method.upper(),
        path=path,
        summary=operation.get("summary", ""),
        description=_plain(operation.get("description", "")),
        parameters=tuple(_parameter(each) for each in parameters),
        answers=tuple(answers),
        example=example,
        token=token,
        scope=scope,
        body=_type(body.get("schema", {})),
        body_example=_sample(document, body) if body else "",
        deprecated=bool(operation.get("deprecated")),
    )


def _token(operation: Mapping[str, Any]) -> tuple[str, str]:
    """What an operation asks of a token, in words, and the scope."""
    security = operation.get("security") or []
    if not security:
        return "", ""
    names = {name for choice in security for name in choice}
    scopes = [scope for choice in security for found in choice.values() for scope in found]
    words = "A token or a key" if "accessKey" in names else "A token of an installation"
    return words, scopes[0] if scopes else ""


def _sample(document: Mapping[str, Any], content: Mapping[str, Any]) -> str:
    found = content.get("example", None)
    if found is None:
        found = example_of(document, content.get("schema", {}))
    return json.dumps(found, indent=2, ensure_ascii=False)


def _schemes(document: Mapping[str, Any]) -> tuple[Scheme, ...]:
    found = []
    for name, scheme in document.get("components", {}).get("securitySchemes", {}).items():
        scopes: dict[str, str] = {}
        for flow in scheme.get("flows", {}).values():
            scopes |= flow.get("scopes", {})
        found.append(
            Scheme(
                name,
                _plain(scheme.get("description", "")),
                tuple(Field(scope, "scope", text) for scope, text in scopes.items()),
            )
        )
    return tuple(found)


def complete_examples(document: dict[str, Any]) -> None:
    """Give every answer that has a shape an example of it."""
    for item in document["paths"].values():
        for method in METHODS:
            for answer in item.get(method, {}).get("responses", {}).values():
                for content in answer.get("content", {}).values():
                    if "schema" in content and "example" not in content:
                        content["example"] = example_of(document, content["schema"])


def _parameter(parameter: Mapping[str, Any]) -> Field:
    schema = parameter.get("schema", {})
    inner = schema.get("items", schema)
    default = schema.get("default")
    return Field(
        name=parameter["name"],
        type=_type(schema),
        description=_plain(parameter.get("description", "")),
        values=tuple(str(value) for value in inner.get("enum", ()) if value != ""),
        default="" if default is None else str(default),
        required=bool(parameter.get("required")),
    )


def _fields(schema: Mapping[str, Any]) -> tuple[Field, ...]:
    required = set(schema.get("required", ()))
    return tuple(
        Field(
            name=name,
            type=_type(part),
            description=_plain(part.get("description", "")),
            values=tuple(str(value) for value in part.get("items", part).get("enum", ())),
            required=name in required,
        )
        for name, part in schema.get("properties", {}).items()
    )


def _plain(text: str) -> str:
    """A description without Markdown's code marks, which a table does not need."""
    return text.replace("`", "")


def _type(schema: Mapping[str, Any]) -> str:
    """How a schema reads in a table: `list of ListingItem`, `text or null`, `number`."""
    names = {"string": "text", "boolean": "true/false", "object": "object", "null": "null"}
    if "$ref" in schema:
        return str(schema["$ref"]).rsplit("/", 1)[-1]
    for word in ("anyOf", "oneOf", "allOf"):
        if word in schema:
            found = [_type(part) for part in schema[word] if "const" not in part]
            return " or ".join(dict.fromkeys(found))
    kinds = schema.get("type", "")
    kinds = kinds if isinstance(kinds, list) else [kinds]
    if "array" in kinds:
        return f"list of {_type(schema.get('items', {}))}"
    if "string" in kinds and schema.get("format"):
        named = {"uri": "address", "date": "date", "date-time": "moment"}
        names = {**names, "string": named.get(schema["format"], "text")}
    words = [names.get(kind, str(kind)) for kind in kinds if kind]
    return " or ".join(words)


def example_of(document: Mapping[str, Any], schema: Mapping[str, Any], depth: int = 0) -> Any:
    """An example value of a schema, of the examples of its parts."""
    if depth > MAX_DEPTH:
        return None
    if "example" in schema:
        return schema["example"]
    if "default" in schema:
        return schema["default"]
    if "$ref" in schema:
        name = str(schema["$ref"]).rsplit("/", 1)[-1]
        return example_of(document, document["components"]["schemas"][name], depth + 1)
    for word in ("anyOf", "oneOf", "allOf"):
        if word in schema:
            return example_of(document, schema[word][0], depth + 1)
    if "properties" in schema:
        return {
            name: example_of(document, part, depth + 1)
            for name, part in schema["properties"].items()
        }
    kinds = schema.get("type", "")
    kind = kinds[0] if isinstance(kinds, list) else kinds
    if kind == "array":
        return [example_of(document, schema.get("items", {}), depth + 1)]
    plain: dict[str, Any] = {"string": "", "integer": 0, "number": 0, "boolean": False}
    return plain.get(kind, {} if kind == "object" else None)
