"""Disputes: the customer's bank takes the money back until it has decided.

While a dispute is open its money lies in dispute_hold and the order's earnings are frozen. Won:
everything is as before. Lost: like a refund of the disputed amount; what is above the order's
total is bad debt. A loss that is turned round later is undone the same way.
"""

from datetime import UTC, datetime
from typing import Any

from sqlalchemy import select

from billing.accounts import DISPUTE_FEE, DISPUTE_HOLD, FX_CLEARING, STRIPE_AVAILABLE
from billing.ledger import Leg, credit, debit, post
from billing.models.ledger import LedgerTransaction
from billing.models.order import Order, OrderState
from billing.models.refund import Dispute, DisputeState
from billing.settlement.freezing import freeze_order, unfreeze_order
from billing.settlement.fx import realize_exchange, stripe_legs
from billing.settlement.listeners import tell_dispute
from billing.settlement.locks import lock_order
from billing.settlement.payments import order_of_payment
from billing.settlement.returned import went_back
from billing.settlement.reversals import plan_reversals
from billing.settlement.taking import lock_parties, post_change
from marketplace.core import clock
from marketplace.core.database import db
from marketplace.core.facts import record_fact

JsonDict = dict[str, Any]
FROZEN = "The customer's bank disputes the payment."
_STATES = {
    "warning_needs_response": DisputeState.WARNING,
    "warning_under_review": DisputeState.WARNING,
    "needs_response": DisputeState.OPEN,
    "under_review": DisputeState.OPEN,
    "won": DisputeState.WON,
    # An inquiry that ended, and a dispute that was settled before it began.
    "warning_closed": DisputeState.WON,
    "prevented": DisputeState.WON,
    "lost": DisputeState.LOST,
}
# A state only ever gives way to a later one; a loss may be turned round, a win is final.
_RANK = {
    DisputeState.WARNING: 0,
    DisputeState.OPEN: 1,
    DisputeState.LOST: 2,
    DisputeState.WON: 3,
}


def settle_dispute(found: JsonDict) -> Dispute | None:
    """Bring a dispute to where Stripe has it; None when its order is not here (yet).

    `found` is Stripe's dispute, fetched just now, with its `balance_transactions`.
    """
    order_id = order_of_payment(found.get("charge"), found.get("payment_intent"))
    if order_id is None:
        return None
    order = lock_order(order_id)
    if order.state is not OrderState.PAID:
        return None
    dispute = _find_or_make(order, found)
    lock_parties(order)
    taken_out, put_back = _movements(found)
    if taken_out is not None:
        _open(order, dispute, taken_out)
    state = _STATES.get(str(found["status"]), DisputeState.OPEN)
    if _RANK[state] > _RANK[dispute.state]:
        _move(order, dispute, state)
    if dispute.state is DisputeState.WON and put_back is not None:
        _put_back(order, dispute, put_back)
    db.session.flush()
    realize_exchange(order)
    return dispute


def cause_of(dispute: Dispute) -> str:
    """The cause by which a dispute freezes earnings."""
    return f"dispute:{dispute.id}"


def _find_or_make(order: Order, found: JsonDict) -> Dispute:
    dispute = db.session.scalar(
        select(Dispute)
        .where(Dispute.stripe_id == str(found["id"]))
        .execution_options(populate_existing=True)
    )
    if dispute is None:
        charge = found.get("charge")
        dispute = Dispute(
            stripe_id=str(found["id"]),
            order_id=order.id,
            charge_id=str(charge["id"] if isinstance(charge, dict) else charge or ""),
            amount=int(found["amount"]),
            currency=str(found["currency"]).upper(),
            reason=str(found.get("reason") or "")[:80],
            state=DisputeState.WARNING,
            created_at=_moment(found.get("created")) or clock.now(),
        )
        db.session.add(dispute)
        db.session.flush()
        record_fact(
            "dispute.received",
            subject=("dispute", dispute.id),
            organization_id=order.organization_id,
            data={"order": order.id, "amount": dispute.amount, "currency": dispute.currency},
        )
    details = found.get("evidence_details") or {}
    dispute.evidence_due_at = _moment(details.get("due_by")) or dispute.evidence_due_at
    db.session.flush()
    return dispute


def _movements(found: JsonDict) -> tuple[JsonDict | None, JsonDict | None]:
    """Stripe's balance transactions by which it took the money, and gave it back."""
    rows = [each for each in found.get("balance_transactions") or () if isinstance(each, dict)]
    rows.sort(key=lambda each: int(each["created"]))
    out = next((each for each in rows if int(each["amount"]) < 0), None)
    back = next((each for each in rows if int(each["amount"]) > 0), None)
    return out, back


