"""What other domains may learn of identity; wiring.py says who listens."""

from collections.abc import Callable

Listener = Callable[[int], None]
# The ids of the organization and of the person.
MemberListener = Callable[[int, int], None]
_listeners: list[Listener] = []
_on_member_gone: list[MemberListener] = []
_on_partner_created: list[MemberListener] = []
_on_person_active: list[Listener] = []


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


def on_person_active(*listeners: Listener) -> None:
    """Call each with the id of a partner for which somebody uses the portal: on signing in, on
    switching to it, and every few minutes while they are there."""
    _on_person_active[:] = listeners


def person_active(organization_id: int) -> None:
    """Somebody acts for a partner."""
    for listener in _on_person_active:
        listener(organization_id)


def on_partner_created(*listeners: MemberListener) -> None:
    """Call each listener, in the same transaction, with a partner organization that a person
    created for themselves, and that person."""
    _on_partner_created[:] = listeners


def partner_created(organization_id: int, user_id: int) -> None:
    """Somebody created a partner organization."""
    for listener in _on_partner_created:
        listener(organization_id, user_id)
