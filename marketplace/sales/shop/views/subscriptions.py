"""An organization's subscriptions: seeing, changing, ending them."""

import re
import secrets
from datetime import datetime

from flask import flash, make_response, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from billing.entitlements import of_subscription
from billing.gateway import StripeError, StripeRejectedError
from billing.models import Plan, Price, Subscription, SubscriptionState
from billing.quoting import RECURRING, prices_in_force
from billing.subscriptions.card import open_card_page, open_payment
from billing.subscriptions.changing import (
    OLD_PAGE,
    Wanted,
    cancel_at_period_end,
    change_subscription,
    is_resold,
    want,
)
from billing.subscriptions.paid import paid_price
from billing.subscriptions.proration import When
from billing.subscriptions.states import LIVE
from marketplace.core import clock
from marketplace.core.database import db
from marketplace.core.errors import ConflictError, InvalidError
from marketplace.core.permissions import current_actor, needs
from marketplace.identity.forms import choices_of
from marketplace.identity.models import Organization
from marketplace.sales.form_errors import fields_hold, show_errors
from marketplace.sales.plans import texts as plan_texts
from marketplace.sales.plans.queries import plans_of
from marketplace.sales.shop import queries, texts
from marketplace.sales.shop.forms import ChangeForm
from marketplace.sales.shop.links import absolute
from marketplace.sales.shop.views.blueprints import purchases, tabs_of
from marketplace.sales.shop.views.paying import NOT_REACHED, let_reach_checkout

_PATH = "/subscriptions/<subscription_id>"
_TOKEN = re.compile(r"[0-9a-f]{32}")


@purchases.get("/subscriptions")
@needs("purchases.use", load=queries.own_organization, name="organization", hidden=False)
def subscriptions(organization: Organization) -> ResponseReturnValue:
    """All of them, live ones first."""
    return render_template(
        "shop/subscriptions.html",
        organization=organization,
        tabs=tabs_of(organization, "purchases.subscriptions"),
        held=queries.subscriptions_of(organization.id),
        texts=texts,
        plan_texts=plan_texts,
    )


@purchases.get(_PATH)
@needs("subscription.manage", load=queries.find_subscription, name="subscription", hidden=False)
def subscription(subscription: Subscription) -> ResponseReturnValue:
    """One: its plan, its next payment, and what it cost so far."""
    page = make_response(
        render_template(
            "shop/subscription.html",
            token=secrets.token_hex(16),
            has_given_card=request.args.get("card") == "given",
            **_context(subscription),
        )
    )
    return let_reach_checkout(page) if subscription.state in LIVE else page


@purchases.post(f"{_PATH}/payment")
@needs("subscription.manage", load=queries.find_subscription, name="subscription", hidden=False)
def subscription_pay(subscription: Subscription) -> ResponseReturnValue:
    """Go on to Stripe's page of the payment that is open."""
    subscription_id, back = subscription.id, _to(subscription)
    try:
        url = open_payment(subscription_id)
    except ConflictError as error:
        flash(error.detail, "warning")
        return back
    except StripeError:
        flash(NOT_REACHED, "warning")
        return back
    if url is None:
        flash("No payment is open. If you have just paid, it shows here in a minute.", "info")
        return back
    return redirect(url, code=303)


@purchases.post(f"{_PATH}/card")
@needs("subscription.manage", load=queries.find_subscription, name="subscription", hidden=False)
def subscription_card(subscription: Subscription) -> ResponseReturnValue:
    """Go on to Stripe's page on which another card is given."""
    token = request.form.get("token", "")
    if not _TOKEN.fullmatch(token):
        token = secrets.token_hex(16)
    subscription_id, page, back = subscription.id, _page(subscription), _to(subscription)
    try:
        url = open_card_page(
            subscription_id,
            token=token,
            done_url=absolute(f"{page}?card=given"),
            back_url=absolute(page),
        )
    except StripeRejectedError as error:
        flash(f"The payment service refused this: {error.message}", "danger")
        return back
    except ConflictError as error:
        flash(error.detail, "warning")
        return back
    except StripeError:
        flash(NOT_REACHED, "warning")
        return back
    return redirect(url, code=303)


