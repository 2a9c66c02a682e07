"""The seam to paid plans: who may use a listing. Free for everybody until billing decides."""

from collections.abc import Callable
from dataclasses import dataclass

from marketplace.catalogue.models import Listing
from marketplace.identity.models import Organization


@dataclass(frozen=True)
class Entitlement:
    """Whether an organization may use a listing; if not, `reason` is a sentence for people."""

    allowed: bool = True
    reason: str = ""


Decider = Callable[[Listing, Organization], Entitlement]
_deciders: list[Decider] = []


def decide_entitlements_with(*deciders: Decider) -> None:
    """Ask each decider from now on; the first that refuses is told to the person.

    After something changed, call services.entitlement.entitlement_changed.
    """
    _deciders[:] = deciders


def may_install(listing: Listing | None, organization: Organization) -> Entitlement:
    """Whether `organization` may install and use `listing`. An app without a listing is free."""
    if listing is not None:
        for decide in _deciders:
            found = decide(listing, organization)
            if not found.allowed:
                return found
    return Entitlement()
