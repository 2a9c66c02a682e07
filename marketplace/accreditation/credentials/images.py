"""Badges as SVG: a flat one for other sites, and a medal that a credential is baked into.

Attributes alone, no style: the content policy of a page that shows them inline lets none through.
"""

from dataclasses import dataclass
from html import escape

# Widths of characters at 11 pixels in Verdana and its like, in tenths of a pixel; the text is
# stretched to fit all the same.
_NARROW, _WIDE = frozenset("iljtfrI.,:;|!'() ·"), frozenset("mwMW@%—")
_OPEN_BADGES = "https://purl.imsglobal.org/ob/v3p0"


@dataclass(frozen=True)
class Colors:
    """The grounds of a flat badge's two halves, and the text on the first."""

    label: str
    value: str
    label_ink: str = "#ffffff"


# What the badge says decides its colour; grey is for what counts no more.
GOOD = "#0f766e"
GREY = "#6b7280"
LIGHT = "#e5e7eb"
DARK = "#374151"


def flat_badge(label: str, value: str, *, is_live: bool, theme: str = "light") -> str:
    """A small badge of two halves, 20 pixels high. Grey unless `is_live`."""
    label, value = label[:60], value[:60]
    colors = (
        Colors(LIGHT, GOOD if is_live else GREY, "#111827")
        if theme == "light"
        else Colors(DARK, GOOD if is_live else GREY)
    )
    left, right = _width(label) + 14, _width(value) + 14
    total = left + right
    text = escape(f"{label}: {value}", quote=True)
    font = 'font-family="Verdana,DejaVu Sans,Geneva,sans-serif" font-size="11"'
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{total}" height="20" '
        f'viewBox="0 0 {total} 20" role="img" aria-label="{text}">'
        f"<title>{text}</title>"
        f'<clipPath id="r"><rect width="{total}" height="20" rx="4"/></clipPath>'
        f'<g clip-path="url(#r)"><rect width="{left}" height="20" fill="{colors.label}"/>'
        f'<rect x="{left}" width="{right}" height="20" fill="{colors.value}"/></g>'
        f'<g {font} text-anchor="middle">'
        f'<text x="{left / 2:g}" y="14" fill="{colors.label_ink}" textLength="{left - 14}">'
        f"{escape(label)}</text>"
        f'<text x="{left + right / 2:g}" y="14" fill="#ffffff" textLength="{right - 14}">'
        f"{escape(value)}</text></g></svg>"
    )


def medal(title: str, issuer: str, *, note: str = "", token: str = "") -> str:
    """A square badge; with a `token` the credential is baked in (Open Badges 3.0, section 5.3.2.1).

    `note` (expired, revoked) makes it grey and is written over it.
    """
    name = escape(f"{title} – {issuer}" + (f" ({note})" if note else ""), quote=True)
    baked = (
        f'<openbadges:credential verify="{escape(token, quote=True)}"></openbadges:credential>'
        if token
        else ""
    )
    space = f' xmlns:openbadges="{_OPEN_BADGES}"' if token else ""
    ground, ring = (GREY, "#9ca3af") if note else (GOOD, "#5eead4")
    lines = _lines(title, 18)[:4]
    first = 276 - 20 * (len(lines) - 1)
    texts = "".join(
        f'<text x="256" y="{first + 40 * at}" font-size="34" font-weight="700">'
        f"{escape(line)}</text>"
        for at, line in enumerate(lines)
    )
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg"{space} width="512" height="512" '
        f'viewBox="0 0 512 512" role="img" aria-label="{name}">{baked}<title>{name}</title>'
        f'<circle cx="256" cy="256" r="248" fill="{ground}"/>'
        f'<circle cx="256" cy="256" r="222" fill="none" stroke="{ring}" stroke-width="6"/>'
        '<path d="M256 64l16.5 33.4 36.9 5.4-26.7 26 6.3 36.7-33-17.3-33 17.3 6.3-36.7-26.7-26 '
        f'36.9-5.4z" fill="{ring}"/>'
        '<g fill="#ffffff" text-anchor="middle" '
        f'font-family="Verdana,DejaVu Sans,Geneva,sans-serif">{texts}'
        f'<text x="256" y="428" font-size="24">{escape(issuer[:28])}</text>'
        + (f'<text x="256" y="392" font-size="28">{escape(note)}</text>' if note else "")
        + "</g></svg>"
    )


def _width(text: str) -> int:
    tenths = sum(40 if each in _NARROW else 100 if each in _WIDE else 70 for each in text)
    return max(10, round(tenths / 10))


def _lines(text: str, most: int) -> list[str]:
    lines: list[str] = []
    for word in text.split():
        if lines and len(lines[-1]) + 1 + len(word) <= most:
            lines[-1] += f" {word}"
        else:
            lines.append(word[:most])
    return lines
