"""Where the words of a query stand in a text: spans, never HTML. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from search.engine import Highlight
from search.ranking import Parsed, Synonyms, distance, options, splits, typo_key
from search.text import located

MAX_SHOWN = 240
"""Characters of a text that are shown; a longer one is cut around its first match."""

_LEAD = 60
_MAX_LOOKED_AT = 20_000


class Highlighter:
    """Marks the matches of one query in any number of texts."""

    def __init__(self, parsed: Parsed, synonyms: Synonyms) -> None:
        self._rows: set[tuple[str, ...]] = set(parsed.phrases)
        self._open: list[str] = []
        self._fuzzy: list[tuple[str, frozenset[str], int, bool]] = []
        self._known: dict[str, bool] = {}
        for at in range(len(parsed.words)):
            for option in options(parsed, at, synonyms):
                self._rows.add(option.words)
                if option.open and len(option.words) == 1:
                    self._open.append(option.words[0])
                if option.fuzzy and option.exact:
                    key = typo_key(option.words[0])
                    self._fuzzy.append((key, frozenset(key), option.fuzzy, option.open))
            self._rows.update(splits(parsed.words[at].text))
        self._longest = max(map(len, self._rows), default=0)
        # Nearly no word of a text begins a row or could be a slip: those are passed over.
        self._starts = {row[0] for row in self._rows if len(row) > 1}

    def fields(self, source: Mapping[str, Any], names: Iterable[str]) -> dict[str, Highlight]:
        """The highlights of those fields that have a match."""
        found: dict[str, Highlight] = {}
        for name in names:
            value = source.get(name)
            many = value if isinstance(value, list) else [value]
            for text in many:
                if not isinstance(text, str):
                    continue
                spans = self.spans(text)
                if spans:
                    found[name] = cut(text, spans)
                    break
        return found

    def spans(self, text: str) -> tuple[tuple[int, int], ...]:
        """The matches in a text: ``(start, end)``, in order, not touching."""
        placed = [
            (start, end, word)
            for start, end, folded in located(text[:_MAX_LOOKED_AT])
            for word in folded
        ]
        spans: list[tuple[int, int]] = []
        for at, (start, end, word) in enumerate(placed):
            if self._matches(word):
                spans.append((start, end))
            if word not in self._starts:
                continue
            for length in range(2, self._longest + 1):
                row = placed[at : at + length]
                if tuple(item[2] for item in row) in self._rows:
                    spans.append((start, row[-1][1]))
        return merged(spans)

    def _matches(self, word: str) -> bool:
        known = self._known.get(word)
        if known is None:
            known = self._known[word] = self._compare(word)
        return known

    def _compare(self, word: str) -> bool:
        if (word,) in self._rows or any(word.startswith(part) for part in self._open):
            return True
        key = typo_key(word)
        return any(
            len(letters.difference(key)) <= budget
            and distance(asked, key, budget, prefix=prefix) <= budget
            for asked, letters, budget, prefix in self._fuzzy
        )


def merged(spans: Sequence[tuple[int, int]]) -> tuple[tuple[int, int], ...]:
    """Spans in order, those that overlap or touch made one."""
    found: list[tuple[int, int]] = []
    for start, end in sorted(spans):
        if found and start <= found[-1][1]:
            found[-1] = (found[-1][0], max(end, found[-1][1]))
        else:
            found.append((start, end))
    return tuple(found)


def cut(text: str, spans: tuple[tuple[int, int], ...]) -> Highlight:
    """The text with its spans; a long one cut at spaces around the first match."""
    if len(text) <= MAX_SHOWN:
        return Highlight(text, spans)
    start = max(0, min(spans[0][0] - _LEAD, len(text) - MAX_SHOWN))
    if start:
        space = text.find(" ", start, spans[0][0])
        start = space + 1 if space >= 0 else start
    end = min(len(text), start + MAX_SHOWN)
    if end < len(text):
        space = text.rfind(" ", start, end)
        end = space if space > spans[0][0] else end
    inside = [(a - start, min(b, end) - start) for a, b in spans if start <= a < end]
    return Highlight(text[start:end], tuple(inside), start > 0, end < len(text))
