"""What of the API goes away, when, and where to read of it.

An entry marks an operation, or one of its parameters, as deprecated: answers then carry
Deprecation (RFC 9745), Sunset (RFC 8594) and a link, and the description says so.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, time
from email.utils import format_datetime

from flask import current_app, request
from werkzeug.datastructures import Headers


@dataclass(frozen=True)
class Deprecation:
    """`since` it is advised against, until `sunset` it works. `parameter`: only that of it."""

    since: date
    sunset: date | None = None
    parameter: str | None = None


# By endpoint. Nothing is deprecated now; see docs/api.md for how long things are kept.
DEPRECATED: dict[str, Deprecation] = {}


def add_deprecation(headers: Headers) -> None:
    """Warn the client of this request, when it uses what goes away."""
    if not DEPRECATED:
        return
    found = DEPRECATED.get(request.endpoint or "")
    if found is None or (found.parameter is not None and found.parameter not in request.args):
        return
    for name, value in headers_of(found, current_app.config["PUBLIC_URL"]).items():
        headers.add(name, value)


def headers_of(found: Deprecation, base: str) -> Mapping[str, str]:
    """The headers of a deprecation; `base` is the public address of the site."""
    headers = {
        "Deprecation": f"@{int(_moment(found.since).timestamp())}",
        "Link": f'<{base}/api/v1/changelog>; rel="deprecation"; type="text/html"',
    }
    if found.sunset is not None:
        headers["Sunset"] = format_datetime(_moment(found.sunset), usegmt=True)
    return headers


def _moment(day: date) -> datetime:
    return datetime.combine(day, time(), UTC)
