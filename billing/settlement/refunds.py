"""Refunds: decided here or made at Stripe, each part taken back from whoever got it.

The parts move when the refund is decided, against refund_clearing, so that nothing of it is paid
out meanwhile; refund_clearing is emptied when Stripe took the money, and everything is given
back when the refund fails.
"""

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import func, select

from billing.accounts import PROCESSING_FEE, REFUND_CLEARING, STRIPE_AVAILABLE
from billing.ledger import credit, debit, post
from billing.models.earning import Earning
from billing.models.ledger import LedgerTransaction
from billing.models.order import Order, OrderState
from billing.models.refund import Dispute, DisputeState, Refund, RefundState
from billing.money import charge_step
from billing.public_ids import new_public_id
from billing.settlement.fx import realize_exchange, stripe_legs
from billing.settlement.listeners import tell_refund
from billing.settlement.locks import lock_order
from billing.settlement.parts import SettlementError
from billing.settlement.payments import order_of_payment
from billing.settlement.returned import went_back
from billing.settlement.reversals import plan_reversals
from billing.settlement.taking import change_of, lock_parties, post_change
from marketplace.core import clock
from marketplace.core.database import db
from marketplace.core.facts import record_fact
from marketplace.core.jobs import enqueue

JsonDict = dict[str, Any]
SEND = "settlement.send_refund"
_UNDONE = {RefundState.FAILED, RefundState.CANCELED}
_STATES = {
    "pending": RefundState.PENDING,
    "requires_action": RefundState.PENDING,
    "succeeded": RefundState.SUCCEEDED,
    "failed": RefundState.FAILED,
    "canceled": RefundState.CANCELED,
}
# A state only ever gives way to a later one.
_RANK = {
    RefundState.INTENDED: 0,
    RefundState.PENDING: 1,
    RefundState.SUCCEEDED: 2,
    RefundState.CANCELED: 3,
    RefundState.FAILED: 3,
}


@dataclass(frozen=True)
class PartnerPart:
    """What a partner would give back, and from where; amounts in minor units."""

    earning: Earning
    amount: int
    from_held: int
    from_payable: int
    owed: int


@dataclass(frozen=True)
class RefundParts:
    """Who would pay what of a refund, in minor units of the order's currency.

    amount = tax + fee + what the partners give - discount - commission. `discount` and
    `commission` are what the platform had funded and gets back.
    """

    amount: int
    currency: str
    tax: int
    fee: int
    discount: int
    commission: int
    partners: tuple[PartnerPart, ...]
    # What could be refunded before it.
    refundable: int


def refundable(order: Order) -> int:
    """What of an order can still be refunded, in minor units with tax."""
    if order.state is not OrderState.PAID:
        return 0
    return max(0, order.total - went_back(order.id))


def preview_refund(order: Order, amount: int) -> RefundParts:
    """Who would pay what now. Changes nothing. Raises SettlementError like request_refund."""
    before = went_back(order.id)
    _refuse(order, amount, before)
    change = change_of(order, before, before + amount)
    return RefundParts(
        amount=amount,
        currency=order.currency,
        tax=change.parts.tax,
        fee=change.parts.fee,
        discount=change.parts.discount,
        commission=change.parts.commission - change.own_commission,
        partners=tuple(
            PartnerPart(each.earning, each.amount, each.from_held, each.from_payable, each.owed)
            for each in change.taken
        ),
        refundable=order.total - before,
    )


def request_refund(
    order: Order,
    amount: int,
    *,
    reason: str,
    by_user_id: int | None,
    request_id: int | None = None,
) -> Refund:
    """Decide a refund of `amount`, with tax, in minor units; a job has Stripe make it.

    Everybody's part is taken back at once. Raises SettlementError, with a message for people, for
    an order that is not paid or disputed, and for more than is left of it.
    """
    order = lock_order(order.id)
    before = went_back(order.id)
    _refuse(order, amount, before)
    refund = _new_refund(order, amount, reason)
    refund.created_by_id, refund.request_id = by_user_id, request_id
    _split(order, refund, before)
    enqueue(SEND, {"refund_id": refund.id}, dedupe_key=f"{SEND}:{refund.id}")
    _tell("refund.requested", order, refund, by_user_id)
    return refund


