"""How a document is laid out in the embedded index: flat fields of words, keys and numbers.

Pure. The names of the fields are prefixed by what they are for, so that no field of a
document can meet one of ours.
"""

from __future__ import annotations

import json
import struct
from collections.abc import Mapping
from typing import Any

from search.documents import MAX_KEYWORD, filter_values, identity_of, keyword, texts
from search.engine import Document, IndexSpec, Kind, SortField, fingerprint
from search.ranking import joined_forms, popularity_factor, popularity_level, typo_key
from search.text import words

LAYOUT = 1
"""Changed when this file changes what is on disk: older indexes are then rebuilt."""

ID, SOURCE, PRINT, SCOPE = "id", "source", "print", "scope"
JOINED, FULL_JOINED, FULL_TYPO = "joined", "names_joined", "names_typo"
BOOST, POPULARITY, LENGTH, POPULAR = "boost", "popularity", "length", "popular_first"
TYPO_CLASSES = 3
TYPO_FROM = 4
"""Letters from which a word can be what a word of five letters was meant to be."""


def words_field(name: str) -> str:
    """The field with the words of a searchable field."""
    return f"words_{name}"


def full_field(name: str) -> str:
    """The field with the whole folded values of a names field."""
    return f"full_{name}"


def filter_field(name: str) -> str:
    """The field that is filtered by and counted."""
    return f"filter_{name}"


def order_field(name: str) -> str:
    """The field with the keys of a sort."""
    return f"order_{name}"


def typo_field(number: int) -> str:
    """The field with the words of a class in which typos are looked for."""
    return f"typo_{number}"


def typo_class(spec: IndexSpec, name: str) -> int:
    """Names, the fields between, and the last and longest field are looked through apart."""
    if name in spec.names:
        return 0
    return 2 if name == spec.searchable[-1] else 1


def flatten(spec: IndexSpec, doc: Document) -> dict[str, Any]:
    """A document as the fields of the index. Raises ``ValueError`` if it cannot be one."""
    identity = identity_of(doc)
    flat: dict[str, Any] = {ID: [identity], PRINT: [fingerprint(doc).encode()]}
    kept = {name: doc[name] for name in spec.searchable if doc.get(name)}
    flat[SOURCE] = [json.dumps(kept, ensure_ascii=False, default=str).encode("utf-8", "replace")]
    _add_words(flat, spec, doc)
    level = popularity_level(doc.get(spec.popularity))
    flat[POPULARITY] = [level]
    flat[BOOST] = [2.0 ** popularity_factor(level) - 2.0]  # the engine takes log2(2 + it)
    by_popularity = SortField("popular", spec.popularity)
    flat[POPULAR] = [sort_key(by_popularity, doc.get(spec.popularity) or 0, identity)]
    flat[SCOPE] = list(dict.fromkeys(keyword(item) for item in texts(doc.get(spec.scope))))
    for field in spec.facets + spec.filters:
        flat[filter_field(field.name)] = filter_values(field, doc)
    for sort in spec.sorts:
        flat[order_field(sort.name)] = [sort_key(sort, doc.get(sort.field), identity)]
    return flat


def _add_words(flat: dict[str, Any], spec: IndexSpec, doc: Document) -> None:
    typo: list[set[str]] = [set() for _ in range(TYPO_CLASSES)]
    joined: dict[str, None] = {}
    full_joined: dict[str, None] = {}
    shortest = 0
    for name in spec.searchable:
        cut = [found for text in texts(doc.get(name)) if (found := words(text))]
        flat[words_field(name)] = [" ".join(found) for found in cut]
        seen = typo[typo_class(spec, name)]
        for found in cut:
            seen.update(found)
        if name not in spec.names:
            continue
        flat[full_field(name)] = list(dict.fromkeys(" ".join(found) for found in cut))
        for found in cut:
            joined.update(dict.fromkeys(joined_forms(found)))
            full_joined["".join(found)] = None
            shortest = shortest or len("".join(found))
    typo[0].update(joined)
    flat[JOINED] = [" ".join(joined)]
    flat[FULL_JOINED] = list(full_joined)
    flat[FULL_TYPO] = [typo_key(name) for name in full_joined]
    flat[LENGTH] = [min(shortest, 1000)]
    for number, seen in enumerate(typo):
        keys = [typo_key(word) for word in seen if len(word) >= TYPO_FROM]
        flat[typo_field(number)] = [" ".join(keys)]


def sort_key(sort: SortField, value: object, identity: str) -> str:
    """A text that orders as the value does, in the sort's direction, missing ones last,
    equal ones by id: the index then only has to order texts.

    >>> key = lambda value: sort_key(SortField("x", "x"), value, "a")
    >>> key(9) < key(8) < key(-1) < key(None)
    True
    """
    if value is None or value == "":
        return f"~{identity}"
    if sort.kind is Kind.KEYWORD:
        raw = " ".join(words(str(value)))[:MAX_KEYWORD]
        if not sort.descending:
            return f"!{raw}\x00{identity}"
        return "!" + "".join(f"{255 - byte:02x}" for byte in raw.encode()) + f"~{identity}"
    if not isinstance(value, int | float):
        raise ValueError(f"{sort.field} is sorted as a number")
    bits = struct.unpack(">q", struct.pack(">d", float(value)))[0]
    # IEEE numbers order like integers once the negative ones are turned round.
    rank = (bits if bits >= 0 else -(bits & 0x7FFF_FFFF_FFFF_FFFF)) + (1 << 63)
    return f"!{(1 << 64) - rank if sort.descending else rank:017x}{identity}"


def readable(source: bytes) -> Mapping[str, Any]:
    """The searchable fields of a document as it was written."""
    found: Mapping[str, Any] = json.loads(source)
    return found
