"""The platform API's part of the description (OpenAPI 3.1)."""

import re
from collections.abc import Iterator, Mapping
from typing import Any

from marketplace.api.v1.deprecations import DEPRECATED
from marketplace.api.v1.platform.guard import By
from marketplace.api.v1.platform.idempotency import MAX_LENGTH, REPLAYED
from marketplace.api.v1.platform.operations import OPERATIONS, Operation
from marketplace.api.v1.platform.schemas import SHAPES
from marketplace.api.v1.reference import example_of
from marketplace.installs.scopes import CUSTOMER_SCOPES, PARTNER_SCOPES

TAGS: Mapping[str, str] = {
    "Tokens": "What the token of a request is.",
    "Installed apps": "For the tokens of an app that a customer installed.",
    "Your listings": "For partners: drafts, submissions, reviews.",
    "Versions": "For partners and their CI: releases.",
    "Installations": "For partners: who installed their apps, and erasures.",
    "Reviews": "For partners: what customers wrote, and answers.",
    "Events": "For partners: the feed of what webhooks tell.",
    "Analytics": "For partners: figures by day.",
}
PROBLEM = "PlatformProblem"
_PARAMETER = re.compile(r"<(?:(int):)?(\w+)>")
_PATHS: Mapping[str, dict[str, Any]] = {
    "slug": {
        "description": "The slug of a listing of yours.",
        "schema": {
            "type": "string",
            "pattern": "^[a-z0-9]+(-[a-z0-9]+)*$",
            "maxLength": 80,
        },
        "example": "tide-tables",
    },
    "installation_id": {
        "description": "The installation's id.",
        "schema": {"type": "string", "pattern": "^inst_[0-9a-f]{24}$"},
        "example": "inst_3f9a1c0b2d4e5f6071829304",
    },
    "erasure_id": {
        "description": "The erasure's id.",
        "schema": {"type": "string", "pattern": "^er_[0-9a-f]{24}$"},
        "example": "er_3f9a1c0b2d4e5f6071829304",
    },
    "review_id": {
        "description": "The review's number.",
        "schema": {"type": "integer", "minimum": 0, "maximum": 2**63 - 1},
        "example": 42,
    },
}
_TEXTS: Mapping[int, tuple[str, str, str]] = {
    # status: (when, code, title)
    400: ("The request cannot be read.", "invalid-json", "The request cannot be read"),
    401: (
        "There is no token, or it is unknown, expired or revoked.",
        "invalid-token",
        "A valid token is needed",
    ),
    403: (
        "The token is not for this: `code` is insufficient-scope, wrong-credential, "
        "test-credential, installation-paused, suspended or not-allowed.",
        "insufficient-scope",
        "The token lacks a scope",
    ),
    404: ("There is no such thing, or it is not yours.", "not-found", "Not found"),
    405: ("The address does not take this method.", "method-not-allowed", "That does not work"),
    409: ("It cannot be done now; `detail` says why.", "conflict", "Conflict"),
    412: ("Somebody changed it since you read it.", "stale", "It has changed since you read it"),
    413: ("The body is too large.", "too-large", "Too large"),
    415: ("The body is not JSON.", "unsupported-media-type", "Send JSON"),
    422: (
        "A field or parameter cannot be used; `errors` names it.",
        "invalid",
        "Some fields need attention",
    ),
    428: ("If-Match is missing.", "precondition-required", "Send If-Match"),
    429: ("Too many requests.", "rate-limited", "Too many requests"),
    503: ("The database does not answer.", "unavailable", "Temporarily unavailable"),
}
_TEXT: dict[str, Any] = {"type": "string"}
_NUMBER: dict[str, Any] = {"type": "integer"}
_HEADERS: Mapping[str, dict[str, Any]] = {
    "RateLimit-Limit": {"description": "Requests in each window.", "schema": _NUMBER},
    "RateLimit-Policy": {
        "description": "The limit and its window in seconds, as 600;w=60.",
        "schema": _TEXT,
    },
    "RateLimit-Remaining": {"description": "How many are left.", "schema": _NUMBER},
    "RateLimit-Reset": {"description": "In how many seconds there are more.", "schema": _NUMBER},
    "ETag": {"description": "Names what was read, for If-None-Match and If-Match."}
    | {"schema": _TEXT},
    "Link": {"description": "The next page (rel=next), and this description.", "schema": _TEXT},
    "Location": {"description": "Where it is.", "schema": {"type": "string", "format": "uri"}},
    "WWW-Authenticate": {"description": "What is wrong with the token.", "schema": _TEXT},
    "Retry-After": {"description": "In how many seconds to try again.", "schema": _NUMBER},
    "Allow": {"description": "What it takes.", "schema": _TEXT},
    REPLAYED: {"description": "true: the answer to an earlier request of this key."}
    | {"schema": {"type": "string", "enum": ["true"]}},
}
_LIMITS = ("RateLimit-Limit", "RateLimit-Policy", "RateLimit-Remaining", "RateLimit-Reset")
_ALWAYS = (401, 403, 405, 429, 503)
_IDEMPOTENCY = {
    "name": "Idempotency-Key",
    "in": "header",
    "description": "Makes the request safe to send twice: for 24 hours the same key with the "
    "same request gets the same answer, and is acted on once. A UUID is a good key.",
    "schema": {
        "type": "string",
        "minLength": 1,
        "maxLength": MAX_LENGTH,
        "pattern": "^[!#-~]([ -~]*[!#-~])?$",
    },
    "example": "5f0c2a4e-8a3d-4f5b-9a77-0d6f3c1b2e4a",
}
_IF_MATCH = {
    "name": "If-Match",
    "in": "header",
    "required": True,
    "description": "The ETag of what you read.",
    "schema": {"type": "string"},
    "example": '"3f9a1c0b2d4e5f6071829304"',
}


