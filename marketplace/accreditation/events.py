"""What other domains may learn of accreditations; wiring.py says who listens. Listeners are called
in the same transaction."""

from collections.abc import Callable

# The organization's id, and what changed: "verification", "certification", "credential" or
# "authorization".
Listener = Callable[[int, str], None]
_listeners: list[Listener] = []


def on_accreditation_changed(*listeners: Listener) -> None:
    """Call each when an organization gains or loses an accreditation."""
    _listeners[:] = listeners


def accreditation_changed(organization_id: int, what: str) -> None:
    """An accreditation was given, renewed, expired or revoked."""
    for listener in _listeners:
        listener(organization_id, what)
