"""Finding which lines of the bank are which payouts of Stripe, however many lines there are.

An account of a business has thousands of lines that are no payouts, and they never go away. So
each step asks the database for the lines that may be one of the open payouts: by amount and day
through an index, and by trace id in slices of the lines of the last months. What is in memory is
the open payouts (a few a day) and the lines that fit one of them.
"""

from collections.abc import Callable, Iterator, Sequence
from datetime import date, timedelta
from itertools import groupby
from typing import Any

from sqlalchemy import func, select

from billing.models import BankLine, ReconciliationMatch, StripePayout
from billing.reconciliation.bank import (
    BANK_LINE,
    GONE_STATES,
    STRIPE_PAYOUT,
    is_matched,
    lock_bank,
    write_pairs,
)
from billing.reconciliation.matching import in_parts
from billing.reconciliation.pairs import (
    BACK_WITHIN,
    EARLIEST,
    LATEST,
    MOST_CANDIDATES,
    Expected,
    Line,
    Pair,
    Traces,
    by_amount,
    by_trace,
    several_lines,
    several_payouts,
    there_and_back,
)
from marketplace.core import clock
from marketplace.core.database import db

# A line or a payout that found nothing for so long is left to people.
LOOK_BACK = timedelta(days=120)
# What arrived for a payout that failed is taken back within these days.
TAKEN_BACK_WITHIN = timedelta(days=30)
SLICE = 2_000


def match_bank() -> int:
    """Match what is certain and post it; how many lines."""
    lock_bank()
    since = clock.now().date() - LOOK_BACK
    # Each step sees what the ones before it wrote.
    return sum(write_pairs(step(since), by_user_id=None) for step in _STEPS)


def _by_trace(since: date) -> list[Pair]:
    """All lines are read, slice by slice: banks break trace ids anywhere, so no index has them."""
    payouts = _open_payouts(since)
    traces = Traces(payouts)
    if not traces:
        return []
    named = [
        line
        for part in _slices_of_lines(since)
        for line in part
        if traces.in_text(line.text, line.currency)
    ]
    return by_trace(payouts, named)


def _slices_of_lines(since: date) -> Iterator[list[Line]]:
    after = 0
    while True:
        rows = db.session.execute(
            _open_lines(since, BankLine.reference, BankLine.text)
            .where(BankLine.id > after)
            .order_by(BankLine.id)
            .limit(SLICE)
        ).all()
        yield [
            Line(row.id, row.amount, row.currency, row.booked_on, f"{row.reference} {row.text}")
            for row in rows
        ]
        if len(rows) < SLICE:
            return
        after = rows[-1].id


def _by_amount(since: date) -> list[Pair]:
    """Payouts of one amount compete for the lines of that amount, and with nobody else."""
    pairs: list[Pair] = []
    for currency, payouts in _by_currency(_due(_open_payouts(since))):
        of_amount: dict[int, list[Expected]] = {}
        for each in payouts:
            of_amount.setdefault(each.amount, []).append(each)
        for amounts in in_parts(sorted(of_amount)):
            some = [each for amount in amounts for each in of_amount[amount]]
            lines = _lines(
                since,
                BankLine.currency == currency,
                BankLine.amount.in_(amounts),
                BankLine.booked_on >= min(each.arrival_on for each in some) - EARLIEST,
                BankLine.booked_on <= max(each.arrival_on for each in some) + LATEST,
            )
            pairs += by_amount(some, lines)
    return pairs


def _several_payouts(since: date) -> list[Pair]:
    def of_day(currency: str, day: date, amounts: Sequence[int]) -> list[Line]:
        return [
            line
            for part in in_parts(amounts)
            for line in _lines(
                since,
                BankLine.currency == currency,
                BankLine.amount.in_(part),
                BankLine.booked_on == day,
            )
        ]

    return several_payouts(_open_payouts(since), of_day)


def _several_lines(since: date) -> list[Pair]:
    def near(payout: Expected) -> list[Line]:
        return _lines(
            since,
            BankLine.currency == payout.currency,
            BankLine.booked_on.between(payout.arrival_on - EARLIEST, payout.arrival_on + LATEST),
            most=MOST_CANDIDATES + 1,
        )

    return several_lines(_open_payouts(since), near)


