"""Which partner is the next for a lead, and why: rules as data, decided without a database."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from marketplace.pipeline.leads.models import Method


@dataclass(frozen=True)
class Ask:
    """What routing knows of a lead."""

    country: str | None
    category: str = ""


@dataclass(frozen=True)
class Candidate:
    """A partner as routing sees it. `rank` is its tier's place from the lowest, -1 for none."""

    organization_id: int
    partner_type: str
    country: str | None
    tier: str
    rank: int
    # Leads that it holds or is offered now.
    open_leads: int = 0


@dataclass(frozen=True)
class Rule:
    """A routing rule. Empty collections allow everything; `least_rank` is a tier's place."""

    id: int
    name: str
    countries: Collection[str] = ()
    categories: Collection[str] = ()
    partner_types: Collection[str] = ()
    same_country: bool = False
    least_tier: str = ""
    least_rank: int = -1
    capacity: int | None = None
    method: Method = Method.ROUND_ROBIN
    weights: Mapping[str, int] = field(default_factory=dict)

    def weight_of(self, candidate: Candidate) -> int:
        """How often a partner's turn comes, compared with others; at least 1."""
        if self.method is Method.ROUND_ROBIN:
            return 1
        return max(1, int(self.weights.get(candidate.tier, 1)))


@dataclass(frozen=True)
class Turns:
    """What a partner had of one rule: how many offers, and the id of the newest (0: none)."""

    offers: int = 0
    newest: int = 0


@dataclass(frozen=True)
class Choice:
    """Who is next, by which rule, and why, in sentences for staff and the partner."""

    organization_id: int
    rule_id: int | None
    reasons: tuple[str, ...]


def takes(rule: Rule, ask: Ask) -> bool:
    """Whether a rule is for such a lead. A rule for countries takes no lead without one."""
    if rule.countries and ask.country not in rule.countries:
        return False
    if rule.same_country and ask.country is None:
        return False
    return not rule.categories or ask.category in rule.categories


def allows(rule: Rule, ask: Ask, candidate: Candidate) -> bool:
    """Whether a rule lets that partner have such a lead."""
    if rule.partner_types and candidate.partner_type not in rule.partner_types:
        return False
    if rule.same_country and candidate.country != ask.country:
        return False
    if rule.least_tier and (rule.least_rank < 0 or candidate.rank < rule.least_rank):
        return False
    return rule.capacity is None or candidate.open_leads < rule.capacity


def choose(
    rules: Sequence[Rule],
    ask: Ask,
    candidates: Iterable[Candidate],
    turns: Mapping[tuple[int, int], Turns],
    *,
    but: Collection[int] = (),
) -> Choice | None:
    """The next partner by the first rule that allows anybody who was not asked yet.

    Among those it allows, whoever had the fewest offers of this rule for its weight is next; among
    equals, whoever waited longest, then the older partner. `turns` is by (rule, organization).
    """
    known = [each for each in candidates if each.organization_id not in but]
    for rule in rules:
        if not takes(rule, ask):
            continue
        allowed = [each for each in known if allows(rule, ask, each)]
        if not allowed:
            continue

        def turn(each: Candidate, rule: Rule = rule) -> tuple[float, int, int]:
            had = turns.get((rule.id, each.organization_id), Turns())
            return ((had.offers + 1) / rule.weight_of(each), had.newest, each.organization_id)

        chosen = min(allowed, key=turn)
        had = turns.get((rule.id, chosen.organization_id), Turns())
        return Choice(
            chosen.organization_id, rule.id, _reasons(rule, ask, chosen, had, len(allowed))
        )
    return None


def _reasons(rule: Rule, ask: Ask, chosen: Candidate, had: Turns, allowed: int) -> tuple[str, ...]:
    """Why this partner, in sentences."""
    found = [f"Rule “{rule.name}”"]
    if rule.countries:
        found.append(f"The lead is from {ask.country}")
    if rule.categories:
        found.append(f"It asks for {ask.category}")
    if rule.same_country:
        found.append(f"The partner is in {ask.country} as well")
    if rule.partner_types:
        found.append(f"Partners of type {chosen.partner_type} may have it")
    if rule.least_tier:
        found.append(f"Its tier {chosen.tier} is at least {rule.least_tier}")
    if rule.capacity is not None:
        found.append(f"It holds {chosen.open_leads} of at most {rule.capacity} open leads")
    weight = rule.weight_of(chosen)
    turn = f"{had.offers} offers by this rule so far"
    found.append(turn if weight == 1 else f"{turn}, at weight {weight}")
    found.append(
        "The only partner that this rule allows"
        if allowed == 1
        else f"Its turn among {allowed} partners that this rule allows"
    )
    return tuple(found)
