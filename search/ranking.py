"""What both engines must agree on: the grammar of a query, typos, joined names, the order.

Pure: words in, values out. The order that is aimed at, from the heaviest to the lightest:

1. a name that is the query, then names that begin with it;
2. more words of the query found;
3. fewer typos;
4. the words standing together, in the order of the query;
5. a heavier field (the order of ``IndexSpec.searchable``), a whole word over a prefix;
6. popularity, then the shorter name, then the id.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import lru_cache

from search.engine import MAX_TEXT, MAX_WORDS
from search.text import is_sign, words

ONE_TYPO_FROM = 5
TWO_TYPOS_FROM = 9
MAX_JOINED = 4
"""Words of a name or a query that are also looked for written as one."""

_PART = re.compile(r'(?:(?<=\s)|^)(-?)["“”„«]([^"“”„«»]*)["“”»]|(?:(?<=\s)|^)-(?=[\w#])(\S+)')


@dataclass(frozen=True, slots=True)
class Word:
    """A word of a query. ``open`` is the last one, still being typed: it may be a prefix.

    ``signs`` is set for a run of signs of a script without spaces: they match as a phrase.
    """

    text: str
    open: bool = False
    signs: tuple[str, ...] = ()

    @property
    def budget(self) -> int:
        """The typos that may be in it."""
        return 0 if self.signs else typo_budget(self.text)


@dataclass(frozen=True, slots=True)
class Parsed:
    """A query taken apart. ``whole`` is what a name is compared with."""

    words: tuple[Word, ...] = ()
    phrases: tuple[tuple[str, ...], ...] = ()
    excluded: tuple[tuple[str, ...], ...] = ()

    @property
    def whole(self) -> str:
        """The plain words (or the one phrase) with a space between, as a name is folded."""
        if not self.words and len(self.phrases) == 1:
            return " ".join(self.phrases[0])
        return " ".join(" ".join(word.signs) or word.text for word in self.words)

    @property
    def empty(self) -> bool:
        """Whether nothing is asked for, which lists everything."""
        return not (self.words or self.phrases or self.excluded)


def parse(text: str) -> Parsed:
    """Take a query apart: ``"a phrase"``, ``-word``, ``-"a phrase"``, plain words.

    Anything is a query: what is no word is ignored, and so is all beyond the limits of
    :mod:`search.engine`.
    """
    text = text[:MAX_TEXT]
    phrases: list[tuple[str, ...]] = []
    excluded: list[tuple[str, ...]] = []

    def take(match: re.Match[str]) -> str:
        minus, quoted, bare = match.groups()
        found = tuple(words(quoted if bare is None else bare))[:MAX_WORDS]
        if found:
            (excluded if minus or bare is not None else phrases).append(found)
        return " "

    rest = _PART.sub(take, text)
    plain = _plain_words(rest)[:MAX_WORDS]
    if plain and rest.rstrip() and not plain[-1].signs and text.rstrip()[-1:] not in '"”»':
        plain[-1] = Word(plain[-1].text, open=True)
    return Parsed(tuple(plain), tuple(phrases[:MAX_WORDS]), tuple(excluded[:MAX_WORDS]))


def _plain_words(text: str) -> list[Word]:
    """The words; a run of signs becomes one word that matches as a phrase."""
    found: list[Word] = []
    for chunk in text.split():
        run: list[str] = []
        for word in words(chunk):
            if is_sign(word):
                run.append(word)
                continue
            if run:
                found.append(Word("".join(run), signs=tuple(run)))
                run = []
            found.append(Word(word))
        if run:
            found.append(Word("".join(run), signs=tuple(run)))
    return found


def typo_budget(word: str) -> int:
    """How many typos a word may hold: one from 5 letters, two from 9, none in numbers.

    >>> [typo_budget(word) for word in ("jira", "slack", "snowflake", "2024", "c++")]
    [0, 1, 2, 0, 0]
    """
    if len(word) < ONE_TYPO_FROM or not any(sign.isalpha() for sign in word):
        return 0
    return 1 if len(word) < TWO_TYPOS_FROM else 2


def typo_key(word: str) -> str:
    """The form in which words are compared when typos are allowed.

    The first letter stands twice, so that a plain edit distance counts a slip there as
    two; a digit stands three times, so that no budget pays for another number.

    >>> typo_key("slack"), typo_key("pdf4me")
    ('sslack', 'ppdf444me')
    """
    if word.isalpha():
        return word[:1] + word
    head = word[:1] if word[:1].isalpha() else ""
    return head + "".join(sign * 3 if sign.isdigit() else sign for sign in word)


def distance(asked: str, found: str, limit: int, *, prefix: bool = False) -> int:
    """Edits (a swap of neighbours is one) between two words as :func:`typo_key` gives them.

    With ``prefix``, the least distance to any beginning of ``found``. More than ``limit``
    answers ``limit + 1``.
    """
    if asked == found or (prefix and found.startswith(asked)):
        return 0
    if len(asked) - len(found) > limit or (not prefix and len(found) - len(asked) > limit):
        return limit + 1
    if prefix:
        found = found[: len(asked) + limit]
    previous: list[int] = []
    current = list(range(len(found) + 1))
    for row, letter in enumerate(asked, 1):
        before, previous, current = previous, current, [row]
        for column, other in enumerate(found, 1):
            cost = min(
                previous[column] + 1,
                current[column - 1] + 1,
                previous[column - 1] + (letter != other),
            )
            if (
                row > 1
                and column > 1
                and letter == found[column - 2]
                and asked[row - 2] == other
                and letter != other
            ):
                cost = min(cost, before[column - 2] + 1)
            current.append(cost)
        if min(current) > limit:
            return limit + 1
    return min(min(current) if prefix else current[-1], limit + 1)


class Synonyms:
    """An operator's table: groups of words or phrases that mean the same."""

    def __init__(self, groups: Iterable[Sequence[str]] = ()) -> None:
        self._others: dict[tuple[str, ...], list[tuple[str, ...]]] = {}
        self.groups = tuple(tuple(group) for group in groups)
        self.longest = 0
        for group in self.groups:
            members = list(dict.fromkeys(key for item in group if (key := tuple(words(item)))))
            for member in members:
                self.longest = max(self.longest, len(member))
                others = self._others.setdefault(member, [])
                others += [other for other in members if other != member and other not in others]

    def of(self, asked: tuple[str, ...]) -> tuple[tuple[str, ...], ...]:
        """What else these words may be called."""
        return tuple(self._others.get(asked, ()))


