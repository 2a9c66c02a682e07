"""Showing where the words of a search stand in a text."""

from collections.abc import Mapping, Sequence
from dataclasses import replace

from markupsafe import Markup, escape

from marketplace.catalogue.discovery.cards import ListingCard
from search.engine import Highlight


def mark(text: str, spans: Sequence[tuple[int, int]]) -> Markup:
    """`text` as safe markup with `<mark>` around each span of (start, end) characters."""
    parts: list[Markup] = []
    at = 0
    for start, end in spans:
        parts += (escape(text[at:start]), Markup("<mark>{}</mark>").format(text[start:end]))
        at = end
    parts.append(escape(text[at:]))
    return Markup("").join(parts)


def marked_card(card: ListingCard, found: Mapping[str, Highlight] | None) -> ListingCard:
    """The card with its matches marked."""
    if not found:
        return card
    return replace(
        card,
        name_html=mark(card.name, found["name"].spans) if "name" in found else None,
        tagline_html=mark(card.tagline, found["tagline"].spans) if "tagline" in found else None,
    )
