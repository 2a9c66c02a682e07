"""Under which name and address the site speaks: its own, or that of a white-label partner.

A page speaks as the host that was asked for (`g.portico_brand`, set before the request). A mail is
written long after and elsewhere: it speaks as the brand that its reader came by, which a higher
room knows.
"""

import json
import re
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache

from flask import current_app, g, has_request_context
from markupsafe import escape


@dataclass(frozen=True)
class Brand:
    """A white-label partner's face. `address` is like `https://apps.example.com`, `color` like
    `#0f766e` or empty, `logo_key` names a stored image or is empty; `sender` is the address that
    its mail comes from."""

    host: str
    organization_id: int
    name: str
    address: str
    color: str = ""
    logo_key: str = ""
    contact: str = ""
    sender: str = ""


BrandOfReader = Callable[[str], Brand | None]
_readers: list[BrandOfReader] = [lambda _address: None]


def find_brand_of_reader_with(find: BrandOfReader) -> None:
    """Tell who knows the brand that the owner of a mail address came by; None: the site itself."""
    _readers[:] = [find]


def brand_of_reader(address: str) -> Brand | None:
    """The brand in which somebody is written to."""
    return _readers[0](address)


def current_brand() -> Brand | None:
    """The brand of the host that was asked for; None on the site's own hosts and in jobs."""
    found: Brand | None = g.get("portico_brand") if has_request_context() else None
    return found


def site_name() -> str:
    """What the site is called on this page."""
    brand = current_brand()
    return brand.name if brand else str(current_app.config["SITE_NAME"])


def site_address() -> str:
    """The address of this page's site, without a slash at its end."""
    brand = current_brand()
    return brand.address if brand else str(current_app.config["PUBLIC_URL"])


def in_the_words_of(brand: Brand, text: str, written: Callable[[str], str] = str) -> str:
    """`text` with the site's own name and address replaced by the brand's.

    `written` says how words stand in such a text: as they are, or escaped as in HTML or JSON. A
    partner chooses its own name, so that it must never be read as anything but words.
    """
    site, address = str(current_app.config["SITE_NAME"]), str(current_app.config["PUBLIC_URL"])
    replaced = _address(address).sub(lambda _found: brand.address, text)
    name = written(brand.name)
    return _whole(written(site)).sub(lambda _found: name, replaced)


def written_in_html(words: str) -> str:
    """Words as they stand in HTML, in a text or an attribute."""
    return str(escape(words))


def written_in_json(words: str) -> str:
    """Words as they stand between the quotes of a JSON string."""
    return json.dumps(words)[1:-1]


@lru_cache(maxsize=16)
def _whole(name: str) -> re.Pattern[str]:
    return re.compile(rf"(?<!\w){re.escape(name)}(?!\w)")


@lru_cache(maxsize=16)
def _address(address: str) -> re.Pattern[str]:
    """An address, but not the beginning of a longer host (https://a.example of a.example.com)."""
    return re.compile(rf"{re.escape(address)}(?![\w:-]|\.\w)")
