"""Domains as people type them, decided purely: tidied, refused, compared."""

import ipaddress
import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache

import idna
from publicsuffixlist import PublicSuffixList
from rapidfuzz.distance import DamerauLevenshtein

from marketplace.program.onboarding.domains import is_free_mail

MOST = 253
# Addresses at which whoever runs a domain reads mail (RFC 2142, and the CA/Browser Forum's list).
ROLE_NAMES = ("admin", "administrator", "hostmaster", "info", "postmaster", "security", "webmaster")
# Letters that are drawn like others; only used to compare, never to change a name.
_DRAWN_ALIKE = str.maketrans(
    "аеорсухіјѕԁһӏνοαρτυκ01357",
    "aeopcyxijsdhlvoaptuk" + "olest",
)


class DomainRefusedError(ValueError):
    """Not a domain that can be proven; the message is for the person."""


@dataclass(frozen=True)
class Likeness:
    """A domain that reads much like one that another organization has proven."""

    domain: str
    organization_id: int


@lru_cache(maxsize=1)
def _suffixes() -> PublicSuffixList:
    return PublicSuffixList(accept_unknown=True)


def tidy_domain(text: str) -> str:
    """The domain of what was typed (an address of a site will do), in lower case and ASCII.

    Raises DomainRefusedError.
    """
    typed = text.strip().lower()
    for beginning in ("https://", "http://"):
        typed = typed.removeprefix(beginning)
    host = typed.split("/", 1)[0].split("@")[-1].split(":", 1)[0].strip(".")
    # Other signs become dots and letters: nothing is compared before they have.
    ascii_host = _in_ascii(host).removeprefix("www.") if len(host) <= MOST else ""
    if not ascii_host:
        raise DomainRefusedError("Enter a domain, like example.com.")
    try:
        ipaddress.ip_address(ascii_host)
    except ValueError:
        pass
    else:
        raise DomainRefusedError("Enter a domain, not the number of a machine.")
    if "." not in ascii_host or ascii_host.rsplit(".", 1)[-1].isdigit():
        raise DomainRefusedError("Enter a domain, like example.com.")
    if registrable(ascii_host) is None:
        raise DomainRefusedError(
            "Everybody can register names below this one. Enter your own domain."
        )
    if is_free_mail(ascii_host):
        raise DomainRefusedError("This is a mail provider's. Enter your own domain.")
    return ascii_host


def registrable(domain: str) -> str | None:
    """What was registered: example.co.uk of mail.example.co.uk; None for a public suffix."""
    found: str | None = _suffixes().privatesuffix(domain)
    return found


def shown(domain: str) -> str:
    """The domain as people read it, with the ASCII form beside it where the two differ."""
    try:
        read = idna.decode(domain)
    except (idna.IDNAError, UnicodeError):
        return domain
    return domain if read == domain else f"{read} ({domain})"


def is_role_address(email: str, domain: str) -> bool:
    """Whether it is an address at the domain at which only its administrators read."""
    name = email.strip().lower().rpartition("@")[0]
    return domain_of_address(email) == domain and name in ROLE_NAMES


def domain_of_address(email: str | None) -> str | None:
    """The domain of a mail address in ASCII; None where there is none."""
    return _in_ascii((email or "").rpartition("@")[2].strip().lower()) or None


def is_at(email: str | None, domains: Iterable[str]) -> bool:
    """Whether an address is at one of these domains, or below one of them."""
    host = domain_of_address(email)
    return host is not None and any(
        host == domain or host.endswith(f".{domain}") for domain in domains
    )


def lookalikes(domain: str, others: Iterable[tuple[str, int]]) -> list[Likeness]:
    """Those of the others' domains (with their organization) that this one may be taken for."""
    own = _drawing(domain)
    found = []
    for other, organization_id in others:
        if other == domain:
            continue
        theirs = _drawing(other)
        near = own == theirs or (
            min(len(own), len(theirs)) >= 5
            and DamerauLevenshtein.distance(own, theirs, score_cutoff=1) <= 1
        )
        if near:
            found.append(Likeness(other, organization_id))
    return found


def _in_ascii(host: str) -> str:
    """A host name as machines write it, without a dot at its end; empty for what is none."""
    try:
        found = idna.encode(host, uts46=True, std3_rules=True).decode().strip(".") if host else ""
    except (idna.IDNAError, UnicodeError):
        return ""
    return found if len(found) <= MOST and ".." not in found else ""


def _drawing(domain: str) -> str:
    """How the registered name looks, without its suffix: paypaI, paypal and pаypal are one."""
    name = (registrable(domain) or domain).split(".", 1)[0]
    if name.startswith("xn--"):
        try:
            name = idna.decode(name)
        except (idna.IDNAError, UnicodeError):
            return name
    bare = "".join(
        letter
        for letter in unicodedata.normalize("NFKD", name.casefold())
        if not unicodedata.combining(letter)
    ).translate(_DRAWN_ALIKE)
    return bare.replace("rn", "m").replace("vv", "w").replace("i", "l").replace("-", "")
