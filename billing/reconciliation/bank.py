"""Stripe's payouts and the lines of our bank: matching by hand, setting aside, and what is posted.

A line that is matched is money that arrived: Dr bank, Cr in transit. Taking a match back reverses
it; both stay in the ledger.
"""

from collections.abc import Iterable, Sequence
from datetime import UTC, date, datetime, time
from typing import Any

from sqlalchemy import delete, exists, func, select, update

from billing.accounts import BANK, STRIPE_IN_TRANSIT
from billing.formatting import format_money
from billing.ledger import credit, debit, post, reverse
from billing.models import (
    BankLine,
    LedgerTransaction,
    ReconciliationMatch,
    StripeCursor,
    StripePayout,
)
from billing.reconciliation.kinds import BANK_KIND
from billing.reconciliation.matching import in_parts
from billing.reconciliation.pairs import Pair
from marketplace.core import clock
from marketplace.core.database import db
from marketplace.core.errors import ConflictError, InvalidError
from marketplace.core.facts import record_fact
from marketplace.core.once import insert_if_new

STRIPE_PAYOUT, BANK_LINE = "stripe_payout", "bank_line"
MATCHING = "bank_matching"
GONE_STATES = ("failed", "canceled")


def match_by_hand(payout_ids: Sequence[int], line_ids: Sequence[int], *, by_user_id: int) -> int:
    """Match one payout with lines, or several payouts with one line, and post the lines.

    The lines may be less than the one payout: what is left is a break of it. They are never more,
    nor of the other sign, but for what came back of a payout that failed.
    Raises InvalidError (field `lines`), ConflictError when one of them is matched already.
    """
    lock_bank()
    payouts = db.session.scalars(
        select(StripePayout).where(StripePayout.id.in_(payout_ids)).order_by(StripePayout.id)
    ).all()
    lines = _lines(line_ids)
    if not payouts or not lines:
        raise InvalidError({"lines": "Choose at least one payout and one line."})
    if len(payouts) > 1 and len(lines) > 1:
        raise InvalidError(
            {"lines": "Match one payout with several lines, or several payouts with one line."}
        )
    currencies = {each.currency for each in payouts} | {each.currency for each in lines}
    if len(currencies) > 1:
        raise InvalidError({"lines": "All of them must be in one currency."})
    if len(payouts) > 1:
        total = sum(each.amount for each in payouts)
        if total != lines[0].amount:
            raise InvalidError({"lines": "The payouts do not sum to the line."})
        pairs = [Pair(each.id, lines[0].id, each.amount, "by_hand") for each in payouts]
    else:
        pairs = [Pair(payouts[0].id, each.id, each.amount, "by_hand") for each in lines]
    for line in lines:
        if line.ignored_reason or _matches_of_line(line.id):
            raise ConflictError("One of these lines is matched or set aside already.")
    arrived = arrived_of([each.id for each in payouts])
    if any(arrived.get(each.id) == each.amount for each in payouts if _is_due(each)):
        raise ConflictError("One of these payouts is matched already.")
    for payout in payouts:
        before = arrived.get(payout.id, 0)
        _refuse_more_than_sent(
            payout, before, [each for each in pairs if each.payout_id == payout.id]
        )
    count = write_pairs(pairs, by_user_id=by_user_id)
    record_fact(
        "bank_line.matched",
        subject=("bank_line", lines[0].id),
        actor_user_id=by_user_id,
        data={
            "payouts": [each.stripe_id for each in payouts],
            "lines": [each.id for each in lines],
        },
    )
    return count


def _refuse_more_than_sent(payout: StripePayout, before: int, pairs: Sequence[Pair]) -> None:
    """A payout's lines go its way and sum to it at most; what failed may come back again."""
    sign = 1 if payout.amount > 0 else -1
    after = (before + sum(each.amount for each in pairs)) * sign
    if _is_due(payout) and any(each.amount * sign <= 0 for each in pairs):
        text = "A line goes the other way than its payout: money in is not money out."
        raise InvalidError({"lines": text})
    if not 0 <= after <= abs(payout.amount):
        most = format_money(abs(payout.amount) - before * sign, payout.currency)
        raise InvalidError(
            {"lines": f"These lines are more than the payout: {most} of it is left to match."}
        )


def unmatch_line(line: BankLine, *, by_user_id: int) -> None:
    """Take the match of a line back, and its booking. Raises ConflictError without one."""
    lock_bank()
    matches = _matches_of_line(line.id)
    if not matches:
        raise ConflictError("This line has no match.")
    db.session.execute(
        delete(ReconciliationMatch).where(
            ReconciliationMatch.right_type == BANK_LINE, ReconciliationMatch.right_id == line.id
        )
    )
    for txn in _live_postings(line.id):
        reverse(txn, key=f"{txn.idem_key}:undone", memo="Match taken back")
    record_fact(
        "bank_line.unmatched",
        subject=("bank_line", line.id),
        actor_user_id=by_user_id,
        data={"payouts": [match.left_id for match in matches]},
    )


def set_aside(line_ids: Sequence[int], reason: str, *, by_user_id: int) -> int:
    """Say that these lines have nothing to do with Stripe; how many. Raises InvalidError."""
    reason = checked_reason(reason)
    lock_bank()
    lines = [
        each
        for each in _lines(line_ids)
        if not each.ignored_reason and not _matches_of_line(each.id)
    ]
    if not lines:
        raise InvalidError({"lines": "Choose at least one line without a match."})
    for line in lines:
        line.ignored_reason, line.rule_id = reason, None
    record_fact(
        "bank_line.set_aside",
        subject=("bank_line", lines[0].id),
        actor_user_id=by_user_id,
        data={"lines": [each.id for each in lines], "reason": reason},
    )
    return len(lines)


