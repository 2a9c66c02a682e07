"""Freezing a line: every amount and the version of every rule that made it."""

from datetime import datetime

from billing.attribution import Credit, credit_for
from billing.fee_schedules import fee_rule_for
from billing.models import FeeKind, FeeRule, OrderLine
from billing.order_terms import LineTerms
from billing.partner_facts import partner_facts
from billing.split import Split, Terms, split
from billing.taxes import tax_of

# What a line without a publisher, reseller or affiliate has.
_NOTHING = (
    "fee_base", "fee_bps", "fee_fixed", "fee_amount", "publisher_amount", "publisher_hold_days",
    "floor_amount", "margin_amount", "margin_hold_days", "commission_base", "commission_bps",
    "commission_amount", "commission_hold_days",
)  # fmt: skip
# How long a publisher's share is held where no fee schedule says.
DEFAULT_HOLD_DAYS = 14


def freeze_line(
    terms: LineTerms, *, organization_id: int, currency: str, at: datetime
) -> OrderLine:
    """The line with its parts, by the fee, commission and resale terms in force at `at`.

    What the platform sells itself (no publisher) is all its own. Raises SplitError when a resale
    is below its floor.
    """
    net = terms.list_amount - terms.discount_amount
    tax = terms.tax_amount
    if tax is None:
        tax = tax_of(net, terms.tax_bps, currency)
    line = OrderLine(
        description=terms.description[:200],
        listing_id=terms.listing_id,
        plan_id=terms.plan.id if terms.plan else None,
        price_id=terms.price.id if terms.price else None,
        publisher_id=terms.publisher_id,
        quantity=terms.quantity,
        unit_amount=terms.unit_amount,
        list_amount=terms.list_amount,
        discount_amount=terms.discount_amount,
        discount_platform_amount=terms.discount_platform_amount,
        discounts=list(terms.discounts),
        net_amount=net,
        tax_bps=terms.tax_bps,
        tax_amount=tax,
        total_amount=net + tax,
        **dict.fromkeys(_NOTHING, 0),
        commission_hold_reason="",
        came_by="",
        sub_id="",
    )
    if terms.publisher_id is None:
        line.fee_base, line.fee_bps, line.fee_amount = net, 10_000, net
        return line
    facts = partner_facts([terms.publisher_id])[terms.publisher_id]
    rule = fee_rule_for(FeeKind.SALE, facts, currency, at)
    if terms.listing_id is None:
        raise ValueError("what a publisher sells belongs to a listing")
    credit = credit_for(
        organization_id=organization_id,
        listing_id=terms.listing_id,
        publisher_id=terms.publisher_id,
        net=net,
        currency=currency,
        code_affiliate_id=terms.code_affiliate_id,
        code_id=terms.code_id,
        payment_number=terms.payment_number,
        at=at,
    )
    floor = _floor(terms)
    parts = split(
        Terms(
            list_amount=terms.list_amount,
            discount=terms.discount_amount,
            discount_by_platform=terms.discount_platform_amount,
            fee_bps=rule.bps if rule else 0,
            fee_fixed=rule.fixed if rule else 0,
            floor=floor,
            commission=credit.amount if credit else 0,
            commission_funder=credit.funder if credit else None,
        )
    )
    _keep(line, terms, rule, credit, parts, floor)
    return line


def _floor(terms: LineTerms) -> int | None:
    if terms.agreement is None:
        return None
    floor = terms.agreement.floor_amount * terms.quantity
    # A part of a period has its part of the floor.
    whole = terms.unit_amount * terms.quantity
    return floor if terms.list_amount >= whole else floor * terms.list_amount // max(whole, 1)


def _keep(
    line: OrderLine,
    terms: LineTerms,
    rule: FeeRule | None,
    credit: Credit | None,
    parts: Split,
    floor: int | None,
) -> None:
    line.fee_rule_id = rule.id if rule else None
    line.fee_base = parts.fee_base
    line.fee_bps = rule.bps if rule else 0
    line.fee_fixed = rule.fixed if rule else 0
    line.fee_amount = parts.fee
    line.publisher_amount = parts.publisher
    line.publisher_hold_days = rule.hold_days if rule else DEFAULT_HOLD_DAYS
    if terms.agreement is not None:
        line.reseller_agreement_id = terms.agreement.id
        line.reseller_id = terms.agreement.reseller_id
        line.floor_amount = floor or 0
        line.margin_amount = parts.margin
        line.margin_hold_days = terms.agreement.hold_days
    # Noted also where it earns nothing yet: what begins with a trial goes on with its affiliate.
    if credit is not None:
        line.affiliate_id = credit.affiliate_id
        line.affiliate_organization_id = credit.organization_id
        line.commission_rule_id = credit.rule_id
        line.commission_base = credit.base
        line.commission_bps = credit.bps
        line.commission_amount = parts.commission
        line.commission_funder = credit.funder
        line.commission_hold_days = credit.hold_days
        line.commission_hold_reason = credit.hold_reason
        line.came_by, line.sub_id = credit.origin.came_by, credit.origin.sub_id
        line.attribution_id, line.click_id = credit.origin.attribution_id, credit.origin.click_id
        line.code_id, line.credited_until = credit.origin.code_id, credit.origin.until
