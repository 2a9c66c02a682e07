"""Bringing back from a partner's Stripe account what was paid out for a sale that was undone.

Stripe takes back a part of a transfer while the account has the balance. When it has not, the
partner owes it, and it is netted against what the partner earns next. What a payout under way
will pay for such a sale is planned at once and asked for when its transfer is there; when it is
given back instead, it is netted.
"""

from collections.abc import Iterable

from sqlalchemy import Select, func, select

from billing.accounts import PARTNER_RECEIVABLE, STRIPE_AVAILABLE
from billing.ledger import credit, debit, lock_partner, post
from billing.models.ledger import LedgerEntry
from billing.models.payout import Payout, PayoutItem, TransferReversal
from billing.money import whole_step
from billing.settlement.balances import ARRIVED, INTENDED, ON_THE_WAY
from billing.settlement.receivables import net_partner
from billing.settlement.taking import Taken
from marketplace.core import clock
from marketplace.core.database import db
from marketplace.core.facts import record_fact
from marketplace.core.jobs import enqueue

REVERSE = "settlement.reverse_transfer"
SUCCEEDED, REJECTED = "succeeded", "rejected"
GIVEN_BACK = "The payout did not keep the money."


def plan_reversals(
    taken: Iterable[Taken], *, refund_id: int | None = None, dispute_id: int | None = None
) -> None:
    """Have the transfers that paid these earnings, or are about to, reversed by what the partners
    owe now.

    Hold the partners' locks.
    """
    for each in taken:
        owed = each.owed
        for payout in _payouts_of(each.earning.id) if owed > 0 else ():
            amount, _ = whole_step(min(owed, _left_of(payout)), payout.currency)
            if amount <= 0:
                continue
            row = TransferReversal(
                payout_id=payout.id,
                amount=amount,
                state=INTENDED,
                refund_id=refund_id,
                dispute_id=dispute_id,
                earning_id=each.earning.id,
            )
            db.session.add(row)
            db.session.flush()
            _ask(row.id)
            owed -= amount


def transfer_is_there(payout_id: int) -> None:
    """Ask at once for what was planned to come back of a payout that was just transferred."""
    for row_id in db.session.scalars(_planned_of(payout_id).with_only_columns(TransferReversal.id)):
        _ask(row_id)


def end_planned(payout: Payout) -> None:
    """Plan nothing any more for a payout that does not pay, or was taken back whole. Hold the
    partner's lock, and net afterwards."""
    for row in db.session.scalars(_planned_of(payout.id)).all():
        _end(row, payout, None, GIVEN_BACK)


def settle_reversal(reversal_id: int, stripe_id: str | None, reason: str = "") -> None:
    """Post a reversal that Stripe made (or net what it refused, without `stripe_id`), once."""
    row = db.session.get_one(TransferReversal, reversal_id)
    payout = db.session.get_one(Payout, row.payout_id)
    lock_partner(payout.partner_id, payout.currency)
    db.session.refresh(row)
    db.session.refresh(payout)
    if row.state != INTENDED:
        return
    _end(row, payout, stripe_id, reason)
    net_partner(payout.partner_id, payout.currency)


def _ask(row_id: int) -> None:
    enqueue(REVERSE, {"reversal_id": row_id}, dedupe_key=f"{REVERSE}:{row_id}")


def _end(row: TransferReversal, payout: Payout, stripe_id: str | None, reason: str) -> None:
    row.settled_at, row.reason = clock.now(), reason[:300]
    row.state = SUCCEEDED if stripe_id else REJECTED
    row.stripe_id = stripe_id
    if stripe_id:
        payout.reversed_amount += row.amount
        post(
            "reversal",
            source=("transfer_reversal", row.id),
            key=f"reversal:{row.id}",
            legs=[
                debit(STRIPE_AVAILABLE, row.amount, payout.currency),
                credit(PARTNER_RECEIVABLE, row.amount, payout.currency, payout.partner_id),
            ],
            memo=f"Taken back from payout {payout.public_id}",
        )
    db.session.flush()
    record_fact(
        f"transfer_reversal.{row.state}",
        subject=("payout", payout.id),
        organization_id=payout.partner_id,
        data={"amount": row.amount, "currency": payout.currency, "reason": row.reason},
        idempotency_key=f"transfer_reversal:{row.id}",
    )


def _planned_of(payout_id: int) -> Select[TransferReversal]:
    """Of a part of it, for an earning; not the whole payout that a person takes back."""
    return (
        select(TransferReversal)
        .where(
            TransferReversal.payout_id == payout_id,
            TransferReversal.state == INTENDED,
            TransferReversal.earning_id.is_not(None),
        )
        .order_by(TransferReversal.id)
    )


def _payouts_of(earning_id: int) -> list[Payout]:
    """The payouts that paid an earning by a transfer, or are about to; oldest first."""
    return list(
        db.session.scalars(
            select(Payout)
            .where(
                Payout.id.in_(
                    select(PayoutItem.payout_id)
                    .join(LedgerEntry, LedgerEntry.id == PayoutItem.entry_id)
                    .where(LedgerEntry.earning_id == earning_id, PayoutItem.is_live)
                ),
                Payout.state.in_(ARRIVED + ON_THE_WAY),
            )
            .order_by(Payout.id)
            .execution_options(populate_existing=True)
        )
    )


def _left_of(payout: Payout) -> int:
    """What of a transfer nobody took back yet, nor is about to."""
    under_way = db.session.scalar(
        _planned_of(payout.id).order_by(None).with_only_columns(func.sum(TransferReversal.amount))
    )
    return payout.amount - payout.reversed_amount - int(under_way or 0)
