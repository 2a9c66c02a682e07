"""What accreditation asks about listings; the catalogue is a room above, and wiring.py says who
answers."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class ListingFacts:
    """A listing, as far as accreditation needs it."""

    id: int
    organization_id: int
    name: str
    slug: str
    kind: str
    is_published: bool
    # Whether the public can open its page now.
    is_public: bool
    tagline: str = ""


ById = Callable[[Sequence[int]], dict[int, ListingFacts]]
OfPublisher = Callable[[int], list[ListingFacts]]
BySlug = Callable[[str], ListingFacts | None]
_by_id: list[ById] = []
_of_publisher: list[OfPublisher] = []
_by_slug: list[BySlug] = []


def look_up_listings_with(by_id: ById, of_publisher: OfPublisher, by_slug: BySlug) -> None:
    """Ask these from now on."""
    _by_id[:], _of_publisher[:], _by_slug[:] = [by_id], [of_publisher], [by_slug]


def listings_by_id(ids: Sequence[int | None]) -> dict[int, ListingFacts]:
    """Those of these listings that there are. One query."""
    wanted = [each for each in ids if each is not None]
    return _by_id[0](wanted) if _by_id and wanted else {}


def listings_of(organization_id: int) -> list[ListingFacts]:
    """A publisher's listings by name. One query."""
    return _of_publisher[0](organization_id) if _of_publisher else []


def listing_by_slug(slug: str) -> ListingFacts | None:
    """The listing of that address. One query."""
    return _by_slug[0](slug) if _by_slug else None
