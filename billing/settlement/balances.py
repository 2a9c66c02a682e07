"""What of an earning, and of a partner, is where. Whoever posts by it holds the locks."""

from collections.abc import Iterable, Sequence

from sqlalchemy import exists, func, select

from billing.accounts import PARTNER_HELD, PARTNER_PAYABLE, PARTNER_RECEIVABLE
from billing.ledger import balances_of
from billing.models.ledger import LedgerAccount, LedgerEntry, LedgerTransaction
from billing.models.payout import Payout, PayoutItem, PayoutState, TransferReversal
from billing.payouts.payable import as_credit
from marketplace.core.database import db

BATCH = 1_000
INTENDED = "intended"
# Corrections of finance: they are the partner's whatever becomes of the sale itself.
ADJUSTMENT = "adjustment"
# The money is on the partner's balance at Stripe, went from there to its bank, or came back.
ARRIVED = (
    PayoutState.TRANSFERRED,
    PayoutState.PAID,
    PayoutState.FAILED,
    PayoutState.RETURNED,
)
# The money is set apart for a transfer that is still to be made, or taken back whole.
ON_THE_WAY = (
    PayoutState.RESERVED,
    PayoutState.SUBMITTING,
    PayoutState.UNKNOWN,
    PayoutState.REJECTED,
    PayoutState.REVERSING,
)


def held_of(earning_ids: Sequence[int]) -> dict[int, int]:
    """What of each earning is in partner_held, in minor units; all ids are keys."""
    found = dict.fromkeys(earning_ids, 0)
    for start in range(0, len(earning_ids), BATCH):
        rows = db.session.execute(
            select(LedgerEntry.earning_id, func.sum(as_credit()))
            .join(LedgerAccount, LedgerAccount.id == LedgerEntry.account_id)
            .where(
                LedgerAccount.code == PARTNER_HELD,
                LedgerEntry.earning_id.in_(earning_ids[start : start + BATCH]),
            )
            .group_by(LedgerEntry.earning_id)
        )
        found |= {int(key): int(total) for key, total in rows if key is not None}
    return found


def unpaid_of(earning_ids: Sequence[int]) -> dict[int, int]:
    """What of each earning is in partner_payable and set apart for no payout; all ids are keys.

    What was adjusted about it stays out: it is paid whatever becomes of the earning.
    """
    found = dict.fromkeys(earning_ids, 0)
    set_apart = exists().where(
        PayoutItem.entry_id == LedgerEntry.id,
        PayoutItem.is_live,
        Payout.id == PayoutItem.payout_id,
        Payout.state != PayoutState.COMPUTED,
    )
    for start in range(0, len(earning_ids), BATCH):
        rows = db.session.execute(
            select(LedgerEntry.earning_id, func.sum(as_credit()))
            .join(LedgerAccount, LedgerAccount.id == LedgerEntry.account_id)
            .join(LedgerTransaction, LedgerTransaction.id == LedgerEntry.txn_id)
            .where(
                LedgerAccount.code == PARTNER_PAYABLE,
                LedgerTransaction.kind != ADJUSTMENT,
                LedgerEntry.earning_id.in_(earning_ids[start : start + BATCH]),
                ~set_apart,
            )
            .group_by(LedgerEntry.earning_id)
        )
        found |= {int(key): int(total) for key, total in rows if key is not None}
    return found


def free_payables(owners: Iterable[int], currency: str) -> dict[int, int]:
    """What each partner has in partner_payable; may be below zero.

    A computed payout sets nothing apart yet: whoever approves it leaves out what is not there any
    more. What is approved has left the account.
    """
    ordered = sorted(set(owners))
    found: dict[int, int] = {}
    for start in range(0, len(ordered), BATCH):
        found |= balances_of(PARTNER_PAYABLE, currency, ordered[start : start + BATCH])
    return found


def free_receivables(owners: Iterable[int], currency: str) -> dict[int, int]:
    """What each partner owes and no transfer reversal under way is about to bring back."""
    ordered = sorted(set(owners))
    found: dict[int, int] = {}
    for start in range(0, len(ordered), BATCH):
        part = ordered[start : start + BATCH]
        owed = balances_of(PARTNER_RECEIVABLE, currency, part)
        under_way = dict(
            db.session.execute(
                select(Payout.partner_id, func.sum(TransferReversal.amount))
                .join(Payout, Payout.id == TransferReversal.payout_id)
                .where(
                    Payout.partner_id.in_(part),
                    Payout.currency == currency,
                    TransferReversal.state == INTENDED,
                    TransferReversal.earning_id.is_not(None),
                    # Of a payout that was given back, nothing comes back any more.
                    Payout.state.in_(ARRIVED + ON_THE_WAY),
                )
                .group_by(Payout.partner_id)
            ).all()
        )
        found |= {owner: owed[owner] - int(under_way.get(owner, 0)) for owner in part}
    return found
