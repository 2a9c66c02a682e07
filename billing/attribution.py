"""credit_for(): which affiliate a payment is credited to, and what it earns by which rule."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import func, select
from sqlalchemy.orm import joinedload

from billing.affiliate import Rate, commission, program_rank, self_referral, velocity
from billing.affiliates.relations import relation_between
from billing.models.affiliate import (
    Affiliate,
    AffiliateProgram,
    AffiliateState,
    Attribution,
    CommissionRule,
)
from billing.models.discount import Funder
from billing.models.order import Order, OrderKind, OrderLine, OrderState
from billing.models.subscription import Subscription, SubscriptionState
from billing.partner_facts import partner_facts
from marketplace.core.database import db

# Orders that are a sale of their own; renewals and changes go on with one.
SALE_KINDS = (OrderKind.PURCHASE, OrderKind.RESALE)

# The source of an attribution that a customer agreed to when it took a workspace over.
HANDOVER = "handover"


@dataclass(frozen=True)
class Credit:
    """What an order line notes of its affiliate. Amounts in minor units of the line's currency.

    `amount` = `bps` of `base`, plus the rule's fixed amount, cut to the cap and to the base.
    A `hold_reason` that is not empty freezes the earning from its beginning.
    """

    affiliate_id: int
    organization_id: int
    rule_id: int
    base: int
    bps: int
    amount: int
    hold_days: int
    funder: Funder
    hold_reason: str = ""


def credit_for(
    *,
    organization_id: int,
    listing_id: int,
    publisher_id: int | None,
    net: int,
    currency: str,
    code_affiliate_id: int | None,
    payment_number: int,
    at: datetime,
) -> Credit | None:
    """Whom one payment is credited to; None when nobody earns anything by it.

    `net` is what the customer pays without tax (minor units), `payment_number` counts the payments
    of one subscription from 1 (1 too for what is paid once), `code_affiliate_id` is the affiliate
    of a code that the customer typed, `at` is when the order is made.

    Exactly one affiliate earns by a line. The first payment: the affiliate of the code; else the
    attribution whose program fits the listing most exactly (the publisher's before the platform's,
    of the listing before of all), among equals the newest. Later payments, and changes of what is
    running, go on with the affiliate of the purchase, whether or not the window has passed since.
    """
    found = _affiliate_of(
        organization_id, listing_id, publisher_id, code_affiliate_id, payment_number, at
    )
    if found is None:
        return None
    affiliate, held, is_agreed = found
    rule = rule_in_force(affiliate.program_id, at)
    if rule is None or not _may_earn(affiliate.organization_id):
        return None
    earned = commission(
        rate_of(rule),
        net=net,
        currency=currency,
        payment_number=payment_number,
        sales_before=sales_of(affiliate.id),
    )
    if earned is None:
        return None
    relation = relation_between(
        affiliate.organization_id, organization_id, publisher_id=publisher_id
    )
    # Who handed a workspace over may still be let in by its new owner: that is no self-referral.
    reason = held if is_agreed else self_referral(relation) or held
    if not reason and payment_number == 1:
        reason = _pace_of_sales(affiliate.id, at)
    return Credit(
        affiliate_id=affiliate.id,
        organization_id=affiliate.organization_id,
        rule_id=rule.id,
        base=earned.base,
        bps=earned.bps,
        amount=earned.amount,
        hold_days=rule.hold_days,
        funder=affiliate.program.funder,
        hold_reason=reason,
    )


def _may_earn(organization_id: int) -> bool:
    """Whether the program lets it earn: where it does not, whoever would have paid keeps it."""
    return partner_facts([organization_id])[organization_id].earns_commission


def rule_in_force(program_id: int, at: datetime) -> CommissionRule | None:
    """The version of a program's rule that counts at `at`."""
    return db.session.scalar(
        select(CommissionRule)
        .where(CommissionRule.program_id == program_id, CommissionRule.effective_from <= at)
        .order_by(CommissionRule.effective_from.desc(), CommissionRule.version.desc())
        .limit(1)
    )


def rate_of(rule: CommissionRule) -> Rate:
    """The rule as affiliate.py calculates with it."""
    return Rate(
        bps=rule.bps,
        fixed=rule.fixed,
        currency=rule.currency,
        payments=rule.payments,
        steps=tuple((int(step["from_sales"]), int(step["bps"])) for step in rule.steps),
        cap=rule.cap,
    )


def sales_of(affiliate_id: int) -> int:
    """How many paid sales an affiliate has had; renewals are not counted."""
    return (
        db.session.scalar(
            select(func.count(OrderLine.order_id.distinct()))
            .join(Order, Order.id == OrderLine.order_id)
            .where(
                OrderLine.affiliate_id == affiliate_id,
                Order.state == OrderState.PAID,
                Order.kind.in_(SALE_KINDS),
            )
        )
        or 0
    )


