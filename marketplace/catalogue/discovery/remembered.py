"""Figures of the whole catalogue, kept in the process until something changes."""

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeVar

from flask import current_app

from marketplace.catalogue.discovery import queries
from marketplace.core.database import db

T = TypeVar("T")

# A transaction that began earlier and ends later than another leaves no newer mark: what it
# changed is seen after this at the latest.
LONGEST_SECONDS = 60.0
_EXTENSION = "portico_remembered"


@dataclass(frozen=True, slots=True)
class _Kept:
    mark: tuple[Any, ...]
    until: float
    value: Any


def remembered(name: str, load: Callable[[], T]) -> T:
    """The value of `load`, which reads the whole catalogue; for at most a minute, and until a
    listing or publisher changes, the one that was read before.

    Costs one look-up of two indexes. The value must not hold rows of the session.
    """
    kept: dict[str, _Kept] = current_app.extensions.setdefault(_EXTENSION, {})
    mark = tuple(db.session.execute(queries.LAST_CHANGES).one())
    known = kept.get(name)
    if known is not None and known.mark == mark and time.monotonic() < known.until:
        value: T = known.value
        return value
    value = load()
    kept[name] = _Kept(mark, time.monotonic() + LONGEST_SECONDS, value)
    return value
