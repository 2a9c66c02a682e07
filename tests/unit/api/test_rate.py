"""The sliding window of requests."""

from itertools import pairwise

import pytest

from marketplace.api.v1.rate import MAX_CLIENTS, ProcessWindow, RateLimit


class Clock:
    """A clock that is moved by hand."""

    def __init__(self) -> None:
        self.at = 600.0

    def __call__(self) -> float:
        return self.at


def test_so_many_requests_are_let_through_and_no_more() -> None:
    window = ProcessWindow(3, 60, Clock())
    assert [window.hit("a").allowed for _ in range(5)] == [True, True, True, False, False]
    assert window.hit("b").allowed


def test_what_remains_is_told() -> None:
    window = ProcessWindow(3, 60, Clock())
    assert [window.hit("a").remaining for _ in range(4)] == [2, 1, 0, 0]


@pytest.mark.parametrize("limit", [1, 2, 3, 10, 120])
@pytest.mark.parametrize("start", [0.0, 7.5, 30.0, 59.9])
@pytest.mark.parametrize("steps", [1, 40])
def test_who_waits_as_long_as_told_is_let_through(limit: int, start: float, steps: int) -> None:
    clock = Clock()
    clock.at += start
    window = ProcessWindow(limit, 60, clock)
    for _round in range(steps):
        while (allowance := window.hit("a")).allowed:
            pass
        assert 1 <= allowance.wait <= 120
        clock.at += allowance.wait
        assert window.hit("a").allowed


def test_no_minute_of_a_steady_stream_has_more_than_the_limit_and_a_bit() -> None:
    clock = Clock()
    window = ProcessWindow(100, 60, clock)
    taken = []
    for _ in range(3_000):
        clock.at += 0.1
        if window.hit("a").allowed:
            taken.append(clock.at)
    assert max(sum(1 for at in taken if start <= at < start + 60) for start in taken) <= 115
    assert len(taken) >= 450
    assert all(later >= earlier for earlier, later in pairwise(taken))


def test_memory_is_bounded() -> None:
    clock = Clock()
    window = ProcessWindow(3, 60, clock)
    for number in range(MAX_CLIENTS + 50):
        window.hit(str(number))
    assert len(window._clients) <= MAX_CLIENTS


@pytest.mark.parametrize("setting", ["many", "", "0 per minute of it", "5 per fortnight"])
def test_a_setting_that_cannot_be_read_is_refused(setting: str) -> None:
    with pytest.raises(ValueError, match=r".*"):
        RateLimit(setting)


def test_without_redis_the_process_counts() -> None:
    limit = RateLimit("1 per minute", "redis://127.0.0.1:1/0")
    assert limit.hit("a").allowed
    assert not limit.hit("a").allowed
