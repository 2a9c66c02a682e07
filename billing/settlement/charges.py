"""A customer's charge at Stripe: what Stripe took for it, and in which currency it settles."""

from datetime import UTC, datetime
from typing import Any

from billing.accounts import PROCESSING_FEE, STRIPE_PENDING
from billing.ledger import credit, debit, post
from billing.models.order import Order
from billing.settlement.fx import stripe_legs
from billing.settlement.parts import SettlementError
from marketplace.core.database import db

JsonDict = dict[str, Any]


def record_charge(order_id: int, charge: JsonDict) -> bool:
    """Post the fee and the conversion of an order's charge, once; False while Stripe has no
    balance transaction for it yet.

    `charge` is Stripe's, with `balance_transaction` expanded. Raises SettlementError when the
    charge is another order's, or of another amount.
    """
    order = db.session.get(Order, order_id)
    if order is None:
        raise SettlementError(f"There is no order {order_id}.")
    charge_id, currency = str(charge["id"]), str(charge["currency"]).upper()
    if order.charge_id not in {None, charge_id}:
        raise SettlementError(f"Order {order_id} was paid by another charge than {charge_id}.")
    if (int(charge["amount"]), currency) != (order.total, order.currency):
        raise SettlementError(f"Charge {charge_id} is not the total of order {order_id}.")
    balance_txn = charge.get("balance_transaction")
    if not isinstance(balance_txn, dict):
        return False
    order.charge_id = charge_id
    into = str(balance_txn["currency"]).upper()
    happened_at = datetime.fromtimestamp(int(balance_txn["created"]), UTC)
    if into != currency:
        post(
            "fx",
            source=("charge", charge_id),
            key=f"charge:{charge_id}:fx",
            # The sale was posted in the charge's currency; it leaves that and comes in its own.
            legs=[
                credit(STRIPE_PENDING, order.total, currency),
                *stripe_legs(order.total, currency, balance_txn, STRIPE_PENDING),
            ],
            effective_at=happened_at,
            order_id=order.id,
            memo=f"Settled in {into} at {balance_txn.get('exchange_rate')}",
        )
    fee = int(balance_txn["fee"])
    post(
        "processing_fee",
        source=("charge", charge_id),
        key=f"charge:{charge_id}:fee",
        legs=[debit(PROCESSING_FEE, fee, into), credit(STRIPE_PENDING, fee, into)],
        effective_at=happened_at,
        order_id=order.id,
        memo=f"Fee of {charge_id}",
    )
    db.session.flush()
    return True
