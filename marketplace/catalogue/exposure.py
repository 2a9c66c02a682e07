"""Who learns that listings were shown, and that one was opened; wiring.py says who does.

The pages tell what they show; whether the visit counts is for the listener to decide. It may not
ask the database anything: pages cost as many queries with it as without.
"""

import enum
from collections.abc import Callable, Iterable
from typing import Protocol


class Placement(enum.StrEnum):
    """Where a listing was seen, or from where somebody came to its page."""

    SEARCH = "search"
    CATEGORY = "category"
    HOME = "home"
    COLLECTION = "collection"
    PARTNER = "partner"
    # Beside another listing.
    SIMILAR = "similar"
    # From another site, a mail, a bookmark. Nothing is shown there.
    DIRECT = "direct"


class _Publisher(Protocol):
    @property
    def id(self) -> int: ...


class Shown(Protocol):
    """A listing on a page: a card, or the listing itself."""

    @property
    def id(self) -> int: ...

    @property
    def publisher(self) -> _Publisher: ...


# The placement and pairs of a listing's id and its publisher's.
ShownListener = Callable[[Placement, tuple[tuple[int, int], ...]], None]
# A listing's id and its publisher's.
OpenedListener = Callable[[int, int], None]
_on_shown: list[ShownListener] = []
_on_opened: list[OpenedListener] = []


def on_listings_shown(*listeners: ShownListener) -> None:
    """Call each with what a page shows."""
    _on_shown[:] = listeners


def on_listing_opened(*listeners: OpenedListener) -> None:
    """Call each with a listing whose page is opened."""
    _on_opened[:] = listeners


def listings_shown(placement: Placement, listings: Iterable[Shown]) -> None:
    """A page shows these listings."""
    pairs = tuple((each.id, each.publisher.id) for each in listings)
    if pairs:
        for listener in _on_shown:
            listener(placement, pairs)


def listing_opened(listing: Shown) -> None:
    """A listing's own page is shown."""
    for listener in _on_opened:
        listener(listing.id, listing.publisher.id)
