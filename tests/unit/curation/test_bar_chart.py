"""The bars of the search log's chart."""

from datetime import date, timedelta

import pytest

from marketplace.catalogue.curation.bar_chart import HEIGHT, MOST_BARS, WIDTH, chart

FIRST = date(2026, 11, 1)


def test_every_day_has_its_bar_also_without_searches() -> None:
    drawn = chart({FIRST: (10, 4), FIRST + timedelta(days=2): (5, 0)}, FIRST, date(2026, 11, 3))
    assert [(bar.searches, bar.zero_results) for bar in drawn.bars] == [(10, 4), (0, 0), (5, 0)]
    assert (drawn.top, drawn.days_each) == (10, 1)
    first, empty, half = drawn.bars
    assert (first.y, first.height) == (0, drawn.base)
    assert first.zero_height == pytest.approx(drawn.base * 0.4)
    assert empty.height == 0
    assert half.height == pytest.approx(drawn.base / 2)


@pytest.mark.parametrize("days", [1, 2, 30, 62, 63, 90, 365, 366])
def test_a_longer_range_joins_days_and_loses_no_search(days: int) -> None:
    counts = {FIRST + timedelta(days=n): (n + 1, n % 2) for n in range(days)}
    drawn = chart(counts, FIRST, FIRST + timedelta(days=days - 1))
    assert len(drawn.bars) <= MOST_BARS
    assert sum(bar.searches for bar in drawn.bars) == sum(a for a, _ in counts.values())
    assert drawn.bars[0].first == FIRST
    assert drawn.bars[-1].last == FIRST + timedelta(days=days - 1)
    for bar in drawn.bars:
        assert 0 <= bar.x <= bar.x + bar.width <= WIDTH
        assert 0 <= bar.y <= bar.y + bar.height <= HEIGHT


@pytest.mark.parametrize(
    ("most", "top"),
    [(0, 1), (1, 1), (2, 2), (3, 3), (7, 8), (11, 20), (215, 250), (499, 500), (501, 600)],
)
def test_the_scale_ends_at_a_round_number(most: int, top: int) -> None:
    assert chart({FIRST: (most, 0)}, FIRST, FIRST).top == top
