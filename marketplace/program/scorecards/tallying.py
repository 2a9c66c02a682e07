"""What a replay adds up: partners by tier at the end of each month, and what the tiers cost."""

from collections.abc import Mapping, Sequence
from copy import deepcopy
from typing import Any

from marketplace.program.policy.document import Policy
from marketplace.program.scorecards.days import Grid
from marketplace.program.scorecards.replaying import Life, Past, Schedule
from marketplace.program.standing.models import Standing
from marketplace.program.standing.reading import IN_FORCE

Figures = dict[str, Any]


def month_days(grid: Grid) -> list[tuple[str, int]]:
    """The end of each month as its label (`2026-05`) and its day in the grid; last the grid's."""
    found = []
    for day, at in enumerate(grid.moments):
        if at.day == 1 and day > 0:
            before = grid.moments[day - 1]
            found.append((f"{before:%Y-%m}", day))
    if not found or found[-1][1] != grid.days:
        found.append((f"{grid.last:%Y-%m}", grid.days))
    return found


def empty_figures(months: Sequence[tuple[str, int]]) -> Figures:
    """Figures of nobody."""
    zeros = [0] * len(months)
    return {
        "months": [label for label, _day in months],
        "draft": {},
        "live": {},
        "draft_cost": list(zeros),
        "live_cost": list(zeros),
        "agree": 0,
        "compared": 0,
        "up": 0,
        "down": 0,
    }


def add_lives(
    figures: Mapping[str, Any],
    lives: Sequence[tuple[Past, Life, Life]],
    draft: Policy,
    live: Schedule,
    months: Sequence[tuple[str, int]],
    standings: Mapping[int, Standing],
) -> Figures:
    """The figures with more partners. Costs are what the tiers cost in a year, at that moment."""
    found = deepcopy(dict(figures)) if figures else empty_figures(months)
    draft_costs = _costs(draft)
    live_costs = [_costs(policy) if policy else {} for policy in (live[day] for _, day in months)]
    last = live[-1]
    for past, by_draft, by_live in lives:
        for place, (_label, day) in enumerate(months):
            _count(found["draft"], by_draft.tiers[day], place, len(months))
            _count(found["live"], by_live.tiers[day], place, len(months))
            found["draft_cost"][place] += draft_costs.get(by_draft.tiers[day], 0)
            found["live_cost"][place] += live_costs[place].get(by_live.tiers[day], 0)
        standing = standings.get(past.organization_id)
        if standing is not None:
            real = standing.tier if standing.state in IN_FORCE else ""
            found["compared"] += 1
            found["agree"] += int(real == by_live.tiers[-1])
        ends, stays = by_draft.tiers[-1], by_live.tiers[-1]
        if ends != stays:
            rank = draft.rank(ends) if ends else -1
            before = draft.rank(stays) if stays else -1
            if before < 0 and stays and last is not None:
                before = last.rank(stays)
            found["up" if rank > before else "down"] += 1
    return found


def _costs(policy: Policy) -> dict[str, int]:
    return {tier.key: tier.yearly_cost for tier in policy.tiers}


def _count(by_tier: dict[str, list[int]], tier: str, place: int, months: int) -> None:
    if tier:
        by_tier.setdefault(tier, [0] * months)[place] += 1
