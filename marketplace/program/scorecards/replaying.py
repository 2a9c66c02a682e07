"""Living the past again, one partner at a time, day by day. Pure: it moves by the same step as a
live evaluation, so by the policies that were in force it comes to the same tiers.

Each midnight is an evaluation, as it is live. What a partner has at one midnight and the next
differs only where a value, the policy or its own circumstances do, so most days take no more than
a comparison.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from marketplace.program.policy.document import Policy
from marketplace.program.scorecards.days import Grid, PartnerValues, Row
from marketplace.program.scorecards.rules import requirements_for
from marketplace.program.standing.models import MoveKind, StandingState
from marketplace.program.standing.movement import Change, Found, Held, end_of_grace, step
from marketplace.program.standing.reading import IN_FORCE


@dataclass(frozen=True)
class Hold:
    """A tier that a person gave from one moment until another."""

    tier: str
    begins: datetime
    ends: datetime


@dataclass(frozen=True)
class Joining:
    """That a partner joined, as what, and by which policy it was admitted."""

    at: datetime
    partner_type: str | None
    policy: Policy | None


@dataclass(frozen=True)
class Past:
    """What is known of a partner beside its measurements.

    `types`: its type from each moment on, in order. `joined`: how it joined (again). `left`: the
    moments at which it left. `start`: what it had at the first midnight; None: it joined later.
    """

    organization_id: int
    types: tuple[tuple[datetime, str | None], ...]
    joined: tuple[Joining, ...] = ()
    left: tuple[datetime, ...] = ()
    # When a person confirmed it, provisional or lapsed as it was.
    confirmed: tuple[datetime, ...] = ()
    holds: tuple[Hold, ...] = ()
    start: Held | None = None
    # For the whole time: begin with what is earned at the first midnight.
    from_earned: bool = False


# The policy in force at each midnight of a grid; None before there was one.
Schedule = Sequence[Policy | None]


def schedule_of(versions: Sequence[tuple[datetime, Policy]], grid: Grid) -> Schedule:
    """The policy of each midnight, of versions in the order in which they came into force."""
    found: list[Policy | None] = []
    place, current = 0, None
    for at in grid.moments:
        while place < len(versions) and versions[place][0] <= at:
            current, place = versions[place][1], place + 1
        found.append(current)
    return found


@dataclass
class Life:
    """A partner's way through a replay: its tier at each midnight ("" while it is out of the
    program), its moves, and the points at the end."""

    tiers: list[str] = field(default_factory=list)
    moves: list[tuple[datetime, Change]] = field(default_factory=list)
    points: int = 0


Earn = Callable[[Row], tuple[str, int]]


def live_through(
    past: Past, schedule: Schedule, values: PartnerValues, *, recorded: bool = False
) -> Life:
    """The partner's life by the policies of each midnight. `recorded`: these are the policies that
    were in force, so who joins is admitted by the one on record."""
    grid, types, holds = values.grid, past.types, past.holds
    life = Life()
    tiers, moments = life.tiers, grid.moments
    held = past.start
    certified: Sequence[bool] | None = None
    known: dict[tuple[int, str | None], tuple[list[Row], Earn]] = {}
    coming = [each.at for each in past.joined]
    happened = (*coming, *past.left, *past.confirmed)
    busy = {day for each in happened if (day := _day_after(each, grid)) is not None}
    last: tuple[int, str | None, Row] | None = None
    many_types = len(types) > 1
    kind = types[0][1] if types else None
    earned = ""
    for day, (at, policy) in enumerate(zip(moments, schedule, strict=True)):
        if policy is None:
            tiers.append("")
            continue
        if many_types:
            kind = _type_at(types, at)
        key = (id(policy), kind)
        if key not in known:
            known[key] = (values.table(policy), compiled(policy, kind))
        table, earn = known[key]
        row = table[day]
        if last is None or last[2] != row or last[:2] != key:
            earned, life.points = earn(row)
            last = (*key, row)
        if day in busy or day == 0:
            admitting = None if recorded else policy
            held = _comings_and_goings(past, admitting, held, earned, day, grid)
            held = _confirmed(past, policy, held, day, grid)
        if held is None or held.state not in IN_FORCE:
            tiers.append("")
            continue
        hold, hold_ended = None, False
        if holds:
            hold = _hold_at(holds, at)
            hold_ended = hold is None and day > 0 and _has_ended(holds, moments[day - 1], at)
        if (
            earned != held.tier
            or held.grace_until is not None
            or held.state is StandingState.PROVISIONAL
            or hold is not None
            or hold_ended
        ):
            if certified is None:
                certified = values.certified()
            found = Found(earned, certified[day], hold, override_ended=hold_ended)
            held, changes = step(policy, held, found, at)
            life.moves += [(at, change) for change in changes]
        tiers.append(held.tier if held.state in IN_FORCE else "")
    return life


def compiled(policy: Policy, partner_type: str | None) -> Earn:
    """What `rules.earned_tier` and `rules.points_of` say, made ready for many rows of values (in
    the order of the policy's metrics)."""
    places = {metric.key: place for place, metric in enumerate(policy.metrics)}
    giving = [
        (place, metric.points, metric.per, metric.cap)
        for place, metric in enumerate(policy.metrics)
        if metric.points and metric.higher_is_better
    ]
    asking = []
    for tier in reversed(policy.tiers):
        if tier.types and partner_type not in tier.types:
            continue
        wanted = []
        for requirement in requirements_for(tier, partner_type):
            place = places[requirement.metric]
            wanted.append((place, requirement.threshold, policy.metrics[place].higher_is_better))
        asking.append((tier.key, tier.points, wanted))
    lowest = policy.tiers[0].key

    def earn(row: Row) -> tuple[str, int]:
        points = 0
        for place, each, per, cap in giving:
            value = row[place]
            if value is not None and value > 0:
                own = value // per * each
                points += own if cap is None or own < cap else cap
        for key, least, wanted in asking:
            if least and points < least:
                continue
            for place, threshold, higher in wanted:
                value = row[place]
                if value is None or (value < threshold if higher else value > threshold):
                    break
            else:
                return key, points
        return lowest, points

    return earn


def held_after(
    moves: Sequence[tuple[MoveKind, str | None, datetime, Policy | None, str | None]],
) -> Held | None:
    """What a partner has after its moves so far: kind, tier moved to, moment, the policy that
    decided it and the partner's type then. None before it joined."""
    held: Held | None = None
    for kind, tier, at, policy, partner_type in moves:
        if kind is MoveKind.JOINED:
            held = joined(policy, partner_type, tier or "", at)
        elif held is None:
            continue
        elif kind is MoveKind.GRACE_BEGAN:
            until = end_of_grace(at, policy.grace_days if policy else 0)
            held = Held(held.state, held.tier, held.provisional_until, until, tier)
        elif kind is MoveKind.LAPSED:
            held = Held(StandingState.LAPSED, held.tier)
        elif kind is MoveKind.ENDED:
            held = Held(StandingState.ENDED, held.tier)
        elif kind is MoveKind.CONFIRMED:
            held = Held(
                StandingState.ACTIVE, tier or held.tier, None, held.grace_until, held.grace_tier
            )
        elif kind is not MoveKind.TYPE_CHANGED:
            held = Held(held.state, tier or held.tier, held.provisional_until)
    return held


def joined(policy: Policy | None, partner_type: str | None, tier: str, at: datetime) -> Held:
    """What a partner has that joins at a moment."""
    kind = policy.type(partner_type) if policy else None
    if kind is not None and kind.provisional_days:
        until = at + timedelta(days=kind.provisional_days)
        return Held(StandingState.PROVISIONAL, tier, until)
    return Held(StandingState.ACTIVE, tier)


def _comings_and_goings(
    past: Past, admitting: Policy | None, held: Held | None, earned: str, day: int, grid: Grid
) -> Held | None:
    """Joining and leaving since the midnight before. `admitting`: by this policy, instead of the
    one that is on record."""
    if day == 0:
        return Held(StandingState.ACTIVE, earned) if past.from_earned else held
    since, until = grid.moments[day - 1], grid.moments[day]
    came = [each for each in past.joined if since < each.at <= until]
    went = [moment for moment in past.left if since < moment <= until]
    if came and (held is None or held.state not in IN_FORCE or (went and went[0] < came[-1].at)):
        policy = admitting or came[-1].policy
        tier = policy.tiers[0].key if policy else ""
        held = joined(policy, came[-1].partner_type, tier, came[-1].at)
    if went and held is not None and (not came or went[-1] > came[-1].at):
        held = Held(StandingState.ENDED, held.tier)
    return held


def _confirmed(past: Past, policy: Policy, held: Held | None, day: int, grid: Grid) -> Held | None:
    """A person's confirmation since the midnight before."""
    if held is None or day == 0 or not past.confirmed:
        return held
    since, until = grid.moments[day - 1], grid.moments[day]
    if any(since < moment <= until for moment in past.confirmed):
        if held.state is StandingState.PROVISIONAL:
            return Held(StandingState.ACTIVE, held.tier, None, held.grace_until, held.grace_tier)
        if held.state is StandingState.LAPSED:
            return Held(StandingState.ACTIVE, policy.tiers[0].key)
    return held


def _day_after(moment: datetime, grid: Grid) -> int | None:
    """The day at whose midnight a moment is first known; None outside of the grid."""
    seconds = (moment - grid.first).total_seconds()
    day = -int(-seconds // 86_400)
    return day if 0 < day <= grid.days else None


def _hold_at(holds: Sequence[Hold], at: datetime) -> str | None:
    found = [hold.tier for hold in holds if hold.begins <= at < hold.ends]
    return found[-1] if found else None


def _has_ended(holds: Sequence[Hold], since: datetime, until: datetime) -> bool:
    return any(since < hold.ends <= until for hold in holds)


def _type_at(types: Sequence[tuple[datetime, str | None]], at: datetime) -> str | None:
    found = types[0][1] if types else None
    for begins, kind in types[1:]:
        if begins > at:
            break
        found = kind
    return found
