"""What billing asks about an organization; wiring.py says who answers."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class PartnerFacts:
    """What decides an organization's fees and discounts. `tier` is empty until there are tiers."""

    partner_type: str = ""
    tier: str = ""
    country: str | None = None
    name: str = ""
    # Whether commissions are booked for it; the program bars some types, such as public bodies.
    earns_commission: bool = True


Answer = Callable[[Sequence[int]], dict[int, PartnerFacts]]
_answer: list[Answer] = []


def look_up_partners_with(answer: Answer) -> None:
    """Ask `answer` from now on."""
    _answer[:] = [answer]


def partner_facts(organization_ids: Sequence[int]) -> dict[int, PartnerFacts]:
    """The facts of each organization; nothing known of it is a PartnerFacts of empty values."""
    found = _answer[0](organization_ids) if _answer else {}
    return {each: found.get(each, PartnerFacts()) for each in organization_ids}
