"""What ends soon, in any part of the program: each part tells of its own; wiring.py says which."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, slots=True)
class Expiring:
    """Something that ends at a moment unless somebody does something.

    `kind` is a short word of the part (`certification`), `href` a page of the staff about it.
    """

    kind: str
    title: str
    at: datetime
    organization_id: int | None = None
    href: str = ""


# What ends from a moment (included) to another (not), in a constant number of queries: the soonest
# so many, or all of it for None.
Provider = Callable[[datetime, datetime, int | None], Sequence[Expiring]]
_providers: list[Provider] = []


def expiring_from(*providers: Provider) -> None:
    """Have each provider add what ends in its part."""
    _providers[:] = providers


def expiring_between(begin: datetime, end: datetime, most: int | None = None) -> list[Expiring]:
    """What ends from `begin` (included) to `end` (not), the soonest first: `most` of it, or all."""
    found = [each for provider in _providers for each in provider(begin, end, most)]
    return sorted(found, key=lambda each: (each.at, each.kind, each.title))[:most]
