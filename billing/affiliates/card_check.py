"""The same card on both sides of a commission: seen once a payment's card is known."""

from datetime import timedelta

from sqlalchemy import exists, or_, select
from sqlalchemy.orm import aliased

from billing.affiliate import Relation, self_referral
from billing.models.affiliate import CommissionClearance
from billing.models.earning import Earning, EarningKind, EarningState
from billing.models.order import Order, OrderLine, OrderState
from billing.settlement.freezing import freeze
from marketplace.core import clock
from marketplace.core.database import db
from marketplace.core.jobs import Payload, RetryLater, enqueue, job_handler

CHECK = "affiliates.check_card"
SAME_CARD = self_referral(Relation(same_card=True))
# Stripe tells the card with the charge, which may come after the payment.
WAIT, AT_MOST = timedelta(minutes=10), timedelta(days=1)


def check_card_later(order: Order) -> None:
    """Look at the order's card once it is known; a listener of paid orders."""
    if order.total:
        enqueue(CHECK, {"order_id": order.id}, dedupe_key=f"{CHECK}:{order.id}")


@job_handler(CHECK)
def check_card(payload: Payload) -> None:
    """Hold the commissions that this order's card makes suspicious."""
    order = db.session.get(Order, payload["order_id"])
    if order is None or order.state is not OrderState.PAID:
        return
    if order.card_fingerprint is None:
        if order.paid_at is not None and clock.now() - order.paid_at < AT_MOST:
            raise RetryLater(WAIT, "the card is not known yet")
        return
    hold_same_card(order)


def hold_same_card(order: Order) -> int:
    """Freeze unreleased commissions of affiliates who paid with the card of this order; how many.

    Both ways: the affiliate of this order has paid with the card before, or the buyer of this
    order is an affiliate whose customer paid with it.
    """
    other = aliased(Order)
    suspicious = (
        select(Earning)
        .join(OrderLine, OrderLine.id == Earning.order_line_id)
        .join(Order, Order.id == Earning.order_id)
        .join(other, other.card_fingerprint == Order.card_fingerprint)
        .where(
            Order.card_fingerprint == order.card_fingerprint,
            or_(Order.id == order.id, other.id == order.id),
            other.organization_id == OrderLine.affiliate_organization_id,
            other.state == OrderState.PAID,
            Earning.kind == EarningKind.AFFILIATE_COMMISSION,
            Earning.state == EarningState.HELD,
            Earning.frozen_at.is_(None),
            # A person has looked at these two and their card already.
            ~exists().where(
                CommissionClearance.affiliate_id == OrderLine.affiliate_id,
                CommissionClearance.organization_id == Order.organization_id,
                CommissionClearance.reason == SAME_CARD,
            ),
        )
        .distinct()
        .order_by(Earning.id)
    )
    ids = list(db.session.scalars(suspicious.with_only_columns(Earning.id)))
    for earning_id in ids:
        earning = db.session.get_one(Earning, earning_id)
        freeze(earning, SAME_CARD)
    return len(ids)
