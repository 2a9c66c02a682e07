"""What other domains may learn of identity; wiring.py says who listens."""

from collections.abc import Callable

Listener = Callable[[int], None]
# The ids of the organization and of the person.
MemberListener = Callable[[int, int], None]
_listeners: list[Listener] = []
_on_member_gone: list[MemberListener] = []


def on_organization_changed(*listeners: Listener) -> None:
    """Call each listener, in the same transaction, with the id of a changed organization."""
    _listeners[:] = listeners


def organization_changed(organization_id: int) -> None:
    """An organization's public profile changed."""
    for listener in _listeners:
        listener(organization_id)


def on_member_gone(*listeners: MemberListener) -> None:
    """Call each listener, in the same transaction, when somebody leaves or is removed."""
    _on_member_gone[:] = listeners


def member_gone(organization_id: int, user_id: int) -> None:
    """Somebody is no longer a member of an organization."""
    for listener in _on_member_gone:
        listener(organization_id, user_id)
