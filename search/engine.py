"""What a search engine is: the protocol, the values that go in and out, the errors.

The two engines (:mod:`search.embedded`, :mod:`search.meili`) are generic over an
:class:`IndexSpec`. They know documents and queries and nothing of what the documents
mean. A document is a plain ``dict`` with an ``id`` (``str``), the fields that its spec
names, and the scope field: the audiences (``list[str]``) that may see it.

Filters are a tree of values, never a string: each engine quotes for itself.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from enum import Enum
from typing import Any, Protocol, TypeAlias, runtime_checkable

from search.errors import (
    SearchError,
    SearchUnavailable,
    UnknownFacet,
    UnknownIndex,
    UnknownSort,
    WriteFailed,
)
from search.filters import And, Eq, Filter, In, Not, Or, Range, Scalar, fields_of, without_facet

__all__ = [
    "MAX_PER_PAGE",
    "MAX_TEXT",
    "MAX_WINDOW",
    "MAX_WORDS",
    "RELEVANCE",
    "And",
    "Capability",
    "Document",
    "Eq",
    "FacetValue",
    "Filter",
    "FilterField",
    "Health",
    "Highlight",
    "Hit",
    "In",
    "IndexHealth",
    "IndexSpec",
    "IndexState",
    "IndexStats",
    "Kind",
    "Not",
    "Or",
    "Range",
    "RebuildReport",
    "Scalar",
    "SearchEngine",
    "SearchError",
    "SearchPage",
    "SearchQuery",
    "SearchUnavailable",
    "SortField",
    "Ticket",
    "UnknownFacet",
    "UnknownIndex",
    "UnknownSort",
    "WriteFailed",
    "fields_of",
    "fingerprint",
    "without_facet",
]

Document: TypeAlias = Mapping[str, Any]

RELEVANCE = "relevance"
"""The sort that every index has: best match first, popularity then id breaking ties."""

MAX_WINDOW = 1_000
"""Hits that can be paged through; ``total`` is exact beyond it, pages past it are empty."""

MAX_PER_PAGE = 100
MAX_TEXT = 512
"""Characters of a query that are looked at; the rest is ignored, never an error."""

MAX_WORDS = 10
"""Words of a query that are looked at; nobody types more, and each word costs time."""


class Kind(Enum):
    """The type of a field that is filtered, counted or sorted by."""

    KEYWORD = "keyword"  # str or list[str]
    INTEGER = "integer"
    NUMBER = "number"
    BOOL = "bool"


@dataclass(frozen=True, slots=True)
class FilterField:
    """A field that may stand in a filter (and, in ``IndexSpec.facets``, be counted)."""

    name: str
    kind: Kind = Kind.KEYWORD


@dataclass(frozen=True, slots=True)
class SortField:
    """A named order: ``SortField("newest", "published_at", Kind.INTEGER, descending=True)``.

    Documents without a value come last in both directions; equal values go by id.
    """

    name: str
    field: str
    kind: Kind = Kind.INTEGER
    descending: bool = True


@dataclass(frozen=True, slots=True)
class IndexSpec:
    """What an index holds and how it may be asked.

    ``searchable`` is in order of weight, the heaviest first; its fields hold ``str`` or
    ``list[str]``. ``names`` are those of them that hold whole names: a query equal to one
    is an exact match. ``popularity`` is an integer bucket that every document should have
    (none counts as 0). ``synonyms`` are groups of words that mean the same; they are an
    operator's table, can be changed without a rebuild, and so are no part of the stamp.
    """

    name: str
    searchable: tuple[str, ...]
    facets: tuple[FilterField, ...] = ()
    filters: tuple[FilterField, ...] = ()
    sorts: tuple[SortField, ...] = ()
    names: tuple[str, ...] = ("name",)
    popularity: str = "popularity"
    scope: str = "audiences"
    synonyms: tuple[tuple[str, ...], ...] = ()
    version: int = 1

    def __post_init__(self) -> None:
        """Refuse a spec that no engine could serve. Raises ``ValueError``."""
        if not self.name.isidentifier():
            raise ValueError(f"an index name is an identifier, not {self.name!r}")
        if not self.searchable:
            raise ValueError("an index needs a searchable field")
        if not set(self.names) <= set(self.searchable):
            raise ValueError("names must be searchable fields")
        declared = [item.name for item in self.facets + self.filters]
        if len(set(declared)) != len(declared):
            raise ValueError("a filter field is declared twice")
        if RELEVANCE in {item.name for item in self.sorts}:
            raise ValueError("the sort by relevance is built in")

    @property
    def stamp(self) -> str:
        """A short hash of all that shapes the index on disk: another stamp = rebuild."""
        shape = [
            self.version,
            self.searchable,
            self.names,
            self.popularity,
            self.scope,
            [(item.name, item.kind.value) for item in self.facets],
            [(item.name, item.kind.value) for item in self.filters],
            [(item.name, item.field, item.kind.value, item.descending) for item in self.sorts],
        ]
        return hashlib.sha256(json.dumps(shape).encode()).hexdigest()[:16]

    def facet(self, name: str) -> FilterField:
        """The facet of that name. Raises :class:`UnknownFacet`."""
        for item in self.facets:
            if item.name == name:
                return item
        raise UnknownFacet(f"the index {self.name} has no facet {name!r}")

    def filterable(self, name: str) -> FilterField:
        """The facet or filter field of that name. Raises :class:`UnknownFacet`."""
        for item in self.facets + self.filters:
            if item.name == name:
                return item
        raise UnknownFacet(f"the index {self.name} cannot be filtered by {name!r}")

    def sort(self, name: str) -> SortField | None:
        """The sort of that name, ``None`` for relevance. Raises :class:`UnknownSort`."""
        if name == RELEVANCE:
            return None
        for item in self.sorts:
            if item.name == name:
                return item
        raise UnknownSort(f"the index {self.name} has no sort {name!r}")


@dataclass(frozen=True, slots=True, kw_only=True)
class SearchQuery:
    """One question to one index.

    ``scope`` is mandatory: a hit must have one of these audiences, and so must all that is
    counted or suggested. ``text`` may hold ``"a phrase"`` and ``-word``. ``facets`` are
    counted disjunctively: the parts of the topmost ``And`` (or the whole filter) that speak
    of one facet alone do not narrow that facet's own counts. ``highlight`` names the fields
    whose matches are wanted. ``words_drop`` lets words drop until a page is full;
    ``correct`` lets words that nothing has be respelled to one that a name has.
    """

    index: str
    scope: tuple[str, ...]
    text: str = ""
    filters: Filter | None = None
    facets: tuple[str, ...] = ()
    sort: str = RELEVANCE
    page: int = 1
    per_page: int = 20
    highlight: tuple[str, ...] = ()
    words_drop: bool = True
    correct: bool = True

    def __post_init__(self) -> None:
        """Refuse what is a mistake of the caller. Raises ``ValueError``."""
        if not isinstance(self.scope, tuple) or not self.scope:
            raise ValueError("a query has a scope: a tuple of one audience or more")
        if self.page < 1:
            raise ValueError("pages start at 1")
        if not 0 <= self.per_page <= MAX_PER_PAGE:
            raise ValueError(f"a page has 0 to {MAX_PER_PAGE} hits")

    @property
    def offset(self) -> int:
        """Hits before this page."""
        return (self.page - 1) * self.per_page


@dataclass(frozen=True, slots=True)
class Highlight:
    """A text as it is in the index (a long one cut around its first match), and the matches.

    ``spans`` are ``(start, end)`` offsets in characters of ``text``, in order, not touching.
    """

    text: str
    spans: tuple[tuple[int, int], ...] = ()
    cut_before: bool = False
    cut_after: bool = False


@dataclass(frozen=True, slots=True)
class Hit:
    """A document that was found. ``highlights`` has the fields asked for that matched."""

    id: str
    highlights: Mapping[str, Highlight] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class FacetValue:
    """A value and how many documents have it. Booleans are ``"true"`` and ``"false"``."""

    value: str
    count: int


@dataclass(frozen=True, slots=True)
class SearchPage:
    """The answer to a :class:`SearchQuery`.

    ``total`` and the counts in ``facets`` are exact. Facet values are sorted by count, then
    value. ``dropped`` are words of the query that had to be ignored to find enough;
    ``corrected`` is the text that was searched for instead, empty if it was the query's own.
    """

    hits: tuple[Hit, ...]
    total: int
    page: int
    per_page: int
    facets: Mapping[str, tuple[FacetValue, ...]] = field(default_factory=dict)
    took_ms: float = 0.0
    degraded: bool = False
    dropped: tuple[str, ...] = ()
    corrected: str = ""

    @property
    def ids(self) -> tuple[str, ...]:
        """The ids of the hits, in order."""
        return tuple(hit.id for hit in self.hits)

    @property
    def pages(self) -> int:
        """Pages that can be visited; at least 1."""
        reachable = min(self.total, MAX_WINDOW)
        return max(1, -(-reachable // self.per_page)) if self.per_page else 1


@dataclass(frozen=True, slots=True)
class Ticket:
    """A receipt for a write, to be handed to :meth:`SearchEngine.wait`."""

    index: str
    reference: str
    ids: tuple[str, ...] = ()


class IndexState(Enum):
    """How an index is."""

    READY = "ready"
    CREATED = "created"  # by this call, empty: the caller should fill it
    MISSING = "missing"
    CORRUPT = "corrupt"
    STALE = "stale"  # built for another spec or by another version of this package
    UNREACHABLE = "unreachable"


@dataclass(frozen=True, slots=True)
class IndexHealth:
    """The state of one index, with a reason in words when it is not ready."""

    index: str
    state: IndexState
    documents: int = 0
    reason: str = ""

    @property
    def ok(self) -> bool:
        """Whether it answers queries."""
        return self.state in {IndexState.READY, IndexState.CREATED}


@dataclass(frozen=True, slots=True)
class Health:
    """The state of an engine and of each index that was given to ``ensure_index``."""

    engine: str
    indexes: tuple[IndexHealth, ...] = ()
    reason: str = ""

    @property
    def ok(self) -> bool:
        """Whether everything answers."""
        return not self.reason and all(item.ok for item in self.indexes)


@dataclass(frozen=True, slots=True)
class IndexStats:
    """Figures of one index. ``bytes`` is its size on disk, ``None`` where unknown."""

    index: str
    documents: int
    bytes: int | None = None
    generation: str = ""


@dataclass(frozen=True, slots=True)
class RebuildReport:
    """What a rebuild did. ``rejected`` maps ids that no engine would take to the reason."""

    index: str
    documents: int
    seconds: float
    rejected: Mapping[str, str] = field(default_factory=dict)


class Capability(Enum):
    """What one engine can and another cannot; the contract suite asks before it demands."""

    CJK = "cjk"  # finds a word inside Chinese, Japanese or Thai text that has no spaces
    SHARED = "shared"  # one index for processes on several machines


@runtime_checkable
class SearchEngine(Protocol):
    """What both engines do. Every method is safe to call from any thread.

    Reads raise :class:`SearchUnavailable` when the engine cannot answer,
    :class:`UnknownIndex`, :class:`UnknownFacet` and :class:`UnknownSort` for mistakes of the
    caller, and nothing else. Writes raise :class:`WriteFailed` or
    :class:`SearchUnavailable`.
    """

    name: str
    capabilities: frozenset[Capability]

    def ensure_index(self, spec: IndexSpec, *, create: bool = True) -> IndexState:
        """Make ``spec`` known, and create its index, empty, if there is none.

        Cheap and idempotent: call it at the start of each process. Never empties or
        alters an index that exists: one of another stamp is left alone and answers
        ``STALE``. ``create=False`` only makes the spec known.
        """
        ...

    def upsert(self, index: str, docs: Iterable[Document]) -> Ticket:
        """Write whole documents, replacing those of the same id."""
        ...

    def delete(self, index: str, ids: Iterable[str]) -> Ticket:
        """Remove documents; ids that are not there are no error."""
        ...

    def wait(self, ticket: Ticket, timeout: float = 10.0) -> None:
        """Return when the write is visible to searches from this process.

        Raises :class:`WriteFailed` if it failed, :class:`SearchUnavailable` after
        ``timeout`` seconds.
        """
        ...

    def search(self, query: SearchQuery) -> SearchPage:
        """Answer a query."""
        ...

    def facet_values(
        self, query: SearchQuery, facet: str, prefix: str = "", limit: int = 20
    ) -> tuple[FacetValue, ...]:
        """Values of one keyword facet that begin with ``prefix`` (case and accents
        ignored) among the documents that ``query`` matches, most frequent first."""
        ...

    def set_synonyms(self, index: str, groups: Sequence[Sequence[str]]) -> Ticket:
        """Replace the table of synonyms. It survives a rebuild."""
        ...

    def rebuild(
        self,
        spec: IndexSpec,
        docs: Iterable[Document],
        *,
        catch_up: Callable[[], Iterable[Document | str]] | None = None,
    ) -> RebuildReport:
        """Build the index anew beside the old one and swap; searches go on meanwhile.

        ``catch_up`` is called when the new index is full, before and again after the swap,
        and gives what changed meanwhile: documents to write, ids to delete.
        """
        ...

    def fingerprints(self, index: str) -> Iterator[tuple[str, str]]:
        """Each document's id and the :func:`fingerprint` it was written with."""
        ...

    def stats(self, index: str) -> IndexStats:
        """Figures of one index."""
        ...

    def health(self) -> Health:
        """How the engine is. Never raises."""
        ...

    def close(self) -> None:
        """Let go of files, threads and connections; the engine is not used after."""
        ...


def fingerprint(doc: Document) -> str:
    """A hash of a document's content that does not depend on the order of its keys."""
    text = json.dumps(doc, sort_keys=True, ensure_ascii=False, default=str)
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()[:20]
