"""Which entries of partners can be paid: those that no live payout pays already.

They are the entries of partner_payable but those of payouts themselves: a payout's own entries
would otherwise be paid by the next one. Since an approved payout's money leaves partner_payable
at once, the balance of the account is always the sum of these entries, and of what is computed
but not approved yet.
"""

from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Select, case, exists, func, select

from billing.accounts import PARTNER_PAYABLE
from billing.models import LedgerAccount, LedgerEntry, LedgerTransaction, PayoutItem, Side
from marketplace.core.database import db


def as_credit() -> ColumnElement[int]:
    """An entry's amount as a credit: negative for a debit."""
    return case((LedgerEntry.side == Side.CREDIT, LedgerEntry.amount), else_=-LedgerEntry.amount)


def payable_entries(*columns: Any, until: datetime | None = None) -> Select[Any]:
    """These columns of the entries that can be paid; of what was posted up to `until`."""
    in_live_payout = exists().where(PayoutItem.entry_id == LedgerEntry.id, PayoutItem.is_live)
    query = (
        select(*columns)
        .select_from(LedgerEntry)
        .join(LedgerAccount, LedgerAccount.id == LedgerEntry.account_id)
        .join(LedgerTransaction, LedgerTransaction.id == LedgerEntry.txn_id)
        .where(
            LedgerAccount.code == PARTNER_PAYABLE,
            LedgerTransaction.kind.not_like(r"payout\_%", escape="\\"),
            ~in_live_payout,
        )
    )
    return query if until is None else query.where(LedgerTransaction.posted_at <= until)


def payable_balance(owner: int, currency: str) -> int:
    """What the next run could pay this partner, in minor units; may be below zero.

    Whoever posts by it takes ledger.lock_partner() first.
    """
    total = db.session.scalar(
        payable_entries(func.sum(as_credit())).where(
            LedgerAccount.owner == owner, LedgerAccount.currency == currency
        )
    )
    return int(total or 0)
