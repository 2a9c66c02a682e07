"""Where the requirement of a partner's own program manager stands."""

from datetime import UTC, datetime, timedelta

import pytest

from marketplace.program.contacts.manager_state import (
    GRACE,
    QUARTER,
    Facts,
    ManagerState,
    state_at,
    steps_of_level,
)

START = datetime(2026, 1, 1, tzinfo=UTC)


def day(number: int) -> datetime:
    return START + timedelta(days=number)


CONFIRMED = Facts(START, START + QUARTER, None, START + QUARTER + GRACE)


@pytest.mark.parametrize(
    ("facts", "at", "state"),
    [
        (None, day(0), ManagerState.NONE),
        (Facts(None, None, None, None), day(0), ManagerState.NAMED),
        (CONFIRMED, day(0), ManagerState.CONFIRMED),
        (CONFIRMED, day(84), ManagerState.CONFIRMED),
        (CONFIRMED, day(85), ManagerState.DUE),
        (CONFIRMED, day(105), ManagerState.DUE),
        (CONFIRMED, day(106), ManagerState.FAILED),
        (Facts(START, day(92), day(10), day(24)), day(10), ManagerState.DEPARTED),
        (Facts(START, day(92), day(10), day(24)), day(23), ManagerState.DEPARTED),
        (Facts(START, day(92), day(10), day(24)), day(24), ManagerState.FAILED),
        (Facts(None, None, day(10), None), day(10), ManagerState.FAILED),
        # Somebody else was named: what the one before confirmed counts until its end.
        (Facts(None, None, None, day(24)), day(12), ManagerState.DUE),
    ],
)
def test_the_state_follows_from_what_was_confirmed(
    facts: Facts | None, at: datetime, state: ManagerState
) -> None:
    assert state_at(facts, at) is state


@pytest.mark.parametrize(
    ("before", "after", "steps"),
    [
        # For the first time, or again after it had ended: it begins now and ends then.
        (None, day(106), [(1, day(0)), (-1, day(106))]),
        (day(-3), day(106), [(1, day(0)), (-1, day(106))]),
        # Renewed: the end that was written ahead is taken back.
        (day(20), day(106), [(1, day(20)), (-1, day(106))]),
        # Shortened, by a departure.
        (day(50), day(14), [(1, day(50)), (-1, day(14))]),
        (day(50), day(50), []),
        (day(50), None, [(1, day(50)), (-1, day(0))]),
        (None, None, []),
        (day(-3), None, []),
    ],
)
def test_the_level_moves_by_pairs_of_measurements(
    before: datetime | None, after: datetime | None, steps: list[tuple[int, datetime]]
) -> None:
    assert steps_of_level(before, after, START) == steps


def test_a_level_is_never_above_one_however_often_it_is_renewed() -> None:
    written: list[tuple[int, datetime]] = []
    end: datetime | None = None
    for confirmed in (0, 80, 95, 300):
        until = day(confirmed) + QUARTER + GRACE
        written += steps_of_level(end, until, day(confirmed))
        end = until
    levels = [sum(amount for amount, at in written if at <= day(n)) for n in range(500)]
    assert set(levels) == {0, 1}
    assert [levels[n] for n in (0, 106, 200, 201, 299, 300, 405, 406)] == [1, 1, 1, 0, 0, 1, 1, 0]
