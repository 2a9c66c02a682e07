"""A listing's mark without a logo: initials on the brand colour, always readable.

The values end up in SVG `fill` attributes, so nothing but a plain `#rrggbb` ever leaves here.
"""

import re
import unicodedata
import zlib
from collections.abc import Callable
from typing import Final

WHITE: Final = "#ffffff"
INK: Final = "#000000"

# For a listing without a (usable) brand colour: one is picked by name, so that it stays the same.
PALETTE: Final = (
    "#0f766e",
    "#1d4ed8",
    "#7c3aed",
    "#be185d",
    "#b45309",
    "#15803d",
    "#0e7490",
    "#4338ca",
    "#a21caf",
    "#9f1239",
)

_HEX: Final = re.compile(r"#?(?:(?P<six>[0-9a-f]{6})(?:[0-9a-f]{2})?|(?P<three>[0-9a-f]{3}))\Z")
_WORD: Final = re.compile(r"[^\W_]+")
_CAMEL: Final = re.compile(r"[A-Z][a-z]+(?=[A-Z])")


def brand_fill(color: str | None, name: str | None = "") -> str:
    """Return the colour as `#rrggbb`; one of PALETTE, by name, when it is missing or not a colour.

    Accepts `#rgb`, `#rrggbb` and `#rrggbbaa` (the alpha is dropped), with or without the hash.
    """
    match = _HEX.match((color or "").strip().lower())
    if match is None:
        return PALETTE[zlib.crc32((name or "").casefold().encode()) % len(PALETTE)]
    return "#" + (match["six"] or "".join(digit * 2 for digit in match["three"]))


def relative_luminance(color: str) -> float:
    """Return the WCAG 2 relative luminance (0 black to 1 white) of a `#rrggbb` colour."""
    channels = (int(color[start : start + 2], 16) / 255 for start in (1, 3, 5))
    red, green, blue = (
        channel / 12.92 if channel <= 0.04045 else ((channel + 0.055) / 1.055) ** 2.4
        for channel in channels
    )
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def contrast_ratio(one: str, other: str) -> float:
    """Return the WCAG 2 contrast ratio (1 to 21) of two `#rrggbb` colours."""
    lighter, darker = sorted((relative_luminance(one), relative_luminance(other)), reverse=True)
    return (lighter + 0.05) / (darker + 0.05)


def brand_ink(color: str) -> str:
    """Return the text colour, white or black, that can be read on `color` (at least 4.5:1).

    White is kept as long as it reaches 4.5:1, because marks look best with it. Where it does not,
    black reaches 4.67:1 or more: the two contrasts multiply to 21.
    """
    return WHITE if contrast_ratio(WHITE, brand_fill(color)) >= 4.5 else INK


def initials(name: str | None) -> str:
    """Return one or two capital letters (or digits) that stand for a name; "?" when it has none.

    Two words give two letters, "HubSpot" gives "HS", a single plain word gives one letter.
    """
    words = _WORD.findall(unicodedata.normalize("NFC", name or ""))
    if not words:
        return "?"
    if len(words) == 1 and (hump := _CAMEL.match(words[0])):
        words = [words[0], words[0][hump.end() :]]
    # upper() may turn one letter into several (as with the German sharp s): keep the first.
    return "".join(word[0].upper()[0] for word in words[:2])


FILTERS: Final[dict[str, Callable[..., str]]] = {
    "brand_fill": brand_fill,
    "brand_ink": brand_ink,
    "initials": initials,
}
