"""Answering queries from one index as of one commit."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import tantivy  # noqa: TID251 - this folder is the one that speaks to tantivy

from search.embedded import shape
from search.embedded.matching import Matcher, free
from search.engine import (
    MAX_WINDOW,
    FacetValue,
    Filter,
    Hit,
    IndexSpec,
    Kind,
    SearchPage,
    SearchQuery,
    SortField,
    without_facet,
)
from search.highlight import Highlighter
from search.ranking import Parsed, Scale, Synonyms, parse, popularity_factor, scale
from search.text import fold

Query = tantivy.Query
_MUST, _SHOULD, _NOT = tantivy.Occur.Must, tantivy.Occur.Should, tantivy.Occur.MustNot

ENOUGH = 10
"""Hits that fill a page: with fewer, words of the query drop."""

WINDOW = 100
"""Best hits whose order is settled to the last tie-break; further ones keep the score's."""

MAX_FACET_VALUES = 500
_FACET_CARDINALITY = 60_000
_CACHED_COUNTS = 256
_SCAN = 2_000


@dataclass(frozen=True, slots=True)
class _Plan:
    """A query's text, worked out against the index: what must match, what may, what was
    dropped. It depends on text and scope alone, so that choosing a filter never widens."""

    parsed: Parsed
    needed: tuple[Query, ...]
    wanted: tuple[Query, ...]
    dropped: tuple[str, ...] = ()
    corrected: str = ""