@dataclass(frozen=True, slots=True)
class Option:
    """One way in which a word of the query may be found.

    ``words`` stand together in a field (one word: anywhere in it). ``typos`` is what
    choosing this way costs; ``fuzzy`` how many more typos may be in it. ``exact`` is for the
    word as it was typed.
    """

    words: tuple[str, ...]
    typos: int = 0
    exact: bool = False
    open: bool = False
    fuzzy: int = 0


def options(parsed: Parsed, at: int, synonyms: Synonyms) -> tuple[Option, ...]:
    """All ways in which the word at this place may be found; the first is the word itself."""
    asked = parsed.words
    word = asked[at]
    if word.signs:
        found = [Option(word.signs, exact=True)]
    else:
        found = [Option((word.text,), exact=True, open=word.open, fuzzy=word.budget)]
    for start in range(max(0, at - MAX_JOINED + 1), at + 1):
        for end in range(max(at, start + 1) + 1, min(len(asked), start + MAX_JOINED) + 1):
            joined = "".join(item.text for item in asked[start:end])
            # Only the whole query may hold a typo as well: that is a name, badly spaced.
            fuzzy = typo_budget(joined) if (start, end) == (0, len(asked)) else 0
            found.append(Option((joined,), open=asked[end - 1].open, fuzzy=min(fuzzy, 1)))
    for start in range(max(0, at - synonyms.longest + 1), at + 1):
        for end in range(at + 1, min(len(asked), start + synonyms.longest) + 1):
            key = tuple(item.text for item in asked[start:end])
            found += [Option(other) for other in synonyms.of(key)]
    return tuple(found)


def splits(word: str) -> tuple[tuple[str, str], ...]:
    """The ways to read a word as two, each of two letters or more."""
    if len(word) < 4 or not word.isalnum():
        return ()
    return tuple((word[:at], word[at:]) for at in range(2, len(word) - 1))