def _affiliate_of(
    organization_id: int,
    listing_id: int,
    publisher_id: int | None,
    code_affiliate_id: int | None,
    payment_number: int,
    at: datetime,
) -> tuple[Affiliate, str, bool] | None:
    """The affiliate with its program, why its attribution is held (may be empty), and whether the
    customer agreed to it."""
    bought = _last_purchase(organization_id, listing_id)
    if payment_number > 1 or (bought is not None and _goes_on(bought)):
        # Renewals, changes, and the first payment after a trial.
        if bought is None:
            return None
        if bought.affiliate_id is None:
            return _by_handover(organization_id, listing_id, publisher_id, at)
        going_on = _running([bought.affiliate_id])
        return (going_on[0], bought.commission_hold_reason, False) if going_on else None
    if code_affiliate_id is not None:
        by_code = _running([code_affiliate_id])
        if by_code and _rank(by_code[0].program, listing_id, publisher_id) is not None:
            return by_code[0], "", False
    return _by_attribution(organization_id, listing_id, publisher_id, at)


def _by_handover(
    organization_id: int, listing_id: int, publisher_id: int | None, at: datetime
) -> tuple[Affiliate, str, bool] | None:
    """What an agency set up before it handed the workspace over, it earns by from then on."""
    found = _by_attribution(organization_id, listing_id, publisher_id, at)
    return found if found is not None and found[2] else None


def _by_attribution(
    organization_id: int, listing_id: int, publisher_id: int | None, at: datetime
) -> tuple[Affiliate, str, bool] | None:
    rows = db.session.scalars(
        select(Attribution).where(
            Attribution.organization_id == organization_id,
            Attribution.ended_at.is_(None),
            Attribution.expires_at > at,
        )
    ).all()
    running = {each.id: each for each in _running([row.affiliate_id for row in rows])}
    ranked = [
        (rank, -row.signed_up_at.timestamp(), row.id, row)
        for row in rows
        if row.affiliate_id in running
        and (rank := _rank(running[row.affiliate_id].program, listing_id, publisher_id)) is not None
    ]
    if not ranked:
        return None
    best = min(ranked)[3]
    return running[best.affiliate_id], best.hold_reason, best.source == HANDOVER


def _rank(program: AffiliateProgram, listing_id: int, publisher_id: int | None) -> int | None:
    return program_rank(
        program.publisher_id,
        program.listing_id,
        listing_id=listing_id,
        publisher_id=publisher_id,
    )


def _running(affiliate_ids: Sequence[int]) -> Sequence[Affiliate]:
    """Those who earn: active, in a program that is not closed. A paused one pays what it owes."""
    if not affiliate_ids:
        return []
    return db.session.scalars(
        select(Affiliate)
        .join(Affiliate.program)
        .options(joinedload(Affiliate.program))
        .where(
            Affiliate.id.in_(affiliate_ids),
            Affiliate.state == AffiliateState.ACTIVE,
            AffiliateProgram.closed_at.is_(None),
        )
    ).all()


def _last_purchase(organization_id: int, listing_id: int) -> OrderLine | None:
    """The line by which this customer bought this listing last, whoever it is credited to."""
    return db.session.scalar(
        select(OrderLine)
        .join(Order, Order.id == OrderLine.order_id)
        .where(
            Order.organization_id == organization_id,
            Order.state == OrderState.PAID,
            Order.kind.in_(SALE_KINDS),
            OrderLine.listing_id == listing_id,
        )
        .order_by(Order.paid_at.desc(), Order.id.desc())
        .limit(1)
    )


def _goes_on(bought: OrderLine) -> bool:
    """Whether the subscription that this purchase began is still running. There is one at most for
    a customer and a listing, so that every payment for it belongs to that purchase."""
    return (
        db.session.scalar(
            select(Subscription.id)
            .join(Order, Order.subscription_id == Subscription.id)
            .where(
                Order.id == bought.order_id,
                Subscription.state.not_in(
                    [SubscriptionState.CANCELED, SubscriptionState.INCOMPLETE]
                ),
            )
        )
        is not None
    )


def _pace_of_sales(affiliate_id: int, at: datetime) -> str:
    """What looks wrong with how fast this affiliate sells."""
    lately = db.session.scalar(
        select(func.count(OrderLine.order_id.distinct()))
        .join(Order, Order.id == OrderLine.order_id)
        .where(
            OrderLine.affiliate_id == affiliate_id,
            Order.created_at > at - timedelta(hours=1),
            Order.kind.in_(SALE_KINDS),
            Order.state.in_([OrderState.PENDING, OrderState.PAID]),
        )
    )
    return velocity(sales_this_hour=(lately or 0) + 1)
