"""Stripe's payouts against its own list, against the bank, and the bank against the ledger."""

from collections.abc import Iterator
from datetime import date, datetime, timedelta

from sqlalchemy import String, and_, case, cast, func, or_, select

from billing.accounts import BANK, STRIPE_IN_TRANSIT
from billing.models import (
    BalanceTransaction,
    BankImport,
    BankLine,
    BreakType,
    LedgerAccount,
    LedgerEntry,
    LedgerTransaction,
    ReconciliationMatch,
    StripePayout,
)
from billing.reconciliation.bank import (
    BANK_LINE,
    GONE_STATES,
    STRIPE_PAYOUT,
    is_matched,
    noon,
)
from billing.reconciliation.differences import GRACE, SLICE
from billing.reconciliation.findings import Finding
from billing.reconciliation.kinds import CORRECTION
from billing.reconciliation.matching import in_parts, signed_amount
from marketplace.core.database import db

# After these many days a payout should be on the bank's statement: with a file of those days, and
# without one.
ARRIVES_WITHIN = timedelta(days=3)
ARRIVES_AT_LAST = timedelta(days=10)


def find_bank_differences(now: datetime) -> Iterator[Finding]:
    """All of payouts, in a handful of statements, and of bank lines, in slices of bounded size."""
    yield from list(_payouts_not_as_listed(now))
    yield from list(_members_do_not_sum())
    yield from list(_payouts_not_arrived(now))
    last = db.session.scalar(select(func.max(BankLine.id))) or 0
    for first in range(1, last + 1, SLICE):
        yield from list(_lines_without_payout(first, first + SLICE))
        yield from list(_lines_not_as_booked(first, first + SLICE))
    yield from list(_files_do_not_sum())


def _payouts_not_as_listed(now: datetime) -> Iterator[Finding]:
    """A payout that Stripe's list of movements does not show with its amount."""
    moved = func.coalesce(func.sum(BalanceTransaction.amount), 0)
    gone = StripePayout.state.in_(GONE_STATES)
    rows = db.session.execute(
        select(StripePayout, moved)
        .outerjoin(
            BalanceTransaction,
            and_(
                BalanceTransaction.source_id == StripePayout.stripe_id,
                BalanceTransaction.type.like("payout%"),
            ),
        )
        .where(StripePayout.created_at <= now - GRACE)
        .group_by(StripePayout.id)
        .having(moved != case((gone, 0), else_=-StripePayout.amount))
        .order_by(StripePayout.id)
    )
    for payout, listed in rows:
        expected = 0 if payout.state in GONE_STATES else -payout.amount
        yield _of_payout(
            payout, BreakType.AMOUNT, expected - int(listed), listed=int(listed), state=payout.state
        )


def _members_do_not_sum() -> Iterator[Finding]:
    """A payout whose settled movements, without its own, are not its amount."""
    total = func.coalesce(func.sum(BalanceTransaction.net), 0)
    rows = db.session.execute(
        select(StripePayout, total, func.count(BalanceTransaction.id))
        .outerjoin(
            BalanceTransaction,
            and_(
                BalanceTransaction.stripe_payout_id == StripePayout.stripe_id,
                BalanceTransaction.source_id != StripePayout.stripe_id,
            ),
        )
        .where(
            StripePayout.is_automatic,
            StripePayout.members_at.is_not(None),
            StripePayout.state.not_in(GONE_STATES),
        )
        .group_by(StripePayout.id)
        .having(total != StripePayout.amount)
        .order_by(StripePayout.id)
    )
    for payout, summed, count in rows:
        yield _of_payout(
            payout,
            BreakType.MISSING_IN_STRIPE,
            payout.amount - int(summed),
            members=count,
            members_sum=int(summed),
        )


def _payouts_not_arrived(now: datetime) -> Iterator[Finding]:
    """A payout that the bank does not show, or shows with another amount."""
    covered = db.session.scalar(select(func.max(BankLine.booked_on))) or date.min
    told = db.session.scalar(select(func.max(BankImport.covers_to))) or date.min
    covered = max(covered, told)
    arrived = func.coalesce(func.sum(ReconciliationMatch.amount), 0)
    corrected = _corrections_of_payouts()
    late = or_(
        StripePayout.arrival_on <= now.date() - ARRIVES_AT_LAST,
        and_(
            StripePayout.arrival_on <= now.date() - ARRIVES_WITHIN,
            StripePayout.arrival_on <= covered - ARRIVES_WITHIN
            if covered > date.min
            else StripePayout.id < 0,
        ),
    )
    rows = db.session.execute(
        select(StripePayout, arrived, func.count(ReconciliationMatch.id))
        .outerjoin(
            ReconciliationMatch,
            and_(
                ReconciliationMatch.left_type == STRIPE_PAYOUT,
                ReconciliationMatch.left_id == StripePayout.id,
            ),
        )
        .where(StripePayout.state.in_(("paid", *GONE_STATES)))
        .group_by(StripePayout.id)
        .having(
            or_(
                and_(
                    func.count(ReconciliationMatch.id) > 0,
                    arrived != case((StripePayout.state == "paid", StripePayout.amount), else_=0),
                ),
                and_(
                    func.count(ReconciliationMatch.id) == 0,
                    StripePayout.state == "paid",
                    late,
                ),
            )
        )
        .order_by(StripePayout.id)
    )
    for payout, amount, count in rows:
        expected = payout.amount if payout.state == "paid" else 0
        left = expected - int(amount) - corrected.get(payout.stripe_id, 0)
        if left:
            yield _of_payout(
                payout,
                BreakType.AMOUNT if count else BreakType.UNMATCHED_BANK,
                left,
                arrived=int(amount),
                arrival_on=payout.arrival_on.isoformat(),
                trace_id=payout.trace_id,
                state=payout.state,
            )


