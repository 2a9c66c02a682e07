"""What other domains may learn of the program; wiring.py says who listens. Listeners are called in
the same transaction."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

from marketplace.program.standing.models import StandingMove

JoinedListener = Callable[[int], None]
MoveListener = Callable[[StandingMove], None]


class Decided(Protocol):
    """An application that was decided."""

    id: int
    public_id: str
    # Which kind of application: "admission:<type>", "program:<key>".
    kind: str
    organization_id: int | None


DecidedListener = Callable[[Decided, bool], None]


@dataclass(frozen=True)
class Graduation:
    """A partner passed all gates of an incubator, or met all criteria of a proof of concept."""

    place_id: int
    public_id: str
    organization_id: int
    # "incubator" or "proof_of_concept".
    round_kind: str
    # What the product is called.
    name: str
    # Who applied for it.
    by_user_id: int | None


# Gives the address of what was made of it (a draft's slug), or nothing.
GraduatedListener = Callable[[Graduation], str]
_on_graduated: list[GraduatedListener] = []
_on_joined: list[JoinedListener] = []
_on_moved: list[MoveListener] = []
_on_decided: list[DecidedListener] = []


def on_partner_joined(*listeners: JoinedListener) -> None:
    """Call each with the id of an organization that became a partner of the program."""
    _on_joined[:] = listeners


def partner_joined(organization_id: int) -> None:
    """An organization has a standing now."""
    for listener in _on_joined:
        listener(organization_id)


def on_standing_moved(*listeners: MoveListener) -> None:
    """Call each with every move of a standing."""
    _on_moved[:] = listeners


def standing_moved(move: StandingMove) -> None:
    """A standing moved: tier, grace, state."""
    for listener in _on_moved:
        listener(move)


def on_application_decided(*listeners: DecidedListener) -> None:
    """Call each with an application, and whether it was accepted."""
    _on_decided[:] = listeners


def application_decided(application: Decided, accepted: bool) -> None:
    """An application was decided."""
    for listener in _on_decided:
        listener(application, accepted)


def on_graduated(*listeners: GraduatedListener) -> None:
    """Call each with every graduation."""
    _on_graduated[:] = listeners


def graduated(graduation: Graduation) -> list[str]:
    """A partner graduated; what the listeners made of it."""
    return [listener(graduation) for listener in _on_graduated]
