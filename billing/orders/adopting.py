"""Taking over what Stripe really charged, where that is not what we froze."""

from dataclasses import replace
from typing import Any

from billing.affiliate import commission
from billing.attribution import rate_of
from billing.models import (
    CommissionRule,
    Funder,
    Order,
    OrderLine,
    Plan,
    Price,
    ResellerAgreement,
)
from billing.money import allocate
from billing.order_terms import LineTerms, Payment
from billing.orders.placing import add_up
from billing.split import Terms, split
from marketplace.core.database import db
from marketplace.core.facts import record_fact


def adopt_amounts(order: Order, payment: Payment) -> bool:
    """Make the order's amounts those that were charged, and divide them anew by the very rules
    that its line names, whatever is in force now; whether anything was another. Only orders of one
    line are charged by Stripe's sums.

    A cent of rounding is the usual cause. It never changes who is owed a share, only how much.
    """
    if payment.subtotal is None or len(order.lines) != 1:
        return False
    discount, tax = payment.discount or 0, payment.tax or 0
    (line,) = order.lines
    if (line.list_amount, line.discount_amount, line.tax_amount) == (
        payment.subtotal,
        discount,
        tax,
    ):
        return False
    data = {
        "frozen": [line.list_amount, line.discount_amount, line.tax_amount],
        "charged": [payment.subtotal, discount, tax],
    }
    spread = spread_discount(line.discounts, discount)
    line.list_amount, line.discount_amount = payment.subtotal, discount
    line.discounts = list(spread["discounts"])
    line.discount_platform_amount = spread["discount_platform_amount"]
    line.net_amount = payment.subtotal - discount
    line.tax_amount, line.total_amount = tax, line.net_amount + tax
    _divide_anew(line, order.currency)
    add_up(order)
    record_fact(
        "order.amounts_adopted",
        subject=("order", order.id),
        organization_id=order.organization_id,
        data=data,
    )
    db.session.flush()
    return True


def _divide_anew(line: OrderLine, currency: str) -> None:
    """The parts of a line whose amounts have changed, by its own rates, floor and commission."""
    if line.publisher_id is None:
        line.fee_base = line.fee_amount = line.net_amount
        return
    divided = line.net_amount + line.discount_platform_amount
    is_resale = line.reseller_agreement_id is not None
    parts = split(
        Terms(
            list_amount=line.list_amount,
            discount=line.discount_amount,
            discount_by_platform=line.discount_platform_amount,
            fee_bps=line.fee_bps,
            fee_fixed=line.fee_fixed,
            # What was charged is charged: less than the floor leaves the reseller nothing.
            floor=min(line.floor_amount, divided) if is_resale else None,
            commission=_commission_of(line, currency),
            commission_funder=line.commission_funder,
        )
    )
    line.fee_base, line.fee_amount = parts.fee_base, parts.fee
    line.publisher_amount, line.margin_amount = parts.publisher, parts.margin
    if is_resale:
        line.floor_amount = min(line.floor_amount, divided)
    if line.affiliate_id is not None:
        line.commission_base, line.commission_amount = line.net_amount, parts.commission


def _commission_of(line: OrderLine, currency: str) -> int:
    """What the line's own version of the rule pays for its net, by the rate that it was frozen
    with; nothing where it earned nothing then."""
    rule = (
        db.session.get(CommissionRule, line.commission_rule_id)
        if line.commission_rule_id is not None
        else None
    )
    if rule is None or not line.commission_amount:
        return 0
    # The step that its sale had reached is frozen in the line's basis points.
    rate = replace(rate_of(rule), bps=line.commission_bps, steps=(), payments=None)
    earned = commission(
        rate, net=line.net_amount, currency=currency, payment_number=1, sales_before=0
    )
    return earned.amount if earned is not None else 0


def terms_of(line: OrderLine) -> LineTerms:
    """The terms that a line was frozen from."""
    return LineTerms(
        description=line.description,
        list_amount=line.list_amount,
        unit_amount=line.unit_amount,
        quantity=line.quantity,
        plan=db.session.get(Plan, line.plan_id) if line.plan_id else None,
        price=db.session.get(Price, line.price_id) if line.price_id else None,
        listing_id=line.listing_id,
        publisher_id=line.publisher_id,
        discounts=tuple(line.discounts),
        discount_amount=line.discount_amount,
        discount_platform_amount=line.discount_platform_amount,
        tax_bps=line.tax_bps,
        tax_amount=line.tax_amount,
        # Whoever is credited stays so.
        code_affiliate_id=line.affiliate_id,
        code_id=line.code_id,
        agreement=db.session.get(ResellerAgreement, line.reseller_agreement_id)
        if line.reseller_agreement_id
        else None,
    )


def spread_discount(discounts: list[dict[str, Any]], total: int) -> dict[str, Any]:
    """`total` divided among the discounts in proportion to what each took off: what a line keeps
    of them, and the platform's part. With none known, the publisher bears it."""
    if not discounts or not total:
        kept = tuple({**each, "amount": 0} for each in discounts) if discounts else ()
        return {"discounts": kept, "discount_amount": total, "discount_platform_amount": 0}
    weights = [_weight(each) for each in discounts]
    parts = allocate(total, weights)
    spread = tuple({**each, "amount": part} for each, part in zip(discounts, parts, strict=True))
    platform = sum(
        part
        for each, part in zip(discounts, parts, strict=True)
        if each["funder"] == Funder.PLATFORM.value
    )
    return {"discounts": spread, "discount_amount": total, "discount_platform_amount": platform}


def _weight(kept: dict[str, Any]) -> int:
    return int(kept["amount"]) or int(kept.get("later_amount", 0)) or int(kept["bps"])