class Answerer:
    """Answers queries. Immutable but for its cache of counts; safe in any thread."""

    def __init__(
        self,
        spec: IndexSpec,
        schema: tantivy.Schema,
        searcher: tantivy.Searcher,
        synonyms: Synonyms,
    ) -> None:
        self._spec = spec
        self._searcher = searcher
        self._synonyms = synonyms
        self._match = Matcher(spec, schema, searcher, synonyms)
        self._counts: OrderedDict[object, dict[str, tuple[FacetValue, ...]]] = OrderedDict()
        self._counts_lock = threading.Lock()

    @property
    def documents(self) -> int:
        """Documents in the index."""
        return int(self._searcher.num_docs)

    def search(self, query: SearchQuery) -> SearchPage:
        """The page. Raises the callers' mistakes only, and what tantivy raises."""
        sort = self._spec.sort(query.sort)
        for name in query.facets:
            self._spec.facet(name)
        base = self._base(query.scope, query.filters)
        plan = self._plan(query)
        found, total = self._found(query, base, plan, sort)
        # Whether words drop is decided without the filters: choosing one never widens.
        if self._is_short(query, plan, total):
            plan = self._plan(query, all_words=False)
            found, total = self._found(query, base, plan, sort)
        return SearchPage(
            hits=self._hits(query, plan.parsed, found),
            total=total,
            page=query.page,
            per_page=query.per_page,
            facets=self._facets(query, plan),
            dropped=plan.dropped,
            corrected=plan.corrected,
        )

    def _is_short(self, query: SearchQuery, plan: _Plan, total: int) -> bool:
        """Whether too little has all words of the query, so that it is read again."""
        if total >= ENOUGH or not plan.parsed.words:
            return False
        if len(plan.parsed.words) == 1:
            return query.correct and not self._all(query, plan, total)
        return query.words_drop and self._all(query, plan, total) < ENOUGH

    def _all(self, query: SearchQuery, plan: _Plan, total: int) -> int:
        """How many documents match without the filters."""
        if query.filters is None:
            return total
        return self._count([*self._base(query.scope, None), *plan.needed])

    def _found(
        self,
        query: SearchQuery,
        base: Sequence[Query],
        plan: _Plan,
        sort: SortField | None,
    ) -> tuple[list[tantivy.DocAddress], int]:
        if plan.parsed.empty or sort is not None:
            order = shape.POPULAR if sort is None else shape.order_field(sort.name)
            return self._ordered(query, [*base, *map(free, plan.needed)], order)
        return self._ranked(query, base, plan)

    def _base(self, scope: Sequence[str], filters: Filter | None) -> list[Query]:
        base = [free(self._match.scope(scope))]
        if filters is not None:
            base.append(free(self._match.filter(filters)))
        return base

    def _every(self, needed: Sequence[Query], wanted: Sequence[Query] = ()) -> Query:
        return Query.boolean_query(
            [(_MUST, query) for query in needed] + [(_SHOULD, query) for query in wanted]
        )

    def _count(self, needed: Sequence[Query]) -> int:
        return _total(self._searcher.search(self._every(needed), 1))

    # What the text asks for

    def _plan(self, query: SearchQuery, *, all_words: bool = True) -> _Plan:
        """How the text is read. ``all_words`` is the reading to try first; the other one
        respells and drops words until a page is full."""
        parsed = parse(query.text)
        steps = scale(len(parsed.words), len(self._spec.searchable))
        fixed: list[Query] = [free(self._match.phrase(phrase)) for phrase in parsed.phrases]
        if parsed.excluded:
            # A condition of its own: what is not there cannot stand alone in tantivy.
            without = [(_NOT, self._match.phrase(item)) for item in parsed.excluded]
            fixed.append(free(Query.boolean_query([(_MUST, Query.all_query()), *without])))
        if all_words:
            found = self._match.all_words(parsed, steps, lenient=query.words_drop)
            return _Plan(parsed, (*fixed, *found), tuple(self._match.bonuses(parsed, steps)))
        return self._relaxed(query, parsed, steps, fixed)

    def _relaxed(
        self, query: SearchQuery, parsed: Parsed, steps: Scale, fixed: Sequence[Query]
    ) -> _Plan:
        """What the text asks for when not enough has all its words: words that nothing has
        are respelled or go first, then the most frequent ones, which say least."""
        base = [free(self._match.scope(query.scope)), *fixed]
        found = self._match.all_words(parsed, steps, lenient=False)
        often = {at: self._often(base, parsed, found, at) for at in range(len(found))}
        dead = [at for at in often if not often[at]]
        corrected = ""
        if dead and query.correct:
            better = self._respelled(base, parsed, dead)
            if better != parsed:
                parsed, corrected = better, better.whole
                found = self._match.all_words(parsed, steps, lenient=False)
                often = {at: self._often(base, parsed, found, at) for at in range(len(found))}
        order = sorted((at for at in often if often[at]), key=lambda at: (often[at], at))
        kept = len(order)
        if query.words_drop and self._count([*base, *found]) < ENOUGH:
            low, kept = 1, max(1, kept)
            while low < kept:  # the most words that still fill a page: fewer find no less
                middle = (low + kept + 1) // 2
                if self._count([*base, *(found[at] for at in order[:middle])]) >= ENOUGH:
                    low = middle
                else:
                    kept = middle - 1
        must = sorted(order[:kept]) if query.words_drop else range(len(found))
        may = [
            Query.boost_query(found[at], steps.soften(often[at], self.documents))
            for at in order[kept:]
        ]
        needed = [found[at] for at in must] or ([Query.empty_query()] if found else [])
        return _Plan(
            parsed,
            (*fixed, *needed),
            (*may, *self._match.bonuses(parsed, steps)),
            tuple(word.text for at, word in enumerate(parsed.words) if at not in must),
            corrected,
        )

    def _often(self, base: Sequence[Query], parsed: Parsed, found: Sequence[Query], at: int) -> int:
        """In how many documents a word is: as it was typed, else in any way."""
        literally = self._match.literally(parsed.words[at].text)
        return self._count([*base, literally]) or self._count([*base, found[at]])

    def _respelled(self, base: Sequence[Query], parsed: Parsed, dead: Sequence[int]) -> Parsed:
        """The query with words that nothing has put right, where a name shows how."""
        asked = list(parsed.words)
        for at in dead:
            for other in self._match.respelled(asked[at].text):
                if self._count([*base, self._match.literally(other)]):
                    asked[at] = replace(asked[at], text=other)
                    break
        return replace(parsed, words=tuple(asked))

    # Hits

    def _ordered(
        self, query: SearchQuery, needed: Sequence[Query], order: str
    ) -> tuple[list[tantivy.DocAddress], int]:
        """A page in a strict order, and the total."""
        wanted = self._wanted(query)
        result = self._searcher.search(
            self._every(needed),
            max(1, wanted),
            order_by_field=order,
            offset=query.offset if wanted else 0,
            order=tantivy.Order.Asc,
        )
        return [address for _, address in result.hits][:wanted], _total(result)

    def _ranked(
        self, query: SearchQuery, base: Sequence[Query], plan: _Plan
    ) -> tuple[list[tantivy.DocAddress], int]:
        """A page by relevance, and the total. The best hundred are put in order as one, so
        that pages never overlap."""
        wanted = self._wanted(query)
        end = query.offset + wanted
        result = self._searcher.search(
            self._every([*base, *plan.needed], plan.wanted),
            max(WINDOW, end),
            weight_by_field=shape.BOOST,
        )
        best = self._settled(result.hits[:WINDOW]) if wanted else []
        rest = [address for _, address in result.hits[WINDOW:]]
        return [*best, *rest][query.offset : end], _total(result)

    def _settled(
        self, hits: Sequence[tuple[float, tantivy.DocAddress]]
    ) -> list[tantivy.DocAddress]:
        """Hits by score, then popularity, then the shorter name; the engine's own order
        among equals is by popularity and id."""
        addresses = [address for _, address in hits]
        levels = self._searcher.fast_field_values(shape.POPULARITY, addresses)
        lengths = self._searcher.fast_field_values(shape.LENGTH, addresses)
        keys = []
        for place, (score, _) in enumerate(hits):
            level = int(levels[place] or 0)
            text = round(score / popularity_factor(level), 1)
            keys.append((-text, -level, lengths[place] or 0, place))
        return [addresses[key[-1]] for key in sorted(keys)]

    @staticmethod
    def _wanted(query: SearchQuery) -> int:
        """Hits of this page that can be reached."""
        return max(0, min(query.per_page, MAX_WINDOW - query.offset))

    def _hits(
        self, query: SearchQuery, parsed: Parsed, found: Sequence[tantivy.DocAddress]
    ) -> tuple[Hit, ...]:
        docs = [self._searcher.doc(address) for address in found]
        if not query.highlight or parsed.empty:
            return tuple(Hit(doc[shape.ID][0]) for doc in docs)
        marker = Highlighter(parsed, self._synonyms)
        return tuple(
            Hit(
                doc[shape.ID][0],
                marker.fields(shape.readable(bytes(doc[shape.SOURCE][0])), query.highlight),
            )
            for doc in docs
        )

    # Counts

    def _facets(self, query: SearchQuery, plan: _Plan) -> dict[str, tuple[FacetValue, ...]]:
        """Counts of the facets asked for: one look for all that are not filtered by, one
        for each that is."""
        groups: dict[Filter | None, list[str]] = {}
        for name in dict.fromkeys(query.facets):
            groups.setdefault(without_facet(query.filters, name), []).append(name)
        found: dict[str, tuple[FacetValue, ...]] = {}
        for filters, names in groups.items():
            key = (query.scope, query.text, query.words_drop, filters, tuple(names))
            found |= self._remembered(key, query.scope, filters, plan, names)
        return {name: found[name] for name in query.facets}

    def _remembered(
        self,
        key: object,
        scope: Sequence[str],
        filters: Filter | None,
        plan: _Plan,
        names: Sequence[str],
    ) -> dict[str, tuple[FacetValue, ...]]:
        """The counts; those of the last queries are kept, for the next page or sort."""
        with self._counts_lock:
            if key in self._counts:
                self._counts.move_to_end(key)
                return self._counts[key]
        needed = [*self._base(scope, filters), *plan.needed]
        counted = self._aggregate(needed, names, MAX_FACET_VALUES)
        with self._counts_lock:
            self._counts[key] = counted
            while len(self._counts) > _CACHED_COUNTS:
                self._counts.popitem(last=False)
        return counted

    def _aggregate(
        self, needed: Sequence[Query], names: Sequence[str], size: int
    ) -> dict[str, tuple[FacetValue, ...]]:
        shown = {"size": size, "segment_size": _FACET_CARDINALITY}
        asked = {name: {"terms": {"field": shape.filter_field(name), **shown}} for name in names}
        answer = self._searcher.aggregate(self._every(needed), asked)
        found = {}
        for name in names:
            kind = self._spec.facet(name).kind
            values = [
                FacetValue(_shown(bucket["key"], kind), int(bucket["doc_count"]))
                for bucket in answer[name]["buckets"]
            ]
            values.sort(key=lambda item: (-item.count, item.value))
            found[name] = tuple(values)
        return found

    def facet_values(
        self, query: SearchQuery, facet: str, prefix: str, limit: int
    ) -> tuple[FacetValue, ...]:
        """Values of a facet that begin so."""
        self._spec.facet(facet)
        base = self._base(query.scope, query.filters)
        plan = self._plan(query)
        if self._is_short(query, plan, self._count([*base, *plan.needed])):
            plan = self._plan(query, all_words=False)
        counted = self._aggregate([*base, *plan.needed], [facet], _FACET_CARDINALITY)[facet]
        beginning = fold(prefix)
        return tuple(item for item in counted if fold(item.value).startswith(beginning))[:limit]

    # Care

    def fingerprints(self) -> Iterator[tuple[str, str]]:
        """Each document's id and fingerprint."""
        for offset in range(0, self.documents, _SCAN):
            result = self._searcher.search(
                Query.all_query(),
                _SCAN,
                count=False,
                offset=offset,
                order_by_field=shape.POPULAR,
            )
            for _, address in result.hits:
                doc = self._searcher.doc(address)
                yield doc[shape.ID][0], bytes(doc[shape.PRINT][0]).decode()


def _total(result: tantivy.SearchResult) -> int:
    return int(result.count)  # type: ignore[attr-defined]  # its stub forgets the attribute


def _shown(key: object, kind: Kind) -> str:
    """A value as a facet shows it; whole numbers come from tantivy as 4.0."""
    if kind is Kind.INTEGER and isinstance(key, int | float):
        return str(int(key))
    return str(key)