def settle_refund(found: JsonDict) -> Refund | None:
    """Bring a refund to where Stripe has it; None when its order is not here (yet).

    `found` is Stripe's refund, fetched just now, with `balance_transaction` and
    `failure_balance_transaction` expanded. One that was made at Stripe itself is taken over.
    """
    if isinstance(found.get("balance_transaction"), str):
        raise SettlementError(f"Refund {found['id']} came without its balance transaction.")
    order_id = _order_of(found)
    if order_id is None:
        return None
    order = lock_order(order_id)
    if order.state is not OrderState.PAID:
        return None
    refund = _find(found)
    if refund is None:
        before = went_back(order.id)
        refund = _new_refund(order, int(found["amount"]), str(found.get("reason") or ""))
        if str(found["currency"]).upper() != order.currency:
            raise SettlementError(f"Refund {found['id']} is in another currency than its order.")
        _split(order, refund, before)
        _tell("refund.discovered", order, refund, None)
    refund.stripe_id = refund.stripe_id or str(found["id"])
    state = _STATES.get(str(found.get("status")), RefundState.PENDING)
    if _RANK[state] < _RANK[refund.state] or refund.state in _UNDONE:
        return refund
    if found.get("balance_transaction") or state is RefundState.SUCCEEDED:
        _post_paid(order, refund, found)
    if state in _UNDONE:
        _undo(order, refund, state, str(found.get("failure_reason") or ""), found)
    elif state is not refund.state:
        refund.state = state
        if state is RefundState.SUCCEEDED:
            refund.settled_at = clock.now()
            _tell("refund.succeeded", order, refund, None)
            tell_refund(order, refund)
    db.session.flush()
    realize_exchange(order)
    return refund


def fail_refund(refund_id: int, reason: str) -> None:
    """Give everything back: Stripe refused to make this refund. Once."""
    refund = db.session.get_one(Refund, refund_id)
    order = lock_order(refund.order_id)
    db.session.refresh(refund)
    if refund.state is RefundState.INTENDED:
        _undo(order, refund, RefundState.FAILED, reason, {})


def _refuse(order: Order, amount: int, before: int) -> None:
    if order.state is not OrderState.PAID:
        raise SettlementError("Only a paid order can be refunded.")
    left = order.total - before
    if left <= 0:
        raise SettlementError("Nothing is left to refund.")
    if not 0 < amount <= left:
        raise SettlementError("Refund more than nothing, and at most what is left.")
    if amount % charge_step(order.currency) and amount != left:
        raise SettlementError(f"Amounts in {order.currency} are refunded in whole steps only.")
    disputed = db.session.scalar(
        select(func.count()).where(Dispute.order_id == order.id, Dispute.state == DisputeState.OPEN)
    )
    if disputed:
        raise SettlementError("The payment is disputed; wait until the bank has decided.")


def _new_refund(order: Order, amount: int, reason: str) -> Refund:
    number = db.session.scalar(select(func.max(Refund.number)).where(Refund.order_id == order.id))
    refund = Refund(
        public_id=new_public_id("ref"),
        order_id=order.id,
        number=int(number or 0) + 1,
        amount=amount,
        currency=order.currency,
        reason=reason.strip()[:300],
        state=RefundState.INTENDED,
    )
    db.session.add(refund)
    db.session.flush()
    return refund


def _split(order: Order, refund: Refund, before: int) -> None:
    lock_parties(order)
    _, change = post_change(
        order,
        before,
        before + refund.amount,
        kind="refund",
        source=("refund", refund.id),
        key=f"refund:{refund.id}:split",
        others=[credit(REFUND_CLEARING, refund.amount, order.currency)],
        memo=_memo(order, refund),
    )
    plan_reversals(change.taken, refund_id=refund.id)


