"""What a page's form hands on."""

import re
from html import unescape


def form_key_of(page: str) -> str:
    """The one-time key of the form on a page."""
    found = re.search(r'name="form_key"[^>]*value="([^"]+)"', page)
    assert found is not None
    return found[1]


def publication_of(page: str) -> dict[str, str]:
    """What the confirmation of a policy's publication sends."""
    found = re.findall(r'name="(digest|against|effective_at)"[^>]*value="([^"]*)"', page)
    assert len(found) == 3
    return {name: unescape(value) for name, value in found}
