"""Who may act as a partner: who is in the program, as soon as there is one, and not suspended."""

from marketplace.core.errors import ForbiddenError
from marketplace.program.policy.live import current_policy
from marketplace.program.standing.models import StandingState
from marketplace.program.standing.reading import Place, place_of

SUSPENDED = "Your organization is suspended. Until it is reinstated you cannot use this."
LEFT = (
    "Your organization is no longer in the partner program. This is open again once it is "
    "admitted anew."
)
NOT_YET = (
    "This is for partners of the program, and your organization is not in it yet. Apply first; if "
    "you have, this opens once you are accepted."
)


class NotTakingPartError(ForbiddenError):
    """A partner that is not in the program, or suspended, wants to act as one."""

    title = "Not open to your organization"


def why_not(place: Place) -> str:
    """Why a partner may not act as one, in sentences for its people; empty when it may. Without a
    policy there is no program to be in."""
    if place.is_suspended:
        return SUSPENDED
    if place.tier or current_policy() is None:
        return ""
    return LEFT if place.state in (StandingState.LAPSED, StandingState.ENDED) else NOT_YET


def refuse_outsiders(organization_id: int) -> None:
    """Raise NotTakingPartError unless an organization may act as a partner."""
    refusal = why_not(place_of(organization_id))
    if refusal:
        raise NotTakingPartError(refusal)
