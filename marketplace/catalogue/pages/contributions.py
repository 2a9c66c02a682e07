"""What domains above the catalogue add to the pages of listings and partners; wiring.py says who.

A provider gets the public listing (its publisher loaded) or the partner, and the actor, and gives
values for the page's template. `offers` among them (schema.org/Offer) say what is sold. It may use
a constant number of queries.
"""

from collections.abc import Callable, Mapping
from typing import Any

from marketplace.catalogue.models import Listing
from marketplace.core.permissions import Actor
from marketplace.identity.models import Organization

Provider = Callable[[Listing, Actor], Mapping[str, Any]]
PartnerProvider = Callable[[Organization, Actor], Mapping[str, Any]]
_providers: list[Provider] = []
_partner_providers: list[PartnerProvider] = []


def contribute_to_listing_pages(*providers: Provider) -> None:
    """Have each provider add to the context of every listing's page."""
    _providers[:] = providers


def contributions(listing: Listing, actor: Actor) -> dict[str, Any]:
    """The values that all providers add."""
    found: dict[str, Any] = {}
    for provider in _providers:
        found |= provider(listing, actor)
    return found


def contribute_to_partner_pages(*providers: PartnerProvider) -> None:
    """Have each provider add to the context of every partner's page."""
    _partner_providers[:] = providers


def partner_contributions(partner: Organization, actor: Actor) -> dict[str, Any]:
    """The values that all providers add to a partner's page."""
    found: dict[str, Any] = {}
    for provider in _partner_providers:
        found |= provider(partner, actor)
    return found
