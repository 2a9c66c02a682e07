"""How a level moves when what is in force changes."""

from datetime import UTC, datetime

import pytest

from marketplace.accreditation.certification.months import months_after
from marketplace.accreditation.levels import Span, cover, level_changes


def day(number: int) -> datetime:
    return datetime(2026, 1, number, tzinfo=UTC)


@pytest.mark.parametrize(
    ("before", "after", "moves"),
    [
        # It begins, and its end is written ahead.
        ([], [Span(day(1), day(9))], [(day(1), 1), (day(9), -1)]),
        # A renewal takes the end back and writes the new one.
        ([Span(day(1), day(9))], [Span(day(1), day(9)), Span(day(5), day(20))],
         [(day(9), 1), (day(20), -1)]),
        # It is taken back early.
        ([Span(day(1), day(9))], [Span(day(1), day(4))], [(day(4), -1), (day(9), 1)]),
        # A second certificate beside a longer one moves nothing.
        ([Span(day(1), None)], [Span(day(1), None), Span(day(3), day(5))], []),
        # After a gap it begins anew.
        ([Span(day(1), day(3))], [Span(day(1), day(3)), Span(day(7), day(9))],
         [(day(7), 1), (day(9), -1)]),
        # What touches is one.
        ([Span(day(1), day(3))], [Span(day(1), day(3)), Span(day(3), day(9))],
         [(day(3), 1), (day(9), -1)]),
        ([Span(day(1), None)], [], [(day(1), -1)]),
        # An empty span is nothing.
        ([], [Span(day(4), day(4))], []),
    ],
)  # fmt: skip
def test_a_level_moves_by_the_difference_alone(
    before: list[Span], after: list[Span], moves: list[tuple[datetime, int]]
) -> None:
    assert level_changes(before, after) == moves


def test_spans_that_touch_are_one() -> None:
    spans = [Span(day(5), day(7)), Span(day(1), day(3)), Span(day(3), day(5)), Span(day(9), None)]
    assert cover(spans) == [Span(day(1), day(7)), Span(day(9), None)]


@pytest.mark.parametrize(
    ("begin", "months", "end"),
    [
        ((2026, 1, 31), 1, (2026, 2, 28)),
        ((2024, 1, 31), 1, (2024, 2, 29)),
        ((2026, 12, 15), 12, (2027, 12, 15)),
        ((2026, 3, 1), 60, (2031, 3, 1)),
    ],
)
def test_months_end_on_the_same_day_or_the_last_one(
    begin: tuple[int, int, int], months: int, end: tuple[int, int, int]
) -> None:
    assert months_after(datetime(*begin, tzinfo=UTC), months) == datetime(*end, tzinfo=UTC)
