"""Whatever a line holds, it is told and the next one is read."""

import json
from pathlib import Path

import pytest

from marketplace.catalogue.exchange.lines import MAX_LINE_BYTES, Line, Problem, read_lines

CASES = [
    (b"\xff\xfe{}", "not UTF-8 at byte 1"),
    (b"{", "not JSON"),
    (b"[1, 2]", "not a JSON object"),
    (b'"text"', "not a JSON object"),
    (b"null", "not a JSON object"),
    (b'{"a": NaN}', "NaN is not JSON"),
    (b'{"a": -Infinity}', "-Infinity is not JSON"),
    (b'{"a": 1, "a": 2}', "the field 'a' stands twice"),
    (b'{"a": ' + b"9" * 5_000 + b"}", "a number has too many digits"),
    (b'{"a": "\\ud800"}', "half of a character"),
    (b"[" * 100_000, "nested deeper than 12 levels"),
    (b'{"a":' * 500 + b"1" + b"}" * 500, "nested deeper than 12 levels"),
    (b'{"a": "' + b"x" * MAX_LINE_BYTES + b'"}', "longer than 1024 KB"),
    (b"\x00\x00\x00", "not JSON"),
]


@pytest.mark.parametrize(("raw", "reason"), CASES, ids=[reason for _raw, reason in CASES])
def test_a_bad_line_is_told_with_its_number_and_the_next_is_read(
    tmp_path: Path, raw: bytes, reason: str
) -> None:
    file = tmp_path / "catalogue.jsonl"
    file.write_bytes(b'{"first": 1}\n' + raw + b'\n\n{"last": 1}\n')
    first, problem, last = read_lines(file)
    assert first == Line(1, {"first": 1})
    assert isinstance(problem, Problem)
    assert (problem.line, problem.refused) == (2, True)
    assert reason in problem.reason
    assert last == Line(4, {"last": 1})


def test_brackets_in_texts_are_no_nesting(tmp_path: Path) -> None:
    data = {"text": '[{"' * 40 + "\\"}
    file = tmp_path / "catalogue.jsonl"
    file.write_text(json.dumps(data))
    assert list(read_lines(file)) == [Line(1, data)]


def test_a_byte_order_mark_windows_line_ends_and_a_missing_last_line_end_are_fine(
    tmp_path: Path,
) -> None:
    file = tmp_path / "catalogue.jsonl"
    file.write_bytes(b'\xef\xbb\xbf{"a": 1}\r\n\r\n{"b": 2}')
    assert list(read_lines(file)) == [Line(1, {"a": 1}), Line(3, {"b": 2})]


def test_a_line_of_100_mb_is_never_held(tmp_path: Path) -> None:
    file = tmp_path / "catalogue.jsonl"
    with file.open("wb") as out:
        for _ in range(100):
            out.write(b"x" * 1024 * 1024)
        out.write(b'\n{"a": 1}\n')
    problem, line = read_lines(file)
    assert isinstance(problem, Problem)
    assert line == Line(2, {"a": 1})


def test_an_empty_file_has_no_lines(tmp_path: Path) -> None:
    file = tmp_path / "catalogue.jsonl"
    file.touch()
    assert list(read_lines(file)) == []
