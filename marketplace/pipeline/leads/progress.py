"""How far a partner is with the leads that the policy asks it for."""

from collections import Counter
from dataclasses import dataclass
from datetime import timedelta

from sqlalchemy import case, func, select

from marketplace.core import clock
from marketplace.core.database import db
from marketplace.pipeline.leads.models import Lead, LeadSource, LeadState, Review
from marketplace.program.measures import Measure, Measurement
from marketplace.program.policy.document import How, Metric
from marketplace.program.policy.live import current_policy
from marketplace.program.standing.reading import Place

_OF_LEADS = (Measure.LEADS_QUALIFIED.value, Measure.LEADS_ACCEPTED.value)


@dataclass(frozen=True)
class LeadRequirement:
    """What a tier asks for, and what the partner has of it."""

    tier: str
    metric: str
    value: int
    threshold: int

    @property
    def percent(self) -> int:
        """How much of it is met, rounded down; at most 100."""
        return percent_of(self.value, self.threshold)


@dataclass(frozen=True)
class Registered:
    """What became of the leads that a partner registered itself."""

    submitted: int
    qualified: int
    duplicates: int
    rejected: int

    @property
    def percent(self) -> int:
        """The share that is qualified, rounded down."""
        return percent_of(self.qualified, self.submitted)

    @property
    def waiting(self) -> int:
        """How many nobody has looked at yet."""
        return self.submitted - self.qualified - self.duplicates - self.rejected


def percent_of(value: int, whole: int) -> int:
    """value / whole in percent, rounded down, from 0 to 100. 4 of 5 is 80."""
    return 0 if whole <= 0 else max(0, min(100, value * 100 // whole))


def requirements_of(organization_id: int, place: Place) -> list[LeadRequirement]:
    """What the tiers above the partner's ask for in leads, lowest tier first. One query for each
    such metric of the policy; none without a policy."""
    live = current_policy()
    if live is None:
        return []
    rank = live.policy.rank(place.tier)
    values: dict[str, int] = {}
    found = []
    for tier in live.policy.tiers_for(place.partner_type):
        if live.policy.rank(tier.key) <= rank:
            continue
        for asked in tier.requirements:
            metric = live.policy.metric(asked.metric)
            if metric is None or metric.measure not in _OF_LEADS:
                continue
            if asked.types and place.partner_type not in asked.types:
                continue
            if metric.key not in values:
                values[metric.key] = _value(organization_id, metric)
            found.append(
                LeadRequirement(tier.name, metric.name, values[metric.key], asked.threshold)
            )
    return found


def registered_by(organization_id: int) -> Registered:
    """The leads that the partner registered itself and still has. One query."""
    counts: Counter[str] = Counter()
    rows = db.session.execute(
        select(Lead.review, Lead.duplicate_of_id.is_not(None), func.count())
        .where(
            Lead.owner_id == organization_id,
            Lead.source == LeadSource.PARTNER,
            Lead.state == LeadState.ACCEPTED,
        )
        .group_by(Lead.review, Lead.duplicate_of_id.is_not(None))
    )
    for review, is_duplicate, count in rows:
        counts["all"] += count
        if is_duplicate:
            counts["duplicate"] += count
        else:
            counts[review.value] += count
    return Registered(
        submitted=counts["all"],
        qualified=counts[Review.QUALIFIED.value],
        duplicates=counts["duplicate"],
        rejected=counts[Review.REJECTED.value],
    )


def _value(organization_id: int, metric: Metric) -> int:
    """The metric's value now: a sum (or a number) of measurements within its window."""
    now = clock.now()
    each = case((Measurement.amount >= 0, 1), else_=-1)
    what = func.sum(each if metric.how is How.COUNT else Measurement.amount)
    query = select(what).where(
        Measurement.organization_id == organization_id,
        Measurement.measure == metric.measure,
        Measurement.counts_at <= now,
    )
    if metric.window_days is not None and metric.how is not How.LEVEL:
        query = query.where(Measurement.counts_at > now - timedelta(days=metric.window_days))
    return int(db.session.scalar(query) or 0)
