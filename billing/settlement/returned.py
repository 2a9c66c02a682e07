"""How much of an order went back: its refunds that did not fail, and the disputes it lost."""

from sqlalchemy import func, select

from billing.models.refund import Dispute, DisputeState, Refund, RefundState
from marketplace.core.database import db

# What has not failed counts at once, so that no two refunds promise the same money.
_UNDONE = (RefundState.FAILED, RefundState.CANCELED)


def went_back(order_id: int) -> int:
    """In minor units of the order's currency; may be more than the order's total (a dispute that
    is lost after a refund). Hold the order's lock to post by it."""
    db.session.flush()
    refunds = db.session.scalar(
        select(func.sum(Refund.amount)).where(
            Refund.order_id == order_id, Refund.state.not_in(_UNDONE)
        )
    )
    disputes = db.session.scalar(
        select(func.sum(Dispute.lost_amount)).where(
            Dispute.order_id == order_id, Dispute.state == DisputeState.LOST
        )
    )
    return int(refunds or 0) + int(disputes or 0)
