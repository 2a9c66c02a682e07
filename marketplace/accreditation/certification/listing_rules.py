"""Whether certification keeps a listing from the public, decided purely."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass

from marketplace.accreditation.certification.models import ListingRule


@dataclass(frozen=True)
class Rule:
    """What a program for listings asks of those that it is for."""

    program_id: int
    title: str
    listing_rule: ListingRule
    people_minimum: int = 0
    partner_types: tuple[str, ...] = ()
    listing_kinds: tuple[str, ...] = ()

    def is_for(self, partner_type: str, kind: str) -> bool:
        """Whether a listing of that kind, of a publisher of that type, falls under it."""
        return (not self.partner_types or partner_type in self.partner_types) and (
            not self.listing_kinds or kind in self.listing_kinds
        )


def why_hidden(
    rules: Sequence[Rule],
    *,
    partner_type: str,
    kind: str,
    in_force: Collection[int],
    ever: Collection[int],
    certified_people: int,
) -> str:
    """Why the listing is hidden, in a sentence for its publisher; "" when it is not.

    `in_force` and `ever` are ids of programs by which it is, or ever was, certified.
    """
    for rule in rules:
        if not rule.is_for(partner_type, kind):
            continue
        if certified_people < rule.people_minimum:
            return (
                f"{rule.title} asks for {rule.people_minimum} certified people; you have "
                f"{certified_people}."
            )
        if rule.program_id in in_force:
            continue
        if rule.listing_rule is ListingRule.REQUIRED:
            return f"It has to be certified first: {rule.title}."
        if rule.listing_rule is ListingRule.UNLIST and rule.program_id in ever:
            return f"Its certification has run out: {rule.title}."
    return ""
