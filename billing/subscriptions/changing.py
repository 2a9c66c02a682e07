"""What a customer does with a subscription: another plan, more or fewer seats, cancel, go on.

Each asks Stripe without an open transaction and then takes over its answer. `token` names the
attempt (a form carries it), so that a second click is the same call.
"""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import timedelta
from typing import Any

from sqlalchemy import select

from billing.checkout import INTERVALS, product_of
from billing.gateway import (
    StripeBusyError,
    StripeRejectedError,
    StripeUnknownError,
    gateway,
    retry_later,
)
from billing.models import (
    Order,
    OrderKind,
    Plan,
    PlanState,
    Price,
    Subscription,
    SubscriptionState,
)
from billing.operations import OperationConflictError, perform, perform_anew
from billing.quoting import MAX_QUANTITY, RECURRING, price_in_force
from billing.subscriptions.paid import (
    first_order,
    held_terms,
    off_of_subscription,
    paid_price,
    paid_terms,
)
from billing.subscriptions.proration import Change, Terms, When, change_of
from billing.subscriptions.states import LIVE
from billing.subscriptions.syncing import MAX_CHANGE, change_key, sync_subscription
from marketplace.core import clock
from marketplace.core.database import db
from marketplace.core.errors import ConflictError, InvalidError, NotFoundError
from marketplace.core.facts import record_fact
from marketplace.core.jobs import Payload, enqueue, job_handler
from marketplace.core.locks import lock_row
from marketplace.core.unit_of_work import unit_of_work

# The code of the conflict of a form that was sent before, or is older than what is.
OLD_PAGE = "old_page"
NOT_TOLD = "Stripe has not told us of it yet. Try again in a minute."
YEAR = timedelta(days=365)
PUT_BACK = "subscriptions.put_back"
# After this, nobody is about to finish a change that was begun.
GIVEN_UP = timedelta(minutes=15)


@dataclass(frozen=True)
class Wanted:
    """Another plan or number of seats, with the price that it has for this subscription.

    `paid` is what was paid for this period, `held` what the next payment would be for."""

    plan: Plan
    price: Price
    quantity: int
    change: Change
    paid: Terms
    held: Terms


@dataclass(frozen=True)
class _Asked:
    """What Stripe is told that a subscription is of."""

    price_id: int
    unit_amount: int
    currency: str
    plan_id: int
    plan_name: str
    product: str | None
    interval: str
    quantity: int


def want(subscription: Subscription, plan: Plan, quantity: int) -> Wanted:
    """What the change would mean. Who keeps the plan keeps its price, whatever it is sold for
    now. Raises InvalidError, ConflictError."""
    if subscription.state not in LIVE:
        raise ConflictError("This subscription has ended.")
    if is_resold(subscription):
        raise ConflictError("It was sold by a reseller. Ask them for another quote.")
    if subscription.state is SubscriptionState.PAST_DUE:
        raise ConflictError("A payment is open. Pay it first, then change the plan.")
    same = plan.id == subscription.plan_id
    if plan.listing_id != subscription.listing_id or plan.billing not in RECURRING:
        raise InvalidError({"plan": "Choose a plan of this listing."})
    paid_by = paid_price(subscription)
    is_paid = plan.id == paid_by.plan_id
    if not same and not is_paid and plan.state is not PlanState.ACTIVE:
        raise InvalidError({"plan": "This plan is no longer sold."})
    if not plan.is_per_seat:
        quantity = 1
    if not 1 <= quantity <= MAX_QUANTITY:
        raise InvalidError({"quantity": f"From 1 to {MAX_QUANTITY:,} seats."})
    now = clock.now()
    if same:
        price: Price | None = db.session.get_one(Price, subscription.price_id)
    else:
        price = paid_by if is_paid else price_in_force(plan, subscription.currency, now)
    if price is None:
        raise InvalidError({"plan": f"It has no price in {subscription.currency}."})
    held, paid = held_terms(subscription), paid_terms(subscription)
    first = first_order(subscription)
    next_payment = subscription.current_period_end or now
    if plan.billing is not paid.billing:
        next_payment = now + YEAR
    change = change_of(
        paid,
        held,
        Terms(plan.id, plan.billing, price.amount, quantity),
        start=subscription.current_period_start,
        end=subscription.current_period_end,
        at=now,
        off=off_of_subscription(subscription, first, now),
        later_off=off_of_subscription(subscription, first, next_payment),
    )
    if _is_on_trial(subscription):
        # Nothing was paid for this period, so nothing is due for its rest.
        when = When.NOW if change.when is When.NEXT_PAYMENT else change.when
        change = Change(when, 0, change.later, change.reason)
    return Wanted(plan, price, quantity, change, paid, held)


