"""The kinds of data that a listing says it moves, beside those that were agreed to; pure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class SharedData:
    """A kind of data that moves; `direction` (read, write, two_way) as the partner sees it.

    `is_new`: it was not agreed to, or in the other direction alone.
    """

    name: str
    direction: str
    purpose: str
    is_new: bool

    @property
    def key(self) -> tuple[str, str]:
        """What must be agreed to; another purpose alone is nothing new."""
        return self.name, self.direction


def shared_data(
    content: Mapping[str, Any], agreed: Mapping[str, Any] | None = None
) -> tuple[SharedData, ...]:
    """What the content says that moves, in its order.

    `agreed` is what the consent page said (Installation.consented_content); None before the
    first consent, when nothing is new.
    """
    known = {part.key for part in shared_data(agreed)} if agreed is not None else set()
    # Without the list nobody knows what was said, and nothing is held to be new.
    can_tell = agreed is not None and "data_shared" in agreed
    return tuple(
        SharedData(name, direction, purpose, is_new=can_tell and (name, direction) not in known)
        for name, direction, purpose in _parts(content)
    )


def _parts(content: Mapping[str, Any]) -> Sequence[tuple[str, str, str]]:
    # A draft may be half written.
    return [
        (
            str(part.get("object") or ""),
            str(part.get("direction") or "read"),
            str(part.get("purpose") or ""),
        )
        for part in content.get("data_shared") or ()
        if isinstance(part, dict)
    ]
