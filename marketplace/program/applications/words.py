"""What people typed, made fit to be stored: no control characters, no other line ends than ours."""

import re
from urllib.parse import urlsplit

# With them what turns the direction of a text round.
_CONTROL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\u202a-\u202e\u2066-\u2069\ud800-\udfff]")
_NOT_IN_AN_ADDRESS = re.compile(r"[\s<>\"'\\]")
_EMAIL = re.compile(r"[^@\s<>\"',;:\\]{1,64}@[^@\s<>\"',;:\\]{1,180}\.[a-zA-Z0-9-]{2,63}")
MOST_OF_AN_ADDRESS = 500
MOST_OF_AN_EMAIL = 254


def line(text: object) -> str:
    """One line: control characters removed, white space as single spaces."""
    return " ".join(_CONTROL.sub("", str(text or "")).split())


def paragraphs(text: object) -> str:
    """Several lines: control characters removed, ends trimmed."""
    return _CONTROL.sub("", str(text or "").replace("\r\n", "\n").replace("\r", "\n")).strip()


def is_web_address(text: str) -> bool:
    """Whether it is a whole http(s) address without a user in it."""
    if len(text) > MOST_OF_AN_ADDRESS or _NOT_IN_AN_ADDRESS.search(text):
        return False
    try:
        parts = urlsplit(text)
        host = parts.hostname or ""
    except ValueError:
        return False
    return parts.scheme in {"http", "https"} and "." in host and parts.username is None


def is_email(text: str) -> bool:
    """Whether it looks like an e-mail address."""
    return len(text) <= MOST_OF_AN_EMAIL and _EMAIL.fullmatch(text) is not None


def domain_of(email: str | None) -> str:
    """What stands behind the @, in lower case; empty without one."""
    return (email or "").rpartition("@")[2].strip().lower() if "@" in (email or "") else ""
