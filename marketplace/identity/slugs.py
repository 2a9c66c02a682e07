"""Slugs of organizations."""

import re
import unicodedata

MAX_LENGTH = 60
# Words that are, or may become, part of an address at the same place.
RESERVED = frozenset({"new", "admin", "api", "account", "staff", "members", "profile", "settings"})


def slug_base(name: str) -> str:
    """The slug that a name asks for: `a-z`, `0-9` and hyphens, never empty, never reserved."""
    plain = unicodedata.normalize("NFKD", name).encode("ascii", "ignore").decode().lower()
    slug = re.sub(r"[^a-z0-9]+", "-", plain).strip("-")[:MAX_LENGTH].rstrip("-")
    if len(slug) < 2 or slug in RESERVED:
        slug = f"organization-{slug}".rstrip("-")
    return slug


def free_slug(name: str, taken: set[str]) -> str:
    """The slug of `name`, numbered when it is taken."""
    base = slug_base(name)
    slug, number = base, 2
    while slug in taken:
        slug, number = f"{base}-{number}", number + 1
    return slug
