"""The coverage map: how many partners of each type are in each country. Pure."""

from collections.abc import Iterable
from dataclasses import dataclass

from marketplace.program.policy.document import Policy

STEPS = 5


@dataclass(frozen=True)
class Cell:
    """How many, and how dark from 0 (none) to 5 (the most of the map)."""

    count: int
    step: int


@dataclass(frozen=True)
class Heat:
    """The map as a table: types as columns, countries as rows with their sums, most first."""

    types: tuple[tuple[str, str], ...]
    rows: tuple[tuple[str, tuple[Cell, ...], int], ...]
    total: int


def heat_of(counts: Iterable[tuple[str, str, int]], policy: Policy | None) -> Heat:
    """The map of (country, type, how many); types in the order of the policy."""
    by_cell: dict[tuple[str, str], int] = {}
    for country, kind, count in counts:
        by_cell[country, kind] = by_cell.get((country, kind), 0) + count
    seen = {kind for _country, kind in by_cell}
    known = [(kind.key, kind.name) for kind in policy.types if kind.key in seen] if policy else []
    others = sorted(seen - {key for key, _name in known})
    types = (*known, *((key, _name_of_other(key, policy)) for key in others))
    most = max(by_cell.values(), default=0)
    rows = []
    for country in {country for country, _kind in by_cell}:
        cells = tuple(_cell(by_cell.get((country, key), 0), most) for key, _name in types)
        rows.append((country, cells, sum(cell.count for cell in cells)))
    rows.sort(key=lambda row: (-row[2], row[0]))
    return Heat(tuple(types), tuple(rows), sum(by_cell.values()))


def _name_of_other(key: str, policy: Policy | None) -> str:
    if not key:
        return "No type"
    return f"{key} (not in the policy)" if policy else key


def _cell(count: int, most: int) -> Cell:
    return Cell(count, -(-count * STEPS // most) if count else 0)
