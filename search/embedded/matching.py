"""From a parsed query to tantivy queries: what must match, and what a match is worth.

Each word is a disjunction-max of constant scores, one for each field and way of finding it;
the steps between the scores are those of :class:`search.ranking.Scale`.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import tantivy  # noqa: TID251 - this folder is the one that speaks to tantivy

from search.documents import keyword
from search.embedded import shape
from search.engine import And, Eq, Filter, FilterField, In, IndexSpec, Kind, Not, Or, Range
from search.ranking import (
    MAX_JOINED,
    Option,
    Parsed,
    Scale,
    Synonyms,
    Word,
    options,
    respellings,
    spans_within,
    splits,
    typo_budget,
    typo_key,
)

Query = tantivy.Query
_MUST, _SHOULD, _NOT = tantivy.Occur.Must, tantivy.Occur.Should, tantivy.Occur.MustNot

RARE = 10
PREFIX_EVERYWHERE_FROM = 3
"""Letters from which a prefix is looked for outside names; shorter ones match nearly all."""


def any_of(queries: Sequence[Query]) -> Query:
    """A query that one of these must match; nothing if there is none."""
    if len(queries) == 1:
        return queries[0]
    return Query.disjunction_max_query(list(queries)) if queries else Query.empty_query()


def free(query: Query) -> Query:
    """The query as a condition that adds nothing to the score."""
    return Query.const_score_query(query, 0.0)


@dataclass(frozen=True, slots=True)
class Matcher:
    """Makes queries for one index as of one commit."""

    spec: IndexSpec
    schema: tantivy.Schema
    searcher: tantivy.Searcher
    synonyms: Synonyms

    # Conditions

    def scope(self, audiences: Sequence[str]) -> Query:
        """Documents that one of these audiences may see."""
        return self._term_set(shape.SCOPE, [keyword(item) for item in audiences])

    def filter(self, tree: Filter) -> Query:
        """Documents that a filter lets through. Raises :class:`UnknownFacet`."""
        match tree:
            case And(parts):
                return self._every([self.filter(part) for part in parts])
            case Or(parts):
                return any_of([self.filter(part) for part in parts])
            case Not(part):
                return Query.boolean_query([(_MUST, Query.all_query()), (_NOT, self.filter(part))])
            case Eq(name, value):
                return self._values(self.spec.filterable(name), (value,))
            case In(name, values):
                return self._values(self.spec.filterable(name), values)
            case Range():
                return self._range(tree)

    @staticmethod
    def _every(queries: Sequence[Query]) -> Query:
        if not queries:
            return Query.all_query()
        return Query.boolean_query([(_MUST, query) for query in queries])

    def _term_set(self, name: str, values: Sequence[object]) -> Query:
        if not values:
            return Query.empty_query()
        if len(values) == 1:
            return self._term(name, values[0])
        return Query.term_set_query(self.schema, name, list(values))

    def _term(self, name: str, value: object) -> Query:
        return Query.term_query(self.schema, name, value, index_option="basic")

    def _values(self, field: FilterField, values: Sequence[object]) -> Query:
        name = shape.filter_field(field.name)
        if field.kind in {Kind.KEYWORD, Kind.BOOL}:
            return self._term_set(name, [keyword(value) for value in values])
        usable: list[object] = []
        for value in values:
            number = _number(value)
            if number is None:
                continue
            if field.kind is Kind.NUMBER:
                usable.append(number)
            elif number == int(number) and abs(number) < 2**63:
                usable.append(int(number))
        return any_of([self._term(name, value) for value in usable])

    def _range(self, tree: Range) -> Query:
        field = self.spec.filterable(tree.field)
        name = shape.filter_field(field.name)
        if field.kind not in {Kind.INTEGER, Kind.NUMBER}:
            raise ValueError(f"{tree.field} is no number: it has no range")
        low, high = tree.low, tree.high
        if low is None and high is None:
            return Query.exists_query(name)
        if field.kind is Kind.INTEGER:
            limit = 2**62
            low = None if low is None else max(-limit, min(limit, -int(-low // 1)))
            high = None if high is None else max(-limit, min(limit, int(high // 1)))
            return Query.range_query(self.schema, name, tantivy.FieldType.Integer, low, high)
        return Query.range_query(
            self.schema,
            name,
            tantivy.FieldType.Float,
            None if low is None else float(low),
            None if high is None else float(high),
        )

    # Words

    def phrase(self, found: Sequence[str], *, scores: Sequence[float] | None = None) -> Query:
        """Documents in which these words stand together in a field."""
        per_field = []
        for rank, name in enumerate(self.spec.searchable):
            field = shape.words_field(name)
            query = self._sequence(field, found)
            if query is not None:
                score = scores[rank] if scores else 0.0
                per_field.append(Query.const_score_query(query, score))
        return any_of(per_field)

    def _sequence(self, field: str, found: Sequence[str], slop: int = 0) -> Query | None:
        """The words in a row; ``None`` when the field lacks one of them."""
        for word in found:
            if not self.searcher.doc_freq(field, word):
                return None
        if len(found) == 1:
            return self._term(field, found[0])
        return Query.phrase_query(self.schema, field, list(found), slop)

    def all_words(self, parsed: Parsed, scale: Scale, *, lenient: bool) -> list[Query]:
        """For each word the documents in which it is found. ``lenient`` counts a name that
        the query holds beside other words as having those too."""
        names = self._whole_names(parsed, scale, lenient=lenient)
        return [self._word(parsed, at, scale, names) for at in range(len(parsed.words))]

    def _whole_names(self, parsed: Parsed, scale: Scale, *, lenient: bool) -> list[Query]:
        """Names that count as having all words of the query: those that it holds whole, and
        long ones with a slip or a space too few."""
        glued = parsed.whole.replace(" ", "")
        found = [(query, 0) for query in self._names_within(parsed)] if lenient else []
        if len(parsed.words) > MAX_JOINED or len(parsed.words) == 1:
            if self.searcher.doc_freq(shape.FULL_JOINED, glued):
                found.append((self._term(shape.FULL_JOINED, glued), 0))
            if len(parsed.words) > 1 and typo_budget(glued):
                found.append((self._same(glued, typo_budget(glued)), 1))
        return [Query.const_score_query(query, scale.of(0, typos)) for query, typos in found]

    def _names_within(self, parsed: Parsed) -> list[Query]:
        """Documents whose name stands in the query beside other words: "connect to HubSpot
        CRM". A name of one word counts if it is rare enough to be meant as a name."""
        texts = [word.text for word in parsed.words]
        found = []
        for start, end in spans_within(len(texts)):
            glued = "".join(texts[start:end])
            if not self.searcher.doc_freq(shape.FULL_JOINED, glued):
                continue
            if end - start > 1 or self.frequency(glued) <= self.rare:
                found.append(glued)
        return [self._term_set(shape.FULL_JOINED, found)] if found else []

    def frequency(self, word: str) -> int:
        """About how many documents have exactly this word."""
        return max(
            self.searcher.doc_freq(shape.words_field(name), word) for name in self.spec.searchable
        )

    @property
    def rare(self) -> int:
        """A word that not more documents have than this tells them from the others."""
        return max(RARE, int(self.searcher.num_docs) // 100)

    def literally(self, word: str) -> Query:
        """Documents that have exactly this word."""
        return any_of([
            self._term(field, word)
            for field in (*map(shape.words_field, self.spec.searchable), shape.JOINED)
            if self.searcher.doc_freq(field, word)
        ])  # fmt: skip

    def respelled(self, word: str) -> list[str]:
        """Words of names that this one may have been meant to be, the likeliest first."""
        fields = (*map(shape.words_field, self.spec.names), shape.JOINED, shape.FULL_JOINED)
        known = []
        for other in respellings(word):
            often = [self.searcher.doc_freq(field, other) for field in fields]
            if any(often):
                known.append((-often[-1], -max(often), other))
        return [item[-1] for item in sorted(known)]

    def _same(self, glued: str, budget: int) -> Query:
        """Documents with a name that is this, but for a typo or two."""
        key = typo_key(glued)
        return Query.fuzzy_term_query(self.schema, shape.FULL_TYPO, key, budget, True, False)

    def _word(self, parsed: Parsed, at: int, scale: Scale, names: Sequence[Query]) -> Query:
        word = parsed.words[at]
        found: list[Query] = list(names)

        def add(query: Query, rank: int, typos: int, *, exact: bool = False) -> None:
            found.append(Query.const_score_query(query, scale.of(rank, typos, exact=exact)))

        for option in options(parsed, at, self.synonyms):
            self._exactly(option, add)
            if option.open and len(option.words) == 1:
                self._beginning(option.words[0], add, joined=not option.exact)
            if option.fuzzy:
                self._fuzzily(option, scale, found, names_only=not option.exact)
        self._split(word, add)
        return any_of(found)

    def _exactly(self, option: Option, add: Callable[..., None]) -> None:
        for rank, name in enumerate(self.spec.searchable):
            query = self._sequence(shape.words_field(name), option.words)
            if query is not None:
                add(query, rank, option.typos, exact=option.exact)
        if len(option.words) == 1 and self.searcher.doc_freq(shape.JOINED, option.words[0]):
            add(self._term(shape.JOINED, option.words[0]), 0, option.typos)

    def _beginning(self, word: str, add: Callable[..., None], *, joined: bool) -> None:
        everywhere = len(word) >= PREFIX_EVERYWHERE_FROM
        fields = [
            (rank, shape.words_field(name))
            for rank, name in enumerate(self.spec.searchable)
            if everywhere or name in self.spec.names
        ]
        if everywhere:
            fields.append((0, shape.JOINED))
        for rank, field in fields:
            # Words written as one mostly begin nothing: looking is cheaper than asking.
            if not joined or self.searcher.terms_with_prefix(field, word, limit=1):
                add(self._prefix(field, word), rank, 0)

    def _prefix(self, field: str, beginning: str) -> Query:
        return Query.fuzzy_term_query(self.schema, field, beginning, 0, True, True)

    def _fuzzily(
        self, option: Option, scale: Scale, found: list[Query], *, names_only: bool
    ) -> None:
        key = typo_key(option.words[0])
        classes = (0,) if names_only else range(shape.TYPO_CLASSES)
        for number in classes:
            rank = self._class_rank(number)
            if rank is None:
                continue
            for typos in range(1, option.fuzzy + 1):
                query = Query.fuzzy_term_query(
                    self.schema, shape.typo_field(number), key, typos, True, option.open
                )
                found.append(Query.const_score_query(query, scale.of(rank, typos)))

    def _class_rank(self, number: int) -> int | None:
        """The rank of the heaviest field of a class; ``None`` for a class without fields."""
        for rank, name in enumerate(self.spec.searchable):
            if shape.typo_class(self.spec, name) == number:
                return rank
        return None

    def _split(self, word: Word, add: Callable[..., None]) -> None:
        """A word that is two in some field: the split whose rarer half is most frequent."""
        for rank, name in enumerate(self.spec.searchable):
            field = shape.words_field(name)
            best, often = None, 0
            for left, right in splits(word.text):
                frequency = self.searcher.doc_freq(field, left)
                if frequency > often:
                    frequency = min(frequency, self.searcher.doc_freq(field, right))
                if frequency > often:
                    best, often = (left, right), frequency
            if best:
                add(Query.phrase_query(self.schema, field, list(best)), rank, 1)

    def bonuses(self, parsed: Parsed, scale: Scale) -> list[Query]:
        """What a match of the query as a whole adds: a name that is it, or begins with it,
        or is one typo away; words that stand together."""
        found: list[Query] = []
        whole = parsed.whole
        if not whole:
            return found
        glued = whole.replace(" ", "")
        names = []
        for rank, name in enumerate(self.spec.names):
            field = shape.full_field(name)
            names += [
                Query.const_score_query(self._term(field, whole), scale.name - rank),
                Query.const_score_query(self._prefix(field, f"{whole} "), scale.begins - rank),
                Query.const_score_query(self._prefix(field, whole), scale.begins - 4 - rank),
            ]
        joined = shape.FULL_JOINED
        names.append(Query.const_score_query(self._term(joined, glued), scale.name - 4))
        names.append(Query.const_score_query(self._prefix(joined, glued), scale.begins - 8))
        budget = typo_budget(glued)
        if budget:
            names.append(Query.const_score_query(self._same(glued, budget), scale.same))
        found.append(any_of(names))
        together = [word.text for word in parsed.words if not word.signs]
        if len(together) > 1:
            near = []
            for rank, name in enumerate(self.spec.searchable):
                query = self._sequence(shape.words_field(name), together, slop=1)
                if query is not None:
                    near.append(Query.const_score_query(query, scale.near - rank / 100))
            if near:
                found.append(any_of(near))
        return found


def _number(value: object) -> float | None:
    """A filter's value as a number; ``None`` if it is none."""
    try:
        number = float(value)  # type: ignore[arg-type]  # anything a query string may hold
    except (TypeError, ValueError):
        return None
    return number if number == number and abs(number) != float("inf") else None