@purchases.get(f"{_PATH}/change")
@needs("subscription.manage", load=queries.find_subscription, name="subscription", hidden=False)
def subscription_change(subscription: Subscription) -> ResponseReturnValue:
    """Choose another plan or number of seats."""
    if subscription.state not in LIVE or is_resold(subscription):
        flash("This subscription cannot be changed here.", "info")
        return _to(subscription)
    if subscription.state is SubscriptionState.PAST_DUE:
        flash("A payment is open. Pay it first, then change the plan.", "warning")
        return _to(subscription)
    form = ChangeForm(formdata=None)
    form.plan.data, form.quantity.data = subscription.plan.public_id, subscription.quantity
    return _change_page(subscription, form, None)


@purchases.post(f"{_PATH}/change")
@needs("subscription.manage", load=queries.find_subscription, name="subscription", hidden=False)
def subscription_change_now(subscription: Subscription) -> ResponseReturnValue:
    """Say what it means, or (once that was read) do it."""
    form = ChangeForm()
    is_readable = fields_hold(form)
    plan = next((each for each in _choices(subscription) if each.public_id == form.plan.data), None)
    if plan is None or not is_readable:
        form.plan.errors = [] if plan else ["Choose a plan."]
        return _change_page(subscription, form, None), 422
    quantity = form.quantity.data if form.quantity.data is not None else subscription.quantity
    try:
        wanted = want(subscription, plan, quantity)
    except InvalidError as error:
        show_errors(form, error)
        return _change_page(subscription, form, None), 422
    except ConflictError as error:
        flash(error.detail, "warning")
        return _to(subscription)
    said = _said(wanted)
    if request.form.get("said") != said or wanted.change.when is When.NEVER:
        return _change_page(subscription, form, wanted)
    token = form.token.data or ""
    if not _TOKEN.fullmatch(token):
        return _change_page(subscription, form, wanted)
    subscription_id, plan_id, back = subscription.id, plan.id, _to(subscription)
    try:
        change_subscription(
            subscription_id,
            plan_id,
            wanted.quantity,
            token=token,
            by_user_id=current_actor().user_id,
        )
    except StripeRejectedError as error:
        flash(f"Nothing was changed: {error.message}", "danger")
        return back
    except StripeError:
        flash(NOT_REACHED, "warning")
        return back
    except ConflictError as error:
        flash(error.detail, "warning")
        if error.code == OLD_PAGE:
            return _fresh_change_page(subscription_id, plan_id, form), 409
        return back
    if wanted.change.when is When.NOW:
        flash("Changed. It counts from now on.", "success")
    else:
        flash("Changed. It counts from the next payment on.", "success")
    return back


@purchases.get(f"{_PATH}/cancellation")
@needs("subscription.manage", load=queries.find_subscription, name="subscription", hidden=False)
def subscription_cancellation(subscription: Subscription) -> ResponseReturnValue:
    """Ask before it ends."""
    if subscription.state not in LIVE or subscription.cancel_at_period_end:
        flash("It ends already.", "info")
        return _to(subscription)
    return render_template(
        "shop/cancellation.html", token=secrets.token_hex(16), **_context(subscription)
    )


@purchases.post(f"{_PATH}/cancellation")
@needs("subscription.manage", load=queries.find_subscription, name="subscription", hidden=False)
def subscription_cancel(subscription: Subscription) -> ResponseReturnValue:
    """End it with what is paid."""
    return _set_ending(subscription, is_canceled=True)


@purchases.post(f"{_PATH}/resumption")
@needs("subscription.manage", load=queries.find_subscription, name="subscription", hidden=False)
def subscription_resume(subscription: Subscription) -> ResponseReturnValue:
    """Go on after all."""
    return _set_ending(subscription, is_canceled=False)