def change_subscription(
    subscription_id: int, plan_id: int, quantity: int, *, token: str, by_user_id: int | None
) -> Change:
    """Change it; what it meant. More is charged at once, and nothing changes where the card is
    refused.

    Raises InvalidError, ConflictError (with the code OLD_PAGE where `token` was used for another
    change, or the subscription is another by now), and the gateway's errors.
    """
    done = _look(subscription_id, plan_id, quantity, token, by_user_id)
    if done is not None:
        return done
    with unit_of_work():
        subscription, plan = _load(subscription_id), db.session.get(Plan, plan_id)
        if plan is None:
            raise NotFoundError
        wanted = want(subscription, plan, quantity)
        if wanted.change.when is When.NEVER:
            raise ConflictError(wanted.change.reason)
        ids = subscription.stripe_id, subscription.stripe_item_id
        asked = _asked(wanted.price, wanted.quantity)
        prorates = wanted.change.when is When.NOW and not _is_on_trial(subscription)
        before = after = None
        if prorates and wanted.paid != wanted.held:
            before = _asked(paid_price(subscription), wanted.paid.quantity)
            after = _asked(db.session.get_one(Price, subscription.price_id), subscription.quantity)
            # For a worker that ends between the two: what was planned is not forgotten.
            planned = {"subscription_id": subscription_id, "token": token, "asked": asdict(after)}
            key = f"{PUT_BACK}:{subscription_id}:{token}"
            enqueue(PUT_BACK, planned, dedupe_key=key, delay=GIVEN_UP)
    when = wanted.change.when
    if before is not None:
        # Stripe charges what is above the present number: let that be what is paid already.
        found = _tell(subscription_id, ids, before, f"{token}-paid", When.NEXT_PAYMENT)
        said = (found.get("metadata") or {}).get("change")
        if said not in (f"{token}-paid", f"{token}-back"):
            # It was begun long ago, and is something else by now: the charge would be too high.
            raise _old_page()
        _take_over(subscription_id, found, by_user_id)
    try:
        found = _tell(subscription_id, ids, asked, token, when, prorates=prorates)
    except StripeRejectedError:
        if after is not None:
            found = _tell(subscription_id, ids, after, f"{token}-back", When.NEXT_PAYMENT)
            _take_over(subscription_id, found, by_user_id)
        raise
    _take_over(subscription_id, found, by_user_id)
    if (found.get("metadata") or {}).get("change") != token:
        # Sent again after something else was changed: it was carried out long ago.
        raise _old_page()
    return wanted.change


@job_handler(PUT_BACK)
def _put_back(payload: Payload) -> None:
    """Plan again what was planned before a change that was begun and never finished."""
    subscription_id, token = int(payload["subscription_id"]), str(payload["token"])
    with unit_of_work():
        subscription = _load(subscription_id, live=False)
        ids = subscription.stripe_id, subscription.stripe_item_id
    try:
        found = gateway().retrieve("subscriptions", ids[0] or "")
        _take_over(subscription_id, found, None)
        with unit_of_work():
            is_live = _load(subscription_id, live=False).state in LIVE
        if not is_live or (found.get("metadata") or {}).get("change") != f"{token}-paid":
            return
        asked = _Asked(**payload["asked"])
        found = _tell(subscription_id, ids, asked, f"{token}-lapsed", When.NEXT_PAYMENT)
    except (StripeUnknownError, StripeBusyError) as error:
        raise retry_later(error) from error
    _take_over(subscription_id, found, None)


def _look(
    subscription_id: int, plan_id: int, quantity: int, token: str, by_user_id: int | None
) -> Change | None:
    """Take over what Stripe has now, so that nothing is decided by what is old; what `token` meant
    where it was carried out and its answer was lost. Raises ConflictError and the gateway's
    errors."""
    with unit_of_work():
        subscription = _load(subscription_id)
        stripe_id, known = subscription.stripe_id, _as_known(subscription)
        was_known = subscription.last_change == token[:MAX_CHANGE]
    if stripe_id is None:
        raise ConflictError(NOT_TOLD)
    found = gateway().retrieve("subscriptions", stripe_id)
    said = found.get("metadata") or {}
    is_ours = not was_known and said.get("change") == token[:MAX_CHANGE]
    _take_over(subscription_id, found, by_user_id if is_ours else None)
    with unit_of_work():
        subscription = _load(subscription_id)
        plan = db.session.get(Plan, plan_id)
        wanted = (plan_id, quantity if plan is not None and plan.is_per_seat else 1)
        if is_ours and (subscription.plan_id, subscription.quantity) == wanted:
            return Change(When(said["counts"]), 0, held_terms(subscription).amount)
        if is_ours or _as_known(subscription) != known:
            raise _old_page()
    return None


def _as_known(subscription: Subscription) -> tuple[int, int, int]:
    return subscription.plan_id, subscription.price_id, subscription.quantity


def _old_page() -> ConflictError:
    return ConflictError("This page is old. Look again, then confirm.", code=OLD_PAGE)