def _memo(order: Order, refund: Refund) -> str:
    """What partners read beside their line; the desk promises them the reason."""
    said = f"Refund {refund.number} of {order.public_id}"
    return f"{said}: {refund.reason}"[:300] if refund.reason else said


def _post_paid(order: Order, refund: Refund, found: JsonDict) -> None:
    """The money left Stripe."""
    balance_txn = _expanded(found, "balance_transaction")
    post(
        "refund_paid",
        source=("refund", refund.id),
        key=f"refund:{refund.id}:paid",
        legs=[
            debit(REFUND_CLEARING, refund.amount, order.currency),
            *stripe_legs(-refund.amount, order.currency, balance_txn),
        ],
        effective_at=_created(balance_txn),
        order_id=order.id,
    )
    fee = int(balance_txn["fee"]) if balance_txn else 0
    if balance_txn and fee:
        into = str(balance_txn["currency"]).upper()
        post(
            "refund_fee",
            source=("refund", refund.id),
            key=f"refund:{refund.id}:fee",
            legs=[debit(PROCESSING_FEE, fee, into), credit(STRIPE_AVAILABLE, fee, into)],
            effective_at=_created(balance_txn),
            order_id=order.id,
        )


def _undo(order: Order, refund: Refund, state: RefundState, reason: str, found: JsonDict) -> None:
    """Give back what a refund took from everybody; and Stripe gave us the money back."""
    before = went_back(order.id)
    refund.state, refund.failure = state, reason[:300]
    refund.settled_at = clock.now()
    lock_parties(order)
    if _is_posted(f"refund:{refund.id}:paid"):
        balance_txn = _expanded(found, "failure_balance_transaction")
        post(
            "refund_unpaid",
            source=("refund", refund.id),
            key=f"refund:{refund.id}:unpaid",
            legs=[
                *stripe_legs(refund.amount, order.currency, balance_txn),
                credit(REFUND_CLEARING, refund.amount, order.currency),
            ],
            effective_at=_created(balance_txn),
            order_id=order.id,
        )
    post_change(
        order,
        before,
        before - refund.amount,
        kind="refund_failed",
        source=("refund", refund.id),
        key=f"refund:{refund.id}:failed",
        others=[debit(REFUND_CLEARING, refund.amount, order.currency)],
        memo=f"Refund {refund.number} failed: {reason}"[:300],
    )
    _tell("refund.failed", order, refund, None)
    tell_refund(order, refund)


def _find(found: JsonDict) -> Refund | None:
    refund = db.session.scalar(
        select(Refund)
        .where(Refund.stripe_id == str(found["id"]))
        .execution_options(populate_existing=True)
    )
    ours = str((found.get("metadata") or {}).get("refund_id", ""))
    if refund is None and ours:
        refund = db.session.scalar(
            select(Refund).where(Refund.public_id == ours).execution_options(populate_existing=True)
        )
    return refund


def _order_of(found: JsonDict) -> int | None:
    refund = _find(found)
    if refund is not None:
        return refund.order_id
    return order_of_payment(found.get("charge"), found.get("payment_intent"))


def _is_posted(key: str) -> bool:
    return (
        db.session.scalar(select(LedgerTransaction.id).where(LedgerTransaction.idem_key == key))
        is not None
    )


def _expanded(found: JsonDict, name: str) -> JsonDict | None:
    value = found.get(name)
    return value if isinstance(value, dict) else None


def _created(balance_txn: JsonDict | None) -> datetime | None:
    return datetime.fromtimestamp(int(balance_txn["created"]), UTC) if balance_txn else None


def _tell(kind: str, order: Order, refund: Refund, by_user_id: int | None) -> None:
    record_fact(
        kind,
        subject=("refund", refund.id),
        organization_id=order.organization_id,
        actor_user_id=by_user_id,
        data={"order": order.id, "amount": refund.amount, "currency": refund.currency},
    )