def extend(document: dict[str, Any], base: str) -> None:
    """Add the platform API to the description. `base` is the public address of the site."""
    components = document.setdefault("components", {})
    schemas = components.setdefault("schemas", {})
    schemas.update(SHAPES)
    schemas[PROBLEM] = _problem_shape()
    for operation in OPERATIONS.values():
        if operation.body is not None:
            schemas.update(_body_shapes(operation))
    components["securitySchemes"] = _security_schemes(base)
    for endpoint, operation in OPERATIONS.items():
        path = "/api/v1" + _PARAMETER.sub(r"{\2}", operation.rule)
        item = document["paths"].setdefault(path, {})
        item[operation.method.lower()] = _described(document, endpoint, operation)
    document["tags"] += [{"name": name, "description": text} for name, text in TAGS.items()]


def _described(document: dict[str, Any], endpoint: str, operation: Operation) -> dict[str, Any]:
    found: dict[str, Any] = {
        "operationId": operation.id,
        "summary": operation.summary,
        "description": operation.description,
        "tags": [operation.tag],
        "parameters": list(_parameters(operation)),
        "security": _security(operation),
        "responses": _responses(document, operation),
    }
    if operation.body is not None:
        schema = {"$ref": f"#/components/schemas/{operation.body.__name__}"}
        content = {"schema": schema, "example": example_of(document, schema)}
        types = ["application/json"]
        if operation.method == "PATCH":
            types.insert(0, "application/merge-patch+json")
        found["requestBody"] = {
            "required": operation.body_needed,
            "content": dict.fromkeys(types, content),
        }
    deprecation = DEPRECATED.get(endpoint)
    if deprecation is not None and deprecation.parameter is None:
        found["deprecated"] = True
    elif deprecation is not None:
        for parameter in found["parameters"]:
            if parameter["name"] == deprecation.parameter:
                parameter["deprecated"] = True
    return found


def _parameters(operation: Operation) -> Iterator[dict[str, Any]]:
    for _kind, name in _PARAMETER.findall(operation.rule):
        yield {"name": name, "in": "path", "required": True, **_PATHS[name]}
    if operation.if_match:
        yield _IF_MATCH
    elif 412 in operation.problems:
        yield {**_IF_MATCH, "required": False}
    if operation.method == "POST":
        yield _IDEMPOTENCY
    for parameter in operation.parameters:
        yield parameter.documented()


def _security(operation: Operation) -> list[dict[str, list[str]]]:
    scopes = [operation.token.scope] if operation.token.scope else []
    both = [{"oauth2": scopes}]
    # Keys belong to partners; an installed app has tokens only.
    return both if operation.token.by is By.INSTALLATION else [*both, {"accessKey": []}]


def _responses(document: dict[str, Any], operation: Operation) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for status, reply in operation.replies.items():
        names = [*_LIMITS, *reply.headers]
        if operation.method == "GET":
            names.append("ETag")
        if operation.method == "POST":
            names.append(REPLAYED)
        response: dict[str, Any] = {
            "description": reply.text,
            "headers": {name: _HEADERS[name] for name in dict.fromkeys(names)},
        }
        if reply.schema is not None:
            schema = {"$ref": f"#/components/schemas/{reply.schema}"}
            response["content"] = {
                "application/json": {"schema": schema, "example": example_of(document, schema)}
            }
        found[str(status)] = response
    if operation.method == "GET":
        found["304"] = {"description": "What If-None-Match names is still right. No body."}
    for status in sorted(_problems_of(operation)):
        found[str(status)] = _problem(document, status)
    return found