def _corrections_of_payouts() -> dict[str, int]:
    """What was booked away from what a payout should have brought, by its Stripe id."""
    rows = db.session.execute(
        select(LedgerTransaction.source_id, -func.sum(signed_amount()))
        .join(LedgerEntry, LedgerEntry.txn_id == LedgerTransaction.id)
        .join(LedgerAccount, LedgerAccount.id == LedgerEntry.account_id)
        .where(
            LedgerTransaction.kind == CORRECTION,
            LedgerTransaction.source_type == STRIPE_PAYOUT,
            LedgerAccount.code == STRIPE_IN_TRANSIT,
        )
        .group_by(LedgerTransaction.source_id)
    )
    return {source: int(amount) for source, amount in rows}


def _lines_without_payout(first: int, end: int) -> Iterator[Finding]:
    """A line that is no payout of Stripe's, and nobody said what it is."""
    rows = db.session.scalars(
        select(BankLine)
        .where(
            BankLine.id >= first,
            BankLine.id < end,
            BankLine.ignored_reason == "",
            ~is_matched(BANK_LINE, BankLine.id),
        )
        .order_by(BankLine.id)
    ).all()
    for line in rows:
        yield _of_line(line, BreakType.UNMATCHED_BANK, line.amount)


def _lines_not_as_booked(first: int, end: int) -> Iterator[Finding]:
    """A matched line whose amount is not what was matched, or not what the ledger booked."""
    matched = _matched_of_lines(first, end)
    booked = _booked_of_lines(first, end)
    amounts = db.session.execute(
        select(BankLine.id, BankLine.amount).where(BankLine.id >= first, BankLine.id < end)
    ).all()
    odd = [
        line_id
        for line_id, amount in amounts
        if matched.get(line_id, amount) != amount
        or booked.get(line_id, 0) != matched.get(line_id, 0)
    ]
    lines = (
        line
        for part in in_parts(odd)
        for line in db.session.scalars(
            select(BankLine).where(BankLine.id.in_(part)).order_by(BankLine.id)
        )
    )
    for line in lines:
        in_match, in_ledger = matched.get(line.id, 0), booked.get(line.id, 0)
        if line.id in matched and in_match != line.amount:
            yield _of_line(line, BreakType.AMOUNT, line.amount - in_match, matched=in_match)
        else:
            yield _of_line(line, BreakType.AMOUNT, in_match - in_ledger, in_ledger=in_ledger)


def _matched_of_lines(first: int, end: int) -> dict[int, int]:
    """What the matches of these lines sum to, where the payout still exists."""
    rows = db.session.execute(
        select(ReconciliationMatch.right_id, func.sum(ReconciliationMatch.amount))
        .join(StripePayout, StripePayout.id == ReconciliationMatch.left_id)
        .where(
            # Only payouts are matched with lines; by that type, all of them would be read.
            ReconciliationMatch.right_type == BANK_LINE,
            ReconciliationMatch.right_id >= first,
            ReconciliationMatch.right_id < end,
        )
        .group_by(ReconciliationMatch.right_id)
    )
    return {line_id: int(amount) for line_id, amount in rows}


def _booked_of_lines(first: int, end: int) -> dict[int, int]:
    """What the ledger booked to the bank for these lines."""
    rows = db.session.execute(
        select(BankLine.id, func.sum(signed_amount()))
        .join(
            LedgerTransaction,
            (LedgerTransaction.source_type == BANK_LINE)
            & (LedgerTransaction.source_id == cast(BankLine.id, String)),
        )
        .join(LedgerEntry, LedgerEntry.txn_id == LedgerTransaction.id)
        .join(LedgerAccount, LedgerAccount.id == LedgerEntry.account_id)
        .where(BankLine.id >= first, BankLine.id < end, LedgerAccount.code == BANK)
        .group_by(BankLine.id)
    )
    return {line_id: int(amount) for line_id, amount in rows}


def _files_do_not_sum() -> Iterator[Finding]:
    """A file of the bank whose lines do not lead from its opening to its closing balance."""
    total = func.coalesce(func.sum(BankLine.amount), 0)
    rows = db.session.execute(
        select(BankImport, total)
        .outerjoin(BankLine, BankLine.import_id == BankImport.id)
        .where(
            BankImport.opening_balance.is_not(None),
            BankImport.closing_balance.is_not(None),
            # With lines of an earlier file in it, its own are only a part.
            BankImport.lines_known == 0,
        )
        .group_by(BankImport.id)
        .having(BankImport.opening_balance + total != BankImport.closing_balance)
        .order_by(BankImport.id)
    )
    for found, summed in rows:
        opening, closing = found.opening_balance or 0, found.closing_balance or 0
        yield Finding(
            BreakType.AMOUNT,
            "bank_import",
            str(found.id),
            closing - opening - int(summed),
            found.currency,
            found.imported_at,
            {"file_name": found.file_name, "opening": opening, "closing": closing,
             "lines_sum": int(summed)},
        )  # fmt: skip


def _of_payout(payout: StripePayout, type_: BreakType, amount: int, **details: object) -> Finding:
    return Finding(
        type_,
        STRIPE_PAYOUT,
        payout.stripe_id,
        amount,
        payout.currency,
        noon(payout.arrival_on),
        {"payout_amount": payout.amount, **details},
    )


def _of_line(line: BankLine, type_: BreakType, amount: int, **details: object) -> Finding:
    return Finding(
        type_,
        BANK_LINE,
        str(line.id),
        amount,
        line.currency,
        noon(line.booked_on),
        {"reference": line.reference, "text": line.text, "booked_on": line.booked_on.isoformat(),
         **details},
    )  # fmt: skip
