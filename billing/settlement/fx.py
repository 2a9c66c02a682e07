"""Money at Stripe in another currency than the customer's: by the rate that Stripe really took."""

from typing import Any

from sqlalchemy import func, select

from billing.accounts import FX_CLEARING, FX_GAIN_LOSS, STRIPE_AVAILABLE
from billing.ledger import Leg, credit, debit, post
from billing.models.ledger import LedgerAccount, LedgerEntry, LedgerTransaction
from billing.models.order import Order
from billing.payouts.payable import as_credit
from marketplace.core.database import db

JsonDict = dict[str, Any]


def stripe_legs(
    amount: int, currency: str, balance_txn: JsonDict | None, code: str = STRIPE_AVAILABLE
) -> list[Leg]:
    """The legs of `amount` coming into Stripe's balance (negative: leaving it).

    `balance_txn` is Stripe's balance transaction of it, gross of fees. Where it settles in
    another currency, both sides meet in fx_clearing. The legs sum to `amount` in `currency`.
    """
    if balance_txn is None or str(balance_txn["currency"]).upper() == currency:
        return [debit(code, amount, currency)]
    settled, into = int(balance_txn["amount"]), str(balance_txn["currency"]).upper()
    return [
        debit(FX_CLEARING, amount, currency),
        credit(FX_CLEARING, settled, into),
        debit(code, settled, into),
    ]


def realize_exchange(order: Order) -> None:
    """Book what the exchange brought or cost once an order came back whole.

    While something of the order is exchanged, what lies in fx_clearing is a position in two
    currencies. When its side in the order's currency is back at zero, what is left on the other
    side is the difference between the two rates. Hold the order's lock.
    """
    rows = db.session.execute(
        select(LedgerAccount.currency, func.sum(as_credit()))
        .join(LedgerEntry, LedgerEntry.account_id == LedgerAccount.id)
        .join(LedgerTransaction, LedgerTransaction.id == LedgerEntry.txn_id)
        .where(LedgerTransaction.order_id == order.id, LedgerAccount.code == FX_CLEARING)
        .group_by(LedgerAccount.currency)
    ).all()
    left = {currency: int(total) for currency, total in rows if total}
    if not left or order.currency in left:
        return
    before = db.session.scalar(
        select(func.count()).where(
            LedgerTransaction.source_type == "order",
            LedgerTransaction.source_id == str(order.id),
            LedgerTransaction.kind == "fx_result",
        )
    )
    post(
        "fx_result",
        source=("order", order.id),
        key=f"order:{order.id}:fx_result:{int(before or 0) + 1}",
        legs=[
            leg
            for currency, total in sorted(left.items())
            for leg in (debit(FX_CLEARING, total, currency), credit(FX_GAIN_LOSS, total, currency))
        ],
        order_id=order.id,
        memo="It came back at another rate than it was charged at",
    )
