"""`billing verify`: everything that must always be true of the ledger, and the row where it is not.

Each check walks its rows in order and in bounded memory, and yields what is broken. It reads
only; run it while others work, and a row that is being written may not be seen yet.
"""

from collections.abc import Callable, Collection, Iterator

from sqlalchemy import BigInteger, case, cast, func, or_, select
from sqlalchemy.orm import Session, aliased, selectinload

from billing.accounts import (
    BAD_DEBT,
    CHART,
    COMMISSION_EXPENSE,
    DISCOUNT,
    DISPUTE_HOLD,
    PARTNER_HELD,
    PARTNER_PAYABLE,
    PARTNER_RECEIVABLE,
    PAYOUT_CLEARING,
    PLATFORM_FEE,
    REFUND_CLEARING,
    TAX_PAYABLE,
)
from billing.broken import Broken
from billing.models.earning import Earning, EarningState
from billing.models.ledger import (
    LedgerAccount,
    LedgerEntry,
    LedgerTransaction,
    Period,
    PeriodState,
    Side,
)
from billing.models.order import Order, OrderState
from billing.models.payout import Payout, PayoutItem, PayoutState
from billing.models.refund import Dispute, DisputeState, Refund, RefundState
from billing.payouts.payable import as_credit, payable_entries
from billing.seals import broken_seals
from billing.settlement.parts import SettlementError, gone_back, parts_of
from billing.verify_decisions import decisions_are_posted
from billing.verify_parties import (
    disputes_are_posted,
    months_fit,
    owners_fit,
    transfers_are_ours,
)
from billing.verify_payouts import clearing_is_explained, transfers_are_booked
from marketplace.core.database import db

BATCH = 500
# Accounts that never have a balance on their wrong side.
NEVER_NEGATIVE = (
    PARTNER_HELD,
    PARTNER_PAYABLE,
    PARTNER_RECEIVABLE,
    PAYOUT_CLEARING,
    REFUND_CLEARING,
    DISPUTE_HOLD,
)
# What settlement posts of an order itself; the rest (fees of Stripe, conversions) is not of its
# parts.
_ORDER_KINDS = (
    "sale",
    "refund",
    "refund_failed",
    "dispute_lost",
    "dispute_regained",
    "void",
)
_OF_PARTNERS = (PARTNER_HELD, PARTNER_PAYABLE, PARTNER_RECEIVABLE)
_AS_DEBIT = case((LedgerEntry.side == Side.DEBIT, LedgerEntry.amount), else_=-LedgerEntry.amount)


def verify(names: Collection[str] = ()) -> Iterator[Broken]:
    """Every broken invariant of the whole ledger, check by check; of these checks alone, if any
    are named."""
    for name, check in CHECKS.items():
        if not names or name in names:
            yield from check()


def _reader() -> Session:
    """A session of its own in the same transaction, so that it can forget what it has read."""
    return Session(bind=db.session.connection())


def _balanced() -> Iterator[Broken]:
    """Each transaction sums to zero in each currency, and has entries."""
    rows = db.session.execute(
        select(LedgerEntry.txn_id, LedgerEntry.currency, func.sum(_AS_DEBIT))
        .group_by(LedgerEntry.txn_id, LedgerEntry.currency)
        .having(func.sum(_AS_DEBIT) != 0)
        .order_by(LedgerEntry.txn_id)
        .execution_options(yield_per=BATCH)
    )
    for txn_id, currency, total in rows:
        yield Broken("balanced", f"ledger_txn {txn_id}", f"debits less credits: {total} {currency}")
    empty = db.session.scalars(
        select(LedgerTransaction.id)
        .outerjoin(LedgerEntry, LedgerEntry.txn_id == LedgerTransaction.id)
        .where(LedgerEntry.id.is_(None))
        .order_by(LedgerTransaction.id)
        .execution_options(yield_per=BATCH)
    )
    for txn_id in empty:
        yield Broken("balanced", f"ledger_txn {txn_id}", "it has no entries")


