"""What other domains may learn of identity; wiring.py says who listens."""

from collections.abc import Callable

Listener = Callable[[int], None]
_listeners: list[Listener] = []


def on_organization_changed(*listeners: Listener) -> None:
    """Call each listener, in the same transaction, with the id of a changed organization."""
    _listeners[:] = listeners


def organization_changed(organization_id: int) -> None:
    """An organization's public profile changed."""
    for listener in _listeners:
        listener(organization_id)
