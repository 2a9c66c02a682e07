"""The cheapest path to a tier: how much more of which metric takes the fewest hours.

What may be added to is every metric that grows by work: sums, counts and levels of which more is
better. Adding `a` to a metric costs `effort` hours for each `per` of it, in proportion. Evidence
whose age is asked for is renewed by one more, for one `effort`. What only others or time can change
(a rating, an answer time) cannot be worked for.

First come the requirements: each gap must be closed. What is then missing in points is a covering
knapsack: whole steps of each metric give points until its cap. The first one needs only the rest
of a step that is begun; below nothing (refunds of older sales) it needs the whole climb, and no
other step comes before it. It is solved exactly by dynamic programming over the points.

Two metrics over one measure are worked for one by one, though the same work may count for both:
then it is a path, perhaps not the very cheapest.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction

from marketplace.program.policy.document import How, Metric, Policy, Tier
from marketplace.program.scorecards.rules import Gap, Values, gaps, points_of, requirements_for

ADDITIVE = frozenset({How.SUM, How.COUNT, How.LEVEL})
# Above this many points (after dividing by what all steps have in common) the path is put together
# by the best hours for a point: still a path, perhaps not the very cheapest.
EXACT_UP_TO = 20_000


@dataclass(frozen=True)
class Step:
    """One thing to do: `amount` more of a metric (0: renew it once)."""

    metric: Metric
    amount: int
    hours: Fraction


@dataclass(frozen=True)
class Path:
    """The way to a tier. `blocked` and `points_missing` say what work alone cannot reach."""

    tier: Tier
    steps: tuple[Step, ...]
    blocked: tuple[Gap, ...] = ()
    points_missing: int = 0
    exact: bool = True

    @property
    def reachable(self) -> bool:
        """Whether work alone leads there."""
        return not self.blocked and not self.points_missing

    @property
    def hours(self) -> Fraction:
        """All hours of it."""
        return sum((each.hours for each in self.steps), Fraction(0))


@dataclass(frozen=True)
class _Bundle:
    """Some steps of one metric, to be taken whole: what they give and cost (as an integer)."""

    metric: int
    steps: int
    points: int
    cost: int


def cheapest_path(policy: Policy, partner_type: str | None, tier: Tier, values: Values) -> Path:
    """The cheapest path from a partner's values to a tier that its type can reach."""
    added: dict[str, int] = {}
    renewed: list[Metric] = []
    blocked: list[Gap] = []
    for gap in gaps(policy, partner_type, tier, values):
        metric = gap.metric
        if metric is None or gap.met:
            continue
        if is_workable(metric) and gap.missing is not None:
            added[metric.key] = max(added.get(metric.key, 0), gap.missing)
        elif metric.how is How.AGE and not metric.higher_is_better and gap.threshold >= 0:
            if metric not in renewed:
                renewed.append(metric)
        else:
            blocked.append(gap)
    reached = {**values, **{key: (values.get(key) or 0) + more for key, more in added.items()}}
    missing = tier.points - points_of(policy, reached)
    exact = True
    if missing > 0:
        workable = [each for each in policy.metrics if is_workable(each) and each.points]
        taken, missing, exact = _cover(workable, reached, missing)
        for metric, amount in taken:
            added[metric.key] = added.get(metric.key, 0) + amount
    exact = exact and not _shares_a_measure(policy, partner_type, tier, added)
    steps = [_step(metric, added[metric.key]) for metric in policy.metrics if added.get(metric.key)]
    steps += [Step(metric, 0, Fraction(metric.effort)) for metric in renewed]
    return Path(tier, tuple(steps), tuple(blocked), max(missing, 0), exact)


def _shares_a_measure(
    policy: Policy, partner_type: str | None, tier: Tier, added: Mapping[str, int]
) -> bool:
    """Whether work for one metric may close what another one asks for."""
    asked = {each.metric for each in requirements_for(tier, partner_type)}
    wanted = [
        each.measure
        for each in policy.metrics
        if is_workable(each) and (each.points or each.key in asked)
    ]
    worked = {each.measure for each in policy.metrics if added.get(each.key)}
    return any(wanted.count(measure) > 1 for measure in worked)


def is_workable(metric: Metric) -> bool:
    """Whether work adds to a metric."""
    return metric.how in ADDITIVE and metric.higher_is_better


def _step(metric: Metric, amount: int) -> Step:
    return Step(metric, amount, Fraction(metric.effort * amount, metric.per))