def _entries_fit() -> Iterator[Broken]:
    """Each entry is above zero, of its account's currency, and each account is of the chart."""
    rows = db.session.execute(
        select(LedgerEntry.id, LedgerEntry.amount, LedgerEntry.currency, LedgerAccount.currency)
        .join(LedgerAccount, LedgerAccount.id == LedgerEntry.account_id)
        .where(or_(LedgerEntry.amount <= 0, LedgerEntry.currency != LedgerAccount.currency))
        .order_by(LedgerEntry.id)
    )
    for entry_id, amount, currency, expected in rows:
        detail = f"{amount} {currency} on an account in {expected}"
        yield Broken("entries_fit", f"ledger_entry {entry_id}", detail)
    for account in db.session.scalars(select(LedgerAccount).order_by(LedgerAccount.id)):
        kind = CHART.get(account.code)
        if kind is None or kind.normal_side is not account.normal_side:
            yield Broken("entries_fit", f"ledger_account {account.id}", "not of the chart")
        elif kind.per_partner != (account.owner != 0):
            yield Broken("entries_fit", f"ledger_account {account.id}", "its owner is wrong")


def _reversals_mirror() -> Iterator[Broken]:
    """What is reversed is undone to the unit, account by account."""
    original = aliased(LedgerTransaction)
    rows = db.session.execute(
        select(LedgerTransaction.id, func.sum(_AS_DEBIT), LedgerEntry.account_id)
        .select_from(LedgerTransaction)
        .join(original, original.id == LedgerTransaction.reverses_id)
        .join(LedgerEntry, LedgerEntry.txn_id.in_([LedgerTransaction.id, original.id]))
        .group_by(LedgerTransaction.id, LedgerEntry.account_id)
        .having(func.sum(_AS_DEBIT) != 0)
        .order_by(LedgerTransaction.id)
    )
    for txn_id, total, account_id in rows:
        detail = f"{total} is left on ledger_account {account_id}"
        yield Broken("reversals_mirror", f"ledger_txn {txn_id}", detail)


def _no_wrong_side() -> Iterator[Broken]:
    """What is held, payable, owed or under way is never less than nothing."""
    signed = case(
        (LedgerEntry.side == LedgerAccount.normal_side, LedgerEntry.amount),
        else_=-LedgerEntry.amount,
    )
    rows = db.session.execute(
        select(LedgerAccount.id, LedgerAccount.code, LedgerAccount.owner, func.sum(signed))
        .join(LedgerEntry, LedgerEntry.account_id == LedgerAccount.id)
        .where(LedgerAccount.code.in_(NEVER_NEGATIVE))
        .group_by(LedgerAccount.id, LedgerAccount.code, LedgerAccount.owner)
        .having(func.sum(signed) < 0)
        .order_by(LedgerAccount.id)
    )
    for account_id, code, owner, total in rows:
        detail = f"{code} of {owner or 'the platform'} is {total}"
        yield Broken("no_wrong_side", f"ledger_account {account_id}", detail)


def _closed_months_stay() -> Iterator[Broken]:
    """Nothing was posted in a month after it was closed, and nothing of it changed."""
    yield from broken_seals()
    rows = db.session.execute(
        select(LedgerTransaction.id, Period.code)
        .join(Period, Period.id == LedgerTransaction.period_id)
        .where(Period.state == PeriodState.CLOSED, LedgerTransaction.posted_at > Period.closed_at)
        .order_by(LedgerTransaction.id)
    )
    for txn_id, code in rows:
        yield Broken("closed_months_stay", f"ledger_txn {txn_id}", f"posted after {code} closed")


def _earnings_are_whole() -> Iterator[Broken]:
    """What the ledger has of each earning is what is left of it, and its state says where."""
    after, reader = 0, _reader()
    while True:
        earnings = reader.scalars(
            select(Earning).where(Earning.id > after).order_by(Earning.id).limit(BATCH)
        ).all()
        if not earnings:
            return
        after = earnings[-1].id
        moved = _moved_of([each.id for each in earnings])
        for each in earnings:
            held, others = moved.get(each.id, (0, 0))
            if held + others != each.net:
                detail = f"the ledger has {held + others}, {each.net} is left of it"
                yield Broken("earnings_are_whole", f"earning {each.id}", detail)
            elif held < 0 or (held > 0) != (each.state is EarningState.HELD):
                detail = f"{held} is held, but it is {each.state}"
                yield Broken("earnings_are_whole", f"earning {each.id}", detail)
            elif (each.net == 0) != (each.state is EarningState.VOID):
                detail = f"{each.net} is left, but it is {each.state}"
                yield Broken("earnings_are_whole", f"earning {each.id}", detail)
        reader.expunge_all()