def _problems_of(operation: Operation) -> set[int]:
    found = {*_ALWAYS, *operation.problems, 400}
    if operation.parameters:
        found.add(422)
    if operation.body is not None:
        found |= {413, 415, 422}
    if operation.method == "POST":
        found |= {409, 413, 422}
    if operation.if_match:
        found |= {412, 428}
    return found


def _problem(document: dict[str, Any], status: int) -> dict[str, Any]:
    text, code, title = _TEXTS[status]
    schema = {"$ref": f"#/components/schemas/{PROBLEM}"}
    example = {
        **example_of(document, schema),
        "title": title,
        "status": status,
        "detail": text.replace("`", ""),
        "code": code,
    }
    if status != 422:
        del example["errors"]
    found: dict[str, Any] = {
        "description": text,
        "content": {"application/problem+json": {"schema": schema, "example": example}},
    }
    headers = {401: "WWW-Authenticate", 405: "Allow", 429: "Retry-After", 503: "Retry-After"}
    if status in headers:
        found["headers"] = {headers[status]: _HEADERS[headers[status]]}
    return found


def _problem_shape() -> dict[str, Any]:
    return {
        "type": "object",
        "description": "An error (RFC 9457). `code` tells kinds of one status apart.",
        "properties": {
            "type": {"type": "string", "example": "about:blank", "description": "Always this."},
            "title": {
                "type": "string",
                "example": "Some fields need attention",
                "description": "What is wrong, in a few words.",
            },
            "status": {"type": "integer", "example": 422, "description": "The HTTP status."},
            "detail": {
                "type": "string",
                "example": "Some fields cannot be used.",
                "description": "What is wrong here, for people.",
            },
            "code": {"type": "string", "example": "invalid", "description": "For programs."},
            "errors": {
                "type": "array",
                "items": {"$ref": "#/components/schemas/FieldProblem"},
                "description": "By field or parameter.",
            },
            "request_id": {
                "type": "string",
                "example": "b7c1f0a2d9e84c51",
                "description": "Names the request in our log and in yours.",
            },
        },
        "required": ["type", "title", "status"],
    }


def _security_schemes(base: str) -> dict[str, Any]:
    def scopes(texts: Mapping[str, Any]) -> dict[str, str]:
        return {name: text.title for name, text in texts.items()}

    return {
        "oauth2": {
            "type": "oauth2",
            "description": "Tokens of an app: by authorization code with PKCE (S256) for an "
            "installation, by client credentials for its publisher.",
            "flows": {
                "authorizationCode": {
                    "authorizationUrl": f"{base}/oauth/authorize",
                    "tokenUrl": f"{base}/oauth/token",
                    "refreshUrl": f"{base}/oauth/token",
                    "scopes": scopes(CUSTOMER_SCOPES),
                },
                "clientCredentials": {
                    "tokenUrl": f"{base}/oauth/token",
                    "scopes": scopes(PARTNER_SCOPES),
                },
            },
        },
        "accessKey": {
            "type": "http",
            "scheme": "bearer",
            "description": "A personal key (pkp_…) or an organization's key (pko_…), made in the "
            "partner portal. It holds the same scopes as client credentials.",
        },
    }


def _body_shapes(operation: Operation) -> dict[str, Any]:
    """The shapes of a body, without the titles that pydantic makes of names."""
    if operation.body is None:
        return {}
    whole = operation.body.model_json_schema(ref_template="#/components/schemas/{model}")
    parts = whole.pop("$defs", {})
    return {
        name: _tidy(schema) for name, schema in {**parts, operation.body.__name__: whole}.items()
    }


def _tidy(schema: Any) -> Any:
    if isinstance(schema, list):
        return [_tidy(part) for part in schema]
    if not isinstance(schema, dict):
        return schema
    found = {
        name: (
            {field: _tidy(part) for field, part in value.items()}
            if name == "properties"
            else _tidy(value)
        )
        for name, value in schema.items()
        if not (name == "title" and isinstance(value, str))
        and not (name == "default" and value is None)
    }
    examples = found.pop("examples", None)
    if isinstance(examples, list) and examples:
        found["example"] = examples[0]
    return found