def _open(order: Order, dispute: Dispute, balance_txn: JsonDict) -> None:
    fee, into = int(balance_txn["fee"]), str(balance_txn["currency"]).upper()
    txn = post(
        "dispute",
        source=("dispute", dispute.id),
        key=f"dispute:{dispute.id}:open",
        legs=[
            debit(DISPUTE_HOLD, dispute.amount, dispute.currency),
            *stripe_legs(-dispute.amount, dispute.currency, balance_txn),
            debit(DISPUTE_FEE, fee, into),
            credit(STRIPE_AVAILABLE, fee, into),
        ],
        effective_at=_moment(balance_txn["created"]),
        order_id=order.id,
        memo=f"Dispute {dispute.stripe_id}",
    )
    if txn is not None:
        dispute.fee = fee


def _move(order: Order, dispute: Dispute, state: DisputeState) -> None:
    """From one state into a later one, with what that moves for everybody."""
    before = dispute.state
    if state is DisputeState.OPEN:
        dispute.state = state
        freeze_order(order.id, FROZEN, cause=cause_of(dispute))
    elif state is DisputeState.LOST:
        if not _is_posted(dispute, "open"):
            # Lost, but Stripe has not shown yet what it took: its event is still to come.
            return
        _lose(order, dispute)
    elif state is DisputeState.WON:
        if before is DisputeState.LOST:
            _turn_round(order, dispute)
        dispute.state = state
        unfreeze_order(order.id, cause=cause_of(dispute))
    if dispute.state in {DisputeState.WON, DisputeState.LOST}:
        dispute.decided_at = clock.now()
    if dispute.state is not before:
        record_fact(
            f"dispute.{dispute.state}",
            subject=("dispute", dispute.id),
            organization_id=order.organization_id,
            data={"order": order.id, "amount": dispute.amount, "currency": dispute.currency},
            idempotency_key=f"dispute:{dispute.id}:{dispute.state}",
        )
        db.session.flush()
        tell_dispute(order, dispute)


def _lose(order: Order, dispute: Dispute) -> None:
    before = went_back(order.id)
    # In another currency than the order's it is taken for the whole order.
    is_same = dispute.currency == order.currency
    lost = dispute.amount if is_same else order.total
    dispute.lost_amount, dispute.state = lost, DisputeState.LOST
    _, change = post_change(
        order,
        before,
        before + lost,
        kind="dispute_lost",
        source=("dispute", dispute.id),
        key=f"dispute:{dispute.id}:lost",
        others=_from_hold(order, dispute, lost),
        memo=f"Dispute {dispute.stripe_id} lost",
    )
    unfreeze_order(order.id, cause=cause_of(dispute))
    plan_reversals(change.taken, dispute_id=dispute.id)


def _turn_round(order: Order, dispute: Dispute) -> None:
    """It was lost, and is won after all: everybody gets back what was taken."""
    before, lost = went_back(order.id), dispute.lost_amount
    dispute.state = DisputeState.WON
    post_change(
        order,
        before,
        before - lost,
        kind="dispute_regained",
        source=("dispute", dispute.id),
        key=f"dispute:{dispute.id}:regained",
        others=[_opposite(each) for each in _from_hold(order, dispute, lost)],
        memo=f"Dispute {dispute.stripe_id} won after all",
    )


def _put_back(order: Order, dispute: Dispute, balance_txn: JsonDict) -> None:
    fee, into = int(balance_txn["fee"]), str(balance_txn["currency"]).upper()
    post(
        "dispute_won",
        source=("dispute", dispute.id),
        key=f"dispute:{dispute.id}:won",
        legs=[
            *stripe_legs(dispute.amount, dispute.currency, balance_txn),
            credit(DISPUTE_HOLD, dispute.amount, dispute.currency),
            # Where the bank gives the fee back, it is below zero.
            debit(DISPUTE_FEE, fee, into),
            credit(STRIPE_AVAILABLE, fee, into),
        ],
        effective_at=_moment(balance_txn["created"]),
        order_id=order.id,
        memo=f"Dispute {dispute.stripe_id} won",
    )


def _from_hold(order: Order, dispute: Dispute, lost: int) -> list[Leg]:
    if dispute.currency == order.currency:
        return [credit(DISPUTE_HOLD, lost, order.currency)]
    return [
        credit(FX_CLEARING, lost, order.currency),
        debit(FX_CLEARING, dispute.amount, dispute.currency),
        credit(DISPUTE_HOLD, dispute.amount, dispute.currency),
    ]


def _opposite(leg: Leg) -> Leg:
    """The opposite of a leg."""
    signed = leg.amount if leg.side.value == "debit" else -leg.amount
    return credit(leg.code, signed, leg.currency, leg.owner, leg.earning_id)


def _is_posted(dispute: Dispute, step: str) -> bool:
    key = f"dispute:{dispute.id}:{step}"
    return (
        db.session.scalar(select(LedgerTransaction.id).where(LedgerTransaction.idem_key == key))
        is not None
    )


def _moment(seconds: object) -> datetime | None:
    return datetime.fromtimestamp(int(str(seconds)), UTC) if seconds else None
