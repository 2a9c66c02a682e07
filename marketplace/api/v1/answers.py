"""Answers as JSON that clients and caches can keep, with the limits told in headers."""

import hashlib
import json
from typing import Any

from flask import Response, current_app, g, request
from werkzeug.datastructures import Headers

from marketplace.api.v1.deprecations import add_deprecation
from marketplace.api.v1.rate import Allowance, RateLimit
from marketplace.core.errors import RateLimitedError

SHARED_SECONDS = 30
DEGRADED_SECONDS = 5
EXPOSED = (
    "ETag, Link, Retry-After, "
    "RateLimit-Limit, RateLimit-Policy, RateLimit-Remaining, RateLimit-Reset"
)


def answer(body: dict[str, Any], *, seconds: int = SHARED_SECONDS) -> Response:
    """`body` as JSON with an ETag; 304 when the client has it already.

    Anybody may keep it for `seconds`: answers do not depend on who asks.
    """
    data = json.dumps(body, ensure_ascii=False, separators=(",", ":")).encode()
    response = Response(data, content_type="application/json")
    response.set_etag(hashlib.sha256(data).hexdigest()[:24])
    response.headers["Cache-Control"] = f"public, max-age={seconds}"
    if "HTTP_IF_NONE_MATCH" in request.environ:
        response.make_conditional(request)
    return response


def count_request() -> None:
    """Count the request of this client address. Raises RateLimitedError."""
    limit: RateLimit = current_app.extensions["portico_api_limit"]
    allowance = limit.hit(request.remote_addr or "")
    g.api_allowance = allowance
    if not allowance.allowed:
        raise RateLimitedError(
            f"This address may ask {allowance.limit:,} times in {allowance.window} seconds. "
            f"Try again in {allowance.wait} seconds.",
            retry_after=allowance.wait,
        )


def add_headers(response: Response) -> Response:
    """Tell the limits, and let pages of other sites read the answer."""
    headers = response.headers
    headers["Access-Control-Allow-Origin"] = "*"
    headers["Access-Control-Expose-Headers"] = EXPOSED
    if request.method == "OPTIONS":
        headers["Access-Control-Allow-Methods"] = "GET, HEAD, OPTIONS"
        headers["Access-Control-Allow-Headers"] = "If-None-Match"
        headers["Access-Control-Max-Age"] = "86400"
    add_limits(headers)
    add_links(headers)
    add_deprecation(headers)
    return response


def add_limits(headers: Headers) -> None:
    """Tell how many requests the client has left."""
    allowance: Allowance | None = g.get("api_allowance")
    if allowance is not None:
        headers["RateLimit-Limit"] = str(allowance.limit)
        headers["RateLimit-Policy"] = f"{allowance.limit};w={allowance.window}"
        headers["RateLimit-Remaining"] = str(allowance.remaining)
        headers["RateLimit-Reset"] = str(allowance.wait)


def add_links(headers: Headers) -> None:
    """Tell where the API is described (RFC 8631)."""
    headers.add("Link", '</api/v1/openapi.json>; rel="service-desc"; type="application/json"')
