"""Reading JSON Lines from a file that nobody vouches for.

A line is bounded before it is read, decoded, parsed and checked; whatever is wrong with it is
told as a `Problem` with its number, and the next line is read. Nothing here raises for content.
"""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NoReturn

MAX_LINE_BYTES = 1024 * 1024
MAX_NESTING = 12
_CHUNK = 256 * 1024
_BOM = b"\xef\xbb\xbf"


@dataclass(frozen=True)
class Problem:
    """What is wrong with a line. `refused`: nothing of the line is used; otherwise the field
    is left out and the rest goes in."""

    line: int
    field: str
    reason: str
    refused: bool = True

    def __str__(self) -> str:
        verdict = "refused" if self.refused else "left out"
        where = f"line {self.line}" + (f", {self.field}" if self.field else "")
        return f"{where}: {self.reason} ({verdict})"


@dataclass(frozen=True)
class Line:
    """A line that holds a JSON object."""

    number: int
    data: dict[str, Any]


class _UnusableError(ValueError):
    """The message says why the line cannot be used."""


def read_lines(path: Path) -> Iterator[Line | Problem]:
    """Each line of the file that is not blank: the object it holds, or what is wrong with it.

    Raises OSError when the file cannot be read.
    """
    for number, raw in _raw_lines(path):
        if raw is None:
            yield Problem(number, "", f"the line is longer than {MAX_LINE_BYTES // 1024} KB")
            continue
        if number == 1:
            raw = raw.removeprefix(_BOM)
        if not raw.strip():
            continue
        try:
            yield Line(number, parse_object(raw))
        except _UnusableError as error:
            yield Problem(number, "", str(error))


def _raw_lines(path: Path) -> Iterator[tuple[int, bytes | None]]:
    """Numbered lines; None stands for one that is too long, whose bytes are never held."""
    number = 0
    with path.open("rb") as file:
        while True:
            piece = file.readline(MAX_LINE_BYTES + 2)
            if not piece:
                return
            number += 1
            if piece.endswith(b"\n") or len(piece) < MAX_LINE_BYTES + 2:
                yield number, piece.rstrip(b"\r\n")
                continue
            while piece and not piece.endswith(b"\n"):
                piece = file.readline(_CHUNK)
            yield number, None


def parse_object(raw: bytes) -> dict[str, Any]:
    """The JSON object in `raw`. Raises ValueError whose message says what is wrong."""
    try:
        text = raw.decode("utf-8")
    except UnicodeDecodeError as error:
        raise _UnusableError(f"not UTF-8 at byte {error.start + 1}") from None
    # Counted before parsing, since a parser recurses. Brackets inside strings count as well:
    # only a line with absurdly many needs the second, exact look.
    if text.count("[") + text.count("{") > MAX_NESTING and _depth(text) > MAX_NESTING:
        raise _UnusableError(f"nested deeper than {MAX_NESTING} levels")
    try:
        value = json.loads(text, parse_constant=_refuse_constant, object_pairs_hook=_unique_keys)
    except json.JSONDecodeError as error:
        raise _UnusableError(f"not JSON: {error.msg} at character {error.pos + 1}") from None
    except RecursionError:
        raise _UnusableError("nested too deeply") from None
    except _UnusableError:
        raise
    except ValueError:
        # The one other case: an integer of more digits than Python converts.
        raise _UnusableError("a number has too many digits") from None
    if not isinstance(value, dict):
        raise _UnusableError("not a JSON object")
    if "\\u" in text:
        try:
            json.dumps(value, ensure_ascii=False).encode()
        except UnicodeEncodeError:
            raise _UnusableError("holds half of a character (a lone surrogate)") from None
    return value


def _depth(text: str) -> int:
    """The deepest nesting of brackets outside of strings."""
    depth = deepest = 0
    in_string = escaped = False
    for character in text:
        if in_string:
            if escaped:
                escaped = False
            elif character == "\\":
                escaped = True
            elif character == '"':
                in_string = False
        elif character == '"':
            in_string = True
        elif character in "[{":
            depth += 1
            deepest = max(deepest, depth)
        elif character in "]}":
            depth -= 1
    return deepest


def _refuse_constant(name: str) -> NoReturn:
    raise _UnusableError(f"{name} is not JSON")


def _unique_keys(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        seen: set[str] = set()
        for key, _value in pairs:
            if key in seen:
                raise _UnusableError(f"the field {key[:60]!r} stands twice")
            seen.add(key)
    return found
