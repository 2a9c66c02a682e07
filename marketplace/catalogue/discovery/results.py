"""What a search gives."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from marketplace.catalogue.discovery.cards import ListingCard
from marketplace.catalogue.discovery.facets import ActiveFilter, Facet
from search.engine import MAX_WINDOW, Highlight


@dataclass(frozen=True, slots=True)
class ListingResults:
    """The answer to a `ListingSearch`.

    `items` are in rank order and all visible now. `highlights` has, by listing id and field
    (`name`, `tagline`), where the words were found. `degraded`: the database answered, because
    the engine could not; ranking is plain and only some facets are counted. `total` counts what
    the engine found less what of this page is no longer visible. `did_you_mean` is a spelling that
    may find something where these words found nothing. `corrected` is the text that was searched
    for instead, when words that nothing has could be respelled.
    """

    items: tuple[ListingCard, ...]
    total: int
    page: int
    per_page: int
    facets: tuple[Facet, ...] = ()
    active: tuple[ActiveFilter, ...] = ()
    highlights: Mapping[int, Mapping[str, Highlight]] = field(default_factory=dict)
    degraded: bool = False
    dropped_words: tuple[str, ...] = ()
    did_you_mean: str | None = None
    corrected: str = ""

    @property
    def pages(self) -> int:
        """Pages that can be visited; at least 1."""
        return max(1, -(-min(self.total, MAX_WINDOW) // self.per_page))

    @property
    def first(self) -> int:
        """The number of the first item of this page, 0 without items."""
        return (self.page - 1) * self.per_page + 1 if self.items else 0

    @property
    def last(self) -> int:
        """The number of the last item of this page, 0 without items."""
        return (self.page - 1) * self.per_page + len(self.items) if self.items else 0


@dataclass(frozen=True, slots=True)
class NoResultsHelp:
    """What helps when nothing was found: how many there are without filters, and favourites."""

    without_filters: int
    popular: tuple[ListingCard, ...]
