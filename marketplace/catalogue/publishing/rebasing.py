"""What a draft becomes when the listing was published by another path meanwhile. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from marketplace.catalogue.publishing.blank import is_blank


@dataclass(frozen=True)
class Clash:
    """A field that both sides changed differently since `base`."""

    field: str
    base: Any
    published: Any
    draft: Any


@dataclass(frozen=True)
class Rebase:
    """The draft over the newer public content.

    `merged` takes a field from the public side where only that side changed it, and keeps the
    draft's value where both did; those fields are told as `clashes`.
    """

    merged: dict[str, Any]
    taken: tuple[str, ...]
    clashes: tuple[Clash, ...]

    @property
    def is_needed(self) -> bool:
        return bool(self.taken or self.clashes)


def rebase(
    base: Mapping[str, Any], published: Mapping[str, Any], draft: Mapping[str, Any]
) -> Rebase:
    """Put `draft`, which began from `base`, on top of `published`."""
    merged: dict[str, Any] = dict(draft)
    taken: list[str] = []
    clashes: list[Clash] = []
    for name in sorted(base.keys() | published.keys() | draft.keys()):
        was, now, mine = base.get(name), published.get(name), draft.get(name)
        if _same(was, now) or _same(now, mine):
            continue
        if _same(was, mine):
            taken.append(name)
            if name in published:
                merged[name] = now
            else:
                merged.pop(name, None)
        else:
            clashes.append(Clash(name, was, now, mine))
    return Rebase(merged, tuple(taken), tuple(clashes))


def _same(one: Any, other: Any) -> bool:
    return bool(one == other) or (is_blank(one) and is_blank(other))
