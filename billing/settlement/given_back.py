"""What a payout had set apart, or had paid, is the partner's again: it was canceled or refused, or
its transfer was taken back whole."""

from collections.abc import Sequence

from sqlalchemy import select

from billing.ledger import lock_partner
from billing.models.earning import Earning
from billing.models.ledger import LedgerEntry
from billing.models.payout import Payout, PayoutItem
from billing.settlement.freezing import hold_again
from billing.settlement.receivables import net_partner
from billing.settlement.reversals import end_planned
from marketplace.core.database import db


def money_came_back(payout: Payout) -> None:
    """Net what the partner owes against it, and hold again what was frozen meanwhile.

    What was to be taken back of its transfer is netted too: there is none. Call it in the
    transaction that made the money payable again, when its items are not live any more.
    """
    lock_partner(payout.partner_id, payout.currency)
    db.session.flush()
    end_planned(payout)
    net_partner(payout.partner_id, payout.currency)
    for earning in _frozen(payout.id):
        hold_again(earning)


def _frozen(payout_id: int) -> Sequence[Earning]:
    return db.session.scalars(
        select(Earning)
        .where(
            Earning.id.in_(
                select(LedgerEntry.earning_id)
                .join(PayoutItem, PayoutItem.entry_id == LedgerEntry.id)
                .where(PayoutItem.payout_id == payout_id)
            ),
            Earning.frozen_at.is_not(None),
        )
        .order_by(Earning.id)
        .execution_options(populate_existing=True)
    ).all()