def _cover(
    metrics: Sequence[Metric], values: Values, missing: int
) -> tuple[list[tuple[Metric, int]], int, bool]:
    """What to add for at least `missing` more points: amounts by metric, the points that stay out
    of reach (then nothing is taken), and whether it is surely the cheapest."""
    # Costs as integers: hours times what all `per` have in common.
    scale = math.lcm(*(metric.per for metric in metrics)) if metrics else 1
    bundles: list[list[_Bundle]] = []
    most = 0
    for place, metric in enumerate(metrics):
        own = _bundles(place, metric, values.get(metric.key) or 0, missing, scale)
        if own:
            bundles.append(own)
        most += sum(each.points for each in own)
    if most < missing:
        return [], missing - most, True
    chosen, exact = _cheapest(bundles, missing)
    steps = [0] * len(metrics)
    for bundle in chosen:
        steps[bundle.metric] += bundle.steps
    amounts = [
        (metric, _amount(metric, values.get(metric.key) or 0, count))
        for metric, count in zip(metrics, steps, strict=True)
        if count
    ]
    return amounts, 0, exact


def _amount(metric: Metric, value: int, steps: int) -> int:
    """How much must be added for that many more steps that give points."""
    return (max(value // metric.per, 0) + steps) * metric.per - value


def _bundles(place: int, metric: Metric, value: int, missing: int, scale: int) -> list[_Bundle]:
    """A metric's steps: the first one alone, the rest in powers of two, what the cap cuts last.

    The last is never worth more than those between, so every cheapest choice can take them in this
    order, once it has taken the first.
    """
    have = max(value // metric.per, 0) * metric.points
    room = missing if metric.cap is None else min(missing, metric.cap - have)
    if room <= 0:
        return []
    whole, rest = divmod(room, metric.points)
    unit = metric.effort * scale
    first_cost = metric.effort * scale * _amount(metric, value, 1) // metric.per
    if whole == 0:
        return [_Bundle(place, 1, rest, first_cost)]
    found = [_Bundle(place, 1, metric.points, first_cost)]
    left, size = whole - 1, 1
    while left > 0:
        size = min(size, left)
        found.append(_Bundle(place, size, size * metric.points, size * unit))
        left -= size
        size *= 2
    if rest:
        found.append(_Bundle(place, 1, rest, unit))
    return found


def _cheapest(groups: Sequence[Sequence[_Bundle]], missing: int) -> tuple[list[_Bundle], bool]:
    """The bundles of the least cost that give at least `missing` points (there are such). Of each
    metric's bundles the first comes before all others."""
    every = [bundle for group in groups for bundle in group]
    divisor = math.gcd(*(each.points for each in every))
    target = -(-missing // divisor)
    if target > EXACT_UP_TO:
        return _by_rate(every, missing), False
    infinite = float("inf")
    best: list[int | float] = [0, *[infinite] * target]
    # For each metric: at which points it is begun at all, and which of its other bundles is taken.
    begun: list[bytearray] = []
    taken: list[list[bytearray]] = []
    for first, *others in groups:
        gain = first.points // divisor
        own = [best[max(points - gain, 0)] + first.cost for points in range(target + 1)]
        marks = [_take(own, bundle.points // divisor, bundle.cost) for bundle in others]
        taken.append(marks)
        begun.append(bytearray(with_it < best[at] for at, with_it in enumerate(own)))
        best = [min(pair) for pair in zip(best, own, strict=True)]
    chosen, points = [], target
    for (first, *others), is_begun, marks in zip(
        reversed(groups), reversed(begun), reversed(taken), strict=True
    ):
        if not is_begun[points]:
            continue
        for bundle, mark in zip(reversed(others), reversed(marks), strict=True):
            if mark[points]:
                chosen.append(bundle)
                points = max(points - bundle.points // divisor, 0)
        chosen.append(first)
        points = max(points - first.points // divisor, 0)
    return chosen, True


def _take(best: list[int | float], gain: int, cost: int) -> bytearray:
    """Offer one bundle to the least costs by points, in place; where it was taken."""
    marks = bytearray(len(best))
    for points in range(len(best) - 1, 0, -1):
        candidate = best[max(points - gain, 0)] + cost
        if candidate < best[points]:
            best[points] = candidate
            marks[points] = 1
    return marks


def _by_rate(bundles: Sequence[_Bundle], missing: int) -> list[_Bundle]:
    chosen: list[_Bundle] = []
    for bundle in sorted(bundles, key=lambda each: (each.cost / each.points, -each.points)):
        if missing <= 0:
            break
        chosen.append(bundle)
        missing -= bundle.points
    return chosen
