"""How a standing moves when it is evaluated. Pure: live evaluations and replays move by it alike.

A partner that earns more is promoted at once. One that earns less keeps its tier for the policy's
days of grace, to the end of the last of them in UTC, and is then moved to what it earns by then.
"""

from dataclasses import dataclass, replace
from datetime import datetime, time, timedelta

from marketplace.program.policy.document import Policy
from marketplace.program.standing.models import MoveKind, StandingState
from marketplace.program.standing.reading import IN_FORCE


@dataclass(frozen=True)
class Held:
    """What a partner has before an evaluation, and after it."""

    state: StandingState
    tier: str
    provisional_until: datetime | None = None
    grace_until: datetime | None = None
    grace_tier: str | None = None


@dataclass(frozen=True)
class Change:
    """One move that an evaluation makes."""

    kind: MoveKind
    from_tier: str | None
    to_tier: str | None


@dataclass(frozen=True)
class Found:
    """What an evaluation found: the tier that is earned, whether the partner is certified (what
    provisional partners must become), the tier that a person holds it at, and whether such a hold
    has ended since the evaluation before."""

    earned: str
    certified: bool = False
    override: str | None = None
    override_ended: bool = False


def step(policy: Policy, held: Held, found: Found, at: datetime) -> tuple[Held, tuple[Change, ...]]:
    """Where a partner stands after an evaluation at a moment, and by which moves it came there."""
    if held.state not in IN_FORCE:
        return held, ()
    held, changes = _provisional(held, found, at)
    if held.state is StandingState.LAPSED:
        return held, changes
    held, moved = _tier(policy, held, found, at)
    return held, (*changes, *moved)


def end_of_grace(found_at: datetime, days: int) -> datetime:
    """The last moment of grace: the end of the UTC day that lies `days` after the one on which the
    tier was lost. What is found at midnight belongs to the day that ends there: so it is the same
    day, whether the loss is found at once or at the end of the day."""
    last = (found_at - timedelta(microseconds=1) + timedelta(days=days)).date()
    midnight = datetime.combine(last, time(0), tzinfo=found_at.tzinfo)
    return midnight + timedelta(days=1, microseconds=-1)


def _provisional(held: Held, found: Found, at: datetime) -> tuple[Held, tuple[Change, ...]]:
    if held.state is not StandingState.PROVISIONAL:
        return held, ()
    if found.certified or held.provisional_until is None:
        active = replace(held, state=StandingState.ACTIVE, provisional_until=None)
        return active, (Change(MoveKind.CONFIRMED, held.tier, held.tier),)
    if at > held.provisional_until:
        lapsed = replace(held, state=StandingState.LAPSED, grace_until=None, grace_tier=None)
        return lapsed, (Change(MoveKind.LAPSED, held.tier, None),)
    return held, ()


def _tier(
    policy: Policy, held: Held, found: Found, at: datetime
) -> tuple[Held, tuple[Change, ...]]:
    at_rest = replace(held, grace_until=None, grace_tier=None)
    if found.override is not None and policy.rank(found.override) >= 0:
        if held.tier == found.override:
            return at_rest, ()
        changed = replace(at_rest, tier=found.override)
        return changed, (Change(MoveKind.OVERRIDDEN, held.tier, found.override),)
    earned, tier = policy.rank(found.earned), policy.rank(held.tier)
    if found.override_ended:
        changed = replace(at_rest, tier=found.earned)
        return changed, (Change(MoveKind.OVERRIDE_ENDED, held.tier, found.earned),)
    if earned == tier:
        if held.grace_until is None:
            return held, ()
        return at_rest, (Change(MoveKind.GRACE_ENDED, held.tier, held.tier),)
    if earned > tier:
        # A tier that the policy has no more has no rank: there is nothing to keep, and whatever is
        # earned instead is no promotion.
        kind = MoveKind.DEMOTED if tier < 0 else MoveKind.PROMOTED
        return replace(at_rest, tier=found.earned), (Change(kind, held.tier, found.earned),)
    if held.grace_until is None and policy.grace_days:
        until = end_of_grace(at, policy.grace_days)
        graced = replace(held, grace_until=until, grace_tier=found.earned)
        return graced, (Change(MoveKind.GRACE_BEGAN, held.tier, found.earned),)
    if held.grace_until is not None and at <= held.grace_until:
        return replace(held, grace_tier=found.earned), ()
    changed = replace(at_rest, tier=found.earned)
    return changed, (Change(MoveKind.DEMOTED, held.tier, found.earned),)
