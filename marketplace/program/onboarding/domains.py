"""Which domain speaks for an organization, decided purely."""

from functools import lru_cache
from urllib.parse import urlsplit

import idna
from publicsuffixlist import PublicSuffixList

# Where everybody has an address: it says nothing about an organization.
FREE_MAIL = frozenset(
    {
        "aol.com", "aol.de", "arcor.de", "bluewin.ch", "btinternet.com", "comcast.net", "duck.com",
        "fastmail.com", "free.fr", "freenet.de", "gmail.com", "gmx.at", "gmx.ch", "gmx.com",
        "gmx.de", "gmx.net", "googlemail.com", "hey.com", "hotmail.co.uk", "hotmail.com",
        "hotmail.de", "hotmail.fr", "hotmail.it", "icloud.com", "laposte.net", "libero.it",
        "live.com", "mac.com", "mail.com", "mail.ru", "mailbox.org", "me.com", "msn.com",
        "naver.com", "orange.fr", "outlook.com", "outlook.de", "pm.me", "posteo.de", "proton.me",
        "protonmail.com", "qq.com", "rediffmail.com", "t-online.de", "tutanota.com", "uol.com.br",
        "live.co.uk", "live.de", "live.fr", "live.it", "live.nl", "outlook.es", "outlook.fr",
        "outlook.it", "protonmail.ch", "rocketmail.com", "sbcglobal.net", "seznam.cz", "sina.com",
        "tuta.com", "tuta.io", "tutanota.de", "virgilio.it", "wp.pl", "yeah.net", "ymail.com",
        "bk.ru", "inbox.ru", "list.ru", "hushmail.com", "o2.pl", "att.net", "126.com",
        "verizon.net", "wanadoo.fr", "web.de", "163.com", "yahoo.co.in",
        "yahoo.co.jp", "yahoo.co.uk", "yahoo.com", "yahoo.de", "yahoo.fr", "yandex.com",
        "yandex.ru", "zoho.com",
    }
)  # fmt: skip


# Providers that have such a name in every country, as yahoo.es and hotmail.be.
_FREE_EVERYWHERE = frozenset({"gmail", "gmx", "googlemail", "hotmail", "yahoo", "yandex"})


def is_free_mail(host: str) -> bool:
    """Whether everybody can have an address there, or at a name below it."""
    domain = registrable_domain(host)
    return domain in FREE_MAIL or domain.partition(".")[0] in _FREE_EVERYWHERE


@lru_cache(maxsize=1)
def _suffixes() -> PublicSuffixList:
    return PublicSuffixList(accept_unknown=True)


def registrable_domain(host: str) -> str:
    """What one can register: `acme.co.uk` of `www.shop.acme.co.uk`, `acme.github.io` of a page
    there. Empty for a public suffix, an address of numbers, or what is no host name."""
    name = host.strip().rstrip(".").lower()
    if not name or len(name) > 253 or name.replace(".", "").isdigit() or ":" in name:
        return ""
    try:
        ascii_name = idna.encode(name, uts46=True).decode()
    except (idna.IDNAError, UnicodeError):
        return ""
    found: str | None = _suffixes().privatesuffix(ascii_name)
    return found or ""


def domain_of_website(website: str) -> str:
    """The registrable domain of a website's address; empty for none."""
    try:
        host = urlsplit(website.strip()).hostname or ""
    except ValueError:
        return ""
    return registrable_domain(host)


def domain_of_email(email: str) -> str:
    """The registrable domain of an address; empty for one at a provider for everybody."""
    host = email.rpartition("@")[2]
    domain = registrable_domain(host)
    return "" if is_free_mail(host) else domain


def domains_of(website: str, email: str) -> tuple[str, ...]:
    """The domains that speak for whoever gave both, without repeats."""
    site = domain_of_website(website)
    found = ["" if is_free_mail(site) else site, domain_of_email(email)]
    return tuple(dict.fromkeys(each for each in found if each))
