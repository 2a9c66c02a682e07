"""How a spec becomes settings, and a document what the server keeps. Pure.

Text is folded and words are told apart by our own rules before the server sees them, in
documents and in queries alike, so that a search box feels the same on both engines.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Sequence
from typing import Any

from search.documents import filter_values, identity_of, keyword, texts
from search.engine import Document, FilterField, IndexSpec, Kind, SortField, fingerprint
from search.ranking import joined_forms, popularity_level
from search.text import fold, words

LAYOUT = 1
"""Changed when this file changes what the server keeps: older indexes are then rebuilt."""

KEY, ID, SOURCE, PRINT = "key", "id", "source", "print"
SCOPE, JOINED, WHOLE, POPULARITY = "scope", "joined", "whole", "popularity"
MAX_FACET_VALUES = 500
_SAFE_KEY = re.compile(r"[A-Za-z0-9_-]{1,200}\Z")
_SIGNED = re.compile(r"(?<![^\W_])([^\W_]+\+\+|[a-z]#)(?![^\W_])")


def words_field(name: str) -> str:
    """The field with the folded text of a searchable field."""
    return f"words_{name}"


def filter_field(name: str) -> str:
    """The field that is filtered by and counted."""
    return f"filter_{name}"


def order_field(name: str) -> str:
    """The field that a sort orders by."""
    return f"order_{name}"


def stamp(spec: IndexSpec) -> str:
    """What an index must have been built with to be used for this spec. It is kept among
    the displayed attributes, which travel with an index when it is swapped."""
    return f"stamp_{spec.stamp}_{LAYOUT}"


def searchable(spec: IndexSpec) -> list[str]:
    """The fields that are looked through, the heaviest first."""
    found = [words_field(name) for name in spec.names]
    rest = [words_field(name) for name in spec.searchable if name not in spec.names]
    return [*found, JOINED, *rest]


def settings(spec: IndexSpec, groups: Sequence[Sequence[str]]) -> dict[str, Any]:
    """The settings of an index for this spec, with this table of synonyms."""
    return {
        "searchableAttributes": searchable(spec),
        "displayedAttributes": [ID, WHOLE, SOURCE, PRINT, stamp(spec)],
        "rankingRules": [
            "sort",
            "words",
            "typo",
            "proximity",
            "attributeRank",
            "exactness",
            f"{POPULARITY}:desc",
            "wordPosition",
            f"{ID}:asc",
        ],
        "filterableAttributes": _filterable(spec),
        "sortableAttributes": [ID, POPULARITY, *(order_field(s.name) for s in spec.sorts)],
        "faceting": {
            "maxValuesPerFacet": MAX_FACET_VALUES,
            "sortFacetValuesBy": {"*": "count"},
        },
        # Totals are exact; how far one may page is our own limit.
        "pagination": {"maxTotalHits": 100_000_000},
        "typoTolerance": {
            "minWordSizeForTypos": {"oneTypo": 5, "twoTypos": 9},
            "disableOnNumbers": True,
        },
        "synonyms": synonyms(groups),
        "stopWords": [],
        "searchCutoffMs": 300,
    }


def _filterable(spec: IndexSpec) -> list[dict[str, Any]]:
    facets = {item.name for item in spec.facets}
    fields = [(filter_field(item.name), item) for item in spec.facets + spec.filters]
    found = [_feature(name, item, item.name in facets) for name, item in fields]
    return [_feature(SCOPE, FilterField(SCOPE), False), *found]


def _feature(name: str, item: FilterField, counted: bool) -> dict[str, Any]:
    number = item.kind in {Kind.INTEGER, Kind.NUMBER}
    return {
        "attributePatterns": [name],
        "features": {
            "facetSearch": counted and item.kind is Kind.KEYWORD,
            "filter": {"equality": True, "comparison": number},
        },
    }


def synonyms(groups: Sequence[Sequence[str]]) -> dict[str, list[str]]:
    """Groups of equals as the server wants them: from each member to the others."""
    found: dict[str, list[str]] = {}
    for group in groups:
        members = list(dict.fromkeys(key for item in group if (key := plain(item))))
        for member in members:
            others = found.setdefault(member, [])
            others += [other for other in members if other != member and other not in others]
    return found


def groups_of(table: dict[str, list[str]]) -> list[list[str]]:
    """A table of the server's as groups again, good enough to write the same table."""
    return [[word, other] for word, others in table.items() for other in others]


def visible(text: str) -> str:
    """Text that JSON and the server can carry: half signs become question marks."""
    return text.encode("utf-8", "replace").decode()


def folded(text: str) -> str:
    """Text as the server is given it; the signs of C++ and C# made letters."""
    return _SIGNED.sub(lambda found: worded(found.group()), fold(visible(text)))


def worded(word: str) -> str:
    """A word in letters and digits only.

    >>> worded("c++"), worded("c#"), worded("crm")
    ('cplusplus', 'csharp', 'crm')
    """
    return word.replace("++", "plusplus").replace("#", "sharp")


def plain(text: str) -> str:
    """The words of a text with one space between."""
    return " ".join(map(worded, words(visible(text))))


def glued(text: str) -> str:
    """A name without its spaces, as names are compared.

    >>> glued("Node.js") == glued("NodeJS")
    True
    """
    return "".join(words(visible(text)))


def audience(name: str) -> str:
    """An audience as it is filtered by. The server ignores case in filters; a hash has
    none, so that two audiences never meet."""
    return hashlib.sha256(visible(name).encode()).hexdigest()[:32]


def key_of(identity: str) -> str:
    """The server's key of a document: its id, or a hash of one with other signs."""
    if _SAFE_KEY.match(identity) and not identity.startswith("sha_"):
        return identity
    return f"sha_{hashlib.sha256(visible(identity).encode()).hexdigest()}"


def flatten(spec: IndexSpec, doc: Document) -> dict[str, Any]:
    """A document as the server keeps it. Raises ``ValueError`` if it cannot be one."""
    identity = identity_of(doc)
    kept = {name: doc[name] for name in spec.searchable if doc.get(name)}
    flat: dict[str, Any] = {
        KEY: key_of(identity),
        ID: visible(identity),
        SOURCE: visible(json.dumps(kept, ensure_ascii=False, default=str)),
        PRINT: fingerprint(doc),
        POPULARITY: popularity_level(doc.get(spec.popularity)),
        SCOPE: [audience(keyword(item)) for item in texts(doc.get(spec.scope))],
    }
    joined: dict[str, None] = {}
    whole: dict[str, None] = {}
    for name in spec.searchable:
        values = texts(doc.get(name))
        flat[words_field(name)] = [folded(value) for value in values]
        if name in spec.names:
            for value in values:
                joined |= dict.fromkeys(map(worded, joined_forms(words(value))))
                whole[glued(value)] = None
    flat[JOINED] = list(joined)
    flat[WHOLE] = list(whole)
    for field in spec.facets + spec.filters:
        found = filter_values(field, doc)
        flat[filter_field(field.name)] = [
            visible(item) if isinstance(item, str) else item for item in found
        ]
    for sort in spec.sorts:
        flat[order_field(sort.name)] = _order_value(sort, doc.get(sort.field))
    return flat


def _order_value(sort: SortField, value: object) -> str | float | None:
    if value is None:
        return None
    if sort.kind is Kind.KEYWORD:
        return plain(str(value)) or None
    if not isinstance(value, int | float):
        raise ValueError(f"{sort.field} is sorted as a number")
    return value