def checked_reason(reason: str) -> str:
    """The reason without white space around it. Raises InvalidError (field `reason`)."""
    reason = reason.strip()
    if not reason:
        raise InvalidError({"reason": "Say why, like: rent, or: paid by invoice."})
    if len(reason) > 300:
        raise InvalidError({"reason": "At most 300 characters."})
    return reason


def take_up_again(line: BankLine, *, by_user_id: int) -> None:
    """Undo `set_aside` for one line. Raises ConflictError when it is not set aside."""
    lock_bank()
    db.session.refresh(line)
    if not line.ignored_reason:
        raise ConflictError("This line is not set aside.")
    line.ignored_reason, line.rule_id = "", None
    record_fact("bank_line.taken_up", subject=("bank_line", line.id), actor_user_id=by_user_id)


def lock_bank() -> None:
    """Let nobody else match lines until this transaction ends: a run and a person would both
    match the same ones."""
    insert_if_new(StripeCursor, name=MATCHING, reached_at=clock.now())
    db.session.execute(
        update(StripeCursor)
        .where(StripeCursor.name == MATCHING)
        .values(reached_at=clock.now())
        .execution_options(synchronize_session=False)
    )


def arrived_of(payout_ids: Sequence[int]) -> dict[int, int]:
    """What the bank shows of each of these payouts, where it shows anything."""
    rows = db.session.execute(
        select(ReconciliationMatch.left_id, func.sum(ReconciliationMatch.amount))
        .where(
            ReconciliationMatch.left_type == STRIPE_PAYOUT,
            ReconciliationMatch.left_id.in_(payout_ids),
        )
        .group_by(ReconciliationMatch.left_id)
    )
    return {payout_id: int(amount) for payout_id, amount in rows}


def _is_due(payout: StripePayout) -> bool:
    return payout.state not in GONE_STATES


def noon(day: date) -> datetime:
    """The middle of a bank's day in UTC: it has no time, and must not slip into another month."""
    return datetime.combine(day, time(12), UTC)


def write_pairs(pairs: Iterable[Pair], *, by_user_id: int | None) -> int:
    """Keep matches and post their lines; how many lines. Whoever calls holds the bank's lock."""
    now = clock.now()
    pairs = list(pairs)
    for pair in pairs:
        db.session.add(
            ReconciliationMatch(
                left_type=STRIPE_PAYOUT,
                left_id=pair.payout_id,
                right_type=BANK_LINE,
                right_id=pair.line_id,
                amount=pair.amount,
                rule=pair.rule,
                matched_by_id=by_user_id,
                matched_at=now,
            )
        )
    db.session.flush()
    lines = _lines(sorted({pair.line_id for pair in pairs}))
    for line in lines:
        post_line(line)
    return len(lines)


def post_line(line: BankLine) -> None:
    """Book that the money of a matched line arrived (or left)."""
    before = (
        db.session.scalar(
            select(func.count()).where(
                LedgerTransaction.source_type == BANK_LINE,
                LedgerTransaction.source_id == str(line.id),
                LedgerTransaction.kind == BANK_KIND,
            )
        )
        or 0
    )
    post(
        BANK_KIND,
        source=(BANK_LINE, line.id),
        # Matched again after it was taken back, it is booked again.
        key=f"bank_line:{line.id}" + (f":{before}" if before else ""),
        legs=[
            debit(BANK, line.amount, line.currency),
            credit(STRIPE_IN_TRANSIT, line.amount, line.currency),
        ],
        effective_at=noon(line.booked_on),
        memo=line.reference or line.text[:140],
    )


def _live_postings(line_id: int) -> Sequence[LedgerTransaction]:
    reversing = LedgerTransaction.__table__.alias("reversing")
    return db.session.scalars(
        select(LedgerTransaction).where(
            LedgerTransaction.source_type == BANK_LINE,
            LedgerTransaction.source_id == str(line_id),
            LedgerTransaction.kind == BANK_KIND,
            ~exists().where(reversing.c.reverses_id == LedgerTransaction.id),
        )
    ).all()


def _matches_of_line(line_id: int) -> Sequence[ReconciliationMatch]:
    return db.session.scalars(
        select(ReconciliationMatch).where(
            ReconciliationMatch.right_type == BANK_LINE, ReconciliationMatch.right_id == line_id
        )
    ).all()


def is_matched(side: str, row_id: Any) -> Any:
    """In SQL: whether the payout or line of that id has a match."""
    if side == STRIPE_PAYOUT:
        return exists().where(
            ReconciliationMatch.left_type == STRIPE_PAYOUT, ReconciliationMatch.left_id == row_id
        )
    return exists().where(
        ReconciliationMatch.right_type == BANK_LINE, ReconciliationMatch.right_id == row_id
    )


def _lines(ids: Sequence[int]) -> list[BankLine]:
    return [
        each
        for part in in_parts(ids)
        for each in db.session.scalars(
            select(BankLine)
            .where(BankLine.id.in_(part))
            .order_by(BankLine.id)
            .execution_options(populate_existing=True)
        )
    ]
