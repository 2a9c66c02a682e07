"""The same company or person, however it was typed. Pure."""

import re
from urllib.parse import urlsplit

from marketplace.program.onboarding.domains import is_free_mail

_LABEL = r"[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?"
_DOMAIN = re.compile(rf"(?:{_LABEL}\.)+[a-z]([a-z0-9-]{{0,61}}[a-z0-9])?")


def normal_email(text: str) -> str:
    """An address as it is compared: lower case, without a +tag; Gmail's dots do not count."""
    local, _, domain = text.strip().lower().rpartition("@")
    local = local.split("+", 1)[0] or local
    if domain in {"gmail.com", "googlemail.com"}:
        local, domain = local.replace(".", ""), "gmail.com"
    return f"{local}@{_ascii(domain)}" if local and domain else text.strip().lower()


def normal_domain(text: str) -> str:
    """A company's domain of a domain, a web address or an e-mail address: lower case, ASCII,
    without www. Empty for what is none."""
    value = text.strip().lower()
    if "@" in value and "/" not in value:
        value = value.rpartition("@")[2]
    try:
        host = urlsplit(value if "//" in value else f"//{value}").hostname or ""
    except ValueError:
        return ""
    host = _ascii(host.strip(".")).removeprefix("www.")
    return host if len(host) <= 253 and _DOMAIN.fullmatch(host) else ""


def company_domain(email: str, website: str = "") -> str:
    """The domain by which a company is told: its website's, else the address's unless it is free
    mail; empty when neither says."""
    own = normal_domain(website)
    if own and not is_free_mail(own):
        return own
    mailed = normal_domain(email)
    return "" if is_free_mail(mailed) else mailed


def _ascii(host: str) -> str:
    """A host in its ASCII form; what cannot be encoded stays."""
    try:
        return host.encode("idna").decode("ascii") if not host.isascii() else host
    except UnicodeError:
        return host
