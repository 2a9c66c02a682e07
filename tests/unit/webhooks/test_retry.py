"""When a delivery is tried again, as tables."""

from datetime import UTC, datetime, timedelta

import pytest

from marketplace.installs.webhooks.retry import (
    DISABLE_AFTER,
    JITTER,
    LONGEST_RETRY_AFTER,
    MAX_TRIES,
    SCHEDULE,
    judge,
    must_disable,
    must_warn,
    parse_retry_after,
)

AT = datetime(2026, 11, 23, 12, tzinfo=UTC)


@pytest.mark.parametrize("status", [200, 201, 202, 204, 299])
def test_any_2xx_is_a_delivery(status: int) -> None:
    verdict = judge(status, tries=1, jitter=0)
    assert (verdict.delivered, verdict.wait, verdict.disable) == (True, None, False)


@pytest.mark.parametrize("status", [None, 100, 301, 302, 400, 401, 404, 429, 500, 503, 999])
@pytest.mark.parametrize("tries", range(1, MAX_TRIES))
def test_anything_else_waits_by_the_schedule(status: int | None, tries: int) -> None:
    verdict = judge(status, tries=tries, jitter=0)
    assert (verdict.delivered, verdict.wait) == (False, SCHEDULE[tries - 1])


def test_after_the_last_try_nothing_waits() -> None:
    verdict = judge(500, tries=MAX_TRIES, jitter=0)
    assert (verdict.delivered, verdict.wait, verdict.disable) == (False, None, False)
    assert judge(200, tries=MAX_TRIES, jitter=0).delivered


def test_410_disables_at_once() -> None:
    verdict = judge(410, tries=1, jitter=0)
    assert (verdict.delivered, verdict.wait, verdict.disable) == (False, None, True)


@pytest.mark.parametrize("jitter", [-1.0, -0.3, 0.0, 0.7, 1.0])
def test_jitter_is_a_tenth_at_most(jitter: float) -> None:
    for tries, planned in enumerate(SCHEDULE, 1):
        wait = judge(None, tries=tries, jitter=jitter).wait
        assert wait is not None
        assert abs(wait / planned - 1) <= JITTER + 1e-9


def test_all_tries_take_about_three_days_and_the_shortest_reaches_the_disabling() -> None:
    total = sum(SCHEDULE, timedelta())
    assert timedelta(days=2.9) < total < timedelta(days=3.1)
    assert total * (1 - JITTER) >= DISABLE_AFTER
    assert list(SCHEDULE) == sorted(SCHEDULE)


@pytest.mark.parametrize(
    ("status", "asked", "tries", "wait"),
    [
        (429, timedelta(minutes=2), 1, timedelta(minutes=2)),
        (503, timedelta(minutes=2), 1, timedelta(minutes=2)),
        (429, timedelta(seconds=1), 1, SCHEDULE[0]),
        (429, timedelta(days=9), 1, LONGEST_RETRY_AFTER),
        (429, timedelta(minutes=2), 4, SCHEDULE[3]),
        (429, None, 2, SCHEDULE[1]),
        (500, timedelta(minutes=2), 1, SCHEDULE[0]),
    ],
)
def test_what_an_answer_asks_for_is_honoured_up_to_an_hour(
    status: int, asked: timedelta | None, tries: int, wait: timedelta
) -> None:
    assert judge(status, tries=tries, jitter=0, retry_after=asked).wait == wait


@pytest.mark.parametrize(
    ("value", "wait"),
    [
        (None, None),
        ("", None),
        ("120", timedelta(seconds=120)),
        (" 7 ", timedelta(seconds=7)),
        ("0", timedelta(0)),
        ("-5", None),
        ("1.5", None),
        ("soon", None),
        ("٣", None),
        ("9" * 400, timedelta(seconds=999_999_999)),
        ("Mon, 23 Nov 2026 12:10:00 GMT", timedelta(minutes=10)),
        ("Mon, 23 Nov 2026 11:00:00 GMT", timedelta(0)),
        ("Mon, 23 Nov 2026 12:10:00 -0000", None),
        ("Mon, 99 Nov 2026 12:10:00 GMT", None),
    ],
)
def test_retry_after_is_seconds_or_a_date(value: str | None, wait: timedelta | None) -> None:
    assert parse_retry_after(value, at=AT) == wait


@pytest.mark.parametrize(
    ("hours", "warned", "warn", "disable"),
    [
        (None, False, False, False),
        (1, False, False, False),
        (23.9, False, False, False),
        (24, False, True, False),
        (25, True, False, False),
        (63, True, False, False),
        (64, True, False, True),
        (90, False, True, True),
    ],
)
def test_failing_is_told_after_a_day_and_ends_after_about_three(
    hours: float | None, warned: bool, warn: bool, disable: bool
) -> None:
    since = None if hours is None else AT - timedelta(hours=hours)
    assert must_warn(since, AT if warned else None, at=AT) is warn
    assert must_disable(since, at=AT) is disable
