"""Which endpoints may use all threads."""

from marketplace.installs.webhooks.pace import MOST_KEYS, MOST_REMEMBERED, Pace, Paces


def test_an_endpoint_is_sent_one_key_at_a_time_until_it_was_measured() -> None:
    pace = Pace(is_suspect=False)
    assert (pace.is_suspect, pace.most_keys) == (False, 1)
    pace.note(0.05, ok=True)
    assert (pace.is_suspect, pace.most_keys) == (False, MOST_KEYS)


def test_what_never_worked_or_fails_is_suspect_until_it_works() -> None:
    pace = Pace(is_suspect=True)
    assert pace.is_suspect
    pace.note(0.05, ok=True)
    assert not pace.is_suspect
    pace.note(0.05, ok=False)
    assert pace.is_suspect


def test_what_is_slow_is_suspect_until_it_was_fast_for_a_while() -> None:
    pace = Pace(is_suspect=False)
    pace.note(3, ok=True)
    assert pace.is_suspect
    pace.note(0.1, ok=True)
    assert pace.is_suspect
    pace.note(0.1, ok=True)
    assert not pace.is_suspect


def test_a_request_that_takes_long_is_noticed_before_it_ends() -> None:
    pace = Pace(is_suspect=False)
    assert pace.is_late([10.0, 14.5], now=15.0)
    assert not pace.is_late([14.5], now=15.0)
    assert not pace.is_late([], now=15.0)


def test_the_paces_of_those_sent_to_last_are_kept() -> None:
    paces = Paces()
    for number in range(MOST_REMEMBERED + 10):
        paces.of(number, is_suspect=False).note(2 if number % 2 else 0.1, ok=True)
    kept = paces.of(MOST_REMEMBERED + 9, is_suspect=False)
    assert kept.is_slow
    assert not paces.of(1, is_suspect=False).is_slow  # forgotten
    slow = paces.slow_ones(limit=3)
    assert slow == [MOST_REMEMBERED + 9, MOST_REMEMBERED + 7, MOST_REMEMBERED + 5]