def _is_on_trial(subscription: Subscription) -> bool:
    return subscription.trial_ends_at is not None and subscription.trial_ends_at > clock.now()


def _asked(price: Price, quantity: int) -> _Asked:
    plan = db.session.get_one(Plan, price.plan_id)
    return _Asked(
        price_id=price.id,
        unit_amount=price.amount,
        currency=price.currency,
        plan_id=plan.id,
        plan_name=plan.name,
        product=plan.stripe_product_id,
        interval=INTERVALS[plan.billing],
        quantity=quantity,
    )


def _tell(
    subscription_id: int,
    ids: tuple[str | None, str | None],
    asked: _Asked,
    name: str,
    when: When,
    *,
    prorates: bool = False,
) -> dict[str, Any]:
    """Let the subscription be what is asked; `name` names the change. No open transaction.

    Raises ConflictError (where the name is another change's) and the gateway's errors."""
    stripe_id, item_id = ids
    if stripe_id is None or item_id is None:
        raise ConflictError(NOT_TOLD)
    params = {
        "id": stripe_id,
        "items": [
            {
                "id": item_id,
                "quantity": asked.quantity,
                "price_data": {
                    "currency": asked.currency,
                    "product": asked.product or product_of(asked.plan_id, asked.plan_name),
                    "unit_amount": asked.unit_amount,
                    "recurring": {"interval": asked.interval},
                    "tax_behavior": "exclusive",
                },
            }
        ],
        "proration_behavior": "always_invoice" if prorates else "none",
        # Where the card is refused nothing changes, rather than being changed and unpaid.
        "payment_behavior": "error_if_incomplete" if prorates else "allow_incomplete",
        # Tells whoever looks at the subscription next what was bought, if the answer is lost.
        "metadata": {
            "change": name,
            "price": str(asked.price_id),
            "quantity": str(asked.quantity),
            "counts": when.value,
        },
    }
    try:
        return perform(change_key(subscription_id, name), "subscriptions.update", params)
    except OperationConflictError as error:
        raise _old_page() from error


def _take_over(subscription_id: int, found: Mapping[str, Any], by_user_id: int | None) -> None:
    with unit_of_work():
        sync_subscription(_load(subscription_id, live=False), found, by_user_id=by_user_id)


def cancel_at_period_end(
    subscription_id: int, *, is_canceled: bool, token: str, by_user_id: int | None
) -> None:
    """Let it end with the period that is paid, or (`is_canceled` False) go on after all.

    Raises ConflictError (with the code OLD_PAGE where the attempt is an old one, and it is the
    other way round by now), and the gateway's errors."""
    with unit_of_work():
        stripe_id = _load(subscription_id).stripe_id
    if stripe_id is None:
        raise ConflictError(NOT_TOLD)
    try:
        found = perform(
            f"subscription:{subscription_id}:ending:{token}",
            "subscriptions.update",
            {"id": stripe_id, "cancel_at_period_end": is_canceled},
        )
    except OperationConflictError as error:
        raise _old_page() from error
    _take_over(subscription_id, found, by_user_id)
    with unit_of_work():
        subscription = _load(subscription_id)
        if subscription.cancel_at_period_end is not is_canceled:
            raise _old_page()
        record_fact(
            "subscription.ending" if is_canceled else "subscription.resumed",
            subject=("subscription", subscription.id),
            organization_id=subscription.organization_id,
            actor_user_id=by_user_id,
            idempotency_key=f"subscription.ending:{subscription_id}:{token}"[:120],
        )


def cancel_now(subscription_id: int) -> None:
    """End it at Stripe at once; nothing is paid back by that. Ending twice is harmless.

    Called from jobs. Raises the gateway's errors, but for one that was ended there already."""
    with unit_of_work():
        stripe_id = db.session.scalar(
            select(Subscription.stripe_id).where(Subscription.id == subscription_id)
        )
    if stripe_id is None:
        return
    try:
        found = perform_anew(
            f"subscription:{subscription_id}:cancel", "subscriptions.cancel", {"id": stripe_id}
        )
    except StripeRejectedError as error:
        if error.status != 404:
            raise
        found = {"id": stripe_id, "status": "canceled"}
    with unit_of_work():
        sync_subscription(_load(subscription_id, live=False), found)


def is_resold(subscription: Subscription) -> bool:
    """Whether a reseller sold it: its price is the reseller's."""
    return (
        db.session.scalar(
            select(Order.id).where(
                Order.subscription_id == subscription.id, Order.kind == OrderKind.RESALE
            )
        )
        is not None
    )


def _load(subscription_id: int, *, live: bool = True) -> Subscription:
    found = lock_row(Subscription, Subscription.id == subscription_id)
    if found is None:
        raise NotFoundError
    if live and found.state not in LIVE:
        raise ConflictError("This subscription has ended.")
    return found
