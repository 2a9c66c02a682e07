"""Which payouts of Stripe are which lines of the bank. Pure, and linear in the lines.

In this order: the trace id that the bank passes on; the amount within a few days of the arrival;
several payouts in one line; one payout in several lines. What is not clear stays for a person.

Sums ask for the lines that they need, so that a caller may look for them in a database.
"""

from bisect import bisect_left, bisect_right
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from itertools import combinations

EARLIEST, LATEST = timedelta(days=1), timedelta(days=5)
# A failed payout that came goes again within these days.
BACK_WITHIN = timedelta(days=10)
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


# The lines of a day in a currency that have one of these amounts.
LinesOfDay = Callable[[str, date, Sequence[int]], Sequence[Line]]
# All lines near a payout, or more than MOST_CANDIDATES of them.
LinesNear = Callable[[Expected], Sequence[Line]]


def pair_up(expected: Sequence[Expected], lines: Sequence[Line]) -> list[Pair]:
    """The pairs that are certain. Order of the input does not matter."""
    pairs: list[Pair] = []

    def payouts_left() -> list[Expected]:
        taken = {pair.payout_id for pair in pairs}
        return [each for each in expected if each.payout_id not in taken]

    def lines_left() -> list[Line]:
        taken = {pair.line_id for pair in pairs}
        return [each for each in lines if each.line_id not in taken]

    def of_day(currency: str, day: date, amounts: Sequence[int]) -> list[Line]:
        wanted = set(amounts)
        return [
            each
            for each in lines_left()
            if (each.currency, each.booked_on) == (currency, day) and each.amount in wanted
        ]

    pairs += by_trace(payouts_left(), lines_left())
    pairs += by_amount(payouts_left(), lines_left())
    pairs += several_payouts(payouts_left(), of_day)
    pairs += several_lines(
        payouts_left(), lambda payout: [each for each in lines_left() if is_near(payout, each)]
    )
    pairs += there_and_back(payouts_left(), lines_left())
    return pairs


def _payout_order(each: Expected) -> tuple[date, int]:
    return each.arrival_on, each.payout_id


def _line_order(each: Line) -> tuple[date, int]:
    return each.booked_on, each.line_id


class Traces:
    """Finds trace ids in texts, at the same cost for one payout as for thousands."""

    def __init__(self, payouts: Sequence[Expected]) -> None:
        self._by_start: dict[str, list[tuple[str, Expected]]] = {}
        for payout in sorted(payouts, key=_payout_order):
            trace = plain(payout.trace_id)
            if len(trace) >= SHORTEST_TRACE:
                self._by_start.setdefault(trace[:SHORTEST_TRACE], []).append((trace, payout))

    def __bool__(self) -> bool:
        return bool(self._by_start)

    def in_text(self, text: str, currency: str) -> list[Expected]:
        """The payouts in that currency whose trace id the text carries."""
        shown = plain(text)
        starts = {
            shown[at : at + SHORTEST_TRACE] for at in range(len(shown) - SHORTEST_TRACE + 1)
        } & self._by_start.keys()
        found = [
            payout
            for start in starts
            for trace, payout in self._by_start[start]
            if payout.currency == currency and trace in shown
        ]
        return sorted(found, key=_payout_order)


def by_trace(payouts: Sequence[Expected], lines: Sequence[Line]) -> list[Pair]:
    """Lines that carry a payout's trace id, when the amounts are the same in sum."""
    traces = Traces(payouts)
    pairs: list[Pair] = []
    taken: set[int] = set()
    lines_of: dict[int, list[Line]] = {}
    for line in sorted(lines, key=_line_order):
        found = [
            each for each in traces.in_text(line.text, line.currency) if each.payout_id not in taken
        ]
        if len(found) > 1 and sum(each.amount for each in found) == line.amount:
            pairs += [Pair(each.payout_id, line.line_id, each.amount, "trace_id") for each in found]
            taken |= {each.payout_id for each in found}
        else:
            for each in found:
                lines_of.setdefault(each.payout_id, []).append(line)
    used = {pair.line_id for pair in pairs}
    for payout in sorted(payouts, key=_payout_order):
        mine = [line for line in lines_of.get(payout.payout_id, ()) if line.line_id not in used]
        if not mine or payout.payout_id in taken:
            continue
        total = sum(line.amount for line in mine)
        # A failed payout that came and went is there twice, and together nothing.
        if total != payout.amount and not (payout.is_optional and total == 0):
            mine = [line for line in mine if line.amount == payout.amount]
            if len(mine) != 1:
                continue
        pairs += [Pair(payout.payout_id, line.line_id, line.amount, "trace_id") for line in mine]
        used |= {line.line_id for line in mine}
    return pairs


def by_amount(payouts: Sequence[Expected], lines: Sequence[Line]) -> list[Pair]:
    """The same amount within the window; among several, the nearest day first. Payouts of the
    same amount and day are as good as each other, so the older takes the older line."""
    waiting: dict[tuple[str, int, date], deque[Line]] = {}
    for line in sorted(lines, key=_line_order):
        waiting.setdefault((line.currency, line.amount, line.booked_on), deque()).append(line)
    left = [each for each in sorted(payouts, key=_payout_order) if not each.is_optional]
    pairs: list[Pair] = []
    for away in range(max(EARLIEST, LATEST).days + 1):
        found: set[int] = set()
        for payout in left:
            for days in sorted({-away, away}):
                if not -EARLIEST <= timedelta(days=days) <= LATEST:
                    continue
                day = payout.arrival_on + timedelta(days=days)
                fitting = waiting.get((payout.currency, payout.amount, day))
                if fitting:
                    line = fitting.popleft()
                    pairs.append(
                        Pair(payout.payout_id, line.line_id, line.amount, "amount_and_date")
                    )
                    found.add(payout.payout_id)
                    break
        left = [each for each in left if each.payout_id not in found]
    return pairs


