"""A paid order enters the ledger, and everybody's part becomes an earning."""

from collections.abc import Sequence
from datetime import datetime, timedelta

from sqlalchemy import select

from billing.accounts import (
    COMMISSION_EXPENSE,
    DISCOUNT,
    PARTNER_HELD,
    PLATFORM_FEE,
    STRIPE_PENDING,
    TAX_PAYABLE,
)
from billing.ledger import credit, debit, post
from billing.models.earning import Earning, EarningState
from billing.models.order import Order
from billing.public_ids import new_public_id
from billing.settlement.parts import OrderParts, SettlementError, Share, parts_of
from marketplace.core import clock
from marketplace.core.database import db
from marketplace.core.facts import record_fact
from marketplace.core.once import insert_if_new

# A commission that waits for a person is frozen by this cause.
HOLD = "hold"


def post_sale(order: Order, at: datetime | None = None) -> list[Earning]:
    """Post the payment of an order, once, and give its earnings; parts of nothing have none.

    `at` is when it was paid (the order's `paid_at` by default). Everybody's part is held until
    the hold days of the line have passed. Raises SettlementError when the frozen amounts do not
    sum up.
    """
    paid_at = at or order.paid_at or clock.now()
    parts = parts_of(order.lines)
    if (parts.total, parts.tax) != (order.total, order.tax_total):
        raise SettlementError(f"The lines of order {order.id} are not its total.")
    for share in parts.shares:
        _make_earning(order, share, paid_at)
    earnings = earnings_of(order.id)
    by_share = {(each.order_line_id, each.kind): each for each in earnings}
    txn = post(
        "sale",
        source=("order", order.id),
        key=f"order:{order.id}:paid",
        legs=[
            debit(STRIPE_PENDING, parts.total, order.currency),
            debit(DISCOUNT, parts.discount, order.currency),
            debit(COMMISSION_EXPENSE, parts.commission, order.currency),
            credit(TAX_PAYABLE, parts.tax, order.currency),
            credit(PLATFORM_FEE, parts.fee, order.currency),
            *(
                credit(
                    PARTNER_HELD,
                    share.amount,
                    order.currency,
                    share.partner_id,
                    by_share[share.line_id, share.kind].id,
                )
                for share in parts.shares
            ),
        ],
        effective_at=paid_at,
        order_id=order.id,
        memo=f"Sale {order.public_id}",
    )
    if txn is not None:
        record_fact(
            "order.posted",
            subject=("order", order.id),
            organization_id=order.organization_id,
            data={"total": order.total, "currency": order.currency, "txn": txn.id},
            idempotency_key=f"order.posted:{order.id}",
        )
    return list(earnings)


def earnings_of(order_id: int) -> Sequence[Earning]:
    """The earnings of an order as they are in the database now, oldest first."""
    return db.session.scalars(
        select(Earning)
        .where(Earning.order_id == order_id)
        .order_by(Earning.id)
        .execution_options(populate_existing=True)
    ).all()


def order_parts(order: Order) -> OrderParts:
    """The parts of an order; see parts.py."""
    return parts_of(order.lines)


def _make_earning(order: Order, share: Share, paid_at: datetime) -> None:
    frozen = {HOLD: share.hold_reason} if share.hold_reason else {}
    insert_if_new(
        Earning,
        public_id=new_public_id("ern"),
        order_line_id=share.line_id,
        order_id=order.id,
        partner_id=share.partner_id,
        kind=share.kind,
        currency=order.currency,
        base=share.base,
        rate_bps=share.rate_bps,
        amount=share.amount,
        reversed_amount=0,
        state=EarningState.HELD,
        release_at=paid_at + timedelta(days=share.hold_days),
        freezes=frozen,
        frozen_reason=share.hold_reason,
        frozen_at=paid_at if frozen else None,
        void_reason="",
        created_at=clock.now(),
    )
