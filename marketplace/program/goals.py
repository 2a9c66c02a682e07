"""How far the whole program is with the goals of its policy."""

from dataclasses import dataclass
from datetime import UTC, datetime

from sqlalchemy import case, func, select

from marketplace.core import clock
from marketplace.core.database import db
from marketplace.program.measures import Measure, Measurement, stands
from marketplace.program.policy.document import Goal, How
from marketplace.program.policy.live import live_policy
from marketplace.program.scorecards.rules import converted, half_up, how_many

_MONEY = frozenset({Measure.NET_REVENUE, Measure.DEALS_SOURCED, Measure.DEALS_ASSISTED})


@dataclass(frozen=True)
class GoalProgress:
    """A goal, and what is reached of it at a moment. `value` is None where nothing was measured
    that an average or an age could be made of; money is in minor units of `currency`."""

    goal: Goal
    value: int | None
    currency: str = ""

    @property
    def percent(self) -> int:
        """What is reached of the target, rounded down; more than 100 when it is exceeded."""
        return max(0, 100 * (self.value or 0) // self.goal.target)

    @property
    def is_met(self) -> bool:
        """Whether the target is reached."""
        return (self.value or 0) >= self.goal.target


def goal_progress(at: datetime | None = None) -> list[GoalProgress]:
    """The goals of the policy in force at a moment (now), over all organizations: one query.

    Levels are what stands at the moment; everything else is of the calendar year (UTC) up to it.
    """
    moment = at or clock.now()
    live = live_policy(moment)
    if live is None or not live.policy.goals:
        return []
    policy = live.policy
    year = datetime(moment.astimezone(UTC).year, 1, 1, tzinfo=UTC)
    within = Measurement.counts_at >= year
    rows = db.session.execute(
        select(
            Measurement.measure,
            Measurement.currency,
            func.sum(Measurement.amount),
            func.sum(case((within, Measurement.amount), else_=0)),
            func.sum(
                case(
                    (within & (Measurement.amount >= 0), 1),
                    (within & (Measurement.amount < 0), -1),
                    else_=0,
                )
            ),
            func.max(case((stands(), Measurement.counts_at))),
        )
        .where(
            Measurement.measure.in_({goal.measure for goal in policy.goals}),
            Measurement.counts_at <= moment,
        )
        .group_by(Measurement.measure, Measurement.currency)
    ).all()
    found = []
    for goal in policy.goals:
        level = total = net = 0
        newest: datetime | None = None
        for measure, currency, all_of_it, this_year, netted, last in rows:
            if measure != goal.measure:
                continue
            stood = converted(int(all_of_it or 0), currency, policy)
            made = converted(int(this_year or 0), currency, policy)
            if stood is None or made is None:
                continue  # a currency without a rate is not counted
            level, total = level + stood, total + made
            net += int(netted or 0)
            newest = max((each for each in (newest, last) if each is not None), default=None)
        value: int | None = total
        if goal.how is How.LEVEL:
            value = level
        elif goal.how is How.COUNT:
            value = how_many(net)
        elif goal.how is How.AVERAGE:
            value = half_up(total, net) if net > 0 else None
        elif goal.how is How.AGE:
            value = (moment - newest).days if newest is not None else None
        found.append(GoalProgress(goal, value, policy.currency if goal.measure in _MONEY else ""))
    return found
