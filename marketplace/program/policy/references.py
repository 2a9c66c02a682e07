"""What elsewhere refers to a type or tier that a version leaves out: fees, rounds, courses, rules.

The parts that have such rows hand over a provider; wiring.py connects them.
"""

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass

from marketplace.program.policy.document import Policy


@dataclass(frozen=True)
class Mention:
    """That something speaks of a type or a tier by its key. `what` is whole words: "Round Autumn
    2026". `href`: the staff's page of it."""

    part: str  # "types" or "tiers"
    key: str
    what: str
    href: str = ""


@dataclass(frozen=True)
class Reference:
    """A mention of something that goes, with its name."""

    mention: Mention
    name: str

    def __str__(self) -> str:
        """In a sentence."""
        kind = "type" if self.mention.part == "types" else "tier"
        return f"{self.mention.what} refers to the {kind} {self.name}."


# Mentions of any of these types and tiers, in a constant number of queries.
Provider = Callable[[Collection[str], Collection[str]], Sequence[Mention]]
_providers: list[Provider] = []


def mentions_from(*providers: Provider) -> None:
    """Ask these for what refers to types and tiers."""
    _providers[:] = providers


def references(before: Policy | None, after: Policy) -> list[Reference]:
    """What refers to the types and tiers of `before` that `after` leaves out; no query where
    nothing is left out."""
    if before is None:
        return []
    names = {
        "types": {each.key: each.name for each in before.types if after.type(each.key) is None},
        "tiers": {each.key: each.name for each in before.tiers if after.tier(each.key) is None},
    }
    if not any(names.values()):
        return []
    found = [each for provider in _providers for each in provider(names["types"], names["tiers"])]
    return [Reference(each, names[each.part][each.key]) for each in found]
