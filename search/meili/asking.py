"""From our queries to the server's: filters quoted, words spelled, searches put together.
Pure."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from decimal import Decimal
from typing import Any

from search.documents import keyword
from search.engine import (
    And,
    Eq,
    Filter,
    FilterField,
    In,
    IndexSpec,
    Kind,
    Not,
    Or,
    Range,
    SearchQuery,
    without_facet,
)
from search.meili import layout
from search.ranking import Parsed, Word

ALL, FREQUENCY = "all", "frequency"
"""How words may drop: not at all; the most frequent first."""

_NOTHING = f"{layout.SCOPE} IN []"
_EVERYTHING = f"NOT ({_NOTHING})"


def quoted(value: str) -> str:
    """A text as a value in a filter. No value can end it or begin another condition."""
    escaped = layout.visible(value).replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'


def scope(audiences: Sequence[str]) -> str:
    """The condition that one of these audiences may see the document."""
    return f"{layout.SCOPE} IN [{', '.join(map(layout.audience, audiences))}]"


def condition(spec: IndexSpec, tree: Filter) -> str:
    """A filter as the server reads it. Raises :class:`UnknownFacet`."""
    match tree:
        case And(parts):
            return " AND ".join(f"({condition(spec, part)})" for part in parts) or _EVERYTHING
        case Or(parts):
            return " OR ".join(f"({condition(spec, part)})" for part in parts) or _NOTHING
        case Not(part):
            return f"NOT ({condition(spec, part)})"
        case Eq(name, value):
            return _one_of(spec.filterable(name), (value,))
        case In(name, values):
            return _one_of(spec.filterable(name), values)
        case Range():
            return _range(spec, tree)


def _one_of(field: FilterField, values: Iterable[object]) -> str:
    if field.kind in {Kind.KEYWORD, Kind.BOOL}:
        usable = [quoted(keyword(value)) for value in values]
    else:
        usable = [number for value in values if (number := _number(field, value)) is not None]
    name = layout.filter_field(field.name)
    return f"{name} IN [{', '.join(usable)}]" if usable else _NOTHING


def _number(field: FilterField, value: object) -> str | None:
    try:
        number = float(value)  # type: ignore[arg-type]  # anything a query string may hold
    except (TypeError, ValueError):
        return None
    if number != number or number in {float("inf"), float("-inf")}:
        return None
    if field.kind is Kind.INTEGER and number != int(number):
        return None
    return _decimal(number)


def _decimal(number: float) -> str:
    """A number as the server reads it: it knows no exponents."""
    return format(Decimal(repr(number)), "f")


def _range(spec: IndexSpec, tree: Range) -> str:
    field = spec.filterable(tree.field)
    if field.kind not in {Kind.INTEGER, Kind.NUMBER}:
        raise ValueError(f"{tree.field} is no number: it has no range")
    name = layout.filter_field(field.name)
    bounds = [(">=", tree.low), ("<=", tree.high)]
    found = [
        f"{name} {sign} {_decimal(float(bound))}" for sign, bound in bounds if bound is not None
    ]
    return " AND ".join(found) or f"{name} EXISTS AND {name} IS NOT EMPTY"


def spelled(parsed: Parsed, words: Sequence[Word] | None = None) -> str:
    """The query as the server reads it, made of words alone: nothing that was typed can be
    taken for its syntax. ``words`` are those to ask for instead of all."""
    phrases = [_phrase(item) for item in parsed.phrases]
    excluded = [f"-{_phrase(item)}" for item in parsed.excluded]
    asked = [layout.worded(word.text) for word in (parsed.words if words is None else words)]
    # What is not wanted goes first: the server takes the last word for an open one.
    return " ".join([*excluded, *phrases, *asked])


def _phrase(found: Sequence[str]) -> str:
    return '"' + " ".join(map(layout.worded, found)) + '"'


def search(
    spec: IndexSpec,
    uid: str,
    text: str,
    conditions: Sequence[str],
    **more: Any,
) -> dict[str, Any]:
    """One search of a multi-search; by itself it brings the total and nothing else."""
    return {
        "indexUid": uid,
        "q": text,
        "filter": list(conditions),
        "matchingStrategy": ALL,
        "page": 1,
        "hitsPerPage": 0,
        "attributesToRetrieve": [layout.ID],
    } | more


def groups(spec: IndexSpec, query: SearchQuery) -> dict[Filter | None, list[str]]:
    """The facets asked for, by the filter that each is counted under."""
    found: dict[Filter | None, list[str]] = {query.filters: []}
    for name in dict.fromkeys(query.facets):
        spec.facet(name)
        found.setdefault(without_facet(query.filters, name), []).append(name)
    return found


def conditions(spec: IndexSpec, query: SearchQuery, tree: Filter | None) -> list[str]:
    """The scope, and the filter if there is one."""
    found = [scope(query.scope)]
    if tree is not None:
        found.append(condition(spec, tree))
    return found


def order(spec: IndexSpec, query: SearchQuery) -> list[str]:
    """What the sort asked for is to the server. Raises :class:`UnknownSort`."""
    chosen = spec.sort(query.sort)
    if chosen is None:
        return []
    direction = "desc" if chosen.descending else "asc"
    return [f"{layout.order_field(chosen.name)}:{direction}", f"{layout.ID}:asc"]