def _set_ending(subscription: Subscription, *, is_canceled: bool) -> ResponseReturnValue:
    token = request.form.get("token", "")
    if not _TOKEN.fullmatch(token):
        token = secrets.token_hex(16)
    subscription_id, back = subscription.id, _to(subscription)
    until = subscription.current_period_end
    entitlement = of_subscription(subscription)
    unpaid_until = entitlement.grace_until if entitlement else None
    try:
        cancel_at_period_end(
            subscription_id,
            is_canceled=is_canceled,
            token=token,
            by_user_id=current_actor().user_id,
        )
    except ConflictError as error:
        flash(error.detail, "warning")
        return back
    except StripeError:
        flash(NOT_REACHED, "warning")
        return back
    if not is_canceled:
        flash("It goes on.", "success")
    elif until is not None and unpaid_until is not None:
        flash(
            f"It is canceled. Unless the open payment is paid it ends on {_day(unpaid_until)}; "
            f"once it is paid, on {_day(until)}.",
            "success",
        )
    elif until is not None:
        flash(f"It ends on {_day(until)}. Until then nothing changes.", "success")
    else:
        flash("It ends with what is paid.", "success")
    return back


def _day(at: datetime) -> str:
    return f"{at.day} {at:%b %Y}"


def _choices(subscription: Subscription) -> list[Plan]:
    """The plans between which it may change: those on sale, the one that it has, and the one that
    is paid until a cheaper one begins."""
    rows = plans_of([subscription.listing_id], only_active=True)
    found = [
        row.plan
        for row in rows
        if row.plan.billing in RECURRING and subscription.currency in row.prices
    ]
    kept = [subscription.plan, db.session.get_one(Plan, paid_price(subscription).plan_id)]
    for each in kept:
        if all(plan.id != each.id for plan in found):
            found.insert(0, each)
    return found


def _fresh_change_page(subscription_id: int, plan_id: int, form: ChangeForm) -> str:
    """The page with what was typed, what it means by now, and a token that was not used."""
    subscription = db.session.get_one(Subscription, subscription_id)
    plan = db.session.get_one(Plan, plan_id)
    quantity = form.quantity.data if form.quantity.data is not None else subscription.quantity
    form.token.data = ""
    try:
        wanted = want(subscription, plan, quantity)
    except (ConflictError, InvalidError):
        wanted = None
    return _change_page(subscription, form, wanted)


def _change_page(subscription: Subscription, form: ChangeForm, wanted: Wanted | None) -> str:
    plans = _choices(subscription)
    form.plan.choices = choices_of((plan.public_id, plan.name) for plan in plans)
    if not _TOKEN.fullmatch(form.token.data or ""):
        form.token.data = secrets.token_hex(16)
    now = clock.now()
    held, paid = db.session.get_one(Price, subscription.price_id), paid_price(subscription)
    own = {paid.plan_id: paid.amount, held.plan_id: held.amount}
    amounts = {
        plan.public_id: own[plan.id]
        if plan.id in own
        else prices_in_force(plan, now)[subscription.currency].amount
        for plan in plans
    }
    return render_template(
        "shop/change.html",
        form=form,
        plans=plans,
        amounts=amounts,
        wanted=wanted,
        said=_said(wanted) if wanted is not None else "",
        has_seats=any(plan.is_per_seat for plan in plans),
        **_context(subscription),
    )


def _said(wanted: Wanted) -> str:
    """What a preview said, in which a few seconds make no difference."""
    change = wanted.change
    return f"{wanted.plan.public_id}:{wanted.quantity}:{change.when.value}:{change.later}"


def _context(subscription: Subscription) -> dict[str, object]:
    listings = queries.listings_by_id([subscription.listing_id])
    return {
        "subscription": subscription,
        "organization": queries.organization_of(subscription.organization_id),
        "listing": listings.get(subscription.listing_id),
        "plan": subscription.plan,
        "price": db.session.get_one(Price, subscription.price_id),
        "entitlement": of_subscription(subscription),
        "orders": queries.orders_of_subscription(subscription.id),
        "is_live": subscription.state in LIVE,
        "is_resold": is_resold(subscription),
        "texts": texts,
        "plan_texts": plan_texts,
    }


def _to(subscription: Subscription) -> ResponseReturnValue:
    return redirect(_page(subscription), code=303)


def _page(subscription: Subscription) -> str:
    slug = queries.organization_of(subscription.organization_id).slug
    return url_for("purchases.subscription", slug=slug, subscription_id=subscription.public_id)
