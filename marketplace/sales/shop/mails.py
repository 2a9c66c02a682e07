"""The mails about buying. Each queues one message."""

from billing.entitlements import entitlement_of
from billing.formatting import format_money
from billing.models import Order, OrderKind, Plan, Subscription
from billing.profiles import profile_of
from billing.seller import seller
from marketplace.catalogue.models import Listing
from marketplace.core.database import db
from marketplace.core.mail import send_mail
from marketplace.identity.models import Organization, User
from marketplace.sales.shop.links import absolute
from marketplace.sales.shop.texts import title_of


def tell_order_paid(order: Order) -> None:
    """A receipt to whoever gets them. (A listener of billing.) What cost nothing needs none."""
    address, organization = _address(order.organization_id, order.placed_by_id)
    if address is None or organization is None or not order.total:
        return
    kind = "renewed" if order.kind is OrderKind.RENEWAL else "bought"
    send_mail(
        address,
        f"Your receipt {order.invoice_number}",
        f"{organization.name} {kind}: {title_of(order)}\n"
        f"Paid: {format_money(order.total, order.currency)}\n\n"
        "The invoice and the receipt as files:\n"
        f"{absolute(f'/organizations/{organization.slug}/orders/{order.public_id}')}\n",
        dedupe_key=f"order_paid:{order.id}",
    )


def tell_payment_failed(subscription: Subscription) -> None:
    """A renewal was not paid. (A listener of billing.)"""
    address, organization = _address(subscription.organization_id, None)
    if address is None or organization is None:
        return
    days = seller().grace_days
    send_mail(
        address,
        f"The payment for {_name(subscription)} failed",
        f"We could not charge the card of {organization.name} for {_name(subscription)}.\n\n"
        f"It goes on for {days} days, in which we try again. After that it is paused.\n\n"
        "Pay now, or change the card:\n"
        f"{absolute(_page(subscription, organization))}\n",
    )


def tell_subscription_ended(subscription: Subscription) -> None:
    """It has ended. (A listener of billing.)"""
    address, organization = _address(subscription.organization_id, None)
    if address is None or organization is None:
        return
    send_mail(
        address,
        f"{_name(subscription)} has ended",
        f"The subscription of {organization.name} to {_name(subscription)} has ended. "
        f"{_what_is_left(subscription)}\n\n"
        f"{absolute(_page(subscription, organization))}\n",
        dedupe_key=f"subscription_ended:{subscription.id}",
    )


def _address(organization_id: int, user_id: int | None) -> tuple[str | None, Organization | None]:
    organization = db.session.get(Organization, organization_id)
    profile = profile_of(organization_id)
    if profile is not None and profile.email:
        return profile.email, organization
    user = db.session.get(User, user_id) if user_id is not None else None
    return (user.email if user is not None and user.email_verified else None), organization


def _what_is_left(subscription: Subscription) -> str:
    left = entitlement_of(subscription.listing_id, subscription.organization_id)
    if left is None:
        return "What is installed by it is paused; nothing is deleted."
    return f"What was paid for otherwise goes on: {left.plan.name}."


def _name(subscription: Subscription) -> str:
    listing = db.session.get(Listing, subscription.listing_id)
    plan = db.session.get(Plan, subscription.plan_id)
    return ", ".join(each.name for each in (listing, plan) if each is not None)


def _page(subscription: Subscription, organization: Organization) -> str:
    return f"/organizations/{organization.slug}/subscriptions/{subscription.public_id}"
