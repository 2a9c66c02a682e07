"""What an organization may use because it paid. The one place where that begins and ends."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import func, select

from billing.models import (
    Entitlement,
    EntitlementState,
    Order,
    OrderKind,
    OrderLine,
    OrderState,
    Plan,
    PlanBilling,
    PlanState,
    Subscription,
)
from billing.seller import seller
from billing.still_paid import still_paid_beside
from marketplace.core import clock
from marketplace.core.database import db
from marketplace.core.errors import ConflictError
from marketplace.core.facts import record_fact
from marketplace.core.jobs import Payload, enqueue, periodic
from marketplace.core.locks import lock_row
from marketplace.core.once import insert_if_new

# (listing's id, organization's id)
Listener = Callable[[int, int], None]
_changed: list[Listener] = []
END_GRACE = "billing.end_grace"
BATCH = 200


@dataclass(frozen=True)
class _Paid:
    order_id: int
    plan_id: int
    quantity: int
    is_given_back: bool


def on_entitlement_changed(*listeners: Listener) -> None:
    """Call each listener with (listing's id, organization's id) whenever an entitlement began,
    changed or ended, in the same transaction."""
    _changed[:] = listeners


def entitlement_of(listing_id: int, organization_id: int) -> Entitlement | None:
    """The live entitlement (active or in grace) of an organization to a listing."""
    return db.session.scalar(
        select(Entitlement).where(
            Entitlement.listing_id == listing_id,
            Entitlement.organization_id == organization_id,
            Entitlement.state != EntitlementState.ENDED,
        )
    )


def last_entitlement(listing_id: int, organization_id: int) -> Entitlement | None:
    """The newest entitlement, live or ended."""
    return db.session.scalar(
        select(Entitlement)
        .where(Entitlement.listing_id == listing_id, Entitlement.organization_id == organization_id)
        .order_by(Entitlement.id.desc())
        .limit(1)
    )


def on_sale_since(listing_id: int) -> datetime | None:
    """When the first of a listing's plans went on sale; None when none is for sale now: then
    nobody needs an entitlement."""
    count, first = db.session.execute(
        select(
            func.count().filter(Plan.state == PlanState.ACTIVE),
            func.min(Plan.activated_at),
        ).where(Plan.listing_id == listing_id)
    ).one()
    if not count:
        return None
    return first if first is not None else clock.now()


def listings_on_sale(listing_ids: Sequence[int]) -> set[int]:
    """Those of the listings that have a plan for sale."""
    if not listing_ids:
        return set()
    return set(
        db.session.scalars(
            select(Plan.listing_id).where(
                Plan.listing_id.in_(listing_ids), Plan.state == PlanState.ACTIVE
            )
        )
    )


def grant(
    *,
    organization_id: int,
    listing_id: int,
    plan_id: int,
    quantity: int = 1,
    order_id: int | None = None,
    subscription_id: int | None = None,
) -> Entitlement:
    """Let the organization use the listing from now on, or change what it has to this plan.

    What is in grace is active again.
    """
    found = grant_unless(
        None,
        organization_id=organization_id,
        listing_id=listing_id,
        plan_id=plan_id,
        quantity=quantity,
        order_id=order_id,
        subscription_id=subscription_id,
    )
    if found is None:
        raise RuntimeError("nothing was against it")
    return found


def grant_unless(
    is_against: Callable[[Entitlement], bool] | None,
    *,
    organization_id: int,
    listing_id: int,
    plan_id: int,
    quantity: int,
    order_id: int | None,
    subscription_id: int | None,
) -> Entitlement | None:
    """Like `grant`, but None where `is_against` says so of what the organization has already.

    What it has is locked before it is asked about, so that of two at once the second sees the
    first.
    """
    made = insert_if_new(
        Entitlement,
        organization_id=organization_id,
        listing_id=listing_id,
        plan_id=plan_id,
        order_id=order_id,
        subscription_id=subscription_id,
        quantity=quantity,
        state=EntitlementState.ACTIVE,
        starts_at=clock.now(),
        ended_reason="",
    )
    found = lock_row(
        Entitlement,
        Entitlement.organization_id == organization_id,
        Entitlement.listing_id == listing_id,
        Entitlement.state != EntitlementState.ENDED,
    )
    if found is None:
        raise ConflictError("It ended this moment. Try again.")
    if made is None and is_against is not None and is_against(found):
        return None
    before = (found.plan_id, found.quantity, found.state)
    found.plan_id, found.quantity = plan_id, quantity
    found.order_id = order_id if order_id is not None else found.order_id
    found.subscription_id = subscription_id
    found.state, found.grace_until = EntitlementState.ACTIVE, None
    db.session.flush()
    if made is not None or before != (plan_id, quantity, EntitlementState.ACTIVE):
        _tell(found, "entitlement.granted")
    return found


def change(entitlement: Entitlement, *, plan_id: int, quantity: int) -> None:
    """Let it be another plan or number of seats, as active or unpaid as it is. One that has ended
    stays as it was."""
    _lock(entitlement)
    if entitlement.state is EntitlementState.ENDED:
        return
    if (entitlement.plan_id, entitlement.quantity) == (plan_id, quantity):
        return
    entitlement.plan_id, entitlement.quantity = plan_id, quantity
    db.session.flush()
    _tell(entitlement, "entitlement.changed")


def begin_grace(entitlement: Entitlement, *, at: datetime | None = None) -> None:
    """Unpaid: still allowed for the days of grace, counted from `at` (now by default)."""
    _lock(entitlement)
    if entitlement.state is not EntitlementState.ACTIVE:
        return
    entitlement.state = EntitlementState.GRACE
    entitlement.grace_until = (at or clock.now()) + timedelta(days=seller().grace_days)
    db.session.flush()
    _tell(entitlement, "entitlement.in_grace")


def end(entitlement: Entitlement, reason: str) -> None:
    """End it. `reason` is a sentence for the customer. Ending twice changes nothing.

    Where the organization has paid for the listing otherwise as well, like for a plan that is paid
    once before it took a subscription, it has that again.
    """
    _lock(entitlement)
    if entitlement.state is EntitlementState.ENDED:
        return
    left = still_paid_beside(entitlement)
    if left is not None:
        entitlement.plan_id, entitlement.quantity = left.plan_id, left.quantity
        entitlement.order_id, entitlement.subscription_id = left.order_id, left.subscription_id
        entitlement.state, entitlement.grace_until = EntitlementState.ACTIVE, None
        db.session.flush()
        _tell(entitlement, "entitlement.fell_back")
        return
    entitlement.state = EntitlementState.ENDED
    entitlement.ended_at, entitlement.grace_until = clock.now(), None
    entitlement.ended_reason = reason[:200]
    db.session.flush()
    _tell(entitlement, "entitlement.ended")


def end_for_order(order: Order, reason: str) -> bool:
    """End what this order paid for (refunded in full, dispute lost); whether it ended.

    Of a subscription, the payment that the running period began with ends it: a renewal, the
    first one, or the change from a monthly to a yearly plan. A change within the period gives
    back what it added: what was paid for before it stays. An old payment takes nothing away that
    a later one paid for, nor what was bought otherwise since.
    """
    if order.subscription_id is not None:
        period = _running_period(order.subscription_id)
        if any(each.order_id == order.id for each in period[1:]):
            _take_back_change(order, period)
            return False
        if not period or period[0].order_id != order.id:
            return False
        condition = Entitlement.subscription_id == order.subscription_id
    else:
        condition = (Entitlement.order_id == order.id) & Entitlement.subscription_id.is_(None)
    found = db.session.scalar(
        select(Entitlement).where(condition, Entitlement.state != EntitlementState.ENDED)
    )
    if found is None:
        return False
    end(found, reason)
    return True


def of_subscription(subscription: Subscription) -> Entitlement | None:
    """The live entitlement that the subscription gives."""
    return _of_subscription(subscription.id)


def _of_subscription(subscription_id: int) -> Entitlement | None:
    return db.session.scalar(
        select(Entitlement).where(
            Entitlement.subscription_id == subscription_id,
            Entitlement.state != EntitlementState.ENDED,
        )
    )


@periodic(END_GRACE, timedelta(minutes=10))
def end_overdue(_payload: Payload) -> None:
    """End what is unpaid for longer than the days of grace."""
    is_overdue = (
        Entitlement.state == EntitlementState.GRACE,
        Entitlement.grace_until <= clock.now(),
    )
    overdue = db.session.scalars(
        select(Entitlement.id).where(*is_overdue).order_by(Entitlement.id).limit(BATCH)
    ).all()
    for entitlement_id in overdue:
        each = lock_row(Entitlement, Entitlement.id == entitlement_id, *is_overdue)
        if each is None:
            continue
        subscription_id = each.subscription_id
        end(each, "Its subscription was not paid.")
        if subscription_id is not None:
            enqueue(
                "billing.cancel_subscription",
                {"subscription_id": subscription_id},
                dedupe_key=f"cancel_subscription:{subscription_id}",
            )
    if len(overdue) == BATCH:
        enqueue(END_GRACE, {})


def _take_back_change(order: Order, period: Sequence[_Paid]) -> None:
    standing = [each for each in period if each.order_id != order.id and not each.is_given_back]
    left = standing[-1] if standing else period[0]
    entitlement = _of_subscription(order.subscription_id or 0)
    if entitlement is not None:
        change(entitlement, plan_id=left.plan_id, quantity=left.quantity)


def _running_period(subscription_id: int) -> list[_Paid]:
    """What pays for a subscription's running period: the payment that it began with, then the
    changes within it. A change to a plan of another interval begins a period of its own."""
    rows = db.session.execute(
        select(
            Order.id,
            Order.kind,
            (Order.refunded_total >= Order.total).label("is_given_back"),
            OrderLine.plan_id,
            OrderLine.quantity,
            Plan.billing,
        )
        .join(OrderLine, OrderLine.order_id == Order.id)
        .join(Plan, Plan.id == OrderLine.plan_id)
        .where(Order.subscription_id == subscription_id, Order.state == OrderState.PAID)
        .order_by(Order.paid_at, Order.id)
    ).all()
    period: list[_Paid] = []
    before: PlanBilling | None = None
    for row in rows:
        if row.kind is not OrderKind.CHANGE or row.billing is not before:
            period = []
        period.append(_Paid(row.id, row.plan_id, row.quantity, bool(row.is_given_back)))
        before = row.billing
    return period


def _lock(entitlement: Entitlement) -> None:
    lock_row(Entitlement, Entitlement.id == entitlement.id)


def _tell(entitlement: Entitlement, fact: str) -> None:
    record_fact(
        fact,
        subject=("entitlement", entitlement.id),
        organization_id=entitlement.organization_id,
        data={"listing": entitlement.listing_id, "plan": entitlement.plan_id},
    )
    for listener in _changed:
        listener(entitlement.listing_id, entitlement.organization_id)
