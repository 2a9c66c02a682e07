"""What a check of a domain's record does to its proof, decided purely.

A record that is lost is not the end: the organization is told at the first failed check, and the
domain counts until the grace ends. It is opened again once it failed often enough and the grace is
over. An answer that did not come says nothing.
"""

import enum
from dataclasses import dataclass
from datetime import datetime, timedelta

from marketplace.accreditation.verification.models import WAITING, ProofState

# A new claim is looked at often at first, then daily, then weekly while it holds.
SOON, DAILY, WEEKLY = timedelta(minutes=15), timedelta(days=1), timedelta(days=7)
EAGER_CHECKS = 8
# After so long without the record nobody looks by itself; people can still ask.
GIVE_UP_CHECKS = 40
FAILED_CHECKS = 3
GRACE = timedelta(days=7)


class Outcome(enum.StrEnum):
    """What the check brought about."""

    NOTHING = "nothing"
    VERIFIED = "verified"
    FAILING = "failing"  # the first failed check
    RECOVERED = "recovered"
    REOPENED = "reopened"
    UNDISPUTED = "undisputed"  # what disputed the domain is not proven any more


@dataclass(frozen=True)
class Step:
    """A proof's next place. `next_check_at` None: not by itself."""

    state: ProofState
    failed_checks: int
    grace_until: datetime | None
    next_check_at: datetime | None
    outcome: Outcome


def next_step(
    state: ProofState,
    failed_checks: int,
    grace_until: datetime | None,
    *,
    matches: bool,
    answered: bool,
    at: datetime,
) -> Step:
    """What follows from a check at `at`. `failed_checks` counts those since the last good one."""
    if matches:
        held = state in (ProofState.VERIFIED, ProofState.FAILING)
        outcome = (
            Outcome.RECOVERED
            if state is ProofState.FAILING
            else Outcome.NOTHING
            if held
            else Outcome.VERIFIED
        )
        return Step(ProofState.VERIFIED, 0, None, at + WEEKLY, outcome)
    if not answered and state in WAITING:
        # Nobody may ever answer for a name that nobody has.
        return _waits(state, failed_checks + 1, at)
    if not answered:
        wait = SOON if state is ProofState.FAILING else DAILY
        return Step(state, failed_checks, grace_until, at + wait, Outcome.NOTHING)
    failed = failed_checks + 1
    if state is ProofState.VERIFIED:
        return Step(ProofState.FAILING, failed, at + GRACE, at + DAILY, Outcome.FAILING)
    if state is ProofState.FAILING:
        over = grace_until is None or at >= grace_until
        if over and failed >= FAILED_CHECKS:
            return Step(ProofState.REOPENED, 0, None, at + DAILY, Outcome.REOPENED)
        return Step(state, failed, grace_until, at + DAILY, Outcome.NOTHING)
    if state is ProofState.DISPUTED:
        if failed >= FAILED_CHECKS:
            return Step(ProofState.PENDING, failed, None, at + DAILY, Outcome.UNDISPUTED)
        return Step(state, failed, None, at + DAILY, Outcome.NOTHING)
    return _waits(state, failed, at)


def _waits(state: ProofState, failed: int, at: datetime) -> Step:
    """A claim that was not proven yet: when it is looked at again, if at all."""
    wait = SOON if failed < EAGER_CHECKS else DAILY
    upcoming = at + wait if failed < GIVE_UP_CHECKS else None
    return Step(state, failed, None, upcoming, Outcome.NOTHING)
