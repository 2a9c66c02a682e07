"""Past sales and schedules of fees, for tests of the finance desk. Flushed, not committed."""

import itertools
from datetime import datetime

from billing.accounts import (
    PARTNER_HELD,
    PLATFORM_FEE,
    STRIPE_PENDING,
    TAX_PAYABLE,
)
from billing.ledger import credit, debit, post
from billing.models import (
    Earning,
    EarningKind,
    FeeKind,
    FeeRule,
    FeeSchedule,
    Order,
    OrderKind,
    OrderLine,
    OrderState,
    ScheduleState,
)
from billing.money import share
from marketplace.core import clock
from marketplace.core.database import db

_numbers = itertools.count(1)


def make_schedule(
    *rules: FeeRule, effective_from: datetime | None = None, version: int | None = None
) -> FeeSchedule:
    """A published schedule, in force since `effective_from` (now by default).

    Without rules: 20% of sales for everybody.
    """
    number = version or next(_numbers) + 10_000
    schedule = FeeSchedule(
        version=number,
        name=f"Schedule {number}",
        state=ScheduleState.PUBLISHED,
        effective_from=effective_from or clock.now(),
        published_at=clock.now(),
    )
    schedule.rules = list(rules) or [FeeRule(kind=FeeKind.SALE, bps=2_000)]
    db.session.add(schedule)
    db.session.flush()
    return schedule


def make_sale(
    publisher_id: int,
    customer_id: int,
    *,
    amount: int = 10_000,
    tax: int = 0,
    fee_bps: int = 2_000,
    currency: str = "EUR",
    paid_at: datetime | None = None,
    affiliate_id: int | None = None,
    commission: int = 0,
) -> Order:
    """A paid order of one line with its earnings, posted as a sale."""
    at = paid_at or clock.now()
    number = next(_numbers)
    fee = share(amount, fee_bps)
    order = Order(
        public_id=f"ord_{number:024x}",
        kind=OrderKind.PURCHASE,
        state=OrderState.PAID,
        organization_id=customer_id,
        currency=currency,
        subtotal=amount,
        tax_total=tax,
        total=amount + tax,
        invoice_number=f"INV-{at:%Y}-{number:05d}",
        charge_id=f"ch_{number}",
        payment_intent_id=f"pi_{number}",
        created_at=at,
        paid_at=at,
        billing_details={},
    )
    db.session.add(order)
    db.session.flush()
    line = OrderLine(
        order_id=order.id,
        description="Tide tables, Pro",
        publisher_id=publisher_id,
        unit_amount=amount,
        list_amount=amount,
        net_amount=amount,
        tax_amount=tax,
        total_amount=amount + tax,
        fee_base=amount,
        fee_bps=fee_bps,
        fee_amount=fee,
        publisher_amount=amount - fee - commission,
        affiliate_organization_id=affiliate_id,
        commission_base=amount if commission else 0,
        commission_amount=commission,
    )
    db.session.add(line)
    db.session.flush()
    parts = [(publisher_id, EarningKind.PUBLISHER_SHARE, amount - fee - commission)]
    if affiliate_id is not None:
        parts.append((affiliate_id, EarningKind.AFFILIATE_COMMISSION, commission))
    legs = [
        debit(STRIPE_PENDING, amount + tax, currency),
        credit(TAX_PAYABLE, tax, currency),
        credit(PLATFORM_FEE, fee, currency),
    ]
    for partner, kind, part in parts:
        earning = Earning(
            public_id=f"earn_{number:012x}{len(legs):012x}",
            order_line_id=line.id,
            order_id=order.id,
            partner_id=partner,
            kind=kind,
            currency=currency,
            base=amount,
            rate_bps=10_000,
            amount=part,
            release_at=at,
        )
        db.session.add(earning)
        db.session.flush()
        legs.append(credit(PARTNER_HELD, part, currency, partner, earning.id))
    post(
        "sale",
        source=("order", order.id),
        key=f"order:{order.id}:paid",
        order_id=order.id,
        effective_at=at,
        legs=legs,
    )
    return order
