"""What domains above the catalogue add to the portal's start; wiring.py says who does.

A provider gets the actor, who acts for a partner, and gives values for the page's template. It may
use a constant number of queries.
"""

from collections.abc import Callable, Mapping
from typing import Any

from marketplace.core.permissions import Actor

Provider = Callable[[Actor], Mapping[str, Any]]
_providers: list[Provider] = []


def contribute_to_portal_home(*providers: Provider) -> None:
    """Have each provider add to the context of the portal's start."""
    _providers[:] = providers


def home_parts(actor: Actor) -> dict[str, Any]:
    """The values that all providers add."""
    found: dict[str, Any] = {}
    for provider in _providers:
        found |= provider(actor)
    return found
