"""Answering a query with the fewest requests: one, and two or three more when too little
has all the words."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from search.engine import (
    MAX_WINDOW,
    RELEVANCE,
    FacetValue,
    Hit,
    IndexSpec,
    Kind,
    SearchPage,
    SearchQuery,
)
from search.highlight import Highlighter
from search.meili import asking, layout
from search.meili.transport import Transport
from search.ranking import Parsed, Synonyms, Word, parse, respellings
from search.text import fold

ENOUGH = 10
"""Hits that fill a page: with fewer, words of the query drop."""

_MAX_RESPELLINGS = 300
_FACET_PAGE = 100


class Answering:
    """Answers queries to one index of the server."""

    def __init__(self, transport: Transport, spec: IndexSpec, groups: Sequence[Any]) -> None:
        self._transport = transport
        self._spec = spec
        self._uid = spec.name
        self._synonyms = Synonyms(groups)

    def search(self, query: SearchQuery) -> SearchPage:
        """The page. Raises what :class:`Transport` raises, and the callers' mistakes."""
        parsed = parse(layout.visible(query.text))
        self._spec.sort(query.sort)
        wanted = max(0, min(query.per_page, MAX_WINDOW - query.offset))
        groups = asking.groups(self._spec, query)
        searches = self._page(query, parsed, groups, wanted)
        several = len(parsed.words) > 1
        watched = query.filters is not None and (several or query.correct)
        if watched and parsed.words:
            searches.append(self._total(query, asking.spelled(parsed)))
        answers = self._ask(searches)
        dropped: tuple[str, ...] = ()
        corrected = ""
        everything = answers[-1] if watched and parsed.words else answers[0]
        total = int(everything["totalHits"])
        if parsed.words and self._is_short(query, total, several):
            better, dropped, corrected = self._relaxed(query, parsed)
            if better is not None:
                parsed = better
                strategy = asking.FREQUENCY if query.words_drop else asking.ALL
                again = self._page(query, parsed, groups, wanted)
                answers = self._ask([item | {"matchingStrategy": strategy} for item in again])
        found = _named_first(query, parsed, answers[0]["hits"][:wanted])
        return SearchPage(
            hits=self._hits(query, parsed, found),
            total=int(answers[0]["totalHits"]),
            page=query.page,
            per_page=query.per_page,
            facets=self._counts(query, groups.values(), answers),
            dropped=dropped,
            corrected=corrected,
        )

    @staticmethod
    def _is_short(query: SearchQuery, total: int, several: bool) -> bool:
        if several and query.words_drop:
            return total < ENOUGH
        return query.correct and not total

    def _ask(self, searches: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
        answer = self._transport.ask("multi-search", {"queries": list(searches)})
        found: list[dict[str, Any]] = answer["results"]
        return found

    def _page(
        self, query: SearchQuery, parsed: Parsed, groups: Mapping[Any, list[str]], wanted: int
    ) -> list[dict[str, Any]]:
        """The hits with the facets that are counted under the whole filter, then a search
        for each facet that is counted under another."""
        text = asking.spelled(parsed)
        searches = []
        for number, (tree, names) in enumerate(groups.items()):
            more: dict[str, Any] = {"facets": [layout.filter_field(name) for name in names]}
            if number == 0 and wanted:
                more |= {"page": query.page, "hitsPerPage": query.per_page}
                more["sort"] = asking.order(self._spec, query)
                more["attributesToRetrieve"] = [layout.ID, layout.WHOLE]
                if query.highlight:
                    more["attributesToRetrieve"] += [layout.SOURCE]
            conditions = asking.conditions(self._spec, query, tree)
            searches.append(asking.search(self._spec, self._uid, text, conditions, **more))
        return searches

    def _total(self, query: SearchQuery, text: str, **more: Any) -> dict[str, Any]:
        """A search for how many documents of the scope match, whatever the filter."""
        conditions = asking.conditions(self._spec, query, None)
        return asking.search(self._spec, self._uid, text, conditions, **more)

    # When too little has all the words

    def _relaxed(
        self, query: SearchQuery, parsed: Parsed
    ) -> tuple[Parsed | None, tuple[str, ...], str]:
        """The query without words that nothing has, or with them put right; the words that
        need not be found; the text that is searched for instead. ``None`` for a query that
        cannot be helped."""
        often = self._often(query, parsed, parsed.words)
        asked = list(parsed.words)
        corrected = ""
        if query.correct and not all(often):
            for at, count in enumerate(often):
                better = None if count else self._respelled(query, asked[at].text)
                if better:
                    asked[at] = replace(asked[at], text=better)
            if tuple(asked) != parsed.words:
                parsed = replace(parsed, words=tuple(asked))
                corrected = parsed.whole
                often = self._often(query, parsed, parsed.words)
                if query.words_drop and int(self._whole(query, parsed)) >= ENOUGH:
                    return parsed, (), corrected
        alive = [word for word, count in zip(asked, often, strict=True) if count]
        if not query.words_drop or not alive:
            return (parsed if corrected else None), (), corrected
        rarest = min(range(len(asked)), key=lambda at: (often[at] or float("inf"), at))
        dropped = tuple(word.text for at, word in enumerate(asked) if at != rarest)
        return replace(parsed, words=tuple(alive)), dropped, corrected

    def _whole(self, query: SearchQuery, parsed: Parsed) -> int:
        return int(self._ask([self._total(query, asking.spelled(parsed))])[0]["totalHits"])

    def _often(self, query: SearchQuery, parsed: Parsed, words: Sequence[Word]) -> list[int]:
        """In how many documents each word is."""
        searches = [self._total(query, asking.spelled(parsed, [word])) for word in words]
        return [int(answer["totalHits"]) for answer in self._ask(searches)]

    def _respelled(self, query: SearchQuery, word: str) -> str | None:
        """A word of a name that this one may have been meant to be."""
        others = respellings(word)[:_MAX_RESPELLINGS]
        if not others:
            return None
        names = [layout.words_field(name) for name in self._spec.names]
        searches = [
            self._total(query, f'"{other}"', attributesToSearchOn=[*names, layout.JOINED])
            for other in others
        ]
        totals = [int(answer["totalHits"]) for answer in self._ask(searches)]
        best = max(range(len(others)), key=lambda at: (totals[at], -at))
        return others[best] if totals[best] else None

    # What comes back

    def _hits(
        self, query: SearchQuery, parsed: Parsed, found: Sequence[Mapping[str, Any]]
    ) -> tuple[Hit, ...]:
        if not query.highlight or parsed.empty:
            return tuple(Hit(str(hit[layout.ID])) for hit in found)
        marker = Highlighter(parsed, self._synonyms)
        return tuple(
            Hit(
                str(hit[layout.ID]),
                marker.fields(json.loads(hit[layout.SOURCE]), query.highlight),
            )
            for hit in found
        )

    def _counts(
        self,
        query: SearchQuery,
        groups: Any,
        answers: Sequence[Mapping[str, Any]],
    ) -> dict[str, tuple[FacetValue, ...]]:
        found: dict[str, tuple[FacetValue, ...]] = {}
        for names, answer in zip(groups, answers, strict=False):
            counted = answer.get("facetDistribution") or {}
            for name in names:
                kind = self._spec.facet(name).kind
                values = counted.get(layout.filter_field(name), {}).items()
                found[name] = _sorted(
                    FacetValue(_shown(value, kind), int(count)) for value, count in values
                )
        return {name: found[name] for name in query.facets}

    def facet_values(
        self, query: SearchQuery, facet: str, prefix: str, limit: int
    ) -> tuple[FacetValue, ...]:
        """Values of a facet that begin so, counted among what the query matches."""
        self._spec.facet(facet)
        counted = replace(query, facets=(facet,), filters=None, per_page=0, highlight=())
        text = asking.spelled(parse(layout.visible(query.text)))
        beginning = fold(layout.visible(prefix))
        conditions = asking.conditions(self._spec, query, query.filters)
        body: dict[str, Any] = {
            "facetName": layout.filter_field(facet),
            "q": text,
            "filter": conditions,
            "matchingStrategy": asking.ALL,
            "exhaustiveFacetCount": True,
        }
        if beginning:
            body["facetQuery"] = layout.visible(prefix)
            answer = self._transport.ask(f"indexes/{self._uid}/facet-search", body)
            values = [FacetValue(hit["value"], int(hit["count"])) for hit in answer["facetHits"]]
        else:
            page = asking.groups(self._spec, counted)
            searches = self._page(counted, parse(layout.visible(query.text)), page, 0)
            for item in searches:
                item["filter"] = conditions
            values = list(self._counts(counted, page.values(), self._ask(searches))[facet])
        return _sorted(item for item in values if fold(item.value).startswith(beginning))[:limit]


def _named_first(
    query: SearchQuery, parsed: Parsed, found: Sequence[Mapping[str, Any]]
) -> list[Mapping[str, Any]]:
    """The first page with names that are the query at its head, then names that begin with
    it. The server does this for words alone; it knows nothing of names written as one."""
    asked = parsed.whole.replace(" ", "")
    if query.page > 1 or query.sort != RELEVANCE or not asked:
        return list(found)

    def tier(hit: Mapping[str, Any]) -> int:
        names = hit.get(layout.WHOLE) or ()
        if asked in names:
            return 0
        return 1 if any(name.startswith(asked) for name in names) else 2

    return sorted(found, key=tier)


def _sorted(values: Any) -> tuple[FacetValue, ...]:
    return tuple(sorted(values, key=lambda item: (-item.count, item.value)))


def _shown(value: str, kind: Kind) -> str:
    """A value as a facet shows it; the server writes whole numbers as 4.0 or 4."""
    return str(int(float(value))) if kind is Kind.INTEGER else value
