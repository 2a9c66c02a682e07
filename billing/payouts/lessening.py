"""Taking off an approved payout, before it is sent, what may not be paid any more.

Between the approval and the transfer an earning may be frozen, or a refund, a lost dispute or a
void take it away. The rest of the payout is paid all the same, and nothing leaves that would have
to be brought back.
"""

from collections.abc import Mapping

from sqlalchemy import func, select, update

from billing.accounts import PARTNER_PAYABLE, PARTNER_RECEIVABLE, PAYOUT_CLEARING
from billing.ledger import balance, credit, debit, post
from billing.models import (
    Earning,
    LedgerAccount,
    LedgerEntry,
    LedgerTransaction,
    Payout,
    PayoutItem,
    Side,
    TransferReversal,
)
from billing.money import whole_step
from billing.operations import withdraw
from billing.payouts.attempts import key_of
from billing.payouts.payable import as_credit
from billing.settlement.balances import ADJUSTMENT, INTENDED
from billing.settlement.freezing import hold_again
from billing.settlement.receivables import net_partner
from billing.settlement.reversals import end_planned
from marketplace.core.database import db
from marketplace.core.facts import record_fact


def lessen(payout: Payout) -> str:
    """Let a payout of which nothing was sent pay less by what is frozen or was taken away since.

    Why nothing is left of it, in words, and then nothing is changed: release it. Empty otherwise.
    Hold its locks (attempts.lock_payout). What is taken off is held again or netted.
    """
    frozen = _frozen_in(payout.id)
    off = sum(frozen.values())
    planned = _planned_of(payout, frozen)
    if not off and not planned:
        return ""
    before = payout.amount
    amount, left = whole_step(max(0, before - off - planned), payout.currency)
    if amount <= 0:
        return _why(frozen)
    number = _number_of(payout.id)
    _let_go(payout.id, frozen)
    payout.amount, payout.carried = amount, payout.carried + left
    post(
        "payout_lessened",
        source=("payout", payout.id),
        key=f"payout:{payout.id}:lessened:{number}",
        legs=[
            debit(PAYOUT_CLEARING, before - amount, payout.currency),
            credit(PARTNER_PAYABLE, before - amount, payout.currency, payout.partner_id),
        ],
        memo="Frozen or taken away since the run was approved",
    )
    db.session.flush()
    end_planned(payout)
    _bear(payout, "netting", number, planned, PARTNER_RECEIVABLE, "Owed by the partner")
    _bear(payout, "carry", number, left, PARTNER_PAYABLE, "Less than a whole unit")
    net_partner(payout.partner_id, payout.currency)
    for earning in db.session.scalars(
        select(Earning).where(Earning.id.in_(list(frozen))).order_by(Earning.id)
    ).all():
        hold_again(earning)
    # What was intended names the amount of before.
    if withdraw(key_of(payout)):
        payout.attempt += 1
    db.session.flush()
    record_fact(
        "payout.lessened",
        subject=("payout", payout.id),
        organization_id=payout.partner_id,
        data={"from": before, "to": amount, "frozen": off, "netted": planned},
    )
    return ""


def _frozen_in(payout_id: int) -> dict[int, int]:
    """What it would pay of each earning that is frozen now, in minor units."""
    total = func.sum(PayoutItem.amount)
    rows = db.session.execute(
        select(LedgerEntry.earning_id, total)
        .join(PayoutItem, PayoutItem.entry_id == LedgerEntry.id)
        .join(LedgerTransaction, LedgerTransaction.id == LedgerEntry.txn_id)
        .join(Earning, Earning.id == LedgerEntry.earning_id)
        .where(
            PayoutItem.payout_id == payout_id,
            PayoutItem.is_live,
            Earning.frozen_at.is_not(None),
            # A correction is the partner's whatever becomes of the sale.
            LedgerTransaction.kind != ADJUSTMENT,
        )
        .group_by(LedgerEntry.earning_id)
        .having(total > 0)
    )
    found = {earning_id: int(amount) for earning_id, amount in rows if earning_id is not None}
    # What a freeze before the approval held again was made good by what else is payable.
    return {each: amount for each, amount in found.items() if _is_payable(each)}


def _is_payable(earning_id: int) -> bool:
    total = db.session.scalar(
        select(func.sum(as_credit()))
        .select_from(LedgerEntry)
        .join(LedgerAccount, LedgerAccount.id == LedgerEntry.account_id)
        .join(LedgerTransaction, LedgerTransaction.id == LedgerEntry.txn_id)
        .where(
            LedgerAccount.code == PARTNER_PAYABLE,
            LedgerEntry.earning_id == earning_id,
            LedgerTransaction.kind != ADJUSTMENT,
        )
    )
    return int(total or 0) > 0


def _planned_of(payout: Payout, frozen: Mapping[int, int]) -> int:
    """What was to be taken back of its transfer, for earnings that it still pays."""
    total = db.session.scalar(
        select(func.sum(TransferReversal.amount)).where(
            TransferReversal.payout_id == payout.id,
            TransferReversal.state == INTENDED,
            TransferReversal.earning_id.is_not(None),
            TransferReversal.earning_id.not_in(list(frozen)),
        )
    )
    return min(int(total or 0), balance(PARTNER_RECEIVABLE, payout.currency, payout.partner_id))


def _let_go(payout_id: int, frozen: Mapping[int, int]) -> None:
    entries = (
        select(LedgerEntry.id)
        .join(LedgerTransaction, LedgerTransaction.id == LedgerEntry.txn_id)
        .where(LedgerEntry.earning_id.in_(list(frozen)), LedgerTransaction.kind != ADJUSTMENT)
    )
    db.session.execute(
        update(PayoutItem)
        .where(PayoutItem.payout_id == payout_id, PayoutItem.entry_id.in_(entries))
        .values(is_live=False)
        .execution_options(synchronize_session=False)
    )


def _bear(payout: Payout, kind: str, number: int, amount: int, against: str, memo: str) -> None:
    """Take an amount from partner_payable, and let this payout bear it."""
    txn = post(
        kind,
        source=("payout", payout.id),
        key=f"payout:{payout.id}:{kind}:{number}",
        legs=[
            debit(PARTNER_PAYABLE, amount, payout.currency, payout.partner_id),
            credit(against, amount, payout.currency, payout.partner_id),
        ],
        memo=memo,
    )
    if txn is None:
        return
    entry_id = db.session.scalars(
        select(LedgerEntry.id).where(LedgerEntry.txn_id == txn.id, LedgerEntry.side == Side.DEBIT)
    ).one()
    db.session.add(PayoutItem(payout_id=payout.id, entry_id=entry_id, amount=-amount, is_live=True))


def _number_of(payout_id: int) -> int:
    """Grows with each transaction of the payout, so that keys made of it are new."""
    return int(
        db.session.scalar(
            select(func.count()).where(
                LedgerTransaction.source_type == "payout",
                LedgerTransaction.source_id == str(payout_id),
            )
        )
        or 0
    )


def _why(frozen: Mapping[int, int]) -> str:
    if not frozen:
        return "What it would have paid was refunded or taken back since."
    reason = db.session.scalar(select(Earning.frozen_reason).where(Earning.id == min(frozen)))
    return f"What it would have paid is frozen: {reason}"[:300]
