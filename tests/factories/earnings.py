"""Sales and what partners earned by them, written straight into the ledger. Flushed."""

import itertools
from datetime import datetime, timedelta

from billing.accounts import PARTNER_HELD, PARTNER_PAYABLE, PLATFORM_FEE, STRIPE_PENDING
from billing.ledger import credit, debit, post
from billing.models import Earning, EarningKind, EarningState, Order, OrderLine, OrderState
from marketplace.core import clock
from marketplace.core.database import db

_numbers = itertools.count(1)


def make_earning(
    partner_id: int,
    *,
    price: int = 10_000,
    fee_bps: int = 1_500,
    currency: str = "EUR",
    customer_id: int = 99,
    description: str = "Tide Tables Pro",
    kind: EarningKind = EarningKind.PUBLISHER_SHARE,
    commission_bps: int = 1_000,
    hold_days: int = 14,
    at: datetime | None = None,
    **line_fields: object,
) -> Earning:
    """A paid order of one line, and the part of one partner, held for `hold_days`."""
    number, at = next(_numbers), at or clock.now()
    fee = (price * fee_bps + 5_000) // 10_000
    commission = (price * commission_bps + 5_000) // 10_000
    is_affiliate = kind is EarningKind.AFFILIATE_COMMISSION
    amount = commission if is_affiliate else price - fee
    order = Order(
        public_id=f"ord_test{number}", state=OrderState.PAID, organization_id=customer_id,
        currency=currency, subtotal=price, total=price, paid_at=at, created_at=at,
        invoice_number=f"INV-2026-{number:05}", charge_id=f"ch_test{number}",
        payment_intent_id=f"pi_test{number}",
    )  # fmt: skip
    db.session.add(order)
    db.session.flush()
    line = OrderLine(
        order_id=order.id, description=description, unit_amount=price, list_amount=price,
        net_amount=price, total_amount=price, fee_base=price, fee_bps=fee_bps, fee_amount=fee,
        publisher_id=None if is_affiliate else partner_id, publisher_amount=price - fee,
        publisher_hold_days=hold_days,
        **{
            "commission_base": price if is_affiliate else 0,
            "commission_bps": commission_bps if is_affiliate else 0,
            "commission_amount": commission if is_affiliate else 0,
            **line_fields,
        },
    )  # fmt: skip
    db.session.add(line)
    db.session.flush()
    earning = Earning(
        public_id=f"earn_test{number}", order_line_id=line.id, order_id=order.id,
        partner_id=partner_id, kind=kind, currency=currency, base=price,
        rate_bps=commission_bps if is_affiliate else 10_000 - fee_bps, amount=amount,
        release_at=at + timedelta(days=hold_days), created_at=at,
    )  # fmt: skip
    db.session.add(earning)
    db.session.flush()
    post(
        "sale",
        source=("order", order.id),
        key=f"order:{order.id}:paid",
        order_id=order.id,
        effective_at=at,
        legs=[
            debit(STRIPE_PENDING, price, currency),
            credit(PLATFORM_FEE, price - amount, currency),
            credit(PARTNER_HELD, amount, currency, partner_id, earning.id),
        ],
    )
    return earning


def release_earning(earning: Earning) -> None:
    """Make it payable, as settlement does when its hold is over."""
    post(
        "release",
        source=("earning", earning.id),
        key=f"earning:{earning.id}:release",
        order_id=earning.order_id,
        legs=[
            debit(PARTNER_HELD, earning.net, earning.currency, earning.partner_id, earning.id),
            credit(PARTNER_PAYABLE, earning.net, earning.currency, earning.partner_id, earning.id),
        ],
    )
    earning.state, earning.released_at = EarningState.PAYABLE, clock.now()
    db.session.flush()


def take_back(earning: Earning, amount: int) -> None:
    """Refund a part of a held earning, as settlement does."""
    number = next(_numbers)
    post(
        "refund",
        source=("refund", number),
        key=f"refund:test{number}:split",
        order_id=earning.order_id,
        legs=[
            debit(PARTNER_HELD, amount, earning.currency, earning.partner_id, earning.id),
            credit(STRIPE_PENDING, amount, earning.currency),
        ],
        memo="Refund of a part",
    )
    earning.reversed_amount += amount
    db.session.flush()
