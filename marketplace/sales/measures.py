"""What selling measures of partners: net revenue, without tax, of the publisher, the reseller and
the affiliate who brought the sale.

A sale counts when it was paid, in its own currency. What goes back (refunds that succeeded,
disputes that were lost) is measured as the difference to what was measured before, in proportion,
on the day it happens; when a refund fails later or a dispute turns round, the difference comes
back. So events that are told twice, late or in another order measure the same.
"""

from collections.abc import Iterable
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import selectinload

from billing.models import Dispute, DisputeState, Order, OrderLine, OrderState, Refund, RefundState
from billing.money import proportion
from marketplace.core.database import db
from marketplace.program.measures import Measure, bring_to, measure_all, measured, row_of

BATCH = 200
SALE, RETURN = "order", "order_return"


def measure_order(order: Order) -> None:
    """A paid order, renewal or resale; program fees are nobody's revenue."""
    measure_all(_sale(order))


def measure_refund(order: Order, refund: Refund) -> None:
    """A refund that succeeded, or that failed after it had."""
    _measure_returned(order, _went_back(order.id), refund.settled_at)


def measure_dispute(order: Order, dispute: Dispute) -> None:
    """A dispute that was lost, or won after it had been lost."""
    if dispute.state in (DisputeState.LOST, DisputeState.WON):
        _measure_returned(order, _went_back(order.id), dispute.decided_at)


def remeasure() -> int:
    """Measure every paid order there is with all that went back; how many orders."""
    seen = last = 0
    while True:
        orders = db.session.scalars(
            select(Order)
            .options(selectinload(Order.lines))
            .where(Order.id > last, Order.state == OrderState.PAID)
            .order_by(Order.id)
            .limit(BATCH)
        ).all()
        if not orders:
            return seen
        measure_all([row for order in orders for row in _sale(order)])
        events = _returns_of([order.id for order in orders])
        for order in orders:
            gone = 0
            for at, amount in events.get(order.id, []):
                gone += amount
                _measure_returned(order, gone, at, only_more=True)
            if events.get(order.id):
                _measure_returned(order, gone, None)
        seen, last = seen + len(orders), orders[-1].id


def _sale(order: Order) -> list[dict[str, object]]:
    return [
        row_of(
            organization_id,
            Measure.NET_REVENUE,
            net,
            key=f"{SALE}:{order.public_id}:{organization_id}",
            source=(SALE, order.public_id),
            at=order.paid_at,
            currency=order.currency,
        )
        for organization_id, net in _nets(order).items()
    ]


def _measure_returned(
    order: Order, gone: int, at: datetime | None, *, only_more: bool = False
) -> None:
    """Bring what went back of each partner's revenue to its part of `gone` (with tax)."""
    if order.total <= 0:
        return
    inside = min(gone, order.total)
    for organization_id, net in _nets(order).items():
        total = -proportion(net, inside, order.total)
        if only_more and measured_returned(organization_id, order) <= total:
            continue
        bring_to(
            organization_id,
            Measure.NET_REVENUE,
            total,
            source=(RETURN, order.public_id),
            at=at,
            currency=order.currency,
        )


def measured_returned(organization_id: int, order: Order) -> int:
    """What was measured as gone back of an order so far: 0 or less."""
    total, _number = measured(organization_id, Measure.NET_REVENUE, (RETURN, order.public_id))
    return total


def _nets(order: Order) -> dict[int, int]:
    """What customers paid without tax, by the organization that sold, resold or brought it; who is
    two of these counts once for a line."""
    found: dict[int, int] = {}
    for line in order.lines:
        for organization_id in _parties(line):
            found[organization_id] = found.get(organization_id, 0) + line.net_amount
    return found


def _parties(line: OrderLine) -> Iterable[int]:
    if line.publisher_id is None:
        return ()
    parties = (line.publisher_id, line.reseller_id, line.affiliate_organization_id)
    return {each for each in parties if each is not None}


def _went_back(order_id: int) -> int:
    return sum(amount for _at, amount in _returns_of([order_id]).get(order_id, []))


def _returns_of(order_ids: list[int]) -> dict[int, list[tuple[datetime, int]]]:
    """What went back of orders, with tax, each with its moment, in order."""
    db.session.flush()
    refunds = db.session.execute(
        select(Refund.order_id, Refund.settled_at, Refund.created_at, Refund.amount).where(
            Refund.order_id.in_(order_ids), Refund.state == RefundState.SUCCEEDED
        )
    )
    disputes = db.session.execute(
        select(Dispute.order_id, Dispute.decided_at, Dispute.created_at, Dispute.lost_amount).where(
            Dispute.order_id.in_(order_ids), Dispute.state == DisputeState.LOST
        )
    )
    found: dict[int, list[tuple[datetime, int]]] = {}
    for order_id, settled_at, created_at, amount in [*refunds, *disputes]:
        found.setdefault(order_id, []).append((settled_at or created_at, amount))
    return {order_id: sorted(events) for order_id, events in found.items()}
