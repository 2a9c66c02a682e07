"""Where to go after a sign-in: only ever a page of this site."""

import re
from urllib.parse import urlsplit

MAX_LENGTH = 600
# Where a sign-in that began on another host of ours is handed over to it.
HANDOFF_PATH = "/hosts/handoff"
_UNSAFE = re.compile(r"[\x00-\x20\x7f\\]")


def local_path(value: str | None, default: str = "") -> str:
    """`value` if it is a path (with query) on this site, else `default`.

    Refused are other sites in all the spellings that browsers take for one: `//host`,
    `/\\host`, `https:host`, control characters that are dropped before parsing.
    """
    if not value or len(value) > MAX_LENGTH or _UNSAFE.search(value):
        return default
    if not value.startswith("/") or value.startswith("//"):
        return default
    try:
        parts = urlsplit(value)
    except ValueError:
        return default
    if parts.scheme or parts.netloc or parts.path.startswith("//"):
        return default
    # Coming back to the sign-in pages after signing in would be a circle.
    return default if parts.path.startswith("/auth/") else value