_LETTERS, _DIGITS = "abcdefghijklmnopqrstuvwxyz", "0123456789"


def respellings(word: str) -> tuple[str, ...]:
    """What a word may have been meant to be, beyond what its budget of typos finds.

    One edit anywhere in a word too short for a budget; for a longer one a slip at its
    first letter, which the budget does not forgive. Two letters are too few to guess from.
    """
    if len(word) < 3 or not word.isalnum() or not word.isascii() or word.isdigit():
        return ()
    places = range(len(word) if typo_budget(word) == 0 else 1)
    letters = _LETTERS if word.isalpha() else _LETTERS + _DIGITS
    found: dict[str, None] = {}
    # The likeliest slips first: an engine may not look at all of them.
    for at in places:
        if at + 1 < len(word):
            found[word[:at] + word[at + 1] + word[at] + word[at + 2 :]] = None
        found[word[:at] + word[at + 1 :]] = None
    for at in places:
        found |= {word[:at] + letter + word[at:]: None for letter in letters}
        found |= {word[:at] + letter + word[at + 1 :]: None for letter in letters}
    if len(places) > 1:
        found |= {word + letter: None for letter in letters}
    found.pop(word, None)
    return tuple(item for item in found if len(item) > 2)


def spans_within(count: int) -> tuple[tuple[int, int], ...]:
    """The stretches of neighbouring words of a query that may be a name within it."""
    return tuple(
        (start, end)
        for start in range(count)
        for end in range(start + 1, min(count, start + MAX_JOINED + 1) + 1)
        if end - start < count
    )


def joined_forms(name: Sequence[str]) -> tuple[str, ...]:
    """Neighbouring words of a name written as one: ``node js`` gives ``nodejs``."""
    return tuple(
        dict.fromkeys(
            "".join(name[start:end])
            for start in range(len(name))
            for end in range(start + 2, min(len(name), start + MAX_JOINED) + 1)
        )
    )


@dataclass(frozen=True, slots=True)
class Scale:
    """What each rule is worth for a query, so that a heavier rule is never outweighed.

    ``attribute`` is one step of field weight, of which a word has ``2 * fields``;
    ``near`` is for words that stand together, ``same`` for a whole name within a typo,
    ``typo`` for each typo that is not there, ``word`` for a word found at all, ``begins``
    and ``name`` for names that begin with or are the query.
    """

    fields: int
    near: float
    same: float
    typo: float
    word: float
    begins: float
    name: float

    def of(self, rank: int, typos: int, *, exact: bool = False) -> float:
        """What a word is worth that was found in the field of this rank (0 the heaviest)."""
        attribute = 2 * (self.fields - rank) + (1 if exact else 0)
        return self.word + (2 - typos) * self.typo + attribute

    def soften(self, often: int, documents: int) -> float:
        """The share of its worth that a dropped word keeps, found ``often`` in so many
        documents: about a step of field weight, and less the more frequent it is."""
        rare = math.log(documents / often) / math.log(documents) if documents > often else 0.0
        return rare * 4 * (self.fields + 1) / self.of(0, 0)


@lru_cache(maxsize=64)
def scale(count: int, fields: int) -> Scale:
    """The scale for a query of so many words over so many fields."""
    count = max(1, count)
    attributes = count * (2 * fields + 2)
    near = attributes + 1.0 if count > 1 else 0.0
    same = attributes + near + 1.0
    typo = attributes + near + same + 1.0
    word = count * (2 * typo + 2 * fields + 2) + 1.0 if count > 1 else 0.0
    top = count * (word + 2 * typo) + attributes + near + same
    return Scale(fields, near, same, typo, word, begins=top / 2 + 1, name=2 * top)


POPULARITY_LEVELS = 31
_POPULARITY_STEP = 4e-6
"""So small that 31 of them move no score past one step of :class:`Scale`."""


def popularity_level(value: object) -> int:
    """A document's popularity bucket as it enters the score: 0 to 31."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return 0
    return int(min(max(value, 0), POPULARITY_LEVELS))


def popularity_factor(level: int) -> float:
    """What the score is multiplied with: a hair above 1, so that equal texts part."""
    return 1.0 + _POPULARITY_STEP * level
