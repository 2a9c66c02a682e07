"""Host names as they come in requests and as people type them. Pure."""

import ipaddress
import re

import idna

MOST = 253
_LABEL = re.compile(r"[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?", re.ASCII)
_PORT = re.compile(r":\d{1,5}$", re.ASCII)


class HostNameError(ValueError):
    """No name that a host can have here; the message is for the person."""


def asked_host(header: str) -> str | None:
    """The host of a Host header: lower case, ASCII, without port and without a last dot; None for
    what names no host. IPv6 keeps its brackets."""
    text = header.strip()
    if not text or len(text) > 4 * MOST or any(ord(letter) < 33 for letter in text):
        return None
    if text.startswith("["):
        literal, closed, port = text[1:].partition("]")
        if not closed or (port and not _PORT.fullmatch(port)):
            return None
        try:
            return f"[{ipaddress.IPv6Address(literal)}]"
        except ValueError:
            return None
    name = _PORT.sub("", text)
    if not name.isascii():
        try:
            name = idna.encode(name, uts46=True).decode("ascii")
        except (idna.IDNAError, UnicodeError):
            return None
    name = name.lower().removesuffix(".")
    if len(name) > MOST or not all(_is_label(each) for each in name.split(".")):
        return None
    return name


def _is_label(label: str) -> bool:
    """Whether it is a label, and one that can be read where it stands for other letters."""
    if not _LABEL.fullmatch(label):
        return False
    if not label.startswith("xn--"):
        return True
    try:
        return bool(label.encode("ascii").decode("idna"))
    except UnicodeError:
        return False


def typed_host(text: str) -> str:
    """The host that somebody typed, also as an address. Raises HostNameError."""
    typed = text.strip().lower()
    for scheme in ("https://", "http://"):
        typed = typed.removeprefix(scheme)
    typed = typed.split("/", 1)[0]
    host = asked_host(typed)
    if host is None or "." not in host or host.startswith("["):
        raise HostNameError("Enter a host, like partners.example.com.")
    if ":" in typed:
        raise HostNameError("Enter the host without a port.")
    if host.rsplit(".", 1)[-1].isdigit():
        raise HostNameError("Enter a name, not the number of a machine.")
    if host.endswith((".localhost", ".local", ".internal", ".invalid", ".onion", ".arpa")):
        raise HostNameError("This name cannot be reached from outside.")
    return host


def is_literal(host: str) -> bool:
    """Whether a normal host is the address of a machine and no name."""
    try:
        ipaddress.ip_address(host.strip("[]"))
    except ValueError:
        return False
    return True


def shown_host(host: str) -> str:
    """A host as people read it, with its ASCII form where the two differ."""
    try:
        read = idna.decode(host)
    except (idna.IDNAError, UnicodeError):
        return host
    return host if read == host else f"{read} ({host})"
