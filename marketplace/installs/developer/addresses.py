"""Which addresses a client may register, decided purely.

A redirect URI is compared as a whole string (RFC 9700, 2.1), so what could be read in two ways is
refused here. Nothing is fetched: these are addresses that a customer's browser is sent to.
"""

import ipaddress
import re
from collections.abc import Collection, Sequence
from urllib.parse import urlsplit

from marketplace.installs.models import Environment

MOST_REDIRECT_URIS = 10
MAX_LENGTH = 500
LOOPBACK_NAMES = frozenset({"localhost", "127.0.0.1", "::1"})
_ALLOWED = re.compile(r"[A-Za-z0-9\-._~:/?#\[\]@!$&'()+,;=%]+")
_LABEL = re.compile(r"[A-Za-z0-9]([A-Za-z0-9-]{0,61}[A-Za-z0-9])?")


def redirect_uri_problem(uri: str, environment: Environment) -> str | None:
    """Why this redirect URI is refused, or None when it may be registered."""
    if "*" in uri:
        return "Wildcards are not possible: the address is compared as a whole."
    if "#" in uri:
        return "Leave out the part from # on."
    return _problem(uri, environment)


def page_url_problem(url: str, environment: Environment) -> str | None:
    """Why this address of a page that customers are sent to is refused, or None."""
    if "#" in url:
        # We add parameters, which would end up behind it.
        return "Leave out the part from # on."
    return _problem(url, environment)


def redirect_uri_problems(
    uris: Sequence[str], environment: Environment, known: Collection[str] = ()
) -> dict[int, str]:
    """What is wrong with each of the given addresses, by position; repeated ones included.

    Addresses that are `known` are taken as they are.
    """
    problems: dict[int, str] = {}
    for position, uri in enumerate(uris):
        problem = None if uri in known else redirect_uri_problem(uri, environment)
        if problem is None and uri in uris[:position]:
            problem = "This address is in the list already."
        if problem is not None:
            problems[position] = problem
    return problems


def _problem(address: str, environment: Environment) -> str | None:
    if len(address) > MAX_LENGTH:
        return f"Use at most {MAX_LENGTH} characters; this has {len(address):,}."
    example = "https://app.example.com/oauth/callback"
    if not _ALLOWED.fullmatch(address):
        return "Use letters, digits and the usual punctuation only; write others as %20 or xn--…"
    try:
        parts = urlsplit(address)
        host, port = parts.hostname or "", parts.port
    except ValueError:
        return f"This is no valid address. Enter a whole one, like {example}."
    if not address.startswith(("https://", "http://")) or not host:
        return f"Enter a whole address, like {example}."
    if "@" in parts.netloc:
        return "Leave out the user name and the password."
    if port == 0 or parts.netloc.endswith(":"):
        return "The port is no valid one."
    if {".", ".."} & set(_dots(parts.path).split("/")):
        return "Leave out /./ and /../: browsers rewrite them, and the comparison would fail."
    is_loopback = host.lower() in LOOPBACK_NAMES
    if parts.scheme == "http" and not (is_loopback and environment is Environment.TEST):
        return (
            "Begin with https://. Only test apps may use http://, on 127.0.0.1 or localhost."
            if environment is Environment.TEST
            else "Begin with https://. For your own machine, use the test environment."
        )
    if is_loopback:
        return (
            None
            if environment is Environment.TEST
            else "Your own machine is for the test environment only."
        )
    return _host_problem(host)


def _host_problem(host: str) -> str | None:
    try:
        ipaddress.ip_address(host)
    except ValueError:
        labels = host.rstrip(".").split(".")
        if (
            host.endswith(".")
            or len(labels) < 2
            or labels[-1].isdigit()
            or not all(_LABEL.fullmatch(label) for label in labels)
        ):
            return "The name of the server is no valid one. Use one like app.example.com."
        return None
    return "Use the name of a server, such as app.example.com, instead of a number."


def _dots(path: str) -> str:
    """The path with percent-encoded dots written out, as browsers read it."""
    return re.sub("%2e", ".", path, flags=re.IGNORECASE)
