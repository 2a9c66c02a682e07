"""What a listing asks for beyond what was granted, decided purely."""

import enum
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any

from marketplace.installs.customer.asking import reasons_in
from marketplace.installs.customer.shared_data import SharedData, shared_data

DataKey = tuple[str, str]


class UpdateState(enum.StrEnum):
    """What there is to do about an update."""

    OFFERED = "offered"  # somebody must decide
    DECLINED = "declined"  # all of it was declined: nobody is asked again
    NOT_ALLOWED = "not_allowed"  # the allow list lacks the app, so nobody can agree


@dataclass(frozen=True)
class Declined:
    """What was declined of an installation's updates."""

    scopes: frozenset[str] = frozenset()
    data: frozenset[DataKey] = frozenset()

    def plus(self, said: Mapping[str, Any]) -> "Declined":
        """With what one more decline (an event's data) says."""
        return Declined(
            self.scopes | set(said.get("scopes") or ()),
            self.data | {(str(name), str(direction)) for name, direction in said.get("data") or ()},
        )

    def covers(self, scopes: Collection[str], data: Collection[DataKey]) -> bool:
        """Whether all of it was declined."""
        return set(scopes) <= self.scopes and set(data) <= self.data


NOTHING_DECLINED = Declined()


@dataclass(frozen=True)
class Update:
    """What a listing asks for beyond what was agreed to: scopes, data that move, or both."""

    scopes: tuple[str, ...]
    data: tuple[SharedData, ...]
    state: UpdateState = UpdateState.OFFERED

    @property
    def is_offered(self) -> bool:
        """Whether somebody must decide."""
        return self.state is UpdateState.OFFERED


def update_in(
    granted: Collection[str],
    agreed: Mapping[str, Any],
    content: Mapping[str, Any],
    declined: Declined = NOTHING_DECLINED,
    *,
    is_allowed: bool = True,
) -> Update | None:
    """What the published content adds to what was granted and agreed to; None for nothing.

    `is_allowed`: the organization's allow list, if it has one, has the app.
    """
    scopes = tuple(wanted_beyond(granted, content))
    data = tuple(part for part in shared_data(content, agreed) if part.is_new)
    if not scopes and not data:
        return None
    state = UpdateState.OFFERED
    if not is_allowed:
        state = UpdateState.NOT_ALLOWED
    elif declined.covers(scopes, [part.key for part in data]):
        state = UpdateState.DECLINED
    return Update(scopes, data, state)


def wanted_beyond(granted: Collection[str], content: Mapping[str, Any]) -> list[str]:
    """The scopes that the content names and the installation does not hold, in its order."""
    return [name for name in reasons_in(content) if name not in granted]


def dropped_since(granted: Collection[str], content: Mapping[str, Any]) -> list[str]:
    """The scopes that the installation holds and the content names no more."""
    named = reasons_in(content)
    return [name for name in granted if name not in named]
