"""Answers of the platform API: JSON for one asker alone, with an ETag, a page at a time."""

import hashlib
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar
from urllib.parse import urlencode

from flask import Response, current_app, request

from marketplace.api.v1.parameters import Parameter, check_parameters, whole_number
from marketplace.api.v1.platform.authentication import Credential
from marketplace.api.v1.platform.cursors import LENGTH, read_cursor, write_cursor

T = TypeVar("T")
DEFAULT_LIMIT, MAX_LIMIT = 20, 100
AFTER = Parameter(
    "after",
    "The cursor behind which the page begins; `next` of the page before has it.",
    {"type": "string", "pattern": f"^([A-Za-z0-9_-]{{{LENGTH}}})?$"},
)
LIMIT = whole_number("limit", DEFAULT_LIMIT, MAX_LIMIT, "Items a page.")
PAGING = (AFTER, LIMIT)


@dataclass(frozen=True)
class Place:
    """Where a page begins, and how long it is."""

    after: int | None
    limit: int


def data_of(body: Mapping[str, Any]) -> bytes:
    """The bytes of an answer."""
    return json.dumps(body, ensure_ascii=False, separators=(",", ":")).encode()


def etag_of(data: bytes) -> str:
    """The tag of an answer: a digest of all that it says."""
    return hashlib.sha256(data).hexdigest()[:24]


def answer(body: Mapping[str, Any], status: int = 200, *, location: str | None = None) -> Response:
    """`body` as JSON with an ETag; 304 when a reader has it already."""
    data = data_of(body)
    response = Response(data, status=status, content_type="application/json")
    headers = response.headers
    headers["ETag"] = f'"{etag_of(data)}"'
    headers["Cache-Control"] = "private, no-cache"
    if location is not None:
        headers["Location"] = location
    if "HTTP_IF_NONE_MATCH" in request.environ and request.method in {"GET", "HEAD"}:
        response.make_conditional(request)
    return response


def no_content() -> Response:
    """Done, and nothing to say."""
    response = Response(status=204)
    del response.headers["Content-Type"]
    return response


def read_place(credential: Credential, kind: str, *known: Parameter) -> Place:
    """The page that the address asks for. Raises InvalidError by parameter."""
    check_parameters(request.args, (*PAGING, *known))
    limit = request.args.get("limit", "")
    cursor = request.args.get("after", "")
    return Place(
        read_cursor(kind, credential.owner_of_lists, cursor) if cursor else None,
        int(limit.removesuffix(".0")) if limit else DEFAULT_LIMIT,
    )


def answer_page(
    credential: Credential,
    kind: str,
    place: Place,
    rows: Sequence[T],
    *,
    number: Callable[[T], int],
    render: Callable[[T], dict[str, Any]],
    endless: bool = False,
) -> Response:
    """A page of `rows`, of which one more than its limit was read.

    `endless`: the list is a feed, whose `next` is told even where it ends for now.
    """
    shown = rows[: place.limit]
    more = len(rows) > place.limit
    last = number(shown[-1]) if shown else place.after
    following = None
    if more or endless:
        following = _next_link(credential, kind, last, place.limit)
    response = answer(
        {"items": [render(row) for row in shown], "has_more": more, "next": following}
    )
    if following is not None:
        response.headers["Link"] = f'<{following}>; rel="next"'
    return response


def _next_link(credential: Credential, kind: str, last: int | None, limit: int) -> str:
    arguments = [
        (name, value)
        for name, value in request.args.items(multi=True)
        if name not in {"after", "limit"}
    ]
    if last is not None:
        arguments.append(("after", write_cursor(kind, credential.owner_of_lists, last)))
    arguments.append(("limit", str(limit)))
    return f"{current_app.config['PUBLIC_URL']}{request.path}?{urlencode(arguments)}"


def moment(value: Any) -> str | None:
    """A time as the API tells it: UTC, to the second."""
    return value.isoformat(timespec="seconds") if value is not None else None
