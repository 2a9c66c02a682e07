"""Downloads that a spreadsheet opens without running anything."""

from datetime import UTC, date, datetime

import pytest

from marketplace.catalogue.engagement.csv_export import csv_cell, csv_text


@pytest.mark.parametrize(
    ("value", "cell"),
    [
        (None, ""),
        (12, "12"),
        (-3, "-3"),
        (date(2026, 11, 3), "2026-11-03"),
        (datetime(2026, 11, 3, 4, 5, 6, tzinfo=UTC), "2026-11-03T04:05:06+00:00"),
        ("plain", "plain"),
        ("=1+1", "'=1+1"),
        ("+49", "'+49"),
        ("-x", "'-x"),
        ("@SUM(A1)", "'@SUM(A1)"),
        ("\t=1", "'\t=1"),
    ],
)
def test_a_cell_is_never_a_formula(value: object, cell: str) -> None:
    assert csv_cell(value) == cell


def test_quotes_commas_and_line_ends_survive() -> None:
    assert csv_text(("a", "b"), [('say "hi", you', "two\nlines")]) == (
        'a,b\r\n"say ""hi"", you","two\nlines"\r\n'
    )
