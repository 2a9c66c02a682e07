"""What domains above the catalogue add to a listing's page; wiring.py says who does.

A provider gets the public listing (its publisher loaded) and the actor, and gives values for the
page's template. It may use a constant number of queries.
"""

from collections.abc import Callable, Mapping
from typing import Any

from marketplace.catalogue.models import Listing
from marketplace.core.permissions import Actor

Provider = Callable[[Listing, Actor], Mapping[str, Any]]
_providers: list[Provider] = []


def contribute_to_listing_pages(*providers: Provider) -> None:
    """Have each provider add to the context of every listing's page."""
    _providers[:] = providers


def contributions(listing: Listing, actor: Actor) -> dict[str, Any]:
    """The values that all providers add."""
    found: dict[str, Any] = {}
    for provider in _providers:
        found |= provider(listing, actor)
    return found
