"""What people type and others read."""

import unicodedata

# Letters by their category, which look like nothing.
_BLANK = frozenset("\u115f\u1160\u3164\uffa0\u2800")


def has_visible(text: str) -> bool:
    """Whether the text shows anything at all: more than spaces, marks and control characters."""
    return any(
        character not in _BLANK and unicodedata.category(character)[0] not in "CZM"
        for character in text
    )
