"""What a partner and the operator owe each other, from every part that knows of something.

A part that gives people something to do until a day hands over a provider; wiring.py connects them.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime

from marketplace.core import clock
from marketplace.program.policy.live import current_policy
from marketplace.program.scorecards import queries
from marketplace.program.scorecards.evaluating import values_of
from marketplace.program.scorecards.rules import gaps, unmet
from marketplace.program.scorecards.texts import gap_in_words
from marketplace.program.standing.models import StandingState

PARTNER, OPERATOR = "partner", "operator"


@dataclass(frozen=True)
class Obligation:
    """Something that one side owes. `side` is "partner" or "operator"; `href`: where it is done.

    `is_amber`: it must be done now for something to go on counting, which is measured as
    `measure`.
    """

    title: str
    side: str
    due_at: datetime | None
    done_at: datetime | None = None
    href: str = ""
    is_amber: bool = False
    measure: str = ""

    @property
    def is_done(self) -> bool:
        """Whether nothing is owed any more."""
        return self.done_at is not None

    def is_late(self, now: datetime) -> bool:
        """Whether its time is over and it is not done."""
        return not self.is_done and self.due_at is not None and self.due_at < now

    def was_late(self) -> bool:
        """Whether it was done after its time."""
        return self.done_at is not None and self.due_at is not None and self.done_at > self.due_at


Provider = Callable[[int], Sequence[Obligation]]
_providers: list[Provider] = []
_warners: list[Provider] = []


def obligations_from(*providers: Provider) -> None:
    """Ask these from now on, beside what the standing itself says."""
    _providers[:] = providers


def warnings_from(*providers: Provider) -> None:
    """Ask these for what may turn amber."""
    _warners[:] = providers


def warnings_of(organization_id: int) -> list[Obligation]:
    """What a partner must do now so that what counts today goes on counting."""
    found = [each for provider in _warners for each in provider(organization_id)]
    return [each for each in found if each.is_amber and not each.is_done]


def obligations_of(organization_id: int) -> list[Obligation]:
    """Everything that both sides owe because of a partner: what is open by its day (what has none
    comes last), then what is done, the newest first."""
    found = standing_obligations(organization_id)
    for provider in _providers:
        found += provider(organization_id)
    open_ones = [each for each in found if not each.is_done]
    done = [each for each in found if each.is_done]
    open_ones.sort(
        key=lambda each: (each.due_at is None, each.due_at.timestamp() if each.due_at else 0)
    )
    done.sort(key=lambda each: each.done_at.timestamp() if each.done_at else 0, reverse=True)
    return open_ones + done


def standing_obligations(organization_id: int) -> list[Obligation]:
    """What the standing asks: the gaps of a tier that is kept in grace, and the certification that
    a provisional partner must get."""
    standing = queries.standing_of(organization_id)
    live = current_policy()
    if standing is None or live is None:
        return []
    found: list[Obligation] = []
    if standing.state is StandingState.PROVISIONAL and standing.provisional_until is not None:
        found.append(
            Obligation(
                "Have a listing or a person certified, to be confirmed in the program",
                PARTNER,
                standing.provisional_until,
                href="/partner/certifications",
            )
        )
    tier = live.policy.tier(standing.tier)
    if standing.grace_until is not None and tier is not None:
        values = values_of([organization_id], live.policy, clock.now())[organization_id]
        kind = queries.types_of([organization_id]).get(organization_id)
        found += [
            Obligation(
                f"To keep {tier.name}: {gap_in_words(gap, live.policy)}",
                PARTNER,
                standing.grace_until,
                href="/partner/scorecard",
            )
            for gap in unmet(gaps(live.policy, kind, tier, values))
        ]
    return found
