"""What probes say, as tables."""

from datetime import date, timedelta

import pytest

from marketplace.installs.health.uptime import (
    DAYS,
    ENOUGH_PROBES,
    HEIGHT,
    Probes,
    Standing,
    Turn,
    after_probe,
    strip,
    uptime,
    uptime_text,
)
from marketplace.installs.models import HealthState

TODAY = date(2026, 11, 23)
UP, DOWN, UNKNOWN = HealthState.UP, HealthState.DOWN, HealthState.UNKNOWN


@pytest.mark.parametrize(
    ("before", "probes", "after", "turns"),
    [
        (UNKNOWN, "+", UP, []),
        (UNKNOWN, "--", UNKNOWN, []),
        (UNKNOWN, "---", DOWN, [Turn.BEGAN]),
        (UP, "--", UP, []),
        (UP, "--+--", UP, []),
        (UP, "---", DOWN, [Turn.BEGAN]),
        (UP, "-----", DOWN, [Turn.BEGAN]),
        (UP, "---+", DOWN, [Turn.BEGAN]),
        (UP, "---+-+", DOWN, [Turn.BEGAN]),
        (UP, "---++", UP, [Turn.BEGAN, Turn.ENDED]),
        (UP, "---++--", UP, [Turn.BEGAN, Turn.ENDED]),
        (UP, "---++---++", UP, [Turn.BEGAN, Turn.ENDED] * 2),
        (DOWN, "++", UP, [Turn.ENDED]),
    ],
)
def test_three_failures_begin_an_incident_and_two_answers_end_it(
    before: HealthState, probes: str, after: HealthState, turns: list[Turn]
) -> None:
    standing, seen = Standing(before), []
    for probe in probes:
        standing, turn = after_probe(standing, answered=probe == "+")
        if turn is not None:
            seen.append(turn)
    assert (standing.state, seen) == (after, turns)


def days(*pairs: tuple[int, int, int]) -> dict[date, Probes]:
    return {TODAY - timedelta(days=ago): Probes(up, down) for ago, up, down in pairs}


@pytest.mark.parametrize(
    ("found", "percent", "text"),
    [
        (days(), None, "No data yet"),
        (days((0, ENOUGH_PROBES - 1, 0)), None, "No data yet"),
        (days((0, ENOUGH_PROBES, 0)), 100.0, "100 %"),
        (days((0, 144, 0), (1, 144, 0)), 100.0, "100 %"),
        (days((0, 287, 1)), 99.65, "99.65 %"),
        (days((0, 0, 288)), 0.0, "0 %"),
        # Rounded down: what failed once is not 100.
        (days((0, 99_999, 1)), 99.99, "99.99 %"),
        (days((0, 1_995, 5)), 99.75, "99.75 %"),
        (days((0, 270, 30)), 90.0, "90 %"),
        # What is older than 28 days does not count.
        (days((27, 288, 0), (28, 0, 288)), 100.0, "100 %"),
        (days((28, 288, 0)), None, "No data yet"),
    ],
)
def test_uptime_is_of_28_days_and_needs_a_day_of_probes(
    found: dict[date, Probes], percent: float | None, text: str
) -> None:
    assert uptime(found, TODAY) == percent
    assert uptime_text(percent) == text


def test_the_strip_has_a_bar_for_each_day_and_says_what_it_shows() -> None:
    shown = strip(days((0, 288, 0), (1, 280, 8), (2, 10, 278), (3, 0, 288)), TODAY)
    assert len(shown.bars) == DAYS
    assert [bar.kind for bar in shown.bars[-5:]] == ["none", "down", "down", "part", "up"]
    assert shown.bars[-1].day == TODAY
    assert shown.bars[-2].text == "8 of 288 checks failed"
    assert shown.text == "Checks failed on 3 of 4 days."
    for bar in shown.bars:
        assert 0 < bar.height <= HEIGHT
        assert round(bar.y + bar.height, 6) == HEIGHT
    assert shown.bars[-1].x + shown.bars[-1].width == shown.width


def test_the_strip_says_when_all_is_well_or_nothing_is_known() -> None:
    assert strip({}, TODAY).text == "It was not checked in the last 28 days."
    assert strip(days((0, 1, 0)), TODAY).text == "Every check of 1 day was answered."