def _there_and_back(since: date) -> list[Pair]:
    payouts = [each for each in _open_payouts(since) if each.is_optional]
    pairs: list[Pair] = []
    for currency, some in _by_currency(payouts):
        for part in in_parts(some):
            amounts = sorted({sign * each.amount for each in part for sign in (1, -1)})
            lines = _lines(
                since,
                BankLine.currency == currency,
                BankLine.amount.in_(amounts),
                BankLine.booked_on >= min(each.arrival_on for each in part) - EARLIEST,
                BankLine.booked_on <= max(each.arrival_on for each in part) + LATEST + BACK_WITHIN,
            )
            taken = {pair.line_id for pair in pairs}
            pairs += there_and_back(part, [each for each in lines if each.line_id not in taken])
    return pairs


def _taken_back(since: date) -> list[Pair]:
    """Lines that take back what arrived for a payout that failed afterwards."""
    arrived = db.session.execute(
        select(
            StripePayout.id,
            StripePayout.currency,
            StripePayout.arrival_on,
            func.sum(ReconciliationMatch.amount).label("amount"),
        )
        .join(
            ReconciliationMatch,
            (ReconciliationMatch.left_type == STRIPE_PAYOUT)
            & (ReconciliationMatch.left_id == StripePayout.id),
        )
        .where(
            StripePayout.state.in_(GONE_STATES),
            StripePayout.arrival_on >= since - TAKEN_BACK_WITHIN,
        )
        .group_by(StripePayout.id)
        .having(func.sum(ReconciliationMatch.amount) != 0)
        .order_by(StripePayout.id)
    ).all()
    pairs: list[Pair] = []
    for row in arrived:
        taken = {pair.line_id for pair in pairs}
        lines = _lines(
            since,
            BankLine.currency == row.currency,
            BankLine.amount == -int(row.amount),
            BankLine.booked_on.between(row.arrival_on, row.arrival_on + TAKEN_BACK_WITHIN),
            most=len(taken) + 1,
        )
        back = next((each for each in lines if each.line_id not in taken), None)
        if back is not None:
            pairs.append(Pair(row.id, back.line_id, back.amount, "amount_and_date"))
    return pairs


_STEPS: tuple[Callable[[date], list[Pair]], ...] = (
    _by_trace,
    _by_amount,
    _several_payouts,
    _several_lines,
    _there_and_back,
    _taken_back,
)


def _open_payouts(since: date) -> list[Expected]:
    """Payouts without a match, in the order of their arrival."""
    rows = db.session.execute(
        select(
            StripePayout.id,
            StripePayout.amount,
            StripePayout.currency,
            StripePayout.arrival_on,
            StripePayout.trace_id,
            StripePayout.state,
        )
        .where(StripePayout.arrival_on >= since, ~is_matched(STRIPE_PAYOUT, StripePayout.id))
        .order_by(StripePayout.arrival_on, StripePayout.id)
    )
    return [
        Expected(
            row.id,
            row.amount,
            row.currency,
            row.arrival_on,
            row.trace_id,
            is_optional=row.state in GONE_STATES,
        )
        for row in rows
    ]


def _due(payouts: Sequence[Expected]) -> list[Expected]:
    return [each for each in payouts if not each.is_optional]


def _by_currency(payouts: Sequence[Expected]) -> Iterator[tuple[str, list[Expected]]]:
    def currency(each: Expected) -> str:
        return each.currency

    for name, some in groupby(sorted(payouts, key=currency), key=currency):
        yield name, list(some)


def _open_lines(since: date, *more: Any) -> Any:
    """Lines without a match that nobody set aside."""
    return select(BankLine.id, BankLine.amount, BankLine.currency, BankLine.booked_on, *more).where(
        BankLine.booked_on >= since,
        BankLine.ignored_reason == "",
        ~is_matched(BANK_LINE, BankLine.id),
    )


def _lines(since: date, *conditions: Any, most: int | None = None) -> list[Line]:
    """Open lines for which all of these are true, in the order of their days."""
    rows = db.session.execute(
        _open_lines(since).where(*conditions).order_by(BankLine.booked_on, BankLine.id).limit(most)
    )
    return [Line(row.id, row.amount, row.currency, row.booked_on) for row in rows]
