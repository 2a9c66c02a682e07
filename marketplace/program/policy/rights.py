"""What partners may do in the spaces of the community: the one function that decides."""

import enum
from dataclasses import dataclass

from marketplace.program.policy.document import Policy, Space
from marketplace.program.policy.live import current_policy
from marketplace.program.standing.reading import Place


class Act(enum.StrEnum):
    """What one can do in a space."""

    SEE = "see"
    REPLY = "reply"
    CREATE = "create"


@dataclass(frozen=True)
class SpaceRights:
    """A space as one partner may use it."""

    space: Space
    may_see: bool
    may_reply: bool
    may_create: bool


def may_in_space(place: Place, space: str, act: Act, policy: Policy | None = None) -> bool:
    """Whether a partner at a place may do something in a space of the policy in force.

    Who is at no tier may nothing; who may not see a space may neither reply nor start a topic.
    """
    if policy is None:
        live = current_policy()
        if live is None:
            return False
        policy = live.policy
    found = next((each for each in policy.spaces if each.key == space), None)
    rank = policy.rank(place.tier)
    if found is None or rank < 0:
        return False
    acts = {Act.SEE, act}
    return all(rank >= _least(policy, found, each) for each in acts)


def rights_in_spaces(place: Place, policy: Policy) -> list[SpaceRights]:
    """The spaces that a partner may see, with its rights, in the policy's order."""
    return [
        SpaceRights(
            space,
            True,
            *(may_in_space(place, space.key, act, policy) for act in (Act.REPLY, Act.CREATE)),
        )
        for space in policy.spaces
        if may_in_space(place, space.key, Act.SEE, policy)
    ]


def _least(policy: Policy, space: Space, act: Act) -> int:
    """The rank of the lowest tier that may; 0 for any partner."""
    wanted = getattr(space, act.value)
    return 0 if wanted is None else policy.rank(wanted)
