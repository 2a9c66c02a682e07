"""Which payouts of Stripe are which lines of the bank. Pure.

In this order: the trace id that the bank passes on; the amount within a few days of the arrival;
several payouts in one line; one payout in several lines. What is not clear stays for a person.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from itertools import combinations

EARLIEST, LATEST = timedelta(days=1), timedelta(days=5)
# Beyond this many candidates, sums are not searched: chance would find too many.
MOST_CANDIDATES = 12
LARGEST_GROUP = 6
SHORTEST_TRACE = 6


@dataclass(frozen=True)
class Expected:
    """A payout that the bank should show: signed (a negative payout is taken from the bank)."""

    payout_id: int
    amount: int
    currency: str
    arrival_on: date
    trace_id: str = ""
    # A failed payout may show as money in and out again, or not at all.
    is_optional: bool = False


@dataclass(frozen=True)
class Line:
    """A line of the bank that has no match yet."""

    line_id: int
    amount: int
    currency: str
    booked_on: date
    text: str = ""


@dataclass(frozen=True)
class Pair:
    """That so much of a line is that payout."""

    payout_id: int
    line_id: int
    amount: int
    rule: str


def pair_up(expected: Sequence[Expected], lines: Sequence[Line]) -> list[Pair]:
    """The pairs that are certain. Order of the input does not matter."""
    open_payouts = {each.payout_id: each for each in sorted(expected, key=_payout_order)}
    open_lines = {each.line_id: each for each in sorted(lines, key=_line_order)}
    pairs: list[Pair] = []
    for step in (_by_trace, _by_amount, _several_payouts, _several_lines, _there_and_back):
        for found in step(open_payouts, open_lines):
            pairs.extend(found)
            for pair in found:
                open_payouts.pop(pair.payout_id, None)
                open_lines.pop(pair.line_id, None)
    return pairs


def _payout_order(each: Expected) -> tuple[date, int]:
    return each.arrival_on, each.payout_id


def _line_order(each: Line) -> tuple[date, int]:
    return each.booked_on, each.line_id


Payouts = Mapping[int, Expected]
Lines = Mapping[int, Line]


def _by_trace(payouts: Payouts, lines: Lines) -> Iterator[list[Pair]]:
    """Lines that carry a payout's trace id, when the amounts are the same in sum."""
    texts = {each.line_id: plain(each.text) for each in lines.values()}
    shown: dict[int, list[Expected]] = {}
    for payout in payouts.values():
        trace = plain(payout.trace_id)
        if len(trace) < SHORTEST_TRACE:
            continue
        for line in lines.values():
            if line.currency == payout.currency and trace in texts[line.line_id]:
                shown.setdefault(line.line_id, []).append(payout)
    for line_id, found in list(shown.items()):
        line = lines[line_id]
        if len(found) > 1 and sum(each.amount for each in found) == line.amount:
            yield [Pair(each.payout_id, line_id, each.amount, "trace_id") for each in found]
            del shown[line_id]
    for payout in list(payouts.values()):
        mine = [lines[line_id] for line_id, found in shown.items() if payout in found]
        mine = [line for line in mine if line.line_id in lines]
        if not mine:
            continue
        total = sum(line.amount for line in mine)
        # A failed payout that came and went is there twice, and together nothing.
        if total == payout.amount or (payout.is_optional and total == 0):
            yield [Pair(payout.payout_id, line.line_id, line.amount, "trace_id") for line in mine]
        else:
            exact = [line for line in mine if line.amount == payout.amount]
            if len(exact) == 1:
                yield [Pair(payout.payout_id, exact[0].line_id, payout.amount, "trace_id")]


def _by_amount(payouts: Payouts, lines: Lines) -> Iterator[list[Pair]]:
    """The same amount within the window; among several, the nearest day first. Payouts of the
    same amount and day are as good as each other, so the older takes the older line."""
    candidates = sorted(
        (
            (
                abs((line.booked_on - payout.arrival_on).days),
                _payout_order(payout),
                _line_order(line),
            )
            for payout in payouts.values()
            if not payout.is_optional
            for line in lines.values()
            if line.amount == payout.amount and _near(payout, line)
        ),
    )
    taken: set[tuple[str, int]] = set()
    for _, (_, payout_id), (_, line_id) in candidates:
        if ("payout", payout_id) in taken or ("line", line_id) in taken:
            continue
        taken |= {("payout", payout_id), ("line", line_id)}
        yield [Pair(payout_id, line_id, lines[line_id].amount, "amount_and_date")]


def _several_payouts(payouts: Payouts, lines: Lines) -> Iterator[list[Pair]]:
    for line in list(lines.values()):
        near = [each for each in payouts.values() if not each.is_optional and _near(each, line)]
        group = _only_sum(line.amount, [(each.payout_id, each.amount) for each in near])
        if group:
            yield [
                Pair(payout_id, line.line_id, payouts[payout_id].amount, "amount_and_date")
                for payout_id in group
            ]


def _several_lines(payouts: Payouts, lines: Lines) -> Iterator[list[Pair]]:
    for payout in list(payouts.values()):
        if payout.is_optional:
            continue
        near = [each for each in lines.values() if _near(payout, each)]
        group = _only_sum(payout.amount, [(each.line_id, each.amount) for each in near])
        if group:
            yield [
                Pair(payout.payout_id, line_id, lines[line_id].amount, "amount_and_date")
                for line_id in group
            ]


def _there_and_back(payouts: Payouts, lines: Lines) -> Iterator[list[Pair]]:
    """A failed payout that came and went: two lines of opposite amounts."""
    for payout in list(payouts.values()):
        if not payout.is_optional:
            continue
        arrived = [
            each for each in lines.values() if each.amount == payout.amount and _near(payout, each)
        ]
        if not arrived:
            continue
        back = [
            each
            for each in lines.values()
            if each.amount == -payout.amount
            and each.currency == payout.currency
            and timedelta(0) <= each.booked_on - arrived[0].booked_on <= timedelta(days=10)
        ]
        if back:
            yield [
                Pair(payout.payout_id, each.line_id, each.amount, "amount_and_date")
                for each in (arrived[0], back[0])
            ]


def _only_sum(total: int, parts: Sequence[tuple[int, int]]) -> tuple[int, ...] | None:
    """The one group of two or more parts that sums to `total`; None when there is none, or
    several that do."""
    if not 2 <= len(parts) <= MOST_CANDIDATES:
        return None
    found: tuple[int, ...] | None = None
    for size in range(2, min(LARGEST_GROUP, len(parts)) + 1):
        for group in combinations(parts, size):
            if sum(amount for _, amount in group) == total:
                if found is not None:
                    return None
                found = tuple(name for name, _ in group)
    return found


def _near(payout: Expected, line: Line) -> bool:
    return (
        line.currency == payout.currency
        and -EARLIEST <= line.booked_on - payout.arrival_on <= LATEST
    )


def plain(text: str) -> str:
    """Letters and digits alone, in upper case: banks break references with spaces and signs."""
    return "".join(each for each in text.upper() if each.isalnum())