def _moved_of(earning_ids: list[int]) -> dict[int, tuple[int, int]]:
    """(what is held, what else there is) of each earning; payouts move partners, not earnings."""
    credits = as_credit()
    is_held = LedgerAccount.code == PARTNER_HELD
    rows = db.session.execute(
        select(
            LedgerEntry.earning_id,
            func.sum(case((is_held, credits), else_=0)),
            func.sum(case((is_held, 0), else_=credits)),
        )
        .join(LedgerAccount, LedgerAccount.id == LedgerEntry.account_id)
        .join(LedgerTransaction, LedgerTransaction.id == LedgerEntry.txn_id)
        .where(
            LedgerEntry.earning_id.in_(earning_ids),
            LedgerTransaction.kind != "adjustment",
        )
        .group_by(LedgerEntry.earning_id)
    )
    return {int(key): (int(held), int(others)) for key, held, others in rows if key is not None}


def _orders_are_whole() -> Iterator[Broken]:
    """Each order's parts in the ledger are what was frozen, less what went back."""
    after, reader = 0, _reader()
    while True:
        orders = reader.scalars(
            select(Order)
            .where(Order.id > after, Order.state == OrderState.PAID)
            .options(selectinload(Order.lines))
            .order_by(Order.id)
            .limit(BATCH)
        ).all()
        if not orders:
            return
        after = orders[-1].id
        ids = [order.id for order in orders]
        sums, back = _sums_of(ids), _went_back_of(ids)
        for order in orders:
            yield from _order_is_whole(order, sums.get(order.id, {}), back.get(order.id, 0))
        reader.expunge_all()


def _order_is_whole(order: Order, sums: dict[str, int], back: int) -> Iterator[Broken]:
    row = f"purchase_order {order.id}"
    if order.refunded_total != min(back, order.total):
        detail = f"{back} went back, it says {order.refunded_total}"
        yield Broken("orders_are_whole", row, detail)
    try:
        parts = parts_of(order.lines)
    except SettlementError as error:
        yield Broken("orders_are_whole", row, str(error))
        return
    if (parts.total, parts.tax) != (order.total, order.tax_total):
        yield Broken("orders_are_whole", row, "its lines are not its total")
        return
    gone = gone_back(parts, back)
    expected = {
        TAX_PAYABLE: parts.tax - gone.tax,
        PLATFORM_FEE: parts.fee - gone.fee,
        DISCOUNT: gone.discount - parts.discount,
        BAD_DEBT: -gone.bad_debt,
    }
    for code, amount in expected.items():
        if sums.get(code, 0) != amount:
            detail = f"{code} has {sums.get(code, 0)}, expected {amount} (as credits)"
            yield Broken("orders_are_whole", row, detail)
    # A voided commission of the platform's own is its expense no more: both sides fell together.
    partners = sum(
        sums.get(code, 0) for code in (PARTNER_HELD, PARTNER_PAYABLE, PARTNER_RECEIVABLE)
    )
    commission = sums.get(COMMISSION_EXPENSE, 0)
    left = sum(share.amount for share in parts.shares) - sum(gone.shares)
    if partners + commission != left - parts.commission + gone.commission:
        detail = f"partners have {partners} less {-commission} of ours, expected {left} in all"
        yield Broken("orders_are_whole", row, detail)


def _sums_of(order_ids: list[int]) -> dict[int, dict[str, int]]:
    """What settlement posted of each order by account, as credits."""
    found: dict[int, dict[str, int]] = {}
    rows = db.session.execute(
        select(LedgerTransaction.order_id, LedgerAccount.code, func.sum(as_credit()))
        .join(LedgerEntry, LedgerEntry.txn_id == LedgerTransaction.id)
        .join(LedgerAccount, LedgerAccount.id == LedgerEntry.account_id)
        .where(LedgerTransaction.order_id.in_(order_ids), LedgerTransaction.kind.in_(_ORDER_KINDS))
        .group_by(LedgerTransaction.order_id, LedgerAccount.code)
    )
    for order_id, code, total in rows:
        if order_id is not None:
            found.setdefault(order_id, {})[code] = int(total)
    return found


