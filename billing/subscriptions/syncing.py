"""Making a subscription what Stripe says it is."""

from collections.abc import Mapping
from typing import Any

from sqlalchemy import or_, select

from billing.entitlements import begin_grace, change, end, grant, of_subscription
from billing.models import (
    Entitlement,
    EntitlementState,
    Plan,
    Price,
    Subscription,
    SubscriptionState,
)
from billing.operations import settle_if_unanswered
from billing.stripe_objects import item_of, moment, period_of
from billing.subscriptions.listeners import tell_ended, tell_failed
from billing.subscriptions.states import LIVE, next_state, state_of
from marketplace.core import clock
from marketplace.core.database import db
from marketplace.core.facts import record_fact
from marketplace.core.locks import lock_row

MAX_CHANGE = 40
# What a change's metadata says of when it counts, beside NEXT_PAYMENT.
NOW = "now"
UNPAID = "Its subscription was not paid."
CANCELED = "The subscription was canceled."


def find_subscription(stripe_id: str, metadata: Mapping[str, Any] | None) -> Subscription | None:
    """Our subscription of a Stripe one, by its id or by what we wrote into its metadata. Locked."""
    public_id = str((metadata or {}).get("subscription") or "")
    found = db.session.scalar(
        select(Subscription.id)
        .where(
            or_(
                Subscription.stripe_id == stripe_id,
                (Subscription.public_id == public_id) & Subscription.stripe_id.is_(None),
            )
        )
        .order_by(Subscription.stripe_id.is_(None))
        .limit(1)
    )
    if found is None:
        return None
    locked = lock_row(Subscription, Subscription.id == found)
    # Another may have told it its Stripe id meanwhile.
    return locked if locked is not None and locked.stripe_id in (None, stripe_id) else None


def sync_subscription(
    subscription: Subscription, found: Mapping[str, Any], *, by_user_id: int | None = None
) -> None:
    """Take over state, period, plan and seats from Stripe's `found`; give what a change paid for,
    give grace, or end what it gives.

    Repeating it, or an older answer after a newer one, ends nothing twice and revives nothing.
    A second live subscription of one customer for one listing stays incomplete: its payment is
    given back (orders/paying.py).
    """
    item = item_of(found)
    if subscription.stripe_id is None:
        subscription.stripe_id = str(found["id"])
        if subscription.state is SubscriptionState.CANCELED:
            # Its checkout had lapsed here, and was paid all the same.
            subscription.state, subscription.canceled_at = SubscriptionState.INCOMPLETE, None
    subscription.stripe_item_id = str(item.get("id") or "") or subscription.stripe_item_id
    before = subscription.state
    state = next_state(before, state_of(str(found.get("status"))))
    if before is SubscriptionState.INCOMPLETE and state in LIVE and _has_other(subscription):
        db.session.flush()
        return
    subscription.state = state
    subscription.quantity = int(item.get("quantity") or subscription.quantity)
    start, until = period_of(found)
    subscription.current_period_start = start or subscription.current_period_start
    subscription.current_period_end = until or subscription.current_period_end
    subscription.cancel_at_period_end = bool(
        found.get("cancel_at_period_end") or found.get("cancel_at")
    )
    subscription.trial_ends_at = moment(found.get("trial_end")) or subscription.trial_ends_at
    if state is SubscriptionState.CANCELED and before is not state:
        subscription.canceled_at = moment(found.get("canceled_at")) or clock.now()
    is_new = _take_plan(subscription, found.get("metadata") or {})
    db.session.flush()
    _settle_entitlement(subscription, before)
    if is_new:
        _deliver_change(subscription, found.get("metadata") or {}, by_user_id)


def _take_plan(subscription: Subscription, said: Mapping[str, Any]) -> bool:
    """The plan and price of the change that Stripe carried out last; whether it is new here.

    The change travels with the subscription (changing.py), since the answer to the request for it
    may be lost, and the money for it is taken all the same.
    """
    name = str(said.get("change") or "")[:MAX_CHANGE]
    if not name or name == subscription.last_change:
        return False
    price = db.session.get(Price, _number(said.get("price")))
    plan = db.session.get(Plan, price.plan_id) if price is not None else None
    if price is None or plan is None or plan.listing_id != subscription.listing_id:
        return False
    subscription.plan_id, subscription.price_id = plan.id, price.id
    subscription.last_change = name
    return True


def _deliver_change(
    subscription: Subscription, said: Mapping[str, Any], by_user_id: int | None
) -> None:
    is_now = said.get("counts") == NOW
    held = of_subscription(subscription)
    if is_now and held is not None and _number(said.get("quantity")) == subscription.quantity:
        change(held, plan_id=subscription.plan_id, quantity=subscription.quantity)
    settle_if_unanswered(
        change_key(subscription.id, subscription.last_change), subscription.stripe_id or ""
    )
    record_fact(
        "subscription.changed",
        subject=("subscription", subscription.id),
        organization_id=subscription.organization_id,
        actor_user_id=by_user_id,
        data={
            "plan": subscription.plan_id,
            "quantity": subscription.quantity,
            "now": is_now,
        },
        idempotency_key=f"subscription.changed:{subscription.id}:{subscription.last_change}"[:120],
    )


def change_key(subscription_id: int, token: str) -> str:
    """Under which a change is asked for at Stripe."""
    return f"subscription:{subscription_id}:change:{token}"


def _number(text: Any) -> int:
    return int(text) if str(text or "").isdecimal() else 0


def _settle_entitlement(subscription: Subscription, before: SubscriptionState) -> None:
    state = subscription.state
    entitlement = of_subscription(subscription)
    if state is not before:
        record_fact(
            f"subscription.{state.value}",
            subject=("subscription", subscription.id),
            organization_id=subscription.organization_id,
            data={"before": before.value},
        )
    if state is SubscriptionState.CANCELED:
        if entitlement is not None:
            was_unpaid = before is SubscriptionState.PAST_DUE
            end(entitlement, UNPAID if was_unpaid else CANCELED)
        if before in LIVE:
            tell_ended(subscription)
    elif state is SubscriptionState.PAST_DUE:
        if entitlement is not None and entitlement.state is EntitlementState.ACTIVE:
            begin_grace(entitlement)
            tell_failed(subscription)
    elif entitlement is not None and entitlement.state is EntitlementState.GRACE:
        _restore(subscription, entitlement)


def _restore(subscription: Subscription, entitlement: Entitlement) -> None:
    grant(
        organization_id=subscription.organization_id,
        listing_id=subscription.listing_id,
        plan_id=entitlement.plan_id,
        quantity=entitlement.quantity,
        order_id=entitlement.order_id,
        subscription_id=subscription.id,
    )


def _has_other(subscription: Subscription) -> bool:
    return (
        db.session.scalar(
            select(Subscription.id).where(
                Subscription.organization_id == subscription.organization_id,
                Subscription.listing_id == subscription.listing_id,
                Subscription.id != subscription.id,
                Subscription.state.in_(LIVE),
            )
        )
        is not None
    )
