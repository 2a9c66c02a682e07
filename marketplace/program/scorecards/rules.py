"""What a policy makes of a partner's measurements: values, points, tiers and gaps. All of it is
pure: the same measurements and the same policy give the same answer, in whatever order."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from billing.money import CurrencyError, decimals
from marketplace.program.policy.document import How, Metric, Policy, Requirement, Tier

MILLION = 1_000_000
Values = Mapping[str, int | None]


@dataclass(frozen=True)
class Tally:
    """Measurements of one measure in one currency, inside one window.

    `net`: how many are not negative, less the negative ones, which take one back each. `newest`:
    the latest moment of a positive one.
    """

    total: int = 0
    net: int = 0
    newest: datetime | None = None


@dataclass(frozen=True)
class PartnerMetrics(Mapping[str, int | None]):
    """A partner's value of each metric of a policy; None where there is no value.

    `left_out`: by metric, the currencies that were not counted because the policy has no rate.
    """

    values_by_key: Mapping[str, int | None] = field(default_factory=dict)
    left_out: Mapping[str, tuple[str, ...]] = field(default_factory=dict)

    def __getitem__(self, key: str) -> int | None:
        return self.values_by_key[key]

    def __iter__(self):  # type: ignore[no-untyped-def]  # Mapping's own
        return iter(self.values_by_key)

    def __len__(self) -> int:
        return len(self.values_by_key)

    def known(self) -> dict[str, int]:
        """The metrics that have a value."""
        return {key: value for key, value in self.values_by_key.items() if value is not None}


@dataclass(frozen=True)
class Gap:
    """One thing that a tier asks for, against what a partner has.

    `missing` is exact: the threshold less the value (the value less the threshold where less is
    better), 0 when it is met, None when there is no value. `metric` is None for the points.
    """

    metric: Metric | None
    threshold: int
    value: int | None
    missing: int | None
    met: bool


def half_up(numerator: int, denominator: int) -> int:
    """The quotient as an integer, halves upwards; `denominator` is positive."""
    return (2 * numerator + denominator) // (2 * denominator)


def converted(amount: int, currency: str, policy: Policy) -> int | None:
    """Minor units of a currency in minor units of the policy's; None without a rate.

    Rounded once, half up. Amounts without a currency are taken as they are.
    """
    if currency in ("", policy.currency):
        return amount
    rate = policy.rates.get(currency)
    if rate is None:
        return None
    return half_up(
        amount * rate * 10 ** _decimals(policy.currency), MILLION * 10 ** _decimals(currency)
    )


def _decimals(currency: str) -> int:
    try:
        return decimals(currency)
    except CurrencyError:
        return 2


def window_of(metric: Metric) -> int | None:
    """The days that a metric looks back on; None for everything there ever was."""
    return None if metric.how in (How.LEVEL, How.AGE) else metric.window_days


def window_start(metric: Metric, at: datetime) -> datetime | None:
    """The moment after which a metric's measurements count; None for all."""
    days = window_of(metric)
    return None if days is None else at - timedelta(days=days)


def value_of(
    policy: Policy, metric: Metric, tallies: Mapping[str, Tally], at: datetime
) -> tuple[int | None, tuple[str, ...]]:
    """A metric's value by the tallies of its measure and window, keyed by currency; and the
    currencies that had to be left out."""
    left_out: list[str] = []
    total = net = 0
    newest: datetime | None = None
    for currency in sorted(tallies):
        tally = tallies[currency]
        amount = converted(tally.total, currency, policy)
        if amount is None:
            left_out.append(currency)
            continue
        total += amount
        net += tally.net
        if tally.newest is not None and (newest is None or tally.newest > newest):
            newest = tally.newest
    value: int | None
    match metric.how:
        case How.SUM | How.LEVEL:
            value = total
        case How.COUNT:
            value = how_many(net)
        case How.AVERAGE:
            value = half_up(total, net) if net > 0 else None
        case How.AGE:
            value = (at - newest).days if newest is not None else None
    return value, tuple(left_out)


def how_many(net: int) -> int:
    """How often something happened that may have been taken back, inside a window: never less
    than not at all, though a window may hold a taking back alone."""
    return max(net, 0)


def metric_points(metric: Metric, value: int | None) -> int:
    """The points that a metric gives. Metrics of which less is better give none."""
    if value is None or value <= 0 or not metric.points or not metric.higher_is_better:
        return 0
    points = value // metric.per * metric.points
    return points if metric.cap is None else min(points, metric.cap)


def points_of(policy: Policy, values: Values) -> int:
    """All points of a partner."""
    return sum(metric_points(metric, values.get(metric.key)) for metric in policy.metrics)


def is_met(metric: Metric, requirement: Requirement, value: int | None) -> bool:
    """Whether a value is enough (or little enough). Without a value it is not."""
    if value is None:
        return False
    if metric.higher_is_better:
        return value >= requirement.threshold
    return value <= requirement.threshold


def requirements_for(tier: Tier, partner_type: str | None) -> list[Requirement]:
    """What a tier asks of partners of a type, beside the points."""
    return [each for each in tier.requirements if not each.types or partner_type in each.types]


def meets(policy: Policy, partner_type: str | None, tier: Tier, values: Values) -> bool:
    """Whether a partner of that type has everything that a tier asks for."""
    if tier.types and partner_type not in tier.types:
        return False
    if tier.points and points_of(policy, values) < tier.points:
        return False
    return all(
        is_met(_metric(policy, each), each, values.get(each.metric))
        for each in requirements_for(tier, partner_type)
    )


def earned_tier(policy: Policy, partner_type: str | None, values: Values) -> str:
    """The highest tier of which a partner meets everything; tiers below it may be skipped."""
    for tier in reversed(policy.tiers):
        if meets(policy, partner_type, tier, values):
            return tier.key
    return policy.tiers[0].key


def gaps(policy: Policy, partner_type: str | None, tier: Tier, values: Values) -> list[Gap]:
    """What a tier asks of partners of a type, each with what is missing; the points come first."""
    found: list[Gap] = []
    if tier.points:
        points = points_of(policy, values)
        found.append(
            Gap(None, tier.points, points, max(tier.points - points, 0), points >= tier.points)
        )
    for requirement in requirements_for(tier, partner_type):
        metric = _metric(policy, requirement)
        value = values.get(metric.key)
        missing = None
        if value is not None:
            difference = requirement.threshold - value
            missing = max(difference if metric.higher_is_better else -difference, 0)
        met = is_met(metric, requirement, value)
        found.append(Gap(metric, requirement.threshold, value, missing, met))
    return found


def next_tier(policy: Policy, partner_type: str | None, tier: str) -> Tier | None:
    """The tier above one, that partners of the type can reach; None at the top."""
    rank = policy.rank(tier)
    return next(
        (each for each in policy.tiers_for(partner_type) if policy.rank(each.key) > rank), None
    )


def higher(policy: Policy, one: str, other: str) -> bool:
    """Whether a tier is above another."""
    return policy.rank(one) > policy.rank(other)


def unmet(found: Iterable[Gap]) -> list[Gap]:
    """The gaps that are open."""
    return [each for each in found if not each.met]


def _metric(policy: Policy, requirement: Requirement) -> Metric:
    metric = policy.metric(requirement.metric)
    if metric is None:  # the document refuses such a requirement
        raise ValueError(f"there is no metric {requirement.metric}")
    return metric
