"""Words: how text is folded and cut, the same for documents and for queries, on both engines.

Pure and fast: every word of every document passes through here.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator
from functools import lru_cache

# Letters that Unicode does not take apart, and signs that are no part of a word.
_LETTERS = str.maketrans(
    {
        "ø": "o",
        "Ø": "O",
        "ł": "l",
        "Ł": "L",
        "đ": "d",
        "Đ": "D",
        "ð": "d",
        "þ": "th",
        "æ": "ae",
        "Æ": "AE",
        "œ": "oe",
        "Œ": "OE",
        "ı": "i",
        "’": "'",
        "‘": "'",
        "™": " ",
        "®": " ",
        "©": " ",
        "℠": " ",
    }
)
_LATIN_MARKS = re.compile("[\u0300-\u036f]+")  # marks of other scripts carry meaning: kept
_APOSTROPHE = re.compile(r"(?<=\w)'(?=\w)")

# Scripts written without spaces: each sign is a word, a run of them is a phrase.
SIGN = "\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\u0e00-\u0e7f"
_IS_SIGN = re.compile(f"[{SIGN}]")

# "c++" and "notepad++", "c#" and "f#", a sign, or letters, digits and the marks that follow.
_WORD = re.compile(
    rf"[{SIGN}]"
    rf"|[^\W_{SIGN}]+\+\+(?![^\W_])"
    rf"|(?<![^\W_])[a-z]\#(?![^\W_])"
    rf"|[^\W_{SIGN}](?:[^\W_{SIGN}]|[\u0591-\u05c7\u064b-\u065f\u0900-\u0dff])*"
)
# The same for plain ASCII, which nearly all text is, three times as fast.
_ASCII = re.compile("[a-z0-9]+")
_ASCII_SIGNED = re.compile(r"[a-z0-9]+\+\+(?![a-z0-9])|(?<![a-z0-9])[a-z]\#(?![a-z0-9])|[a-z0-9]+")
# The same on text as people wrote it, where accents and apostrophes are still there.
_RAW_WORD = re.compile(
    rf"[{SIGN}]"
    rf"|[^\W_{SIGN}]+\+\+(?![^\W_])"
    rf"|(?<![^\W_])[A-Za-z]\#(?![^\W_])"
    rf"|[^\W_{SIGN}]"
    rf"(?:[^\W_{SIGN}]|[\u0300-\u036f\u0591-\u05c7\u064b-\u065f\u0900-\u0dff]|['’‘](?=[^\W_{SIGN}]))*"
)

MAX_WORD = 60
"""Letters of a word that count; longer ones are keys and URLs, cut so as to stay cheap."""


def fold(text: str) -> str:
    """Lower case, without accents, with typographic variants made plain.

    >>> fold("Café Ørsted™ ﬁne")
    'cafe orsted  fine'
    """
    if text.isascii():
        text = text.lower()
    else:
        text = text.translate(_LETTERS)
        text = _LATIN_MARKS.sub("", unicodedata.normalize("NFKD", text))
        # Lower case may bring a mark back (the dotted capital I), so it is folded out again.
        text = _LATIN_MARKS.sub("", text.casefold())
        text = unicodedata.normalize("NFC", text)
    if "'" in text:
        text = _APOSTROPHE.sub("", text)
    return text


def words(text: str) -> list[str]:
    """The folded words of a text, in order.

    >>> words("Node.js, C++ & C#: Africa's 東京")
    ['node', 'js', 'c++', 'c#', 'africas', '東', '京']
    """
    folded = fold(text)
    if not folded.isascii():
        found = _WORD.findall(folded)
    elif "+" in folded or "#" in folded:
        found = _ASCII_SIGNED.findall(folded)
    else:
        found = _ASCII.findall(folded)
    if found and max(map(len, found)) > MAX_WORD:
        return [word[:MAX_WORD] for word in found]
    return found


def is_sign(word: str) -> bool:
    """Whether the word is one sign of a script without spaces."""
    return len(word) == 1 and _IS_SIGN.match(word) is not None


@lru_cache(maxsize=20_000)
def _words_of_one(raw: str) -> tuple[str, ...]:
    return tuple(words(raw))


def located(text: str) -> Iterator[tuple[int, int, tuple[str, ...]]]:
    """Each word of a text as written: its start, its end, and what it folds to.

    Mostly that is one word; ``½`` for instance folds to two.
    """
    for match in _RAW_WORD.finditer(text):
        folded = _words_of_one(match.group())
        if folded:
            yield match.start(), match.end(), folded
