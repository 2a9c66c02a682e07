"""Counting sightings: each visitor once, whoever counts at the same time."""

import secrets
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from sqlalchemy import Connection, select
from sqlalchemy.dialects.postgresql import insert as postgresql_insert
from sqlalchemy.dialects.sqlite import insert as sqlite_insert

from marketplace.catalogue.exposure import Placement
from marketplace.observability.analytics.models import (
    ExposureCount,
    ExposureKind,
    Sighting,
    VisitorSalt,
)
from marketplace.observability.analytics.visits import Browser, slot_of

# Whoever opens more listings in a day is no reader, whatever its browser says it is.
MOST_LISTINGS_A_DAY = 200
CHUNK = 200


@dataclass(frozen=True, slots=True)
class Seen:
    """A listing that a browser was shown, or opened, at a moment."""

    at: datetime
    kind: ExposureKind
    placement: Placement
    listing_id: int
    organization_id: int
    browser: Browser


def store(connection: Connection, seen: Iterable[Seen]) -> int:
    """Count what was seen, in the connection's transaction; how many were new.

    A visitor counts once a day for a listing's page, and once for each placement that shows it.
    """
    salts: dict[date, str] = {}
    first: dict[tuple[Any, ...], Seen] = {}
    for each in seen:
        day = each.at.date()
        if day not in salts:
            salts[day] = _salt(connection, day)
        spot = each.placement.value if each.kind is ExposureKind.IMPRESSION else ""
        key = (day, each.browser.visitor(salts[day]), each.kind, spot, each.listing_id)
        first.setdefault(key, each)
    # In one order, so that no two processes wait for each other.
    refused = _too_busy(connection, first)
    keys = [key for key in sorted(first) if key not in refused]
    new: list[tuple[Any, ...]] = []
    for start in range(0, len(keys), CHUNK):
        new += _insert_new(connection, keys[start : start + CHUNK])
    _count(connection, [first[key] for key in new])
    return len(new)


def _salt(connection: Connection, day: date) -> str:
    connection.execute(
        _insert(connection, VisitorSalt.__table__)
        .values(day=day, salt=secrets.token_hex(32))
        .on_conflict_do_nothing()
    )
    found = connection.execute(select(VisitorSalt.salt).where(VisitorSalt.day == day))
    return str(found.scalar_one())


def _too_busy(connection: Connection, first: dict[tuple[Any, ...], Seen]) -> set[tuple[Any, ...]]:
    """The views of visitors that opened too many listings of their day already."""
    views = [key for key in first if key[2] is ExposureKind.VIEW]
    if not views:
        return set()
    # At most as many for each visitor as may be.
    rows = connection.execute(
        select(Sighting.day, Sighting.visitor, Sighting.listing_id).where(
            Sighting.day.in_({key[0] for key in views}),
            Sighting.visitor.in_({key[1] for key in views}),
            Sighting.kind == ExposureKind.VIEW,
        )
    )
    opened = {tuple(row) for row in rows}
    already = Counter((day, visitor) for day, visitor, _listing_id in opened)
    refused = set()
    for key in sorted(views):
        if (key[0], key[1], key[4]) in opened:
            continue
        already[key[:2]] += 1
        if already[key[:2]] > MOST_LISTINGS_A_DAY:
            refused.add(key)
    return refused


def _insert_new(connection: Connection, keys: Sequence[tuple[Any, ...]]) -> list[tuple[Any, ...]]:
    table: Any = Sighting.__table__
    names = ("day", "visitor", "kind", "spot", "listing_id")
    written = _insert(connection, table).on_conflict_do_nothing()
    written = written.returning(*(table.c[name] for name in names))
    rows = connection.execute(written, [dict(zip(names, key, strict=True)) for key in keys])
    return [tuple(row) for row in rows]


def _count(connection: Connection, seen: Sequence[Seen]) -> None:
    if not seen:
        return
    sums: Counter[tuple[Any, ...]] = Counter(
        (slot_of(each.at), each.listing_id, each.kind, each.placement, each.organization_id)
        for each in seen
    )
    names = ("slot", "listing_id", "kind", "placement", "organization_id")
    rows = [dict(zip(names, key, strict=True)) | {"count": sums[key]} for key in sorted(sums)]
    table: Any = ExposureCount.__table__
    written = _insert(connection, table)
    written = written.on_conflict_do_update(
        index_elements=["slot", "listing_id", "kind", "placement"],
        set_={"count": table.c["count"] + written.excluded["count"]},
    )
    connection.execute(written, rows)


def _insert(connection: Connection, table: Any) -> Any:
    """Core inserts of a table: compiled once, whatever number of rows they take."""
    return (postgresql_insert if connection.dialect.name == "postgresql" else sqlite_insert)(table)
