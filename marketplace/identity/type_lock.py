"""Whether people change the type of their organization by themselves, or somebody else decides."""

from collections.abc import Callable

# Whether an organization's type is decided elsewhere.
Lock = Callable[[int], bool]
_locks: list[Lock] = []
TYPE_LOCKED = "Your type is part of the program. Ask your partner manager to change it."


def lock_partner_types_with(lock: Lock) -> None:
    """Ask this before people change the type of their organization."""
    _locks[:] = [lock]


def is_type_locked(organization_id: int) -> bool:
    """Whether its people cannot change it by themselves."""
    return any(lock(organization_id) for lock in _locks)