def _went_back_of(order_ids: list[int]) -> dict[int, int]:
    found: dict[int, int] = {}
    refunds = db.session.execute(
        select(Refund.order_id, func.sum(Refund.amount))
        .where(
            Refund.order_id.in_(order_ids),
            Refund.state.not_in([RefundState.FAILED, RefundState.CANCELED]),
        )
        .group_by(Refund.order_id)
    )
    disputes = db.session.execute(
        select(Dispute.order_id, func.sum(Dispute.lost_amount))
        .where(Dispute.order_id.in_(order_ids), Dispute.state == DisputeState.LOST)
        .group_by(Dispute.order_id)
    )
    for order_id, amount in (*refunds, *disputes):
        found[order_id] = found.get(order_id, 0) + int(amount)
    return found


def _payouts_are_whole() -> Iterator[Broken]:
    """A payout's items sum to it, and partner_payable is what no live payout pays yet."""
    items = func.coalesce(func.sum(PayoutItem.amount), 0)
    whole = Payout.amount + case((Payout.state == PayoutState.COMPUTED, Payout.carried), else_=0)
    rows = db.session.execute(
        select(Payout.id, whole, items)
        .join(PayoutItem, (PayoutItem.payout_id == Payout.id) & PayoutItem.is_live)
        .group_by(Payout.id, Payout.amount, Payout.state, Payout.carried)
        .having(whole != items)
        .order_by(Payout.id)
    )
    for payout_id, amount, total in rows:
        detail = f"its entries sum to {total}, it pays {amount}"
        yield Broken("payouts_are_whole", f"payout {payout_id}", detail)
    unpaid = (
        payable_entries(
            LedgerEntry.account_id.label("account_id"), func.sum(as_credit()).label("total")
        )
        .group_by(LedgerEntry.account_id)
        .subquery()
    )
    computed = (
        select(
            Payout.partner_id,
            Payout.currency,
            func.sum(Payout.amount + Payout.carried).label("sum"),
        )
        .where(Payout.state == PayoutState.COMPUTED)
        .group_by(Payout.partner_id, Payout.currency)
        .subquery()
    )
    balances = (
        select(LedgerEntry.account_id, func.sum(as_credit()).label("total"))
        .join(LedgerAccount, LedgerAccount.id == LedgerEntry.account_id)
        .where(LedgerAccount.code == PARTNER_PAYABLE)
        .group_by(LedgerEntry.account_id)
        .subquery()
    )
    expected = cast(func.coalesce(unpaid.c.total, 0) + func.coalesce(computed.c.sum, 0), BigInteger)
    found = db.session.execute(
        select(LedgerAccount.id, LedgerAccount.owner, balances.c.total, expected)
        .join(balances, balances.c.account_id == LedgerAccount.id)
        .outerjoin(unpaid, unpaid.c.account_id == LedgerAccount.id)
        .outerjoin(
            computed,
            (computed.c.partner_id == LedgerAccount.owner)
            & (computed.c.currency == LedgerAccount.currency),
        )
        .where(balances.c.total != expected)
        .order_by(LedgerAccount.id)
    )
    for account_id, owner, total, wanted in found:
        detail = f"partner {owner} has {total} payable, its unpaid entries are {wanted}"
        yield Broken("payouts_are_whole", f"ledger_account {account_id}", detail)


CHECKS: dict[str, Callable[[], Iterator[Broken]]] = {
    "balanced": _balanced,
    "entries_fit": _entries_fit,
    "reversals_mirror": _reversals_mirror,
    "no_wrong_side": _no_wrong_side,
    "closed_months_stay": _closed_months_stay,
    "months_fit": months_fit,
    "owners_fit": owners_fit,
    "earnings_are_whole": _earnings_are_whole,
    "orders_are_whole": _orders_are_whole,
    "payouts_are_whole": _payouts_are_whole,
    "transfers_are_ours": transfers_are_ours,
    "transfers_are_booked": transfers_are_booked,
    "clearing_is_explained": clearing_is_explained,
    "disputes_are_posted": disputes_are_posted,
    "decisions_are_posted": decisions_are_posted,
}
