"""What a scorecard shows, put together once for the partner's page and the staff's."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import pairwise

from sqlalchemy import select

from marketplace.core import clock
from marketplace.core.database import db
from marketplace.identity.models import Organization
from marketplace.program.policy.document import Metric, Policy, Requirement, Tier
from marketplace.program.policy.live import LivePolicy, current_policy
from marketplace.program.policy.models import PolicyVersion
from marketplace.program.scorecards import queries
from marketplace.program.scorecards.evaluating import PartnerMetrics, values_of
from marketplace.program.scorecards.obligations import Obligation, warnings_of
from marketplace.program.scorecards.path import Path, cheapest_path
from marketplace.program.scorecards.rules import (
    Gap,
    earned_tier,
    gaps,
    metric_points,
    next_tier,
    points_of,
    requirements_for,
)
from marketplace.program.scorecards.texts import amount_in_words
from marketplace.program.standing.models import Evaluation, Standing, StandingMove, TierOverride

MONTHS = 12


@dataclass(frozen=True)
class MetricRow:
    """A metric, what it is now, and what the next tier asks of it."""

    metric: Metric
    value: int | None
    points: int
    requirement: Requirement | None
    gap: Gap | None
    left_out: tuple[str, ...]


@dataclass(frozen=True)
class PolicyChange:
    """What a version of the policy changed for a partner: the last evaluation before it, and the
    first one by it."""

    number: int
    at: datetime
    points_before: int
    points_after: int
    earned_before: str
    earned_after: str


@dataclass(frozen=True)
class Scorecard:
    """Everything about one partner's standing."""

    organization: Organization
    live: LivePolicy
    standing: Standing
    values: PartnerMetrics
    points: int
    earned: str
    next_tier: Tier | None
    rows: tuple[MetricRow, ...]
    next_gaps: tuple[Gap, ...]
    kept_gaps: tuple[Gap, ...]
    path: Path | None
    # In days of grace: the way to keep the tier.
    kept_path: Path | None
    override: TierOverride | None
    # What must be done now so that what counts today goes on counting.
    warnings: tuple[Obligation, ...] = ()

    @property
    def amber(self) -> frozenset[str]:
        """The measures that the warnings are about."""
        return frozenset(each.measure for each in self.warnings)

    @property
    def policy(self) -> Policy:
        """The policy in force."""
        return self.live.policy

    @property
    def has_type(self) -> bool:
        """Whether the policy knows its type; else no tier can say what it asks for."""
        return self.live.policy.type(self.organization.partner_type) is not None

    @property
    def tier(self) -> Tier | None:
        """The tier that it has."""
        return self.live.policy.tier(self.standing.tier)

    def words(self, metric: Metric | None, amount: int | None) -> str:
        """An amount of a metric as people read it."""
        return amount_in_words(metric, amount, self.live.policy)


def scorecard_of(organization: Organization) -> Scorecard | None:
    """A partner's scorecard as of now; None for who is not in the program, or without a policy."""
    live = current_policy()
    standing = queries.standing_of(organization.id)
    if live is None or standing is None:
        return None
    policy, kind, now = live.policy, organization.partner_type, clock.now()
    values = values_of([organization.id], policy, now)[organization.id]
    # What a tier asks of a type that there is not, nobody has decided; and nothing lies above a
    # tier that there is not.
    own = policy.tier(standing.tier)
    above = next_tier(policy, kind, standing.tier) if own and policy.type(kind) else None
    next_gaps = gaps(policy, kind, above, values) if above else []
    overrides = queries.unsettled_overrides([organization.id]).get(organization.id, [])
    return Scorecard(
        organization=organization,
        live=live,
        standing=standing,
        values=values,
        points=points_of(policy, values),
        earned=earned_tier(policy, kind, values),
        next_tier=above,
        rows=_rows(policy, kind, above, next_gaps, values),
        next_gaps=tuple(next_gaps),
        kept_gaps=tuple(gaps(policy, kind, own, values)) if own and standing.grace_until else (),
        path=cheapest_path(policy, kind, above, values) if above else None,
        kept_path=cheapest_path(policy, kind, own, values)
        if own and policy.type(kind) and standing.grace_until
        else None,
        override=next((each for each in overrides if queries.is_in_force(each, now)), None),
        warnings=tuple(warnings_of(organization.id)),
    )


def _rows(
    policy: Policy,
    kind: str | None,
    above: Tier | None,
    next_gaps: Sequence[Gap],
    values: PartnerMetrics,
) -> tuple[MetricRow, ...]:
    asked = {each.metric: each for each in requirements_for(above, kind)} if above else {}
    missing = {gap.metric.key: gap for gap in next_gaps if gap.metric is not None}
    return tuple(
        MetricRow(
            metric,
            values[metric.key],
            metric_points(metric, values[metric.key]),
            asked.get(metric.key),
            missing.get(metric.key),
            values.left_out.get(metric.key, ()),
        )
        for metric in policy.metrics
    )


@dataclass(frozen=True)
class History:
    """What became of a partner: points at the end of each month, moves, changes by the policy."""

    labels: tuple[str, ...]
    captions: tuple[str, ...]
    points: tuple[int | None, ...]
    moves: tuple[tuple[StandingMove, int | None], ...]
    changes: tuple[PolicyChange, ...]


def history_of(organization_id: int, months: int = MONTHS) -> History:
    """The last months of a partner. Moves come with the number of the policy that decided them."""
    ends = month_ends(clock.now(), months)
    first = queries.evaluation_before(organization_id, ends[0] - timedelta(days=31))
    later = queries.evaluations_since(organization_id, ends[0] - timedelta(days=31))
    evaluations = ([first] if first else []) + list(later)
    moves = queries.moves_of(organization_id)
    numbers = _numbers(
        {each.policy_id for each in moves} | {each.policy_id for each in evaluations}
    )
    return History(
        labels=tuple(f"{end - timedelta(seconds=1):%b}" for end in ends),
        captions=tuple(f"{end - timedelta(seconds=1):%B %Y}" for end in ends),
        points=tuple(_points_at(evaluations, end) for end in ends),
        moves=tuple((move, numbers.get(move.policy_id or 0)) for move in moves),
        changes=_changes(evaluations, numbers),
    )


def month_ends(now: datetime, months: int) -> list[datetime]:
    """The beginnings of the months after each of the last ones, the current one included."""
    found: list[datetime] = []
    start = now.replace(day=1, hour=0, minute=0, second=0, microsecond=0)
    end = (start + timedelta(days=32)).replace(day=1)
    for _ in range(months):
        found.append(end)
        end = (end - timedelta(days=1)).replace(day=1)
    return found[::-1]


def _points_at(evaluations: Sequence[Evaluation], moment: datetime) -> int | None:
    known = [each.points for each in evaluations if each.at < moment]
    return known[-1] if known else None


def _changes(
    evaluations: Sequence[Evaluation], numbers: dict[int, int]
) -> tuple[PolicyChange, ...]:
    found = [
        PolicyChange(
            numbers.get(after.policy_id, 0),
            after.at,
            before.points,
            after.points,
            before.earned_tier,
            after.earned_tier,
        )
        for before, after in pairwise(evaluations)
        if before.policy_id != after.policy_id
    ]
    return tuple(reversed(found))


def _numbers(ids: set[int | None]) -> dict[int, int]:
    rows = db.session.execute(
        select(PolicyVersion.id, PolicyVersion.number).where(
            PolicyVersion.id.in_([each for each in ids if each is not None])
        )
    )
    return {each: number for each, number in rows if number is not None}
