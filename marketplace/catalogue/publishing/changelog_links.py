"""Where a changelog may lead: it is public at once, so only where a reviewer looked. Pure."""

from collections.abc import Iterator, Mapping
from typing import Any
from urllib.parse import urlsplit

from marketplace.catalogue.publishing.sensitivity import MARKDOWN_FIELDS
from marketplace.core.markdown import link_addresses


def unknown_hosts(changelog: str, approved: Mapping[str, Any]) -> tuple[str, ...]:
    """What the links of `changelog` lead to that no link of the approved content does, sorted.

    A host, or the whole address where it names none (a mail address, an address without a host).
    """
    known = {_destination(address) for address in _addresses(approved)}
    asked = {_destination(address) for address in link_addresses(changelog)}
    return tuple(sorted(asked - known))


def _addresses(value: Any, field: str = "") -> Iterator[str]:
    if isinstance(value, Mapping):
        for name, part in value.items():
            yield from _addresses(part, str(name))
    elif isinstance(value, list | tuple):
        for part in value:
            yield from _addresses(part, field)
    elif isinstance(value, str):
        if field in MARKDOWN_FIELDS:
            yield from link_addresses(value)
        elif field == "support_email":
            yield f"mailto:{value}"
        elif value.startswith(("https://", "http://")):
            yield value


def _destination(address: str) -> str:
    try:
        parts = urlsplit(address)
        # example.com. is example.com.
        host = (parts.hostname or "").rstrip(".")
    except ValueError:
        return address
    # Credentials before the host make it look like another one.
    if parts.scheme not in {"http", "https"} or not host or parts.username is not None:
        return address.lower()
    return host
