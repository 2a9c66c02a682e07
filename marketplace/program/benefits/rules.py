"""How many of a benefit a partner may claim. Pure."""

from dataclasses import dataclass
from datetime import UTC, datetime

from marketplace.program.policy.document import Benefit, Policy


@dataclass(frozen=True)
class Allowance:
    """A benefit, how many a year, and how many are taken."""

    benefit: Benefit
    limit: int
    taken: int

    @property
    def left(self) -> int:
        """How many can still be claimed this year; never below 0, also when the limit fell."""
        return max(0, self.limit - self.taken)


def limit_of(policy: Policy, benefit: Benefit, partner_type: str | None, tier: str) -> int:
    """How many of a benefit a partner of a type at a tier may claim in a calendar year: what the
    policy says of the tier, or else of the highest one below it that its type can reach; 0 for who
    is at no tier."""
    said = [
        benefit.per_year[each.key]
        for each in policy.tiers_behind(partner_type, tier)
        if each.key in benefit.per_year
    ]
    return max(0, said[-1]) if said else 0


def is_included(benefit: Benefit) -> bool:
    """Whether every partner has it without claiming: the policy counts it for no tier."""
    return not benefit.per_year


def year_of(moment: datetime) -> int:
    """The calendar year, in UTC."""
    return moment.astimezone(UTC).year
