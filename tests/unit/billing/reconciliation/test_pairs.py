"""Which payouts are which lines of the bank, as a table."""

import random
from datetime import date, timedelta

import pytest

from billing.reconciliation.pairs import Expected, Line, Pair, pair_up

DAY = date(2026, 10, 20)


def payout(number: int, amount: int, days: int = 0, trace: str = "", **more: object) -> Expected:
    return Expected(number, amount, "EUR", DAY + timedelta(days=days), trace, **more)  # type: ignore[arg-type]  # fields by their names


def line(number: int, amount: int, days: int = 0, text: str = "", currency: str = "EUR") -> Line:
    return Line(number, amount, currency, DAY + timedelta(days=days), text)


CASES: dict[str, tuple[list[Expected], list[Line], set[tuple[int, int, int, str]]]] = {
    "the same amount on the day": (
        [payout(1, 500)], [line(1, 500)], {(1, 1, 500, "amount_and_date")},
    ),
    "five days later": ([payout(1, 500)], [line(1, 500, 5)], {(1, 1, 500, "amount_and_date")}),
    "six days later is too late": ([payout(1, 500)], [line(1, 500, 6)], set()),
    "two days early is too early": ([payout(1, 500)], [line(1, 500, -2)], set()),
    "another currency": ([payout(1, 500)], [line(1, 500, currency="USD")], set()),
    "its trace id, weeks later, as the bank breaks it": (
        [payout(1, 500, trace="trace-0012345")],
        [line(1, 500, 30, "SEPA TRACE 00123 45 STRIPE")],
        {(1, 1, 500, "trace_id")},
    ),
    "the trace id wins over the nearer day": (
        [payout(1, 500, trace="TR0001234")],
        [line(1, 500), line(2, 500, 3, "TR0001234")],
        {(1, 2, 500, "trace_id")},
    ),
    "a short trace id says nothing": (
        [payout(1, 500, trace="12")], [line(1, 500, 30, "12")], set(),
    ),
    "a trace id with another amount is left to people": (
        [payout(1, 500, 0, "TR0001234")], [line(1, 495, 0, "TR0001234")], set(),
    ),
    "several payouts in one line": (
        [payout(1, 300), payout(2, 200), payout(3, 77)],
        [line(1, 500)],
        {(1, 1, 300, "amount_and_date"), (2, 1, 200, "amount_and_date")},
    ),
    "two ways to make the sum are none": (
        [payout(1, 300), payout(2, 200), payout(3, 300)], [line(1, 500)], set(),
    ),
    "several payouts in one line by their trace ids": (
        [payout(1, 300, 0, "TRACEAAA1"), payout(2, 200, 0, "TRACEBBB2")],
        [line(1, 500, 20, "TRACEAAA1 TRACEBBB2")],
        {(1, 1, 300, "trace_id"), (2, 1, 200, "trace_id")},
    ),
    "one payout in several lines": (
        [payout(1, 500)],
        [line(1, 300), line(2, 200, 1)],
        {(1, 1, 300, "amount_and_date"), (1, 2, 200, "amount_and_date")},
    ),
    "one payout in several lines by its trace id": (
        [payout(1, 500, trace="TRACEAAA1")],
        [line(1, 300, 20, "TRACEAAA1/1"), line(2, 200, 40, "TRACEAAA1/2")],
        {(1, 1, 300, "trace_id"), (1, 2, 200, "trace_id")},
    ),
    "a negative payout is taken from the bank": (
        [payout(1, -250)], [line(1, -250, 1)], {(1, 1, -250, "amount_and_date")},
    ),
    "a negative payout inside of a sum": (
        [payout(1, 700), payout(2, -200)],
        [line(1, 500)],
        {(1, 1, 700, "amount_and_date"), (2, 1, -200, "amount_and_date")},
    ),
    "equal amounts go in the order of the days": (
        [payout(1, 500), payout(2, 500, 1)],
        [line(1, 500), line(2, 500, 1)],
        {(1, 1, 500, "amount_and_date"), (2, 2, 500, "amount_and_date")},
    ),
    "a failed payout that never came": ([payout(1, 500, is_optional=True)], [], set()),
    "a failed payout does not take another's line": (
        [payout(1, 500, is_optional=True), payout(2, 500, 2)],
        [line(1, 500, 2)],
        {(2, 1, 500, "amount_and_date")},
    ),
    "a failed payout that came and went, by its trace id": (
        [payout(1, 500, trace="TRACEAAA1", is_optional=True)],
        [line(1, 500, 30, "TRACEAAA1"), line(2, -500, 30, "TRACEAAA1 RETURNED")],
        {(1, 1, 500, "trace_id"), (1, 2, -500, "trace_id")},
    ),
    "a failed payout that came and went": (
        [payout(1, 500, is_optional=True)],
        [line(1, 500), line(2, -500, 4)],
        {(1, 1, 500, "amount_and_date"), (1, 2, -500, "amount_and_date")},
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", list(CASES))
def test_what_belongs_together(name: str) -> None:
    expected, lines, wanted = CASES[name]
    assert set(pair_up(expected, lines)) == {Pair(*each) for each in wanted}


@pytest.mark.parametrize("name", list(CASES))
def test_the_order_of_the_input_does_not_matter(name: str) -> None:
    expected, lines, wanted = CASES[name]
    for seed in range(5):
        chance = random.Random(seed)
        shuffled = chance.sample(expected, len(expected)), chance.sample(lines, len(lines))
        assert set(pair_up(*shuffled)) == {Pair(*each) for each in wanted}


def test_too_many_candidates_are_left_to_people() -> None:
    payouts = [payout(number, 2**number) for number in range(13)]
    assert pair_up(payouts, [line(1, 3)]) == []
