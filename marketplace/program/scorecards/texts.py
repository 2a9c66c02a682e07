"""Values, gaps and moves in words."""

import math
from fractions import Fraction

from billing.formatting import format_money
from marketplace.program.policy.document import How, Metric, Policy, Unit
from marketplace.program.scorecards.path import Step
from marketplace.program.scorecards.rules import Gap
from marketplace.program.standing.models import MoveKind, StandingState

MOVES = {
    MoveKind.JOINED: "Joined the program",
    MoveKind.PROMOTED: "Promoted",
    MoveKind.GRACE_BEGAN: "Days of grace began",
    MoveKind.GRACE_ENDED: "Meets its tier again",
    MoveKind.DEMOTED: "Moved down",
    MoveKind.OVERRIDDEN: "Tier set by a person",
    MoveKind.OVERRIDE_ENDED: "Set tier ended",
    MoveKind.CONFIRMED: "Confirmed",
    MoveKind.LAPSED: "Lapsed",
    MoveKind.ENDED: "Left the program",
    MoveKind.TYPE_CHANGED: "Type changed",
}
MOVE_TONES = {
    MoveKind.PROMOTED: "success",
    MoveKind.CONFIRMED: "success",
    MoveKind.GRACE_ENDED: "success",
    MoveKind.GRACE_BEGAN: "warning",
    MoveKind.DEMOTED: "danger",
    MoveKind.LAPSED: "danger",
}
MOVE_ICONS = {
    MoveKind.JOINED: "handshake",
    MoveKind.PROMOTED: "arrow-up",
    MoveKind.GRACE_BEGAN: "clock",
    MoveKind.GRACE_ENDED: "check",
    MoveKind.DEMOTED: "arrow-down",
    MoveKind.OVERRIDDEN: "lock",
    MoveKind.OVERRIDE_ENDED: "history",
    MoveKind.CONFIRMED: "check",
    MoveKind.LAPSED: "x",
    MoveKind.ENDED: "log-out",
    MoveKind.TYPE_CHANGED: "refresh-cw",
}
HOW = {
    How.SUM: "The sum of all amounts inside the window",
    How.LEVEL: "What began less what ended: what stands now",
    How.COUNT: "How often it happened inside the window",
    How.AVERAGE: "The average inside the window, rounded half up",
    How.AGE: "Whole days since the newest",
}
STATES = {
    StandingState.PROVISIONAL: "Provisional",
    StandingState.ACTIVE: "Active",
    StandingState.LAPSED: "Lapsed",
    StandingState.ENDED: "Left",
}


def amount_in_words(metric: Metric | None, amount: int | None, policy: Policy) -> str:
    """An amount of a metric (points for None) as people read it: `EUR 1,200.00`, `4.5 stars`."""
    if amount is None:
        return "No value"
    if metric is None:
        return counted(amount, "point")
    match metric.unit:
        case Unit.MONEY:
            return format_money(amount, policy.currency)
        case Unit.STARS:
            return f"{amount / 100:.2f} stars"
        case Unit.MINUTES:
            return _duration(amount)
        case Unit.DAYS:
            return counted(amount, "day")
        case Unit.PERCENT:
            return f"{amount}%"
        case _:
            return f"{amount:,}"


def gap_in_words(gap: Gap, policy: Policy) -> str:
    """What a tier asks for and what is missing, in one sentence."""
    name = gap.metric.name if gap.metric else "Points"
    least = "at most" if gap.metric and not gap.metric.higher_is_better else "at least"
    asked = f"{name}: {least} {amount_in_words(gap.metric, gap.threshold, policy)}"
    if gap.value is None:
        return f"{asked}; there is no value yet."
    have = amount_in_words(gap.metric, gap.value, policy)
    if gap.met:
        return f"{asked}; you have {have}."
    missing = amount_in_words(gap.metric, gap.missing, policy)
    if least == "at most":
        return f"{asked}; it is {have}, {missing} too much."
    return f"{asked}; you have {have}, {missing} missing."


def window_in_words(metric: Metric) -> str:
    """What a metric looks at."""
    if metric.how is How.LEVEL:
        return "What stands now"
    if metric.how is How.AGE:
        return "Since the newest"
    if metric.window_days is None:
        return "Since the beginning"
    return f"Last {counted(metric.window_days, 'day')}"


def points_in_words(metric: Metric, policy: Policy) -> str:
    """How a metric gives points."""
    if not metric.points or not metric.higher_is_better:
        return "No points"
    per = amount_in_words(metric, metric.per, policy)
    unit = f" for each {per}" if metric.per > 1 or metric.unit is not Unit.COUNT else " each"
    return f"{counted(metric.points, 'point')}{unit}"


def counted(number: int, noun: str) -> str:
    """A number with its noun: `1 day`, `2 days`."""
    return f"{number:,} {noun}{'' if number == 1 else 's'}"


def _duration(minutes: int) -> str:
    if minutes < 0:
        return f"-{_duration(-minutes)}"
    hours, rest = divmod(minutes, 60)
    if hours >= 48:
        days, hours = divmod(hours, 24)
        return f"{counted(days, 'day')} {hours} h" if hours else counted(days, "day")
    if hours:
        return f"{hours} h {rest} min" if rest else f"{hours} h"
    return f"{rest} min"


def step_in_words(step: Step, policy: Policy) -> str:
    """A step of a path: `2 more: Certified people`."""
    if step.amount == 0:
        return f"{step.metric.name}: bring something new"
    more = amount_in_words(step.metric, step.amount, policy)
    return f"{step.metric.name}: {more} more"


def hours_in_words(hours: Fraction) -> str:
    """Hours, as far as people care: `16 hours`, `2.5 hours`, `less than an hour`."""
    if hours == 0:
        return "no time"
    if hours < 1:
        return "less than an hour"
    if hours < 10 and hours.denominator != 1:
        return f"{float(hours):.1f} hours"
    return counted(math.ceil(hours), "hour")
