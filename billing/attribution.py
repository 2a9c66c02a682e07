"""credit_for(): which affiliate a payment is credited to, and what it earns by which rule."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import func, or_, select
from sqlalchemy.orm import joinedload

from billing.affiliate import Rate, commission, program_rank, self_referral, velocity
from billing.affiliates.relations import relation_between
from billing.models.affiliate import (
    Affiliate,
    AffiliateProgram,
    AffiliateState,
    Attribution,
    CommissionClearance,
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


# The source of a sale that a code made.
CODE = "code"


@dataclass(frozen=True)
class Origin:
    """What brought the customer, as it is when it is sold; an order line keeps it.

    `came_by`: click, code, server (a lead that the affiliate's own server registered) or handover.
    `until`: how long the affiliate is credited; None where the customer typed a code."""

    came_by: str = ""
    attribution_id: int | None = None
    click_id: int | None = None
    code_id: int | None = None
    sub_id: str = ""
    until: datetime | None = None


@dataclass(frozen=True)
class _Found:
    """An affiliate with its program, why it is held (may be empty), and whether the customer
    agreed to it."""

    affiliate: Affiliate
    origin: Origin
    held: str = ""
    is_agreed: bool = False


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
    origin: Origin = Origin()


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
    code_id: int | None = None,
) -> Credit | None:
    """Whom one payment is credited to; None when nobody earns anything by it.

    `net` is what the customer pays without tax (minor units), `payment_number` counts the payments
    of one subscription from 1 (1 too for what is paid once), `code_affiliate_id` is the affiliate
    of a code that the customer typed and `code_id` that code, `at` is when the order is made.

    Exactly one affiliate earns by a line. The first payment: the affiliate of the code; else the
    attribution whose program fits the listing most exactly (the publisher's before the platform's,
    of the listing before of all), among equals the newest. Later payments, and changes of what is
    running, go on with the affiliate of the purchase, whether or not the window has passed since.
    """
    found = _affiliate_of(
        organization_id, listing_id, publisher_id, (code_affiliate_id, code_id), payment_number, at
    )
    if found is None:
        return None
    affiliate = found.affiliate
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
    reason = _still_held(
        affiliate.id,
        organization_id,
        [found.held] if found.is_agreed else [self_referral(relation), found.held],
    )
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
        origin=found.origin,
    )


def _still_held(affiliate_id: int, organization_id: int, reasons: Sequence[str]) -> str:
    """The first of the reasons that no person has looked at and released between these two. One
    query, where there is a reason at all."""
    held = [each for each in reasons if each]
    if not held:
        return ""
    cleared = set(
        db.session.scalars(
            select(CommissionClearance.reason).where(
                CommissionClearance.affiliate_id == affiliate_id,
                CommissionClearance.organization_id == organization_id,
                CommissionClearance.reason.in_(held),
            )
        )
    )
    return next((each for each in held if each not in cleared), "")


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
    """How many paid sales an affiliate has had; renewals are not counted, nor what went back to
    the customer in full."""
    return (
        db.session.scalar(
            select(func.count(OrderLine.order_id.distinct()))
            .join(Order, Order.id == OrderLine.order_id)
            .where(
                OrderLine.affiliate_id == affiliate_id,
                Order.state == OrderState.PAID,
                Order.kind.in_(SALE_KINDS),
                # What cost nothing (a trial begins so) cannot go back.
                or_(Order.total == 0, Order.refunded_total < Order.total),
            )
        )
        or 0
    )


def _affiliate_of(
    organization_id: int,
    listing_id: int,
    publisher_id: int | None,
    code: tuple[int | None, int | None],
    payment_number: int,
    at: datetime,
) -> _Found | None:
    """Whose sale it is. `code`: the affiliate of the code that was typed, and the code."""
    bought = _last_purchase(organization_id, listing_id)
    if payment_number > 1 or (bought is not None and _goes_on(bought)):
        # Renewals, changes, and the first payment after a trial.
        if bought is None:
            return None
        if bought.affiliate_id is None:
            return _by_handover(organization_id, listing_id, publisher_id, at)
        going_on = _running([bought.affiliate_id])
        if not going_on:
            return None
        return _Found(going_on[0], _origin_of(bought), bought.commission_hold_reason)
    code_affiliate_id, code_id = code
    if code_affiliate_id is not None:
        by_code = _running([code_affiliate_id])
        if by_code and _rank(by_code[0].program, listing_id, publisher_id) is not None:
            return _Found(by_code[0], Origin(CODE, code_id=code_id))
    return _by_attribution(organization_id, listing_id, publisher_id, at)


def _origin_of(line: OrderLine) -> Origin:
    return Origin(
        came_by=line.came_by,
        attribution_id=line.attribution_id,
        click_id=line.click_id,
        code_id=line.code_id,
        sub_id=line.sub_id,
        until=line.credited_until,
    )


def _by_handover(
    organization_id: int, listing_id: int, publisher_id: int | None, at: datetime
) -> _Found | None:
    """What an agency set up before it handed the workspace over, it earns by from then on."""
    found = _by_attribution(organization_id, listing_id, publisher_id, at)
    return found if found is not None and found.is_agreed else None


def _by_attribution(
    organization_id: int, listing_id: int, publisher_id: int | None, at: datetime
) -> _Found | None:
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
    origin = Origin(
        came_by=best.source,
        attribution_id=best.id,
        click_id=best.click_id,
        sub_id=best.sub_id,
        until=best.expires_at,
    )
    return _Found(running[best.affiliate_id], origin, best.hold_reason, best.source == HANDOVER)


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
