"""The operator's goals of views, and what has been measured towards them."""

from dataclasses import dataclass
from datetime import UTC, datetime

from sqlalchemy import func, select

from marketplace.catalogue.exposure import Placement
from marketplace.core import clock
from marketplace.core.database import db
from marketplace.program.measures import Measure, Measurement
from marketplace.program.policy.live import current_policy


@dataclass(frozen=True)
class ViewsGoal:
    """A goal of the year, how far everybody together is, and what the partner brought."""

    name: str
    target: int
    reached: int
    own: int
    own_by_placement: dict[Placement, int]


def views_goals(organization_id: int | None) -> list[ViewsGoal]:
    """The goals of the policy in force that are measured in views, of this year (UTC): two
    queries, one without such a goal. `organization_id`: whose share is told; None: nobody's."""
    live = current_policy()
    goals = [g for g in live.policy.goals if g.measure == Measure.VIEWS] if live else []
    if not goals:
        return []
    year = clock.now().year
    rows = db.session.execute(
        select(
            Measurement.organization_id == (organization_id or 0),
            Measurement.source_id,
            func.sum(Measurement.amount),
        )
        .where(
            Measurement.measure == Measure.VIEWS.value,
            Measurement.counts_at >= datetime(year, 1, 1, tzinfo=UTC),
            Measurement.counts_at < datetime(year + 1, 1, 1, tzinfo=UTC),
        )
        .group_by(Measurement.organization_id == (organization_id or 0), Measurement.source_id)
    ).all()
    own = {
        Placement(source): int(total)
        for is_own, source, total in rows
        if is_own and source in set(Placement)
    }
    reached = sum(int(total) for _own, _source, total in rows)
    return [ViewsGoal(goal.name, goal.target, reached, sum(own.values()), own) for goal in goals]