def several_payouts(payouts: Sequence[Expected], lines_of_day: LinesOfDay) -> list[Pair]:
    """Payouts near one day that sum to one line of it. Asks for the lines of their sums alone."""
    pairs: list[Pair] = []
    for currency in sorted({each.currency for each in payouts}):
        left = sorted(
            (each for each in payouts if each.currency == currency and not each.is_optional),
            key=_payout_order,
        )
        for day in _days_near(left):
            near = _near_day(left, day)
            totals = _totals([each.amount for each in near])
            if not totals:
                continue
            for line in sorted(lines_of_day(currency, day, totals), key=_line_order):
                group = _only_sum(line.amount, [(each.payout_id, each.amount) for each in near])
                if not group:
                    continue
                pairs += [
                    Pair(each.payout_id, line.line_id, each.amount, "amount_and_date")
                    for each in near
                    if each.payout_id in group
                ]
                near = [each for each in near if each.payout_id not in group]
                left = [each for each in left if each.payout_id not in group]
    return pairs


def _days_near(payouts: Sequence[Expected]) -> list[date]:
    """The days at which a line of two or more of these payouts may stand."""
    arrivals = sorted({each.arrival_on for each in payouts})
    span = range(-EARLIEST.days, LATEST.days + 1)
    return sorted({each + timedelta(days=days) for each in arrivals for days in span})


def _near_day(payouts: Sequence[Expected], day: date) -> list[Expected]:
    """Those that arrived near that day; `payouts` are in the order of their arrival."""
    first = bisect_left(payouts, day - LATEST, key=lambda each: each.arrival_on)
    end = bisect_right(payouts, day + EARLIEST, key=lambda each: each.arrival_on)
    return list(payouts[first:end])


def several_lines(payouts: Sequence[Expected], lines_near: LinesNear) -> list[Pair]:
    """Lines near one payout that sum to it."""
    pairs: list[Pair] = []
    used: set[int] = set()
    for payout in sorted(payouts, key=_payout_order):
        if payout.is_optional:
            continue
        found = lines_near(payout)
        if len(found) > MOST_CANDIDATES:
            continue
        near = {
            each.line_id: each.amount
            for each in sorted(found, key=_line_order)
            if each.line_id not in used
        }
        group = _only_sum(payout.amount, list(near.items()))
        if group:
            pairs += [
                Pair(payout.payout_id, line_id, near[line_id], "amount_and_date")
                for line_id in group
            ]
            used |= set(group)
    return pairs


def there_and_back(payouts: Sequence[Expected], lines: Sequence[Line]) -> list[Pair]:
    """A failed payout that came and went: two lines of opposite amounts."""
    by_name: dict[tuple[str, int], list[Line]] = {}
    for line in sorted(lines, key=_line_order):
        by_name.setdefault((line.currency, line.amount), []).append(line)
    pairs: list[Pair] = []
    used: set[int] = set()
    for payout in sorted(payouts, key=_payout_order):
        if not payout.is_optional:
            continue
        arrived = next(
            (
                each
                for each in by_name.get((payout.currency, payout.amount), ())
                if each.line_id not in used and is_near(payout, each)
            ),
            None,
        )
        if arrived is None:
            continue
        back = next(
            (
                each
                for each in by_name.get((payout.currency, -payout.amount), ())
                if each.line_id not in used
                and timedelta(0) <= each.booked_on - arrived.booked_on <= BACK_WITHIN
            ),
            None,
        )
        if back is not None:
            pairs += [
                Pair(payout.payout_id, each.line_id, each.amount, "amount_and_date")
                for each in (arrived, back)
            ]
            used |= {arrived.line_id, back.line_id}
    return pairs


def _groups(parts: Sequence[tuple[int, int]]) -> Iterator[tuple[tuple[int, int], ...]]:
    """All groups of two or more of these parts, unless they are too many."""
    if 2 <= len(parts) <= MOST_CANDIDATES:
        for size in range(2, min(LARGEST_GROUP, len(parts)) + 1):
            yield from combinations(parts, size)


def _totals(amounts: Sequence[int]) -> list[int]:
    return sorted({sum(each for _, each in group) for group in _groups(list(enumerate(amounts)))})


def _only_sum(total: int, parts: Sequence[tuple[int, int]]) -> tuple[int, ...] | None:
    """The one group of two or more parts that sums to `total`; None when there is none, or
    several that do."""
    found: tuple[int, ...] | None = None
    for group in _groups(parts):
        if sum(amount for _, amount in group) == total:
            if found is not None:
                return None
            found = tuple(name for name, _ in group)
    return found


def is_near(payout: Expected, line: Line) -> bool:
    """Whether the line's day fits the payout's arrival, in one currency."""
    return (
        line.currency == payout.currency
        and -EARLIEST <= line.booked_on - payout.arrival_on <= LATEST
    )


def plain(text: str) -> str:
    """Letters and digits alone, in upper case: banks break references with spaces and signs."""
    return "".join(each for each in text.upper() if each.isalnum())
